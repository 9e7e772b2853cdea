"""Generated request and response types, one module a feature; see scripts/generate."""
