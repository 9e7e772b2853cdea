"""The composition root: puts ports, operations and controllers together, and nothing else does."""

from __future__ import annotations

import importlib
import shutil
import tempfile
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
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
from bottega.event_log import EventLog
from bottega.events import EventBus
from bottega.features.async_inference.controller import AsyncInferenceController
from bottega.features.autoscaling.entities import ROLE as SCALING_ROLE
from bottega.features.autoscaling.scaler import Scaler
from bottega.features.cloudwatch.alarm_controller import AlarmController
from bottega.features.cloudwatch.collector import MetricCollector
from bottega.features.debugger.controller import ROLE as DEBUGGER_ROLE
from bottega.features.debugger.controller import DebuggerController
from bottega.features.debugger.messenger import MessengerController
from bottega.features.hosting.controller import ComponentController, EndpointController
from bottega.features.processing.controller import ProcessingController
from bottega.features.processing.tracker import ProcessingTracker
from bottega.features.registry.controller import ModelPackageController
from bottega.features.training.controller import TrainingController
from bottega.features.training.job_log import job_logs
from bottega.features.training.tracker import TrainingTracker
from bottega.features.transform.controller import TransformController
from bottega.features.transform.tracker import TransformTracker
from bottega.features.tuning.controller import ROLE as TUNING_ROLE
from bottega.features.tuning.controller import TuningController
from bottega.identifiers import request_id
from bottega.metrics.sqlite_store import SqliteMetricStore
from bottega.model_servers.strays import remove_strays
from bottega.ports import Ports
from bottega.registry import Registry
from bottega.service_calls import ServiceCaller
from bottega.serving.capture import CaptureRecorder
from bottega.serving.routing import RoutingTable
from bottega.serving.sqlite_queue import SqliteInferenceQueue
from bottega.serving.traffic import Traffic
from bottega.storage import s3_uris
from bottega.storage.folder_objects import FolderObjectStore
from bottega.storage.objects import ObjectStore
from bottega.storage.sql import SqlMetadataStore
from bottega.tracking.catalogue import RunCatalogue
from bottega.tracking.component_metrics import ComponentMetrics
from bottega.tracking.experiments import ExperimentStore
from bottega.tracking.port import Tracking

OPERATION_MODULES = (
    "access.identity",
    "access.roles",
    "async_inference.requests",
    "autoscaling.activities",
    "autoscaling.overview",
    "autoscaling.policies",
    "autoscaling.scheduled",
    "autoscaling.targets",
    "capture.records",
    "cloudwatch.alarm_list",
    "cloudwatch.alarms",
    "cloudwatch.metric_data",
    "cloudwatch.metrics",
    "debugger.descriptions",
    "debugger.tensors",
    "debugger.timeline",
    "experiments.associations",
    "experiments.describe",
    "experiments.experiment_entities",
    "experiments.experiments",
    "experiments.importance",
    "experiments.metrics",
    "experiments.models",
    "experiments.runs",
    "experiments.trial_components",
    "experiments.trials",
    "failures.explanations",
    "hosting.capacities",
    "hosting.components",
    "hosting.descriptions",
    "hosting.endpoint_configs",
    "hosting.endpoints",
    "hosting.invocations",
    "hosting.model_check",
    "hosting.models",
    "hosting.overviews",
    "hosting.rollbacks",
    "hosting.suggestions",
    "hosting.traffic",
    "lineage.actions",
    "lineage.artifacts",
    "lineage.associations",
    "lineage.contexts",
    "lineage.query",
    "logs.events",
    "logs.lines",
    "logs.streams",
    "objects.buckets",
    "objects.listing",
    "objects.objects",
    "objects.preview",
    "objects.uploads",
    "processing.jobs",
    "processing.replays",
    "registry.groups",
    "registry.overviews",
    "registry.package_list",
    "registry.packages",
    "search.search",
    "studio.activity",
    "studio.describe",
    "studio.watch",
    "tagging.tags",
    "training.algorithm_list",
    "training.job_check",
    "training.job_list",
    "training.job_metrics",
    "training.jobs",
    "training.replays",
    "training.system_metrics",
    "training.updates",
    "transform.jobs",
    "trial_metrics.put",
    "trial_metrics.queries",
    "tuning.jobs",
    "tuning.overviews",
    "tuning.progress",
    "tuning.trial_list",
    "wrangler.catalogue",
    "wrangler.drafts",
    "wrangler.editing",
    "wrangler.exports",
    "wrangler.run_flow",
    "wrangler.tables",
)
"""Every module of ``bottega.features`` that has operations."""

