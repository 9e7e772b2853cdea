"""What the router knows: which sockets serve which variant of which endpoint.

The table lives in memory and is filled by the endpoint controller, so that an invocation never
touches the control plane's database.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bottega.serving.load import Load
from bottega.serving.traffic import Traffic

if TYPE_CHECKING:
    from bottega.serving.capture import CaptureRecorder

FetchModel = Callable[[str, str, str, str], Awaitable[None]]
"""Endpoint, variant, instance and TargetModel; raises ValidationError where there is no such model
or it cannot be unpacked."""
_COMPONENT = "_"
"""In front of the name of an inference component: no endpoint's name has it, while folders, URIs
and log groups may."""
Strategy = Literal["LEAST_OUTSTANDING_REQUESTS", "RANDOM"]
CaptureMode = Literal["Input", "Output"]


@dataclass(frozen=True)
class InstanceRoute:
    """One model server that answers."""

    id: str
    socket: Path
    """The Unix socket it listens on."""


@dataclass(frozen=True)
class VariantRoute:
    """One variant of one fleet."""

    name: str
    weight: float
    """Its share of the fleet's traffic is this, divided by the sum of all of them."""
    instances: tuple[InstanceRoute, ...]
    """Those that are healthy now."""
    log_group: str
    log_stream: str
    """Where a ModelError points to."""
    timeout_seconds: float = 60.0
    strategy: Strategy = "LEAST_OUTSTANDING_REQUESTS"
    containers: tuple[str, ...] = ()
    """Hostnames that TargetContainerHostname may name, of a model in Direct mode."""
    pipelined: bool = False
    """Whether its servers answer small requests one after the other at once, so that several may be
    sent together on one connection."""
    multi_model: bool = False
    """Whether requests name a TargetModel."""
    concurrency: int | None = None
    """Of a serverless variant: how many requests it has at once; one more is refused with 429."""
    on_demand: bool = False
    """Whether a request that finds no server waits for one to be started."""
    patience_seconds: float = 5.0
    """How long a request waits while no server answers."""


@dataclass(frozen=True)
class FleetRoute:
    """The servers of one endpoint configuration. An endpoint has two fleets while it is updated."""

    config_name: str
    share: float
    """Of the endpoint's traffic; the shares of all fleets add up to 1."""
    variants: tuple[VariantRoute, ...]


@dataclass(frozen=True)
class ShadowRoute:
    """A variant that gets copies of requests and whose answers nobody waits for."""

    variant: VariantRoute
    share: float
    """Of the production requests: from 0 to 1."""


@dataclass(frozen=True)
class CaptureSettings:
    """Which requests and answers are kept, and where."""

    destination: str
    """``s3://bucket/prefix``."""
    share: float
    """Of the requests: from 0 to 1."""
    modes: frozenset[CaptureMode]
    csv_types: frozenset[str]
    """Media types, in lower case and without parameters, whose bodies are kept as CSV text."""
    json_types: frozenset[str]


@dataclass(frozen=True)
class EndpointRoute:
    """How the requests of one endpoint are served."""

    name: str
    fleets: tuple[FleetRoute, ...]
    shadow: ShadowRoute | None = None
    capture: CaptureSettings | None = None
    asynchronous: bool = False
    """Whether it takes only InvokeEndpointAsync."""
    hosts: tuple[str, ...] = ()
    """Variants that serve nothing themselves, but inference components, each with a route of its
    own."""
    endpoint: str = ""
    """Of an inference component: the endpoint that it is on."""
    asleep: bool = False
    """Whether an inference component has no copies: none are wanted, or the first has not answered
    yet."""

    def variants(self) -> Iterable[tuple[FleetRoute, VariantRoute]]:
        """Every variant that serves, fleet by fleet; shadows are not among them."""
        return ((fleet, variant) for fleet in self.fleets for variant in fleet.variants)


def component_route(component: str) -> str:
    """The name of the route of an inference component."""
    return _COMPONENT + component


def component_of(route: str) -> str:
    """The inference component that has a route of this name; empty for an endpoint's."""
    return route.removeprefix(_COMPONENT) if route.startswith(_COMPONENT) else ""


class RoutingTable:
    """Endpoint or inference component to route; reading takes no lock, writing replaces the table.

    Attributes:
        traffic: what was sent along the routes; that of an endpoint goes with its route.
        load: what is under way along the routes now.
        capture: keeps the sampled requests and answers; None keeps none.
        fetch_model: brings a TargetModel to one model server of a multi-model variant.
    """

    def __init__(self, traffic: Traffic | None = None) -> None:
        self.traffic = traffic or Traffic()
        self.load = Load()
        self.capture: CaptureRecorder | None = None
        self.fetch_model: FetchModel | None = None
        self._lock = threading.Lock()
        self._routes: Mapping[str, EndpointRoute] = {}
        self._wake: Callable[[str], None] = lambda endpoint: None

    def get(self, endpoint: str) -> EndpointRoute | None:
        return self._routes.get(endpoint)

    def endpoints(self) -> Iterable[EndpointRoute]:
        """Every route there is now."""
        return self._routes.values()

    def put(self, route: EndpointRoute) -> None:
        with self._lock:
            self._routes = {**self._routes, route.name: route}
            sources = [(variant.name, fleet.config_name) for fleet, variant in route.variants()]
            if route.shadow is not None:
                shadow = route.shadow.variant.name  # gets copies of any fleet's requests
                sources += [(shadow, fleet.config_name) for fleet in route.fleets]
            self.traffic.expect(route.name, sources)

    def remove(self, endpoint: str) -> None:
        with self._lock:
            self._routes = {k: v for k, v in self._routes.items() if k != endpoint}
            self.traffic.forget(endpoint)

    def on_demand(self, wake: Callable[[str], None]) -> None:
        """Have ``wake`` called with an endpoint's name when a request waits for a server that has
        to be started; from the router's event loop, so it must not block."""
        self._wake = wake

    def demand(self, endpoint: str) -> None:
        """Say that a request waits for a server of an on-demand variant."""
        self._wake(endpoint)
