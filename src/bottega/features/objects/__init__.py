"""Buckets and objects: the subset of S3 that SageMaker's clients need, on the object store."""
