"""Scalable targets, policies, scheduled actions and activities as they are stored."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bottega.context import Context
from bottega.errors import InvalidNextTokenException, ObjectNotFoundException, ValidationException
from bottega.ports import Ports
from bottega.specs import pagination
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

TARGET = "ScalableTarget"
POLICY = "ScalingPolicy"
ACTION = "ScheduledAction"
ACTIVITIES = "ScalingActivities"
"""One resource for each target that was ever scaled: its activities, and what the scaler has to
remember. It stays when the target goes."""
ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"

INSTANCES = "sagemaker:variant:DesiredInstanceCount"
PROVISIONED = "sagemaker:variant:DesiredProvisionedConcurrency"
COPIES = "sagemaker:inference-component:DesiredCopyCount"
_NOUNS = {
    INSTANCES: "instance count",
    PROVISIONED: "provisioned concurrency",
    COPIES: "copy count",
}
_VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_COMPONENT = re.compile(r"inference-component/([^/]+)()")
_LARGEST_PAGE = 50


@dataclass(frozen=True)
class TargetKey:
    """What is scaled: one dimension of one variant, or the copies of an inference component."""

    owner: str
    """The endpoint or the inference component."""
    variant: str
    """Of an endpoint; empty for an inference component."""
    dimension: str

    @property
    def is_component(self) -> bool:
        """Whether an inference component is scaled."""
        return self.dimension == COPIES

    @property
    def kind(self) -> str:
        """The kind of resource that the owner is."""
        return "InferenceComponent" if self.is_component else "Endpoint"

    @property
    def resource_id(self) -> str:
        if self.is_component:
            return f"inference-component/{self.owner}"
        return f"endpoint/{self.owner}/variant/{self.variant}"

    @property
    def name(self) -> str:
        """Its name in the store."""
        return f"{self.resource_id}|{self.dimension}"

    @property
    def noun(self) -> str:
        """What is counted, for texts."""
        return _NOUNS[self.dimension]

    @property
    def members(self) -> dict[str, Any]:
        """How requests and answers name it."""
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": self.resource_id,
            "ScalableDimension": self.dimension,
        }

    def below(self, name: str) -> str:
        """The store's name of a policy or scheduled action of this target."""
        return f"{self.name}|{name}"

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> TargetKey:
        """Read it from a request.

        Raises:
            ValidationException: it names what cannot be scaled here.
        """
        check_namespace(request["ServiceNamespace"])
        dimension = request["ScalableDimension"]
        if dimension not in _NOUNS:
            raise ValidationException(
                f"ScalableDimension is {dimension!r}, which cannot be scaled here; use "
                f"{' or '.join(_NOUNS)}."
            )
        found = _form(dimension).fullmatch(request["ResourceId"])
        if found is None:
            form = (
                "inference-component/<inference component name>"
                if dimension == COPIES
                else "endpoint/<endpoint name>/variant/<variant name>"
            )
            raise ValidationException(
                f"ResourceId is {request['ResourceId']!r}; for {dimension} it has the form {form}."
            )
        return cls(found[1], found[2], dimension)

    @classmethod
    def parse(cls, name: str) -> TargetKey:
        """The key whose :attr:`name` this is."""
        resource_id, _, dimension = name.partition("|")
        found = _form(dimension).fullmatch(resource_id)
        assert found is not None
        return cls(found[1], found[2], dimension)


def _form(dimension: str) -> re.Pattern[str]:
    return _COMPONENT if dimension == COPIES else _VARIANT


def check_namespace(namespace: str) -> None:
    """
    Raises:
        ValidationException: it is another service's.
    """
    if namespace != "sagemaker":
        raise ValidationException(
            f"ServiceNamespace is {namespace!r}; this studio scales sagemaker alone."
        )


def find_target(ports: Ports, key: TargetKey) -> Resource:
    """
    Raises:
        ObjectNotFoundException: it is not registered.
    """
    try:
        return ports.store.get(TARGET, key.name)
    except ResourceMissing as error:
        raise ObjectNotFoundException(
            f"No scalable target registered for service namespace: sagemaker, resource ID: "
            f"{key.resource_id}, scalable dimension: {key.dimension}"
        ) from error


