"""Search over experiments, trials and trial components, which the tracker answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import ServiceUnavailable, ValidationException
from bottega.features.search.expressions import check_expression
from bottega.specs import pagination
from bottega.specs.generated.search import SearchRequest
from bottega.tracking.entity_documents import searched
from bottega.tracking.experiments import EntityKind, EntityQuestion, ExperimentStore
from bottega.tracking.port import TrackingRefused, TrackingUnavailable

ENTITIES: Mapping[str, EntityKind] = {
    "Experiment": "Experiment",
    "ExperimentTrial": "Trial",
    "ExperimentTrialComponent": "TrialComponent",
}
"""The entity, which is also the member of a SearchRecord, by the request's Resource."""


def search_entities(context: Context, request: SearchRequest) -> dict[str, Any]:
    """One page of a search over entities.

    Raises:
        ValidationException: tracking is switched off, or the expression or the order makes no
            sense.
        ServiceUnavailable: the tracker does not answer now.
    """
    ports = context.ports
    kind = ENTITIES[request["Resource"]]
    expression = request.get("SearchExpression")
    if expression is not None:
        check_expression(expression)
    key = ports.credentials.page_key()
    question = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope = f"Search:{sorted(question.items())}"
    after = None
    if "NextToken" in request:
        after = pagination.decode(request["NextToken"], key=key, scope=scope)["after"]
    # Nobody else's entities are here, so a search across accounts finds none.
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    asked = EntityQuestion(
        kind,
        expression,
        visible=[visible_tag(item) for item in request.get("VisibilityConditions", [])],
        sort_by=request.get("SortBy") or "LastModifiedTime",
        descending=request.get("SortOrder", "Descending") == "Descending",
        after=after,
        limit=request.get("MaxResults", pagination.list_defaults("Search").max_results),
        whole=True,
        counted=True,
    )
    try:
        found = _store(context).find(asked)
    except TrackingRefused as error:
        raise ValidationException(error.reason) from error
    except TrackingUnavailable as error:
        raise ServiceUnavailable(str(error)) from error
    answer: dict[str, Any] = {
        "Results": [{kind: searched(ports.config, kind, each)} for each in found.documents],
        "TotalHits": {
            "Value": found.total,
            "Relation": "EqualTo" if found.exact else "GreaterThanOrEqualTo",
        },
    }
    if found.next is not None:
        answer["NextToken"] = pagination.encode({"after": found.next}, key=key, scope=scope)
    return answer


def _store(context: Context) -> ExperimentStore:
    if context.ports.experiments is None:
        raise ValidationException(
            "Tracking is switched off in this studio, so it has no experiments. Start the service "
            "with BOTTEGA_TRACKING=true to have them."
        )
    return context.ports.experiments


def visible_tag(item: Mapping[str, Any]) -> tuple[str, str]:
    """The key and the value of a visibility condition.

    Raises:
        ValidationException: its key is not that of a tag.
    """
    key = item.get("Key", "")
    if not key.startswith("Tags."):
        raise ValidationException(
            f"The key {key!r} of VisibilityConditions must have the form Tags.<key>."
        )
    return key.removeprefix("Tags."), item.get("Value", "")


def suggested_names(context: Context, resource: str, hint: str) -> list[str]:
    """Names of properties that entities have and that begin with a hint.

    Raises:
        ValidationException: tracking is switched off.
        ServiceUnavailable: the tracker does not answer now.
    """
    try:
        return list(_store(context).property_names(ENTITIES[resource], hint))
    except TrackingUnavailable as error:
        raise ServiceUnavailable(str(error)) from error
