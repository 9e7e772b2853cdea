"""What the operations on artifacts, actions and contexts have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from bottega.context import Context
from bottega.errors import ResourceNotFound, ValidationException
from bottega.features.lineage.entities import Entity, LineageType
from bottega.features.lineage.graph import graph_of
from bottega.specs import pagination
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

MOST_PROPERTIES = 30

Item = TypeVar("Item")


def _resource_of(
    context: Context, kind: LineageType, name: str, arn: str, body: Mapping[str, Any]
) -> Resource:
    """A new entity that a client makes."""
    now = context.ports.clock.now()
    created_by = context.caller.user_context
    return Resource(
        kind, name, arn, "", created=now, modified=now, body={**body, "CreatedBy": created_by}
    )


def create(context: Context, kind: LineageType, arn: str, request: Mapping[str, Any]) -> bool:
    """Store what a client makes; returns False where it is there already, whoever made it."""
    if arn in graph_of(context).entities:
        return False
    body = {key: value for key, value in request.items() if key != "Tags"}
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    resource = _resource_of(context, kind, _name(arn), arn, {**body, f"{kind}Arn": arn})
    try:
        context.ports.store.create(resource, tags=tags)
    except ResourceExists:  # somebody else was quicker
        return False
    return True


def create_new(context: Context, kind: LineageType, arn: str, request: Mapping[str, Any]) -> None:
    """Store an action or a context.

    Raises:
        ValidationException: there is one of that name, or one follows from a resource.
    """
    if not create(context, kind, arn, request):
        raise ValidationException(f"{kind} {arn} already exists.")


def find(context: Context, kind: LineageType, arn: str) -> Entity:
    """An entity, whoever made it.

    Raises:
        ResourceNotFound: there is none.
    """
    found = graph_of(context).entities.get(arn.lower())
    if found is None or found.lineage != kind:
        raise ResourceNotFound(f"{kind} {arn} does not exist.")
    return found


def update(
    context: Context,
    kind: LineageType,
    arn: str,
    request: Mapping[str, Any],
    changeable: Iterable[str],
) -> None:
    """Change what a client may change; an entity that follows from a resource becomes its own.

    Args:
        request: of the operation; its properties are merged with those there are.
        changeable: the members that are taken from it besides.

    Raises:
        ResourceNotFound: there is none.
        ValidationException: it would have too many properties.
    """
    ports = context.ports
    entity = find(context, kind, arn)
    changes = {key: request[key] for key in changeable if key in request}
    remove = request.get("PropertiesToRemove", [])

    def changed(present: Resource) -> Resource:
        kept = {
            key: value
            for key, value in present.body.get("Properties", {}).items()
            if key not in remove
        }
        wanted = {**kept, **request.get("Properties", {})}
        if len(wanted) > MOST_PROPERTIES:
            raise ValidationException(
                f"{kind} {entity.arn} would have {len(wanted)} properties; it may have "
                f"{MOST_PROPERTIES}. Name some in PropertiesToRemove."
            )
        body = {**present.body, **changes, "Properties": wanted}
        return replace(present, body={**body, "LastModifiedBy": context.caller.user_context})

    name = _name(entity.arn)
    if entity.maker:
        own = _resource_of(context, kind, name, entity.arn, entity.document)
        own = changed(replace(own, created=entity.created))
        try:
            ports.store.create(own)
            return
        except ResourceExists:
            pass  # somebody else has just made it their own
    try:
        ports.store.modify(kind, name, changed)
    except ResourceMissing as error:
        raise ResourceNotFound(f"{kind} {arn} does not exist.") from error


def delete(context: Context, kind: LineageType, arn: str) -> str:
    """Remove an entity that a client made; returns its ARN.

    Raises:
        ResourceNotFound: there is none.
        ValidationException: it follows from a resource, or has associations.
    """
    entity = find(context, kind, arn)
    if entity.maker:
        raise ValidationException(
            f"{kind} {entity.arn} follows from {entity.maker} and goes with that; it cannot be "
            "deleted by itself."
        )
    graph = graph_of(context)
    edges = [*graph.outgoing.get(entity.arn, ()), *graph.incoming.get(entity.arn, ())]
    if count := sum(edge.stored for edge in edges):
        raise ValidationException(
            f"{kind} {entity.arn} cannot be deleted because it has {count} associations. Remove "
            "them first by DeleteAssociation."
        )
    try:
        context.ports.store.delete(kind, _name(entity.arn))
    except ResourceMissing as error:
        raise ResourceNotFound(f"{kind} {arn} does not exist.") from error
    return entity.arn


def listed(context: Context, kind: LineageType, request: Mapping[str, Any]) -> dict[str, Any]:
    """One page of entities, those that follow from resources among them, as List answers it."""
    wanted_type = request.get(f"{kind}Type")
    found = [
        entity
        for entity in graph_of(context).entities.values()
        if entity.lineage == kind
        and ("SourceUri" not in request or entity.uri == request["SourceUri"])
        and (wanted_type is None or entity.type == wanted_type)
        and entity.created > request.get("CreatedAfter", float("-inf"))
        and entity.created < request.get("CreatedBefore", float("inf"))
    ]
    by_name = request.get("SortBy") == "Name"
    page, token = paged(
        context,
        f"List{kind}s",
        request,
        found,
        lambda entity: (entity.name if by_name else entity.created, entity.arn),
    )
    members = ("Arn", "Name", "Type")
    keys = [*(f"{kind}{member}" for member in members), "Source", "Status"]
    keys += ["CreationTime", "LastModifiedTime"]
    summaries = [
        {key: entity.document[key] for key in keys if key in entity.document} for entity in page
    ]
    return {f"{kind}Summaries": summaries, **({"NextToken": token} if token else {})}


def _name(arn: str) -> str:
    """Of the resource that a client's entity is stored as."""
    return arn.partition("/")[2]


def paged(
    context: Context,
    operation: str,
    request: Mapping[str, Any],
    items: Iterable[Item],
    key_of: Callable[[Item], tuple[Any, ...]],
) -> tuple[list[Item], str]:
    """The items of one page in order of a key that no two share, and the next page's token."""
    defaults = pagination.list_defaults(operation)
    descending = request.get("SortOrder", "Descending") == "Descending"
    asked = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope, secret = f"{operation}:{sorted(asked.items())}", context.ports.credentials.page_key()
    ordered = sorted(items, key=key_of, reverse=descending)
    if "NextToken" in request:
        last = tuple(pagination.decode(request["NextToken"], key=secret, scope=scope)["after"])
        ordered = [
            item for item in ordered if (key_of(item) < last if descending else key_of(item) > last)
        ]
    limit = request.get("MaxResults", defaults.max_results)
    page = ordered[:limit]
    if len(ordered) <= limit:
        return page, ""
    return page, pagination.encode({"after": list(key_of(page[-1]))}, key=secret, scope=scope)
