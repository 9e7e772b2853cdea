"""Tags of every resource that has an ARN."""
