"""Experiments: the runs of the tracking store, whoever logged them."""
