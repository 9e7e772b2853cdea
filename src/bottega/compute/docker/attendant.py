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
import signal
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bottega.compute.docker.bridge import Bridge
from bottega.compute.docker.container import (
    PLAN_VARIABLE,
    CannotStart,
    ContainerRun,
    create,
    reach,
    remove,
)
from bottega.compute.docker.engine import EngineUnavailable, find_engine

if TYPE_CHECKING:
    from docker.api import APIClient

_STOP_SECONDS = 27
"""From SIGTERM to SIGKILL in the container: less than the runner gives this process."""
_ENGINE_SECONDS = 60.0


async def attend(client: APIClient, run: ContainerRun, path: str) -> int:
    """Run the container until it ends; returns its exit code.

    Raises:
        CannotStart: the engine refuses it.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stopping.set)
    container = create(client, run)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(asyncio.to_thread, remove, client, container)
        # Attached before it starts, so that nothing it says is lost.
        output = client.attach(container, stdout=True, stderr=True, stream=True)
        start(client, container)
        copying = asyncio.create_task(asyncio.to_thread(_copy, output))
        ended = asyncio.create_task(asyncio.to_thread(client.wait, container, None))
        bridge = Bridge(reach(client, container, run), run.answer_seconds)
        await closing.enter_async_context(bridge.listening(path))
        wish = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, wish}, return_when=asyncio.FIRST_COMPLETED)
        wish.cancel()
        if not ended.done():
            await asyncio.to_thread(client.stop, container, _STOP_SECONDS)
        code = int((await ended)["StatusCode"])
        await copying
    return code


def start(client: APIClient, container: str) -> None:
    """
    Raises:
        CannotStart: the engine cannot, or there is no ``serve`` in the image.
    """
    from docker.errors import APIError

    try:
        client.start(container)
    except APIError as error:
        raise CannotStart(
            f"The container cannot be started: {error.explanation or error}. SageMaker's contract "
            "is that an image can be run with the argument serve."
        ) from error


def _copy(output: object) -> None:
    assert hasattr(output, "__iter__")
    for piece in output:
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]


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
