"""Removes what an attendant left: ``python -m bottega.compute.docker.remover ENGINE WORKLOAD``.

The supervisor runs it when the attendant has ended, however that happened. Usually there is
nothing left.
"""

from __future__ import annotations

import sys

from bottega.compute.docker.container import WORKLOAD_LABEL, remove_those_of
from bottega.compute.docker.engine import EngineUnavailable, find_engine

_ENGINE_SECONDS = 40.0


def main(engine: str, workload: str) -> int:
    """Remove the container of an attendant, by the runner's folder; returns an exit code."""
    try:
        with find_engine(engine).client(timeout=_ENGINE_SECONDS) as client:
            remove_those_of(client, f"{WORKLOAD_LABEL}={workload}")
    except EngineUnavailable as error:
        print(f"bottega: a container may be left of {workload}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
