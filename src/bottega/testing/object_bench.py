"""The object operations on a real folder, behind the real wire core, and a socket if wanted."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn

from bottega.clock import Clock
from bottega.compute.capacity import Capacity
from bottega.config import Config
from bottega.context import Context, Identity
from bottega.credentials import Credentials
from bottega.daemon.listener import build_app, server_settings
from bottega.event_log import EventLog
from bottega.events import EventBus
from bottega.features.objects import buckets, listing, objects, uploads
from bottega.ports import Ports
from bottega.registry import Registry
from bottega.serving.routing import RoutingTable
from bottega.storage.folder_objects import FolderObjectStore
from bottega.wire.core import Wire
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.s3 import S3Face

MODULES = (buckets, listing, objects, uploads)


@dataclass(frozen=True)
class ObjectBench:
    """A studio of which only the objects are there."""

    ports: Ports
    registry: Registry
    wire: Wire
    url: str = ""
    """Where it listens, if it does."""

    @property
    def keys(self) -> dict[str, str]:
        """What a boto3 client needs to sign."""
        credentials = self.ports.credentials
        return {
            "aws_access_key_id": credentials.access_key,
            "aws_secret_access_key": credentials.secret_key,
            "region_name": self.ports.config.region,
        }

    def call(self, operation: str, **request: Any) -> Mapping[str, Any]:
        """Call an operation as the owner."""
        config = self.ports.config
        arn = f"arn:aws:sts::{config.account}:assumed-role/BottegaExecutionRole/owner"
        caller = Identity(self.ports.credentials.access_key, arn, "AROA:owner", owner=True)
        context = Context(self.ports, caller, "test", "sdk")
        return self.registry.call("s3", operation, request, context)

    def answer(self, request: WireRequest) -> WireResponse:
        """What the core says to a request."""
        return self.wire.handle(request)

    def fill(self, bucket: str, keys: Iterable[str]) -> None:
        """Make many empty objects at once, where a test is about listing and not about writing."""
        first, *others = keys
        self.ports.objects.put(bucket, first, b"")
        connection = sqlite3.connect(self.ports.config.home / "objects" / "index.sqlite")
        connection.executemany(
            "INSERT INTO objects SELECT bucket, ?, size, etag, modified, content_type, metadata, "
            "checksums, content FROM objects WHERE bucket = ? AND key = ?",
            [(key.encode(), bucket, first.encode()) for key in others],
        )
        connection.commit()
        connection.close()

    def snapshot(self) -> object:
        """Everything on disk that a request could have left behind."""
        folder = self.ports.config.home / "objects"
        connection = sqlite3.connect(folder / "index.sqlite")
        tables = ("buckets", "objects", "contents", "pieces", "uploads", "parts")
        rows = [connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
        connection.close()
        files = sorted(
            str(path.relative_to(folder))
            for shelf in ("blobs", "incoming")
            for path in (folder / shelf).rglob("*")
            if path.is_file()
        )
        return rows, files


@contextmanager
def object_bench(home: Path, clock: Clock, **settings: Any) -> Iterator[ObjectBench]:
    """A bench over ``home``; ``settings`` are fields of the configuration."""
    config = Config(home=home, **settings)
    events = EventBus()
    absent = cast(Any, None)  # No operation on objects reaches these.
    ports = Ports(
        config=config,
        clock=clock,
        store=absent,
        objects=FolderObjectStore(home / "objects", clock),
        runner=absent,
        logs=absent,
        tracking=None,
        events=events,
        event_log=EventLog(events),
        capacity=Capacity(1),
        routes=RoutingTable(),
        metrics=absent,
        inference_queue=absent,
        credentials=Credentials.load(config),
    )
    registry = Registry.from_modules(MODULES)
    try:
        yield ObjectBench(ports, registry, Wire(registry, ports, S3Face(registry, ports)))
    finally:
        ports.objects.close()


@contextmanager
def listening(bench: ObjectBench) -> Iterator[ObjectBench]:
    """The same bench on a port of its own."""
    config = bench.ports.config
    app = build_app(bench.wire, mounts={}, config=config)
    server = uvicorn.Server(uvicorn.Config(app, **server_settings(config)))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield ObjectBench(bench.ports, bench.registry, bench.wire, f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(30)
