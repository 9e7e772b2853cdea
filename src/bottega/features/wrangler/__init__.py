"""Data Wrangler's operations: each hands its request to the worker of the folder it is about."""
