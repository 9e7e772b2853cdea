"""Attends the container of a model server: ``python -m bottega.compute.docker.attendant``.

The runner supervises this process as it does any model server; this process makes the container,
carries requests from the server's Unix socket to the container's port and its answers back, writes
its output to its own, hands SIGTERM on, and ends when the container ends, with its exit code.

No code of the user's runs here, which is why it may use the engine's socket.

The environment says what to do:

* ``BOTTEGA_CONTAINER``: a :class:`~bottega.compute.docker.container.ContainerRun` as text.
* ``BOTTEGA_SOCKET``: the socket to listen on.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bottega.compute.docker.attending import follow
from bottega.compute.docker.bridge import Bridge
from bottega.compute.docker.container import (
    PLAN_VARIABLE,
    CannotStart,
    ContainerRun,
    create,
    reach,
)
from bottega.compute.docker.engine import EngineUnavailable, find_engine

if TYPE_CHECKING:
    from docker.api import APIClient

_STOP_SECONDS = 27
"""From SIGTERM to SIGKILL in the container: less than the runner gives this process."""
_ENGINE_SECONDS = 60.0
_NO_SERVE = "SageMaker's contract is that an image can be run with the argument serve."


async def attend(client: APIClient, run: ContainerRun, path: str) -> int:
    """Run the container until it ends; returns its exit code.

    Raises:
        CannotStart: the engine refuses it.
    """
    container = create(client, run)

    async def bridge(closing: AsyncExitStack) -> None:
        bridge = Bridge(reach(client, container, run), run.answer_seconds)
        await closing.enter_async_context(bridge.listening(path))

    return await follow(client, container, _STOP_SECONDS, _NO_SERVE, beside=bridge)


def main() -> int:
    """Attend the container that the environment describes."""
    run = ContainerRun.loads(os.environ[PLAN_VARIABLE])
    try:
        with find_engine(run.engine).client(timeout=_ENGINE_SECONDS) as client:
            return asyncio.run(attend(client, run, os.environ["BOTTEGA_SOCKET"]))
    except (CannotStart, EngineUnavailable) as error:
        print(f"bottega: {error}", file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
