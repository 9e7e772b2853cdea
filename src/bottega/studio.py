"""The composition root: puts ports, operations and controllers together, and nothing else does."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Self

from bottega.clock import Clock, SystemClock
from bottega.compute.capacity import Capacity
from bottega.compute.file_logs import FileLogStore
from bottega.compute.local.runner import LocalRunner
from bottega.config import Config
from bottega.context import Context, Identity
from bottega.controller import Controller
from bottega.credentials import Credentials
from bottega.daemon.controller_host import ControllerHost
from bottega.events import EventBus
from bottega.features.hosting.controller import EndpointController
from bottega.features.training.controller import TrainingController
from bottega.features.training.job_log import JobLogs
from bottega.features.training.tracker import TrainingTracker
from bottega.identifiers import request_id
from bottega.ports import Ports
from bottega.registry import Registry
from bottega.serving.routing import RoutingTable
from bottega.storage.folder_objects import FolderObjectStore
from bottega.storage.sql import SqlMetadataStore
from bottega.tracking.port import Tracking

OPERATION_MODULES = (
    "access.identity",
    "access.roles",
    "hosting.endpoint_configs",
    "hosting.endpoints",
    "hosting.invocations",
    "hosting.models",
    "logs.events",
    "logs.streams",
    "objects.buckets",
    "objects.listing",
    "objects.objects",
    "objects.uploads",
    "search.search",
    "studio.describe",
    "tagging.tags",
    "training.jobs",
)
"""Every module of ``bottega.features`` that has operations."""

PRELOADED = (
    "numpy",
    "pandas",
    "scipy.sparse",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "xgboost",
    "bottega.container.train",
    "bottega.serving.server",
)
"""What the fork server imports once, so that no job has to."""


def operation_modules() -> tuple[ModuleType, ...]:
    """The modules whose functions are operations."""
    return tuple(importlib.import_module(f"bottega.features.{name}") for name in OPERATION_MODULES)


def registry_of_operations() -> Registry:
    """All operations; needs no home."""
    return Registry.from_modules(operation_modules())


@dataclass
class Studio:
    """One opened home: its ports, its operations, and the controllers that do its work."""

    ports: Ports
    registry: Registry
    controllers: ControllerHost
    endpoints: EndpointController
    _temporary: Path | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls, config: Config, *, clock: Clock | None = None, tracking: Tracking | None = None
    ) -> Self:
        """Open a home. Exactly one process may have a home open; the daemon's lock sees to that.

        Args:
            tracking: where runs are kept; None keeps none.
        """
        home = config.home
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        clock = clock or SystemClock()
        events = EventBus()
        ports = Ports(
            config=config,
            clock=clock,
            store=SqlMetadataStore(
                config.database_url or f"sqlite:///{home / 'metadata.sqlite'}", events, clock
            ),
            objects=FolderObjectStore(home / "objects", clock),
            runner=LocalRunner(
                state_dir=home / "runner",
                isolation=config.isolation,
                preload=PRELOADED,
                preload_enabled=config.preload,
            ),
            logs=FileLogStore(home / "logs"),
            tracking=tracking,
            events=events,
            capacity=Capacity(config.slot_count),
            routes=RoutingTable(),
            credentials=Credentials.load(config),
        )
        ports.objects.ensure_bucket(config.bucket)
        host = ControllerHost(events)
        endpoints = EndpointController(ports, wake=lambda name: host.wake(endpoints, name))
        for controller in (*_training(ports, host), endpoints):
            host.add(controller)
        return cls(ports, registry_of_operations(), host, endpoints)

    @classmethod
    def temporary(cls, **settings: object) -> Self:
        """A studio over a fresh folder that goes when it is closed; for tests.

        Args:
            settings: fields of :class:`~bottega.config.Config`.
        """
        folder = Path(tempfile.mkdtemp(prefix="bottega-"))
        config = Config.load(folder, environment={}, **{"tracking": False, **settings})
        studio = cls.open(config)
        studio._temporary = folder
        return studio

    def start(self) -> None:
        """Take up what a former process left, and begin to work."""
        self.endpoints.adopt()
        self.endpoints.sweep()
        self.controllers.start()

    def close(self) -> None:
        """Stop the controllers and let go of everything; jobs go on without us."""
        self.controllers.stop()
        self.endpoints.close()
        self.ports.runner.close()
        self.ports.store.close()
        self.ports.objects.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def owner(self, face: str) -> Context:
        """A context for the owner of the home, for faces in the same process."""
        config = self.ports.config
        identity = Identity(
            access_key=self.ports.credentials.access_key,
            arn=f"arn:aws:sts::{config.account}:assumed-role/BottegaExecutionRole/owner",
            user_id="AROABOTTEGAOWNER:owner",
            owner=True,
        )
        return Context(ports=self.ports, caller=identity, request_id=request_id(), face=face)


def _training(ports: Ports, host: ControllerHost) -> Iterable[Controller]:
    logs = JobLogs(ports.logs, keep_points=ports.tracking is not None)
    controller = TrainingController(ports, logs, wake=lambda name: host.wake(controller, name))
    yield controller
    if ports.tracking is not None:
        yield TrainingTracker(ports, ports.tracking, logs)
