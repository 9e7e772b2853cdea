"""Failed jobs of every kind, explained."""
