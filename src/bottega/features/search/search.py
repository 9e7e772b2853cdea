"""The operations that search resources by their properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.search.expressions import Match, compile_expression
from bottega.features.search.kinds import SEARCHABLE, Candidate, Searchable, suggestions
from bottega.features.search.ordering import behind, ranked
from bottega.features.search.properties import property_of
from bottega.registry import COVERAGE_PAGE, operation
from bottega.specs import pagination
from bottega.specs.generated.search import (
    SearchRequest,
    SearchResponse,
    VisibilityConditions,
)
from bottega.storage.metadata import ResourceQuery

_DEFAULT_SORTS = ("LastModifiedTime", "CreationTime")
"""The first of these that a record has."""
_SUGGESTIONS = 100


@operation(
    "Search",
    note="Finds training and tuning jobs, model packages and their groups; other resources "
    "follow as they come.",
)
def search(context: Context, request: SearchRequest) -> SearchResponse:
    """Resources of one kind that satisfy an expression, in the order of any of their properties."""
    searchable = _searchable(request["Resource"])
    matches = _match(searchable, request)
    sort_by = property_of(searchable, request.get("SortBy") or _default_sort(searchable))
    descending = request.get("SortOrder", "Descending") == "Descending"
    found = [item for item in _candidates(context, searchable) if matches(item)]
    # Nobody else's resources are here, so a search across accounts finds none.
    if request.get("CrossAccountFilterOption") == "CrossAccount":
        found = []
    results = ranked(found, sort_by, descending=descending)
    rest = results
    key = context.ports.credentials.page_key()
    question = {k: v for k, v in request.items() if k not in ("NextToken", "MaxResults")}
    scope = f"Search:{sorted(question.items())}"
    if "NextToken" in request:
        position = pagination.decode(request["NextToken"], key=key, scope=scope)
        rest = behind(results, position, descending=descending)
    limit = request.get("MaxResults", pagination.list_defaults("Search").max_results)
    page = rest[:limit]
    answer: Any = {
        "Results": [item.candidate.shown() for item in page],
        "TotalHits": {"Value": len(results), "Relation": "EqualTo"},
    }
    if len(rest) > limit:
        answer["NextToken"] = pagination.encode(page[-1].position(), key=key, scope=scope)
    response: SearchResponse = answer
    return response


@operation(
    "GetSearchSuggestions",
    note="Names of hyperparameters, metrics and tags of training jobs.",
)
def get_search_suggestions(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Property names that resources have and that begin with a hint."""
    searchable = _searchable(request["Resource"])
    query = request.get("SuggestionQuery", {}).get("PropertyNameQuery", {})
    hint = query.get("PropertyNameHint", "")
    names = {
        name
        for candidate in _candidates(context, searchable)
        for name in suggestions(candidate)
        if name.startswith(hint)
    }
    shown = islice(sorted(names), _SUGGESTIONS)
    return {"PropertyNameSuggestions": [{"PropertyName": name} for name in shown]}


def _searchable(resource: str) -> Searchable:
    if found := SEARCHABLE.get(resource):
        return found
    raise ValidationException(
        f"Resource {resource} cannot be searched here yet; this bottega searches "
        f"{', '.join(SEARCHABLE)}. {COVERAGE_PAGE} lists what it does."
    )


def _default_sort(searchable: Searchable) -> str:
    return next(name for name in _DEFAULT_SORTS if name in searchable.shape.members)


def _match(searchable: Searchable, request: SearchRequest) -> Match:
    conditions = [_visible(searchable, item) for item in request.get("VisibilityConditions", [])]
    if "SearchExpression" in request:
        conditions.append(compile_expression(searchable, request["SearchExpression"]))
    return lambda candidate: all(test(candidate) for test in conditions)


def _visible(searchable: Searchable, item: VisibilityConditions) -> Match:
    key, value = item.get("Key", ""), item.get("Value", "")
    if not key.startswith("Tags."):
        raise ValidationException(
            f"The key {key!r} of VisibilityConditions must have the form Tags.<key>."
        )
    tag = property_of(searchable, key)

    def visible(candidate: Candidate) -> bool:
        present = tag.values(candidate)
        return not present or value in present

    return visible


def _candidates(context: Context, searchable: Searchable) -> Iterator[Candidate]:
    store = context.ports.store
    for resource in store.each(ResourceQuery(searchable.kind, sort_by="name", descending=False)):
        yield Candidate(searchable, resource, store)
