"""Evaluating the rules of one training while it runs: a program of its own, beside the training.

It reads what the training saves and writes what its rules found; it decides nothing and stops
nothing. ``plan`` is what it is told, ``results`` what it says.
"""
