"""The load generator of ``serving.py``: prepared HTTP requests over open connections, closed loop.

The same for every server. It runs in a process of its own, kept to a core of its own where there
are two, and does little more a request than write one buffer and look for the end of the answer.

Run by ``serving.py`` as ``python benchmarks/serving_load.py``, with its orders as JSON on the
standard input and its findings as JSON on the standard output.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import time
from base64 import b64decode
from collections import Counter
from typing import Any, cast

import uvloop

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_CHUNKED = re.compile(rb"(?i)\r\ntransfer-encoding: *chunked")


class Client(asyncio.Protocol):
    """One connection: sends the message again as soon as its answer is whole."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._received = b""
        self._sent = time.perf_counter()
        self._transport.write(self._load.message)

    def data_received(self, data: bytes) -> None:
        self._received = received = self._received + data if self._received else data
        end = received.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _LENGTH.search(received, 0, end)
        if length is not None:
            if len(received) < end + 4 + int(length[1]):
                return
        elif _CHUNKED.search(received, 0, end) and not received.endswith(b"0\r\n\r\n"):
            return
        now = time.perf_counter()
        if self._load.answered(received[9:12], self._sent, now):
            self._send()
        elif self._transport is not None:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._load.lost(self)


class Load:
    """What all connections do together for some seconds."""

    def __init__(self, message: bytes, warm: float, seconds: float) -> None:
        self.message = message
        self.latencies: list[float] = []
        """Seconds of the requests that were answered with 200 in the time that counts."""
        self.statuses: Counter[str] = Counter()
        self.broken = 0
        now = time.perf_counter()
        self.begins = now + warm
        self.ends = self.begins + seconds
        self._clients: set[Client] = set()
        self._all_done = asyncio.get_running_loop().create_future()

    def answered(self, status: bytes, sent: float, now: float) -> bool:
        """Note an answer; returns whether to send another request."""
        if self.begins <= now < self.ends:
            self.statuses[status.decode("latin-1")] += 1
            if status == b"200":
                self.latencies.append(now - sent)
        return now < self.ends

    def lost(self, client: Client) -> None:
        self._clients.discard(client)
        if time.perf_counter() < self.ends:
            self.broken += 1
        if not self._clients and not self._all_done.done():
            self._all_done.set_result(None)

    async def run(self, host: str, port: int, connections: int) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            client = Client(self)
            self._clients.add(client)
            await loop.create_connection(lambda client=client: client, host, port)  # type: ignore[misc]
        await asyncio.wait_for(self._all_done, self.ends - time.perf_counter() + 30)


def percentile(ordered: list[float], percent: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


async def measure(orders: dict[str, Any]) -> dict[str, Any]:
    """One round."""
    load = Load(b64decode(orders["message"]), orders["warm"], orders["seconds"])
    await load.run(orders["host"], orders["port"], orders["connections"])
    ordered = sorted(load.latencies)
    return {
        "rate": len(ordered) / orders["seconds"],
        "p50": percentile(ordered, 50) * 1000 if ordered else None,
        "p99": percentile(ordered, 99) * 1000 if ordered else None,
        "statuses": dict(load.statuses),
        "broken": load.broken,
    }


def main() -> None:
    """Read the orders, send, write what was found."""
    orders = json.load(sys.stdin)
    if orders.get("core") is not None:
        os.sched_setaffinity(0, {orders["core"]})
    json.dump(uvloop.run(measure(orders)), sys.stdout)


if __name__ == "__main__":
    main()
