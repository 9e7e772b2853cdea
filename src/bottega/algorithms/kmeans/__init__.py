"""K-Means: a streaming summary of many centres, reduced to the k that were asked for."""