PRELOADED = (
    "numba",
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
    components: ComponentController
    asynchronous: AsyncInferenceController
    messenger: MessengerController
    _temporary: Path | None = field(default=None, repr=False)

    @classmethod
    def open(
        cls,
        config: Config,
        *,
        clock: Clock | None = None,
        tracking: Tracking | None = None,
        catalogue: RunCatalogue | None = None,
        component_metrics: ComponentMetrics | None = None,
        experiments: ExperimentStore | None = None,
    ) -> Self:
        """Open a home. Exactly one process may have a home open; the daemon's lock sees to that.

        Args:
            tracking: where runs are kept; None keeps none.
            catalogue: reads those runs.
            component_metrics: values of those runs by the names of trial components.
            experiments: those runs as SageMaker's entities.
        """
        config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as undo:
            ports = replace(
                _open_ports(config, clock or SystemClock(), tracking, catalogue, undo),
                component_metrics=component_metrics,
                experiments=experiments,
            )
            ports.objects.ensure_bucket(config.bucket)
            host = ControllerHost(ports.events)
            registry = registry_of_operations()
            endpoints = EndpointController(ports, wake=lambda name: host.wake(endpoints, name))
            undo.callback(endpoints.close)
            components = ComponentController(ports, wake=lambda name: host.wake(components, name))
            undo.callback(components.close)
            asynchronous = AsyncInferenceController(ports)
            undo.callback(asynchronous.close)
            messenger = MessengerController(ports, wake=lambda name: host.wake(messenger, name))
            undo.callback(messenger.close)
            for controller in (
                *_training(ports, host),
                *_processing(ports, host),
                *_transform(ports, host),
                _tuning(ports, host, registry),
                endpoints,
                components,
                asynchronous,
                ModelPackageController(ports),
                MetricCollector(ports),
                _alarms(ports, registry),
                _debugger(ports, registry),
                messenger,
                Scaler(ports, ServiceCaller(registry, ports, SCALING_ROLE, "autoscaling").call),
            ):
                host.add(controller)
            studio = cls(ports, registry, host, endpoints, components, asynchronous, messenger)
            undo.pop_all()
            return studio

    @classmethod
    def temporary(cls, **settings: object) -> Self:
        """A studio over a fresh folder that goes when it is closed; for tests.

        Args:
            settings: fields of :class:`~bottega.config.Config`.
        """
        folder = Path(tempfile.mkdtemp(prefix="bottega-"))
        config = Config.load(folder, environment={}, **{"tracking": False, **settings})
        try:
            studio = cls.open(config)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        studio._temporary = folder
        return studio

    def start(self) -> None:
        """Take up what a former process left, and begin to work."""
        for serving in (self.endpoints, self.components):
            serving.adopt()
            serving.sweep()
        self.controllers.start()
        # The engine may take its time, which nothing here has to wait for.
        threading.Thread(
            target=remove_strays, args=(self.ports,), name="docker-strays", daemon=True
        ).start()

    def close(self) -> None:
        """Stop the controllers and let go of everything; jobs go on without us."""
        with ExitStack() as closing:  # each of them, whatever the others raise
            if self._temporary is not None:
                closing.callback(shutil.rmtree, self._temporary, ignore_errors=True)
            closing.callback(self.ports.objects.close)
            if self.ports.routes.capture is not None:
                closing.callback(self.ports.routes.capture.close)
            closing.callback(self.ports.store.close)
            closing.callback(self.ports.metrics.close)
            closing.callback(self.ports.inference_queue.close)
            closing.callback(self.ports.runner.close)
            closing.callback(self.endpoints.close)
            closing.callback(self.components.close)
            closing.callback(self.asynchronous.close)
            closing.callback(self.messenger.close)
            closing.callback(self.controllers.stop)
            closing.callback(self.ports.event_log.close)
            closing.callback(self.ports.memory.close)

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


def _open_ports(
    config: Config,
    clock: Clock,
    tracking: Tracking | None,
    catalogue: RunCatalogue | None,
    undo: ExitStack,
) -> Ports:
    """Open the home's ports; ``undo`` closes again what was opened, for when a later one fails."""
    home = config.home
    events = EventBus()
    event_log = EventLog(events)
    undo.callback(event_log.close)
    store = SqlMetadataStore(
        config.database_url or f"sqlite:///{home / 'metadata.sqlite'}", events, clock
    )
    undo.callback(store.close)
    metrics = SqliteMetricStore(home / "metrics.sqlite", clock)
    undo.callback(metrics.close)
    inference_queue = SqliteInferenceQueue(home / "async-inference.sqlite")
    undo.callback(inference_queue.close)
    objects = FolderObjectStore(home / "objects", clock)
    undo.callback(objects.close)
    credentials = Credentials.load(config)
    capacity = Capacity(config.slot_count)
    # Last, because it starts a process.
    runner = LocalRunner(
        state_dir=home / "runner",
        isolation=config.isolation,
        preload=PRELOADED,
        preload_enabled=config.preload,
    )
    undo.callback(runner.close)
    routes = RoutingTable(Traffic(clock))
    routes.capture = CaptureRecorder(lambda uri, lines: _put(objects, uri, lines), clock)
    return Ports(
        config=config,
        clock=clock,
        store=store,
        objects=objects,
        runner=runner,
        logs=FileLogStore(home / "logs"),
        tracking=tracking,
        catalogue=catalogue,
        events=events,
        event_log=event_log,
        capacity=capacity,
        routes=routes,
        inference_queue=inference_queue,
        metrics=metrics,
        credentials=credentials,
    )


def _put(objects: ObjectStore, uri: str, lines: bytes) -> None:
    """Store captured records."""
    bucket, key = s3_uris.split(uri)
    objects.put(bucket, key, lines, content_type="application/jsonlines")


def _training(ports: Ports, host: ControllerHost) -> Iterable[Controller]:
    logs = job_logs(ports)
    controller = TrainingController(ports, logs, wake=lambda name: host.wake(controller, name))
    yield controller
    if ports.tracking is not None:
        yield TrainingTracker(ports, ports.tracking, logs)


def _transform(ports: Ports, host: ControllerHost) -> Iterable[Controller]:
    controller = TransformController(ports, wake=lambda name: host.wake(controller, name))
    yield controller
    if ports.tracking is not None:
        yield TransformTracker(ports, ports.tracking)


def _tuning(ports: Ports, host: ControllerHost, registry: Registry) -> Controller:
    caller = ServiceCaller(registry, ports, TUNING_ROLE, "tuning")
    controller = TuningController(ports, caller.call, wake=lambda name: host.wake(controller, name))
    return controller


def _alarms(ports: Ports, registry: Registry) -> Controller:
    caller = ServiceCaller(registry, ports, "AWSServiceRoleForCloudWatchAlarms", "alarms")
    return AlarmController(ports, caller.call)


def _debugger(ports: Ports, registry: Registry) -> Controller:
    return DebuggerController(ports, ServiceCaller(registry, ports, DEBUGGER_ROLE, "debugger").call)


def _processing(ports: Ports, host: ControllerHost) -> Iterable[Controller]:
    controller = ProcessingController(ports, wake=lambda name: host.wake(controller, name))
    yield controller
    if ports.tracking is not None:
        yield ProcessingTracker(ports, ports.tracking)
