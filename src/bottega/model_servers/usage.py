"""Where the supervisors of model servers write what these use of the machine."""

from __future__ import annotations


def usage_group(endpoint: str) -> str:
    """The log group of an endpoint's samples: one of bottega's own, which nobody lists."""
    return f"/bottega/EndpointMetrics/{endpoint}"


def usage_stream(instance: str) -> str:
    """The stream of one model server.

    Args:
        instance: its id.
    """
    return instance
