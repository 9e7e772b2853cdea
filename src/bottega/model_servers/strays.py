"""Containers that nobody attends any more."""

from __future__ import annotations

from pathlib import Path

from bottega.compute.docker.container import HOME_LABEL, remove_those_of
from bottega.compute.docker.engine import EngineUnavailable, find_engine
from bottega.compute.runner import Phase
from bottega.ports import Ports


def remove_strays(ports: Ports) -> int:
    """Remove this home's containers whose attendant was killed before it could; returns how many
    there were. Where no Docker engine answers, there are none that run."""

    def attended(workload: str) -> bool:
        return ports.runner.state(Path(workload)).phase is Phase.RUNNING

    try:
        with find_engine(ports.config.docker).client() as client:
            label = f"{HOME_LABEL}={ports.config.home}"
            return remove_those_of(client, label, keep=attended)
    except EngineUnavailable:
        return 0
