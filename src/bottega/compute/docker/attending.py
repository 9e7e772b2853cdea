"""What everybody does who attends a container: follow it from its start to its end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from bottega.compute.docker.container import CannotStart, remove

if TYPE_CHECKING:
    from docker.api import APIClient


async def follow(
    client: APIClient,
    container: str,
    stop_seconds: int,
    contract: str,
    *,
    beside: Callable[[AsyncExitStack], Awaitable[None]] | None = None,
) -> int:
    """Run a container until it ends, with its output in this process's; returns its exit code.
    Afterwards it is removed.

    Args:
        container: one that was made and not started.
        stop_seconds: from SIGTERM to SIGKILL in the container, when this process gets SIGTERM.
        contract: what SageMaker expects of an image, told when the container cannot be started.
        beside: begins what has to be there while it runs, and is undone afterwards.

    Raises:
        CannotStart: the engine refuses it.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stopping.set)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(asyncio.to_thread, remove, client, container)
        # Attached before it starts, so that nothing it says is lost.
        output = client.attach(container, stdout=True, stderr=True, stream=True)
        _start(client, container, contract)
        copying = asyncio.create_task(asyncio.to_thread(_copy, output))
        ended = asyncio.create_task(asyncio.to_thread(client.wait, container, None))
        if beside is not None:
            await beside(closing)
        wish = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, wish}, return_when=asyncio.FIRST_COMPLETED)
        wish.cancel()
        if not ended.done():
            await asyncio.to_thread(client.stop, container, stop_seconds)
        code = int((await ended)["StatusCode"])
        await copying
    return code


def _start(client: APIClient, container: str, contract: str) -> None:
    from docker.errors import APIError

    try:
        client.start(container)
    except APIError as error:
        raise CannotStart(
            f"The container cannot be started: {error.explanation or error}. {contract}"
        ) from error


def _copy(output: object) -> None:
    assert hasattr(output, "__iter__")
    for piece in output:
        view = memoryview(piece)
        while view:
            view = view[os.write(1, view) :]
