"""Model servers for tests: in processes of their own, and routes to them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bottega.serving.router import Invocation, Invoked, Router
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
)

T = TypeVar("T")


class ServerProcess:
    """One model server.

    Args:
        folder: for its socket and its log; the path must be short.
        image: the resolved image.
        ml_root: what it takes for ``/opt/ml``.
        environment: further variables.
    """

    def __init__(self, folder: Path, image: str, ml_root: Path, **environment: str) -> None:
        self.socket = folder / "s"
        self.log_file = folder / "log"
        self._log = self.log_file.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bottega.serving.server"],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": os.pathsep.join(sys.path),
                "BOTTEGA_SOCKET": str(self.socket),
                "BOTTEGA_IMAGE": image,
                "BOTTEGA_ML_ROOT": str(ml_root),
                **environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self, timeout: float = 60.0) -> ServerProcess:
        """Wait until it answers its ping."""
        deadline = time.monotonic() + timeout
        while self.request(b"GET /ping HTTP/1.1\r\nhost: model\r\nconnection: close\r\n\r\n")[
            :12
        ] != (b"HTTP/1.1 200"):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.02)
        return self

    def request(self, message: bytes) -> bytes:
        """Send raw bytes and read until the server closes; empty when nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            try:
                connection.connect(str(self.socket))
                connection.sendall(message)
                return b"".join(iter(lambda: connection.recv(65536), b""))
            except (FileNotFoundError, ConnectionError):
                return b""

    def terminate(self) -> int:
        """End it as the runner does; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    @property
    def log(self) -> str:
        """What it has printed so far."""
        return self.log_file.read_text()

    def close(self) -> None:
        """End it whatever it does."""
        self.process.kill()
        self.process.wait()
        self._log.close()


def route_to(
    *sockets: Path, endpoint: str = "e", timeout: float = 60.0, table: RoutingTable | None = None
) -> RoutingTable:
    """A table with one endpoint of one variant that has a server at each socket."""
    table = table or RoutingTable()
    instances = tuple(InstanceRoute(f"i-{index}", path) for index, path in enumerate(sockets))
    variant = VariantRoute(
        "v", 1.0, instances, f"/aws/sagemaker/Endpoints/{endpoint}", "v/i-0", timeout
    )
    table.put(EndpointRoute(endpoint, (FleetRoute("c", 1.0, (variant,)),)))
    return table


def with_router(table: RoutingTable, use: Callable[[Router], Awaitable[T]]) -> T:
    """Run ``use`` with a router, on an event loop of its own."""

    async def run() -> T:
        router = Router(table, asyncio.get_running_loop())
        try:
            return await use(router)
        finally:
            router.close()

    return asyncio.run(run())


def ask(table: RoutingTable, body: bytes, content_type: str = "text/csv", **more: str) -> Invoked:
    """One invocation of the endpoint ``e``."""
    return with_router(
        table, lambda router: router.invoke("e", Invocation(body, content_type, **more))
    )
