"""Deployments: one attempt to serve an endpoint configuration, as it was when it was asked for.

A deployment holds everything its model servers need, so that a model or configuration that is
deleted later changes nothing, and a controller killed at any line finds the same plan again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from bottega.features.hosting.rollout import Rollout
from bottega.model_servers.plans import ModelPlan
from bottega.serving.routing import Strategy
from bottega.storage.metadata import Resource

STARTUP_TIMEOUT_SECONDS = 240.0
DOWNLOAD_TIMEOUT_SECONDS = 3600.0
MOST_KEPT = 50
"""Deployments of an endpoint that its history remembers."""


@dataclass(frozen=True)
class Serverless:
    """The capacity of a variant that has no instances of its own."""

    memory_mb: int
    max_concurrency: int
    provisioned: int = 0
    """Servers that are kept warm."""


@dataclass(frozen=True)
class VariantPlan:
    """One variant of a deployment."""

    name: str
    model: ModelPlan
    weight: float
    instances: int
    """Wanted; of a serverless variant 0, as demand says how many there are."""
    instance_type: str
    """Empty for a serverless variant."""
    startup_timeout: float
    """Seconds a model server has until it answers its first ping."""
    download_timeout: float = DOWNLOAD_TIMEOUT_SECONDS
    """Seconds until the model's files must be there."""
    strategy: Strategy = "LEAST_OUTSTANDING_REQUESTS"
    serverless: Serverless | None = None

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what :func:`dataclasses.asdict` gave."""
        serverless = stored.get("serverless")
        return cls(
            **{
                **stored,
                "model": ModelPlan.from_json(stored["model"]),
                "serverless": Serverless(**serverless) if serverless else None,
            }
        )


@dataclass(frozen=True)
class HostPlan:
    """A variant without a model: instances for inference components, which bring their own."""

    name: str
    instances: int
    instance_type: str
    weight: float
    strategy: Strategy
    isolated: bool
    """Whether the servers on it shall have no network."""


@dataclass(frozen=True)
class Deployment:
    """What shall be served, and under which id its folders are kept."""

    id: str
    config: str
    """The endpoint configuration's name; of an inference component the id once more."""
    started: float
    """Seconds since the epoch."""
    variants: tuple[VariantPlan, ...]
    shadows: tuple[VariantPlan, ...] = ()
    """Variants that get copies of requests."""
    capture: Mapping[str, Any] | None = None
    """DataCaptureConfig, as the configuration has it."""
    asynchronous: Mapping[str, Any] | None = None
    """AsyncInferenceConfig."""
    hosts: tuple[HostPlan, ...] = ()
    """Variants for inference components; an endpoint that has them has no others."""
    endpoint: str = ""
    """Of an inference component: the endpoint that it is on."""
    specification: Mapping[str, Any] | None = None
    """Of an inference component: what was asked for."""

    @property
    def all_variants(self) -> tuple[VariantPlan, ...]:
        """Those that serve and those that shadow."""
        return (*self.variants, *self.shadows)

    @property
    def instances(self) -> int:
        """Wanted of all variants that serve or host components."""
        hosted = sum(host.instances for host in self.hosts)
        return hosted + sum(variant.instances for variant in self.variants)

    def with_variants(self, changed: Mapping[str, VariantPlan]) -> Deployment:
        """The same deployment with other plans for some variants."""
        return replace(
            self,
            variants=tuple(changed.get(variant.name, variant) for variant in self.variants),
            shadows=tuple(changed.get(variant.name, variant) for variant in self.shadows),
        )

    def to_json(self) -> dict[str, Any]:
        """What goes into the store."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read back what :meth:`to_json` gave."""
        lists = {
            key: tuple(VariantPlan.from_json(plan) for plan in stored.get(key, ()))
            for key in ("variants", "shadows")
        }
        hosts = tuple(HostPlan(**plan) for plan in stored.get("hosts", ()))
        return cls(**{**stored, **lists, "hosts": hosts})


@dataclass(frozen=True)
class EndpointPlans:
    """What an endpoint's resource keeps for its controller."""

    active: Deployment | None
    """What serves."""
    target: Deployment | None
    """What shall serve instead."""
    rollout: Rollout | None = None
    """How far the traffic has moved to the target."""
    before: Deployment | None = None
    """While the active deployment's capacity is changed: what it was, should that fail."""
    history: tuple[Mapping[str, Any], ...] = ()
    """Entries of :mod:`.history`, oldest first."""

    @classmethod
    def of(cls, endpoint: Resource) -> EndpointPlans:
        """Read them from the resource's private part."""
        stored = endpoint.private
        found = {
            key: Deployment.from_json(stored[key]) if stored.get(key) else None
            for key in ("active", "target", "before")
        }
        rollout = stored.get("rollout")
        return cls(
            **found,
            rollout=Rollout(**rollout) if rollout else None,
            history=tuple(stored.get("history", ())),
        )

    @property
    def deployments(self) -> tuple[Deployment, ...]:
        """What serves, and what shall serve instead: at least one of them but for an endpoint that
        has failed."""
        return tuple(one for one in (self.active, self.target) if one is not None)

    @property
    def under_way(self) -> Rollout:
        """The rollout of the target; that of a deployment without guardrails where none is kept."""
        return self.rollout or Rollout()

    def to_json(self) -> dict[str, Any]:
        """The private part."""
        return {
            "active": self.active.to_json() if self.active else None,
            "target": self.target.to_json() if self.target else None,
            "before": self.before.to_json() if self.before else None,
            "rollout": asdict(self.rollout) if self.rollout else None,
            "history": list(self.history[-MOST_KEPT:]),
        }
