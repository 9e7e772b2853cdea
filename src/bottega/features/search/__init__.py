"""Search and its suggestions over stored resources."""
