"""The background service: listener, controller host, lock."""
