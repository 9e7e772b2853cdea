"""The local runner: supervisors, a warm fork server, and Linux isolation."""
