"""Which variant of which fleet gets a request, and which of its model servers."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from typing import TypeVar

from bottega.serving.invocation import Invocation, TargetUnfit, VariantUnknown
from bottega.serving.load import Load
from bottega.serving.routing import EndpointRoute, FleetRoute, InstanceRoute, VariantRoute

_Choice = TypeVar("_Choice")

MOST_OUTSTANDING = 256
"""Requests that any model server may have at once. Each waits for those in front of it."""
LONGEST_QUEUE_SECONDS = 0.5
"""A server may have more, as long as it answers them within this time at the rate it had last: to
refuse what could be answered so soon would cost more than to answer it."""


def choose_variant(
    route: EndpointRoute, target: str, chosen: tuple[str, str] | None
) -> tuple[FleetRoute, VariantRoute]:
    """The variant that was chosen before, or the caller's, or one by share and weight.

    Args:
        target: the name of the variant that the caller wants, in whichever fleet; may be empty.
        chosen: names of the configuration and variant of a first choice; kept while they are there.

    Raises:
        VariantUnknown: no fleet has a variant of the target's name.
    """
    fleets = route.fleets
    if chosen is not None:
        for fleet, variant in route.variants():
            if (fleet.config_name, variant.name) == chosen:
                return fleet, variant
    if target:
        having = [(fleet, v) for fleet, v in route.variants() if v.name == target]
        if not having:
            raise VariantUnknown(target)
        return _one_of(having, [fleet.share for fleet, _ in having])
    fleet = fleets[0] if len(fleets) == 1 else _one_of(fleets, [one.share for one in fleets])
    variants = fleet.variants
    if len(variants) == 1:
        return fleet, variants[0]
    return fleet, _one_of(variants, [variant.weight for variant in variants])


def check_target(variant: VariantRoute, invocation: Invocation) -> None:
    """Refuse an invocation whose model or container the variant cannot tell.

    Raises:
        TargetUnfit: see there.
    """
    if bool(invocation.target_model) != variant.multi_model:
        raise TargetUnfit(
            f"Variant {variant.name} serves many models, so TargetModel has to say which one."
            if variant.multi_model
            else f"Variant {variant.name} serves one model. Leave TargetModel out; it is for "
            "variants whose container has the Mode MultiModel."
        )
    wanted = invocation.target_container
    if wanted and wanted not in variant.containers:
        known = ", ".join(variant.containers)
        raise TargetUnfit(
            f"TargetContainerHostname {wanted} is no container of variant {variant.name}, "
            + (
                f"which has {known}."
                if known
                else "whose containers cannot be called one by one. Leave it out, or make the "
                "model with the inference execution mode Direct."
            )
        )
    if variant.containers and not wanted:
        raise TargetUnfit(
            f"Variant {variant.name} has containers that are called one by one, so "
            f"TargetContainerHostname has to say which one: {', '.join(variant.containers)}."
        )


def choose_instance(
    variant: VariantRoute, load: Load, tried: Collection[str] = ()
) -> InstanceRoute | None:
    """The model server for a request: one of the least busy, or any where the variant says so.

    Args:
        tried: ids of those that are out of the question.
    """
    instances = variant.instances
    if len(instances) == 1 and not tried:
        return instances[0]
    candidates = [x for x in instances if x.id not in tried]
    if len(candidates) <= 1:
        return candidates[0] if candidates else None
    if variant.strategy == "RANDOM":
        return random.choice([x for x in candidates if has_room(load, x)] or candidates)
    fewest = min(load.outstanding(x.id) for x in candidates)
    return random.choice([x for x in candidates if load.outstanding(x.id) == fewest])


def has_room(load: Load, instance: InstanceRoute) -> bool:
    """Whether a model server may get one more request."""
    outstanding = load.outstanding(instance.id)
    return (
        outstanding < MOST_OUTSTANDING
        or outstanding < load.rate(instance.id) * LONGEST_QUEUE_SECONDS
    )


def _one_of(choices: Sequence[_Choice], weights: list[float]) -> _Choice:
    """Each with the probability of its weight; all alike where no weight is above 0."""
    if len(choices) == 1:
        return choices[0]
    return random.choices(choices, weights if any(weights) else None)[0]
