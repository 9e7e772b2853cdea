"""Attends the container of one host of a job: ``python -m bottega.compute.docker.job``.

The runner supervises this process as it does any host; this process makes the container, writes its
output to its own, hands SIGTERM on, and ends when the container ends, with its exit code. No code
of the user's runs here, which is why it may use the engine's socket.

The variable ``BOTTEGA_CONTAINER`` says what to do: a :class:`JobRun` as text.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from bottega.compute.docker.attending import follow
from bottega.compute.docker.container import (
    HOME_LABEL,
    PLAN_VARIABLE,
    WORKLOAD_LABEL,
    CannotStart,
    bounds,
    refusals,
    remove_those_of,
)
from bottega.compute.docker.engine import EngineUnavailable, find_engine

if TYPE_CHECKING:
    from docker.api import APIClient

HOST_LABEL = "bottega.host"
"""Whose value is the folder of the host; no two containers have it at once."""
_ENGINE_SECONDS = 60.0
_CONTRACT = (
    "SageMaker's contract is that the ContainerEntrypoint of the job, or the ENTRYPOINT of the "
    "image, is a program in the image."
)


@dataclass(frozen=True)
class JobRun:
    """All that makes the container of one host."""

    engine: str
    """Which engine: an address, or ``auto``."""
    image: str
    entrypoint: tuple[str, ...]
    """Empty for the image's own."""
    arguments: tuple[str, ...]
    """Empty for those of the image, unless there is an entrypoint, which then gets none."""
    environment: Mapping[str, str]
    folder: str
    """Of this machine, which the container sees as ``/opt/ml`` and may write to."""
    hosts: tuple[str, ...]
    """All hosts of the job; those that share this machine's network each have an address of it."""
    network: bool
    """True: this machine's, as any job has it; False: none but its own loopback."""
    stop_seconds: int
    """From SIGTERM to SIGKILL."""
    home: str
    """Of the studio that it belongs to."""
    workload: str
    """The runner's folder of the job."""

    def dumps(self) -> str:
        """As text that fits into a variable."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read back what :meth:`dumps` wrote."""
        fields = json.loads(text)
        lists = {name: tuple(fields[name]) for name in ("entrypoint", "arguments", "hosts")}
        return cls(**{**fields, **lists})


def create(client: APIClient, run: JobRun) -> str:
    """Make the container, not started; returns its id. One that was left of the same host is
    removed first.

    It runs as the user of this process, who owns the folder: what it writes can be read and
    removed afterwards.

    Raises:
        CannotStart: the engine refuses.
    """
    remove_those_of(client, f"{HOST_LABEL}={run.folder}")
    # As the runner's hosts file has it.
    addresses = {name: f"127.0.1.{number}" for number, name in enumerate(run.hosts, start=1)}
    options: dict[str, Any] = {"network_mode": "host" if run.network else "none"}
    if run.network:
        options["extra_hosts"] = addresses
    with refusals(run.image):
        made = client.create_container(
            run.image,
            list(run.arguments) or None,
            entrypoint=list(run.entrypoint) or None,
            user=f"{os.getuid()}:{os.getgid()}",
            environment=dict(run.environment),
            labels={HOST_LABEL: run.folder, HOME_LABEL: run.home, WORKLOAD_LABEL: run.workload},
            host_config=client.create_host_config(
                binds=[f"{run.folder}:/opt/ml:rw"], **bounds(), **options
            ),
        )
    return str(made["Id"])


def main() -> int:
    """Attend the container that the environment describes."""
    run = JobRun.loads(os.environ[PLAN_VARIABLE])
    try:
        with find_engine(run.engine).client(timeout=_ENGINE_SECONDS) as client:
            container = create(client, run)
            return asyncio.run(follow(client, container, run.stop_seconds, _CONTRACT))
    except (CannotStart, EngineUnavailable) as error:
        print(f"bottega: {error}", file=sys.stderr, flush=True)
        # Nothing of the user's has run, so the folder is as it was laid out.
        (Path(run.folder) / "output" / "failure").write_text(f"ClientError: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
