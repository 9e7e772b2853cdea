"""Factorization Machines: linear models with an interaction between each two features."""
