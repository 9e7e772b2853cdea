"""What the router knows: which sockets serve which variant of which endpoint.

The table lives in memory and is filled by the endpoint controller, so that an invocation never
touches the control plane's database.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bottega.serving.traffic import Traffic


@dataclass(frozen=True)
class InstanceRoute:
    """One model server that answers."""

    id: str
    socket: Path
    """The Unix socket it listens on."""


@dataclass(frozen=True)
class VariantRoute:
    name: str
    weight: float
    instances: tuple[InstanceRoute, ...]
    """Those that are healthy now."""
    log_group: str
    log_stream: str
    """Where a ModelError points to."""
    timeout_seconds: float = 60.0


@dataclass(frozen=True)
class EndpointRoute:
    name: str
    config_name: str
    variants: tuple[VariantRoute, ...]


class RoutingTable:
    """Endpoint name to route; reading takes no lock, writing replaces the whole table.

    Attributes:
        traffic: what was sent along the routes; that of an endpoint goes with its route.
    """

    def __init__(self, traffic: Traffic | None = None) -> None:
        self.traffic = traffic or Traffic()
        self._lock = threading.Lock()
        self._routes: Mapping[str, EndpointRoute] = {}

    def get(self, endpoint: str) -> EndpointRoute | None:
        return self._routes.get(endpoint)

    def put(self, route: EndpointRoute) -> None:
        with self._lock:
            self._routes = {**self._routes, route.name: route}
            self.traffic.expect(route.name, [variant.name for variant in route.variants])

    def remove(self, endpoint: str) -> None:
        with self._lock:
            self._routes = {k: v for k, v in self._routes.items() if k != endpoint}
            self.traffic.forget(endpoint)
