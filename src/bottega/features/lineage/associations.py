"""The operations on associations, the edges of the graph."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ResourceNotFound, ValidationException
from bottega.features.lineage import records
from bottega.features.lineage.entities import RESOURCE_TYPES, Edge, Entity
from bottega.features.lineage.graph import ASSOCIATION, Graph, graph_of
from bottega.identifiers import ResourceArn
from bottega.registry import operation
from bottega.specs.generated.lineage import (
    AddAssociationRequest,
    AddAssociationResponse,
    DeleteAssociationRequest,
    DeleteAssociationResponse,
    ListAssociationsRequest,
    ListAssociationsResponse,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

DEFAULT_TYPE = "AssociatedWith"
COMPONENT = "experiment-trial-component"


@operation("AddAssociation")
def add_association(context: Context, request: AddAssociationRequest) -> AddAssociationResponse:
    """Say that one entity led to another."""
    source, destination = request["SourceArn"].lower(), request["DestinationArn"].lower()
    if source == destination:
        raise ValidationException(f"{source} cannot be associated with itself.")
    graph = graph_of(context)
    for arn in (source, destination):
        check(context, graph, arn)
    taken = f"Association from {source} to {destination} already exists."
    if any(edge.destination == destination for edge in graph.outgoing.get(source, ())):
        raise ValidationException(taken)
    now = context.ports.clock.now()
    body = {
        "SourceArn": source,
        "DestinationArn": destination,
        "AssociationType": request.get("AssociationType", DEFAULT_TYPE),
        "CreatedBy": context.caller.user_context,
    }
    resource = Resource(ASSOCIATION, _name(source, destination), "", "", now, now, body)
    try:
        context.ports.store.create(resource)
    except ResourceExists as error:
        raise ValidationException(taken) from error
    return {"SourceArn": source, "DestinationArn": destination}


@operation("DeleteAssociation")
def delete_association(
    context: Context, request: DeleteAssociationRequest
) -> DeleteAssociationResponse:
    """Take back what a client has said."""
    source, destination = request["SourceArn"].lower(), request["DestinationArn"].lower()
    try:
        context.ports.store.delete(ASSOCIATION, _name(source, destination))
    except ResourceMissing as error:
        graph = graph_of(context)
        if any(edge.destination == destination for edge in graph.outgoing.get(source, ())):
            raise ValidationException(
                f"The association from {source} to {destination} follows from a resource and goes "
                "with that; it cannot be deleted by itself."
            ) from error
        raise ResourceNotFound(
            f"Association from {source} to {destination} does not exist."
        ) from error
    return {"SourceArn": source, "DestinationArn": destination}


@operation("ListAssociations")
def list_associations(
    context: Context, request: ListAssociationsRequest
) -> ListAssociationsResponse:
    """One page of associations, those that follow from resources among them."""
    graph = graph_of(context)
    source, destination = request.get("SourceArn"), request.get("DestinationArn")
    edges = graph.edges()
    if source is not None:
        edges = graph.outgoing.get(source.lower(), ())
    elif destination is not None:
        edges = graph.incoming.get(destination.lower(), ())
    found = [
        edge
        for edge in edges
        if (destination is None or edge.destination == destination.lower())
        and _is_of(graph, edge.source, request.get("SourceType"))
        and _is_of(graph, edge.destination, request.get("DestinationType"))
        and edge.association == request.get("AssociationType", edge.association)
        and edge.created > request.get("CreatedAfter", float("-inf"))
        and edge.created < request.get("CreatedBefore", float("inf"))
    ]
    sort_by = request.get("SortBy", "CreationTime")

    def key(edge: Edge) -> tuple[Any, ...]:
        shown = _summary(graph, edge)
        return (shown.get(sort_by, ""), edge.source, edge.destination, edge.association)

    page, token = records.paged(context, "ListAssociations", request, found, key)
    answer: Any = {"AssociationSummaries": [_summary(graph, edge) for edge in page]}
    if token:
        answer["NextToken"] = token
    return cast(ListAssociationsResponse, answer)


def check(context: Context, graph: Graph, arn: str) -> None:
    """Make sure that something is there that an association may be of.

    Raises:
        ResourceNotFound: it is not.
    """
    if arn in graph.entities:
        return
    parsed = ResourceArn.parse(arn)
    if parsed.kind == COMPONENT:
        context.call("sagemaker", "DescribeTrialComponent", {"TrialComponentName": parsed.name})
    elif parsed.kind == "experiment":
        context.call("sagemaker", "DescribeExperiment", {"ExperimentName": parsed.name})
    else:
        raise ResourceNotFound(f"{RESOURCE_TYPES.get(parsed.kind, 'Entity')} {arn} does not exist.")


def entity_at(graph: Graph, arn: str) -> Entity:
    """The entity of an ARN; what is kept elsewhere is told by its ARN alone."""
    found = graph.entities.get(arn)
    if found is not None:
        return found
    kind, _, name = arn.split(":", 5)[5].partition("/")
    lineage = RESOURCE_TYPES.get(kind, "TrialComponent")
    return Entity(lineage, arn, "", name)


def _is_of(graph: Graph, arn: str, wanted: str | None) -> bool:
    """Whether an entity is of a type, be it its own or that of the lineage."""
    if wanted is None:
        return True
    entity = entity_at(graph, arn)
    return wanted in (entity.type, entity.lineage)


def _summary(graph: Graph, edge: Edge) -> dict[str, Any]:
    summary: dict[str, Any] = {
        "SourceArn": edge.source,
        "DestinationArn": edge.destination,
        "AssociationType": edge.association,
        "CreationTime": edge.created,
    }
    if edge.created_by:
        summary["CreatedBy"] = edge.created_by
    for end, arn in (("Source", edge.source), ("Destination", edge.destination)):
        entity = entity_at(graph, arn)
        summary[f"{end}Type"] = entity.type or entity.lineage
        if entity.name:
            summary[f"{end}Name"] = entity.name
    return summary


def _name(source: str, destination: str) -> str:
    return hashlib.sha256(f"{source} {destination}".encode()).hexdigest()
