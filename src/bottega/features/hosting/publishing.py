"""What the router is told of an endpoint: its fleets with their shares, shadow and capture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms import registry
from bottega.features.hosting.deployments import Deployment, VariantPlan
from bottega.features.hosting.fleets import Fleet
from bottega.features.hosting.places import log_group
from bottega.model_servers.plans import ModelPlan
from bottega.serving.routing import (
    CaptureMode,
    CaptureSettings,
    EndpointRoute,
    FleetRoute,
    ShadowRoute,
    VariantRoute,
)

SERVERLESS_PATIENCE_SECONDS = 60.0
"""How long a request waits for a server that has to be started first."""
_MODES: Mapping[str, tuple[CaptureMode, ...]] = {
    "Input": ("Input",),
    "Output": ("Output",),
    "InputAndOutput": ("Input", "Output"),
}


def endpoint_route(
    name: str,
    active: Fleet | None,
    target: Fleet | None,
    share: float,
    before: Deployment | None = None,
) -> EndpointRoute | None:
    """The route of an endpoint with so much of its traffic on the target; None where nothing
    serves yet.

    Args:
        before: what the active deployment was, while its capacity is changed.
    """
    parts = [(active, 1.0 - share), (target, share)]
    fleets = [(fleet, part) for fleet, part in parts if fleet is not None and part > 0]
    if not fleets:
        return None
    most = max(fleets, key=lambda found: found[1])[0]
    deployment = most.deployment
    return EndpointRoute(
        name=name,
        fleets=tuple(
            FleetRoute(
                fleet.deployment.config,
                part,
                tuple(_variant(name, fleet, plan) for plan in fleet.deployment.variants),
            )
            for fleet, part in fleets
        ),
        shadow=_shadow(name, most),
        capture=capture_settings(deployment.capture) if deployment.capture else None,
        asynchronous=deployment.asynchronous is not None,
        hosts=tuple(host.name for host in deployment.hosts),
        endpoint=deployment.endpoint,
        asleep=bool(deployment.endpoint) and _asleep([fleet for fleet, _ in fleets], before),
    )


def _asleep(fleets: list[Fleet], before: Deployment | None) -> bool:
    """Whether an inference component has no copies: none are wanted, or the first of them has not
    answered yet."""
    if not any(fleet.deployment.instances for fleet in fleets):
        return True
    waking = before is not None and not before.instances
    return waking and not any(
        fleet.instances(plan.name) for fleet in fleets for plan in fleet.deployment.variants
    )


def capture_settings(config: Mapping[str, Any]) -> CaptureSettings | None:
    """A DataCaptureConfig as the router has it; None where it is switched off."""
    if not config.get("EnableCapture", True):
        return None
    types = config.get("CaptureContentTypeHeader", {})
    return CaptureSettings(
        destination=config["DestinationS3Uri"].rstrip("/"),
        share=config["InitialSamplingPercentage"] / 100,
        modes=frozenset(
            mode for option in config["CaptureOptions"] for mode in _MODES[option["CaptureMode"]]
        ),
        csv_types=_media_types(types.get("CsvContentTypes") or ["text/csv"]),
        json_types=_media_types(types.get("JsonContentTypes") or ["application/json"]),
    )


def _media_types(given: list[str]) -> frozenset[str]:
    return frozenset(text.partition(";")[0].strip().lower() for text in given)


def _shadow(endpoint: str, fleet: Fleet) -> ShadowRoute | None:
    shadows = fleet.deployment.shadows
    if not shadows:
        return None
    weight = fleet.deployment.variants[0].weight
    share = min(1.0, shadows[0].weight / weight) if weight else 0.0
    return ShadowRoute(_variant(endpoint, fleet, shadows[0]), share)


def _variant(endpoint: str, fleet: Fleet, plan: VariantPlan) -> VariantRoute:
    more: dict[str, Any] = {}
    if plan.serverless:
        more = {
            "concurrency": plan.serverless.max_concurrency,
            "on_demand": True,
            "patience_seconds": SERVERLESS_PATIENCE_SECONDS,
        }
    direct = plan.model.direct
    return VariantRoute(
        name=plan.name,
        weight=plan.weight,
        instances=fleet.instances(plan.name),
        log_group=log_group(endpoint),
        log_stream=fleet.log_stream(plan.name),
        timeout_seconds=fleet.longest_answer,
        strategy=plan.strategy,
        containers=tuple(one.hostname for one in plan.model.containers) if direct else (),
        pipelined=_answers_at_once(plan.model),
        multi_model=plan.model.multi_model,
        **more,
    )


def _answers_at_once(model: ModelPlan) -> bool:
    """Whether a built-in algorithm answers, as far as can be seen without its files."""
    if model.pipeline or model.multi_model:
        return False
    last = model.last
    script = last.code_uri or "SAGEMAKER_PROGRAM" in last.environment
    return not script and last.runtime in registry.names()
