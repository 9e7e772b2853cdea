"""CloudWatch Logs over the log store: groups, streams, events and filters."""
