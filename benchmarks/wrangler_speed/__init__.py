"""What ``benchmarks/wrangler.py`` measures: the data, the recipe, and who cooks it."""
