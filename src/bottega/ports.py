"""Everything an operation or a controller may reach, in one frozen bundle."""

from __future__ import annotations

from dataclasses import dataclass, field

from bottega.clock import Clock
from bottega.compute.capacity import Capacity
from bottega.compute.logs import LogStore
from bottega.compute.runner import Runner
from bottega.config import Config
from bottega.credentials import Credentials
from bottega.event_log import EventLog
from bottega.events import EventBus
from bottega.memory import Memory
from bottega.metrics.store import MetricStore
from bottega.serving.inference_queue import InferenceQueue
from bottega.serving.routing import RoutingTable
from bottega.storage.metadata import MetadataStore
from bottega.storage.objects import ObjectStore
from bottega.tracking.catalogue import RunCatalogue
from bottega.tracking.component_metrics import ComponentMetrics
from bottega.tracking.experiments import ExperimentStore
from bottega.tracking.port import Tracking


@dataclass(frozen=True)
class Ports:
    """The ports of one studio; ``bottega.studio`` puts them together."""

    config: Config
    clock: Clock
    store: MetadataStore
    objects: ObjectStore
    runner: Runner
    logs: LogStore
    tracking: Tracking | None
    """None where tracking is switched off."""
    events: EventBus
    event_log: EventLog
    """What the bus has told lately; for those who watch."""
    capacity: Capacity
    routes: RoutingTable
    metrics: MetricStore
    """What was measured, by second and minute."""
    inference_queue: InferenceQueue
    """Asynchronous requests that are not answered yet."""
    credentials: Credentials
    memory: Memory = field(default_factory=Memory)
    """What features remember between calls."""
    catalogue: RunCatalogue | None = None
    """Reads the runs of the tracker; None where tracking is switched off."""
    component_metrics: ComponentMetrics | None = None
    """Values by the names of trial components; None where tracking is switched off."""
    experiments: ExperimentStore | None = None
    """SageMaker's experiments, trials and components; None where tracking is switched off."""
