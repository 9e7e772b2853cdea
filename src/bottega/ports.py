"""Everything an operation or a controller may reach, in one frozen bundle."""

from __future__ import annotations

from dataclasses import dataclass

from bottega.clock import Clock
from bottega.compute.capacity import Capacity
from bottega.compute.logs import LogStore
from bottega.compute.runner import Runner
from bottega.config import Config
from bottega.credentials import Credentials
from bottega.events import EventBus
from bottega.serving.routing import RoutingTable
from bottega.storage.metadata import MetadataStore
from bottega.storage.objects import ObjectStore
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
    capacity: Capacity
    routes: RoutingTable
    credentials: Credentials
