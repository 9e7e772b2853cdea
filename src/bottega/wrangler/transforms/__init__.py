"""The transforms of the palette: one module (or folder) for each group."""
