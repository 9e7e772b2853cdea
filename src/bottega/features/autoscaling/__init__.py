"""Autoscaling: the application-autoscaling API for variants of endpoints, and the scaler."""
