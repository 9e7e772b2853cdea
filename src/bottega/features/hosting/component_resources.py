"""Inference components as stored resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.resources import COMPONENT
from bottega.ports import Ports
from bottega.storage.metadata import Resource, ResourceQuery


def components_of(ports: Ports, endpoint: str) -> Mapping[str, str]:
    """The variants that the inference components of an endpoint are on, by component; those that
    are being deleted are left out."""
    return {found.name: found.body["VariantName"] for found in _on(ports, endpoint)}


def copies_on(ports: Ports, endpoint: str, *, but: str) -> int:
    """How many copies all inference components of an endpoint shall have, without one of them."""
    return sum(copies(found) for found in _on(ports, endpoint) if found.name != but)


def copies(component: Resource) -> int:
    """How many copies an inference component shall have."""
    plans = EndpointPlans.of(component)
    wanted = plans.target or plans.active
    return wanted.instances if wanted else 0


def _on(ports: Ports, endpoint: str) -> Iterator[Resource]:
    for found in ports.store.each(ResourceQuery(COMPONENT, descending=False)):
        if found.body["EndpointName"] == endpoint and found.status != "Deleting":
            yield found