def of_target(ports: Ports, kind: str, key: TargetKey) -> list[Resource]:
    """The policies or scheduled actions of one target, by name."""
    prefix = key.below("")
    query = ResourceQuery(kind, name_contains=prefix, sort_by="name", descending=False)
    return [found for found in ports.store.each(query) if found.name.startswith(prefix)]


def own_name(resource: Resource) -> str:
    """The name of a policy or scheduled action, without its target's."""
    return resource.name.split("|", 2)[2]


def arn(ports: Ports, key: TargetKey, kind: str, label: str, name: str) -> str:
    """A new ARN of a policy or scheduled action."""
    config = ports.config
    return (
        f"arn:aws:autoscaling:{config.region}:{config.account}:{kind}:{uuid.uuid4()}:resource/"
        f"sagemaker/{key.resource_id}:{label}/{name}"
    )


def remove_all(ports: Ports, key: TargetKey) -> None:
    """Deregister a target with its policies and scheduled actions; the target goes last, so that
    what a kill leaves is removed by the next try."""
    for kind in (POLICY, ACTION):
        for found in of_target(ports, kind, key):
            _delete(ports, kind, found.name)
    _delete(ports, TARGET, key.name)


def _delete(ports: Ports, kind: str, name: str) -> None:
    try:
        ports.store.delete(kind, name)
    except ResourceMissing:  # somebody else was faster
        return


def matching(
    request: Mapping[str, Any], found: Sequence[Mapping[str, Any]], names: Sequence[str], by: str
) -> list[Mapping[str, Any]]:
    """Those of a Describe operation that its filters let through.

    Raises:
        ValidationException: a dimension is given without a resource.
    """
    check_namespace(request["ServiceNamespace"])
    resources = request.get("ResourceIds") or (
        [request["ResourceId"]] if "ResourceId" in request else []
    )
    dimension = request.get("ScalableDimension")
    if dimension is not None and not resources:
        raise ValidationException(
            "ScalableDimension is given without a resource: name the resource, too, or leave it out"
        )
    return [
        one
        for one in found
        if (not resources or one["ResourceId"] in resources)
        and (dimension is None or one["ScalableDimension"] == dimension)
        and (not names or one[by] in names)
    ]


def page(
    context: Context,
    operation: str,
    request: Mapping[str, Any],
    found: Sequence[Mapping[str, Any]],
    identity: Callable[[Mapping[str, Any]], str],
) -> tuple[list[Mapping[str, Any]], dict[str, str]]:
    """One page of what was found, and the token of the next one.

    Args:
        identity: tells one entry from all others, so that the next page begins after the last
            entry of this one.

    Raises:
        InvalidNextTokenException: NextToken was not made for this request.
    """
    key = context.ports.credentials.page_key()
    same = {name: value for name, value in request.items() if name not in ("NextToken",)}
    scope = f"{operation}:{sorted(same.items())}"
    first = 0
    if "NextToken" in request:
        try:
            last = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
        except ValidationException as error:
            raise InvalidNextTokenException(error.message) from error
        ids = [identity(one) for one in found]
        first = ids.index(last) + 1 if last in ids else len(ids)
    limit = request.get("MaxResults", _LARGEST_PAGE)
    if not 1 <= limit <= _LARGEST_PAGE:
        raise ValidationException(f"MaxResults is {limit}; give 1 to {_LARGEST_PAGE}.")
    shown = list(found[first : first + limit])
    if first + limit >= len(found):
        return shown, {}
    after = {"after": identity(shown[-1])}
    return shown, {"NextToken": pagination.encode(after, key=key, scope=scope)}


def changed(present: Resource, body: Mapping[str, Any]) -> Resource:
    """The same resource with another body; the very same object where nothing changes."""
    return present if dict(present.body) == dict(body) else replace(present, body=body)
