"""Containers of a Docker engine, each attended by a process of the runner's."""
