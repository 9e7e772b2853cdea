"""What asynchronous inference needs to know of an endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bottega.ports import Ports
from bottega.serving.routing import RoutingTable
from bottega.storage.metadata import Resource, ResourceMissing

ENDPOINT = "Endpoint"
DEFAULT_CONCURRENCY = 4
"""Requests that an instance has at once where ClientConfig does not say."""
_GONE = frozenset({"Deleting", "Failed", "OutOfService"})
SERVING = frozenset({"InService", "Updating", "SystemUpdating", "RollingBack"})
"""Statuses in which requests are taken in."""


@dataclass(frozen=True)
class AsyncEndpoint:
    """An endpoint that takes asynchronous requests."""

    name: str
    created: float
    """Seconds since the epoch; tells it from a former one of the same name."""
    status: str
    config: Mapping[str, Any]
    """AsyncInferenceConfig."""

    @classmethod
    def of(cls, endpoint: Resource) -> Self | None:
        """Read it from an endpoint's resource; None where that is not asynchronous."""
        # The configuration that serves; an update never makes another kind of endpoint.
        serving = endpoint.private.get("active") or {}
        config = serving.get("asynchronous")
        if not config:
            return None
        return cls(endpoint.name, endpoint.created, endpoint.status, config)

    @classmethod
    def read(cls, ports: Ports, name: str) -> Self | None:
        """Look it up; None where there is none, or one that is not asynchronous."""
        try:
            return cls.of(ports.store.get(ENDPOINT, name))
        except ResourceMissing:
            return None

    @property
    def gone(self) -> bool:
        """Whether its requests will never be answered."""
        return self.status in _GONE

    @property
    def output(self) -> Mapping[str, Any]:
        config: Mapping[str, Any] = self.config.get("OutputConfig", {})
        return config

    @property
    def concurrency(self) -> int:
        """How many requests an instance has at once."""
        client = self.config.get("ClientConfig", {})
        return int(client.get("MaxConcurrentInvocationsPerInstance", DEFAULT_CONCURRENCY))


def instances(routes: RoutingTable, endpoint: str) -> int:
    """How many model servers of an endpoint answer now."""
    route = routes.get(endpoint)
    if route is None:
        return 0
    return sum(len(variant.instances) for _, variant in route.variants())
