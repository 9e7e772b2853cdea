"""Where work runs: the runner port, its implementations, capacity and logs."""
