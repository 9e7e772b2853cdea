"""Running flows: DuckDB underneath, everything a query as long as it can be."""
