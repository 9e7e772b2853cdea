"""Calling operations in tests, through the registry and over a real metadata store and log
store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Self, cast

from bottega.clock import Clock, ManualClock
from bottega.compute.capacity import Capacity
from bottega.compute.file_logs import FileLogStore
from bottega.config import Config
from bottega.context import Context, Identity
from bottega.credentials import Credentials
from bottega.event_log import EventLog
from bottega.events import EventBus
from bottega.metrics.sqlite_store import SqliteMetricStore
from bottega.ports import Ports
from bottega.registry import Registry
from bottega.serving.routing import RoutingTable
from bottega.serving.traffic import Traffic
from bottega.storage.sql import SqlMetadataStore


class _NotForThisTest:
    """A port that the operations under test have no business with."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"an operation reached for {name} of a port that it does not need")


class Operations:
    """Some modules' operations over a home of their own, called as its owner.

    There are no objects and no runner: a studio is the right thing for operations that need them.
    """

    def __init__(self, home: Path, *modules: ModuleType, clock: Clock | None = None) -> None:
        config = Config(home=home)
        home.mkdir(parents=True, exist_ok=True)
        events = EventBus()
        clock = clock or ManualClock()
        self.ports = Ports(
            config=config,
            clock=clock,
            store=SqlMetadataStore(f"sqlite:///{home / 'metadata.sqlite'}", events, clock),
            objects=cast(Any, _NotForThisTest()),
            runner=cast(Any, _NotForThisTest()),
            logs=FileLogStore(home / "logs"),
            tracking=None,
            events=events,
            event_log=EventLog(events),
            capacity=Capacity(2),
            routes=RoutingTable(Traffic(clock)),
            metrics=SqliteMetricStore(home / "metrics.sqlite", clock),
            inference_queue=cast(Any, _NotForThisTest()),
            credentials=Credentials.load(config),
        )
        self._registry = Registry.from_modules(modules)
        owner = Identity(
            access_key=self.ports.credentials.access_key,
            arn=f"arn:aws:sts::{config.account}:assumed-role/BottegaExecutionRole/owner",
            user_id="AROABOTTEGAOWNER:owner",
            owner=True,
        )
        self.context = Context(self.ports, owner, request_id="test", face="sdk")

    def call(self, service: str, name: str, **request: Any) -> Mapping[str, Any]:
        """Call an operation with the request's members as keyword arguments."""
        return self._registry.call(service, name, request, self.context)

    async def call_async(self, service: str, name: str, **request: Any) -> Mapping[str, Any]:
        """Call an operation that is a coroutine."""
        return await self._registry.call_async(service, name, request, self.context)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ports.store.close()
        self.ports.metrics.close()
