"""Asynchronous inference: requests are taken in at once, and answered in the object store."""
