"""The operations that search resources by their properties."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.search import stored
from bottega.features.search.comparing import condition
from bottega.features.search.entities import (
    ENTITIES,
    search_entities,
    suggested_names,
    visible_tag,
)
from bottega.features.search.expressions import Combination, Match, compile_expression
from bottega.features.search.kinds import SEARCHABLE, Searchable
from bottega.features.search.properties import TAGS, property_of
from bottega.registry import COVERAGE_PAGE, operation
from bottega.specs import pagination
from bottega.specs.generated.search import (
    SearchRequest,
    SearchResponse,
    VisibilityConditions,
)

_DEFAULT_SORTS = ("LastModifiedTime", "CreationTime")
"""The first of these that a record has."""
_SUGGESTIONS = 100


@operation(
    "Search",
    note="Finds training and tuning jobs, model packages and their groups, experiments, trials and "
    "trial components; other resources follow as they come.",
)
def search(context: Context, request: SearchRequest) -> SearchResponse:
    """Resources of one kind that satisfy an expression, in the order of any of their properties."""
    if request["Resource"] in ENTITIES:
        return cast(SearchResponse, search_entities(context, request))
    searchable = _searchable(request["Resource"])
    matches = _match(searchable, request)
    sort_by = property_of(searchable, request.get("SortBy") or _default_sort(searchable))
    if sort_by.type == "compound":
        raise ValidationException(f"SortBy {sort_by.name} is a structure, which has no order.")
    # Nobody else's resources are here, so a search across accounts finds none.
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        return {"Results": [], "TotalHits": {"Value": 0, "Relation": "EqualTo"}}
    key = context.ports.credentials.page_key()
    question = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope = f"Search:{sorted(question.items())}"
    position = None
    if "NextToken" in request:
        position = pagination.decode(request["NextToken"], key=key, scope=scope)
    page = stored.page(
        context,
        searchable,
        matches,
        sort_by,
        descending=request.get("SortOrder", "Descending") == "Descending",
        position=position,
        limit=request.get("MaxResults", pagination.list_defaults("Search").max_results),
    )
    answer: Any = {
        "Results": [candidate.shown() for candidate in page.candidates],
        "TotalHits": {"Value": page.total, "Relation": "EqualTo"},
    }
    if page.position is not None:
        answer["NextToken"] = pagination.encode(page.position, key=key, scope=scope)
    response: SearchResponse = answer
    return response


@operation(
    "GetSearchSuggestions",
    note="Names of hyperparameters, parameters, metrics and tags.",
)
def get_search_suggestions(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Property names that resources have and that begin with a hint."""
    query = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {})
    hint = query.get("PropertyNameHint", "")
    if request["Resource"] in ENTITIES:
        names = set(suggested_names(context, request["Resource"], hint))
    else:
        searchable = _searchable(request["Resource"])
        names = {name for name in stored.vocabulary(context, searchable) if name.startswith(hint)}
    shown = islice(sorted(names), _SUGGESTIONS)
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in shown]}


def _searchable(resource: str) -> Searchable:
    if found := SEARCHABLE.get(resource):
        return found
    raise ValidationException(
        f"Resource {resource} cannot be searched here yet; this bottega searches "
        f"{', '.join([*SEARCHABLE, *ENTITIES])}. {COVERAGE_PAGE} lists what it does."
    )


def _default_sort(searchable: Searchable) -> str:
    return next(name for name in _DEFAULT_SORTS if name in searchable.shape.members)


def _match(searchable: Searchable, request: SearchRequest) -> Match:
    conditions: list[Match] = [
        _visible(searchable, item) for item in request.get("VisibilityConditions", [])
    ]
    if "SearchExpression" in request:
        conditions.append(compile_expression(searchable, request["SearchExpression"]))
    return Combination(conditions, every=True)


def _visible(searchable: Searchable, item: VisibilityConditions) -> Match:
    key, value = visible_tag(item)
    tag = property_of(searchable, f"{TAGS}.{key}")
    absent = condition(tag, "NotExists", None)
    return Combination([absent, condition(tag, "Equals", value)], every=False)
