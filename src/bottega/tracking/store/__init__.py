"""What the tracking server adds to MLflow's own store: speed, and the questions of the grid.

Everything here runs in the tracking server's process, where MLflow is loaded; the daemon asks over
REST.
"""
