"""What data capture has kept: the newest records of an endpoint, for those who look."""
