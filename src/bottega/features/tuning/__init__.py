"""Hyperparameter tuning jobs: operations, and the controller that starts and stops trials.

What to try, what to stop and when to end is decided in ``bottega.tuning``, from the trials alone.
"""
