"""Image Classification as a built-in algorithm: residual networks for one label or several."""
