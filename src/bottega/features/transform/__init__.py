"""Batch transform: objects of the store through a model, one output object for each.

``splitting`` cuts objects into requests, ``treatment`` filters and joins records, ``driver`` is the
program that sends them and keeps its place; the controller stages, keeps the model servers and the
drivers running and uploads.
"""
