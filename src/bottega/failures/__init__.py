"""Why a job failed: its log and its reason read as a person would who has seen many."""
