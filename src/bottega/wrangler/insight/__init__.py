"""What the data are like: profiles of columns, suggestions, analyses and the report."""
