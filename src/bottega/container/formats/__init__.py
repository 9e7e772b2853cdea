"""Models that are served without a script: each common file format has its loader."""
