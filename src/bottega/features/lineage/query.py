"""The operation that follows the graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.lineage.associations import check, entity_at
from bottega.features.lineage.entities import Edge, Entity
from bottega.features.lineage.graph import Graph, graph_of
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.lineage import (
    QueryFilters,
    QueryLineageRequest,
    QueryLineageResponse,
)

MOST_DEPTH = 10
PAGE = 50


@operation("QueryLineage")
def query_lineage(context: Context, request: QueryLineageRequest) -> QueryLineageResponse:
    """What came before an entity, or after it, nearest first.

    Filters choose among what is reached; the way leads through everything. The start itself is no
    result.
    """
    starts = [arn.lower() for arn in request.get("StartArns", [])]
    if not starts:
        raise ValidationException("StartArns needs the ARN of the entity to start from.")
    graph = graph_of(context)
    for arn in starts:
        check(context, graph, arn)
    depth = request.get("MaxDepth", MOST_DEPTH)
    direction = request.get("Direction", "Both")
    distances: dict[str, int] = {}
    edges: dict[tuple[str, str, str], Edge] = {}
    for way in ("Ascendants", "Descendants"):
        if direction in (way, "Both"):
            for arn, distance, edge in _walk(graph, starts, way, depth):
                distances[arn] = min(distance, distances.get(arn, distance))
                edges[edge.source, edge.destination, edge.association] = edge
    filters = request.get("Filters", {})
    found = [
        entity_at(graph, arn)
        for arn in sorted(distances, key=lambda arn: (distances[arn], arn))
        if arn not in starts and _passes(entity_at(graph, arn), filters)
    ]
    page, token = _page(context, request, found)
    answer: Any = {"Vertices": [_vertex(entity) for entity in page], "Edges": []}
    if request.get("IncludeEdges", True):
        answer["Edges"] = [
            {
                "SourceArn": edge.source,
                "DestinationArn": edge.destination,
                "AssociationType": edge.association,
            }
            for edge in edges.values()
        ]
    if token:
        answer["NextToken"] = token
    return cast(QueryLineageResponse, answer)


def _walk(graph: Graph, starts: list[str], way: str, depth: int) -> Iterator[tuple[str, int, Edge]]:
    """Every entity on the way with its distance, and the edges that lead there.

    Edges that lead backwards are followed from the start and from where others of them led, and
    what they lead to is not left otherwise: an endpoint has its models behind it, and not what else
    was made of these; what became of a model is an endpoint, and not that endpoint's other models.
    """
    forward = way == "Descendants"
    beside = graph.outgoing if forward else graph.incoming
    reached = [(arn, turn) for arn in starts for turn in (False, True)]
    seen = set(reached)
    for distance in range(1, depth + 1):
        beyond: list[tuple[str, bool]] = []
        for arn, turned in reached:
            for edge in beside.get(arn, ()):
                if edge.backwards is not turned or (turned and not forward):
                    continue
                other = edge.destination if forward else edge.source
                yield other, distance, edge
                if (other, turned) not in seen:
                    seen.add((other, turned))
                    beyond.append((other, turned))
        reached = beyond


def _passes(entity: Entity, filters: QueryFilters) -> bool:
    infinity = float("inf")
    properties = filters.get("Properties", {})
    return (
        ("Types" not in filters or entity.type in filters["Types"])
        and ("LineageTypes" not in filters or entity.lineage in filters["LineageTypes"])
        and entity.created < filters.get("CreatedBefore", infinity)
        and entity.created > filters.get("CreatedAfter", -infinity)
        and entity.modified < filters.get("ModifiedBefore", infinity)
        and entity.modified > filters.get("ModifiedAfter", -infinity)
        and (
            not properties
            or any(entity.properties.get(key) == value for key, value in properties.items())
        )
    )


def _vertex(entity: Entity) -> dict[str, str]:
    vertex = {"Arn": entity.arn, "LineageType": entity.lineage}
    return {**vertex, "Type": entity.type} if entity.type else vertex


def _page(
    context: Context, request: QueryLineageRequest, found: list[Entity]
) -> tuple[list[Entity], str]:
    """The entities of one page, and the token of the next one.

    A token stands for the last entity of its page; where that is gone meanwhile, the next page
    begins anew.
    """
    key = context.ports.credentials.page_key()
    asked = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope = f"QueryLineage:{sorted(asked.items())}"
    start = 0
    if "NextToken" in request:
        last = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
        start = next((n + 1 for n, entity in enumerate(found) if entity.arn == last), 0)
    limit = request.get("MaxResults", PAGE)
    page = found[start : start + limit]
    if start + limit >= len(found):
        return page, ""
    return page, pagination.encode({"after": page[-1].arn}, key=key, scope=scope)
