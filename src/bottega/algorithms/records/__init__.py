"""Inference requests and answers of the algorithms that work on rows of numbers."""
