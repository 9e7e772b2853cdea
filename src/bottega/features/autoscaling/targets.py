"""The operations on scalable targets, and on their tags."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import (
    ResourceNotFoundException,
    TooManyTagsException,
    ValidationException,
)
from bottega.features.autoscaling import entities
from bottega.features.autoscaling.entities import INSTANCES, ROLE, TARGET, TargetKey
from bottega.registry import operation
from bottega.specs.generated.autoscaling import (
    DeregisterScalableTargetRequest,
    DescribeScalableTargetsRequest,
    ListTagsForResourceRequest,
    RegisterScalableTargetRequest,
    TagResourceRequest,
    UntagResourceRequest,
)
from bottega.storage.metadata import (
    Resource,
    ResourceExists,
    ResourceMissing,
    ResourceQuery,
    TooManyTags,
)

_SERVICE = "application-autoscaling"
_MOST_TAGS = 50
_SUSPENDABLE = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)


@operation("RegisterScalableTarget", service=_SERVICE)
def register_scalable_target(
    context: Context, request: RegisterScalableTargetRequest
) -> dict[str, Any]:
    """Let a variant be scaled, or change its bounds and what is suspended; what is left out of a
    change stays."""
    ports = context.ports
    key = TargetKey.of(request)
    lowest = scalable(context, key)
    now = ports.clock.now()
    while True:
        try:
            present = ports.store.get(TARGET, key.name)
        except ResourceMissing:
            body = _first(context, key, request, lowest, now)
            target = Resource(TARGET, key.name, body["ScalableTargetARN"], "", now, now, body)
            try:
                created = ports.store.create(target, tags=request.get("Tags"))
            except ResourceExists:
                continue
            return {"ScalableTargetARN": created.arn}
        if request.get("Tags"):
            raise ValidationException(
                f"The scalable target of {key.resource_id} is registered; use TagResource to tag it"
            )
        try:
            ports.store.modify(TARGET, key.name, lambda found: _changed(found, request, lowest))
        except ResourceMissing:  # deregistered meanwhile
            continue
        return {"ScalableTargetARN": present.arn}


def _first(
    context: Context,
    key: TargetKey,
    request: RegisterScalableTargetRequest,
    lowest: int,
    now: float,
) -> dict[str, Any]:
    for member in ("MinCapacity", "MaxCapacity"):
        if member not in request:
            raise ValidationException(
                f"{member} is missing: a scalable target that is new needs MinCapacity and "
                "MaxCapacity."
            )
    config = context.ports.config
    given = request.get("SuspendedState") or {}
    body = {
        **key.members,
        "MinCapacity": request["MinCapacity"],
        "MaxCapacity": request["MaxCapacity"],
        "RoleARN": f"arn:aws:iam::{config.account}:role/aws-service-role/"
        f"sagemaker.application-autoscaling.amazonaws.com/{ROLE}",
        "CreationTime": now,
        "SuspendedState": {name: bool(given.get(name, False)) for name in _SUSPENDABLE},
        "ScalableTargetARN": f"arn:aws:application-autoscaling:{config.region}:{config.account}:"
        f"scalable-target/{uuid.uuid4().hex}",
    }
    check_bounds(body, lowest)
    return body


def _changed(present: Resource, request: RegisterScalableTargetRequest, lowest: int) -> Resource:
    body = dict(present.body)
    body |= {name: request[name] for name in ("MinCapacity", "MaxCapacity") if name in request}
    if given := request.get("SuspendedState"):
        body["SuspendedState"] = {**body["SuspendedState"], **given}
    check_bounds(body, lowest)
    return entities.changed(present, body)


def check_bounds(body: Mapping[str, Any], lowest: int) -> None:
    """
    Raises:
        ValidationException: the bounds are in the wrong order or too low.
    """
    least, most = body["MinCapacity"], body["MaxCapacity"]
    if least < lowest:
        why = (
            "this endpoint keeps at least 1; only asynchronous ones and inference components scale "
            "to 0"
            if lowest
            else "0 is the least"
        )
        raise ValidationException(f"MinCapacity is {least}; {why}.")
    if most < least:
        raise ValidationException(
            f"Maximum capacity cannot be less than minimum capacity: MinCapacity is {least} and "
            f"MaxCapacity is {most}."
        )


def lowest_capacity(described: Mapping[str, Any], key: TargetKey) -> int:
    """To how little a variant may be scaled.

    Args:
        described: what DescribeEndpoint answered.

    Raises:
        ValidationException: there is no such variant, or it has no such dimension.
    """
    found = {one["VariantName"]: one for one in described.get("ProductionVariants", ())}
    if key.variant not in found:
        raise ValidationException(
            f"ResourceId names variant {key.variant!r}; endpoint {key.owner} serves "
            f"{', '.join(sorted(found)) or 'nothing yet'}."
        )
    serverless = "DesiredServerlessConfig" in found[key.variant]
    if not serverless and not found[key.variant].get("DeployedImages"):
        raise ValidationException(
            f"Variant {key.variant} hosts inference components; scale their copies: ResourceId "
            "inference-component/<inference component name>."
        )
    if serverless is (key.dimension == INSTANCES):
        raise ValidationException(
            f"ScalableDimension {key.dimension} does not go with variant {key.variant}, which "
            f"{'is serverless' if serverless else 'has instances'}."
        )
    return 0 if "AsyncInferenceConfig" in described else 1


def scalable(context: Context, key: TargetKey) -> int:
    """To how little what is named may be scaled.

    Raises:
        ValidationException: it is not there, or has no such dimension.
    """
    request = {f"{key.kind}Name": key.owner}
    described = context.call("sagemaker", f"Describe{key.kind}", request)
    return 0 if key.is_component else lowest_capacity(described, key)


@operation("DeregisterScalableTarget", service=_SERVICE)
def deregister_scalable_target(
    context: Context, request: DeregisterScalableTargetRequest
) -> dict[str, Any]:
    """Scale a variant no more: its policies and scheduled actions go, its capacity stays."""
    key = TargetKey.of(request)
    entities.find_target(context.ports, key)
    entities.remove_all(context.ports, key)
    return {}


@operation("DescribeScalableTargets", service=_SERVICE)
def describe_scalable_targets(
    context: Context, request: DescribeScalableTargetsRequest
) -> dict[str, Any]:
    """The scalable targets, by resource."""
    query = ResourceQuery(TARGET, sort_by="name", descending=False)
    found = [one.body for one in context.ports.store.each(query)]
    kept = entities.matching(request, found, (), "")
    shown, token = entities.page(
        context, "DescribeScalableTargets", request, kept, lambda one: one["ScalableTargetARN"]
    )
    return {"ScalableTargets": shown, **token}


# Tags.


@operation("TagResource", service=_SERVICE)
def tag_resource(context: Context, request: TagResourceRequest) -> dict[str, Any]:
    """Add tags to a scalable target, or change their values."""
    arn = _target_arn(context, request["ResourceARN"])
    try:
        context.ports.store.set_tags(arn, request["Tags"], limit=_MOST_TAGS)
    except TooManyTags as error:
        raise TooManyTagsException(
            f"The scalable target {arn} would have more than {_MOST_TAGS} tags; remove some first.",
            members={"ResourceName": arn},
        ) from error
    return {}


@operation("UntagResource", service=_SERVICE)
def untag_resource(context: Context, request: UntagResourceRequest) -> dict[str, Any]:
    """Remove tags of a scalable target; keys it does not have are passed over."""
    arn = _target_arn(context, request["ResourceARN"])
    context.ports.store.remove_tags(arn, request["TagKeys"])
    return {}


@operation("ListTagsForResource", service=_SERVICE)
def list_tags_for_resource(context: Context, request: ListTagsForResourceRequest) -> dict[str, Any]:
    """The tags of a scalable target."""
    return {"Tags": dict(context.ports.store.tags(_target_arn(context, request["ResourceARN"])))}


def _target_arn(context: Context, arn: str) -> str:
    """
    Raises:
        ResourceNotFoundException: no scalable target has that ARN.
    """
    try:
        if ":scalable-target/" in arn:
            context.ports.store.tags(arn)
            return arn
    except ResourceMissing:
        pass
    raise ResourceNotFoundException(
        f"There is no scalable target {arn}.", members={"ResourceName": arn}
    )
