"""Readers of training data into arrays: CSV, libsvm, Parquet. Errors name file and line."""
