"""What runs inside a job: the /opt/ml toolkit and script mode."""
