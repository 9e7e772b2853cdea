"""The built-in algorithms, one folder each, all with the same signature."""
