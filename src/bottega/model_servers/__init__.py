"""What whoever serves a model needs, for an endpoint or for a batch of records.

The plan of a model, its files, the workload that is its server, and asking that server whether it
is well.
"""
