"""Fixtures and shared test cases, for this project and for those who implement its ports."""
