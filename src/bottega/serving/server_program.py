"""A program of the user's that is the model server: ``serve``, in the model or its code.

It keeps SageMaker's container contract: it is started with nothing but its variables, listens on
the port that ``SAGEMAKER_BIND_TO_PORT`` gives, or on 8080 where it has a network of its own, and
answers ``GET /ping`` and ``POST /invocations``. This process carries requests to it and ends when
it ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from bottega.container.paths import ContainerPaths

NAME = "serve"
PORT_VARIABLE = "SAGEMAKER_BIND_TO_PORT"
_CONTRACT_PORT = 8080
_STOP_SECONDS = 27.0
"""From SIGTERM to SIGKILL: less than the runner gives this process."""
_OURS = ("BOTTEGA_SOCKET", "BOTTEGA_IMAGE")


def find_program(environment: Mapping[str, str]) -> Path | None:
    """The program that serves the model of this server; None when there is none.

    It is looked for in the folder of the user's code and in the model folder.
    """
    model = ContainerPaths.of(environment).model
    source = environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "").removeprefix("file://")
    inside = source.removeprefix("/opt/ml/model")
    code = model / inside.strip("/") if source and inside != source else model / "code"
    for folder in (code, model):
        path = folder / NAME
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


async def run(program: Path, environment: Mapping[str, str], path: Path) -> int:
    """Run the program behind the socket ``path`` until it ends or SIGTERM comes.

    Returns:
        The exit status: 0 after SIGTERM, otherwise the program's own, or 1 where that is 0: a
        server that ends by itself has failed.
    """
    # Imported here: servers without such a program need no HTTP client.
    from bottega.compute.docker.bridge import Bridge
    from bottega.compute.docker.container import Reach

    stopping = asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(ending, stopping.set)
    port = _free_port()
    try:
        child = await asyncio.create_subprocess_exec(
            str(program), cwd=program.parent, env=_variables(environment, port)
        )
    except OSError as error:
        print(
            f"{program} cannot be started: {error}. Its first line has to name an interpreter "
            "that is here, as #!/usr/bin/env python does.",
            file=sys.stderr,
        )
        return 1
    ended = asyncio.create_task(child.wait())
    wish = asyncio.create_task(stopping.wait())
    seconds = float(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", "60"))
    path.unlink(missing_ok=True)
    async with Bridge(Reach(port), seconds).listening(str(path)):
        await asyncio.wait({ended, wish}, return_when=asyncio.FIRST_COMPLETED)
        wish.cancel()
        if not ended.done():
            await _stop(child, ended)
            path.unlink(missing_ok=True)
            return 0
    path.unlink(missing_ok=True)
    print(f"{program} ended with status {child.returncode}.", file=sys.stderr)
    return child.returncode if child.returncode and child.returncode > 0 else 1


async def _stop(child: asyncio.subprocess.Process, ended: asyncio.Task[int]) -> None:
    child.terminate()
    await asyncio.wait({ended}, timeout=_STOP_SECONDS)
    if not ended.done():
        child.kill()
        await ended


def _variables(environment: Mapping[str, str], port: int) -> dict[str, str]:
    """What the program gets; the interpreter of this server is the first that it finds."""
    found = os.pathsep.join(
        part for part in (os.path.dirname(sys.executable), environment.get("PATH", "")) if part
    )
    return {
        **{name: value for name, value in environment.items() if name not in _OURS},
        "PATH": found,
        "SM_MODEL_DIR": str(ContainerPaths.of(environment).model),
        PORT_VARIABLE: str(port),
    }


def _free_port() -> int:
    """A port of the loopback device: the contract's own where no other server can have it."""
    if [name for _, name in socket.if_nameindex()] == ["lo"]:
        return _CONTRACT_PORT
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
