"""Runs, parameters, metrics and artifacts, kept in MLflow."""
