"""The index of resources: its answers are those of reading every document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.features.search import search
from bottega.features.search.expressions import compile_expression
from bottega.features.search.kinds import SEARCHABLE, Candidate
from bottega.features.search.ordering import LOWEST, rank
from bottega.features.search.properties import property_of
from bottega.storage.metadata import MetadataStore, Resource, ResourceQuery
from bottega.testing.operations import Operations

KIND = "TrainingJob"
START = 1_700_000_000.0

NAMES = st.sampled_from([f"job-{letter}" for letter in "abcdefgh"])
NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, float("nan")])
TEXTS = st.sampled_from(["1", "1.5", "2", "0x1", "", "abc", "ABC", "-3", "1e400"])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "HyperParameters": st.dictionaries(st.sampled_from(["x", "y", "a.b"]), TEXTS, max_size=3),
        "FinalMetricDataList": st.dictionaries(st.sampled_from(["m", "n:o"]), NUMBERS).map(
            lambda found: [{"MetricName": name, "Value": value} for name, value in found.items()]
        ),
        "EnableNetworkIsolation": st.booleans(),
        "InputDataConfig": st.lists(
            st.fixed_dictionaries({"ChannelName": st.sampled_from(["train", "test"])}), max_size=3
        ),
        "ResourceConfig": st.fixed_dictionaries(
            {"InstanceCount": st.sampled_from([1, 2, 2**53 + 1]), "InstanceType": TEXTS}
        ),
    },
)
TAGS = st.dictionaries(st.sampled_from(["team", "a.b"]), TEXTS, max_size=2)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("put"), NAMES, BODIES, TAGS),
        st.tuples(st.just("delete"), NAMES),
        st.tuples(st.just("tag"), NAMES, TAGS),
    ),
    max_size=8,
)
ORDERED = ["GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"]
ALIKE = ["Equals", "NotEquals"]
THERE = ["Exists", "NotExists"]


def filters(names: list[str], operators: list[str], values: list[str]) -> Any:
    return st.builds(
        lambda name, operator, value: (
            {"Name": name, "Operator": operator} | ({} if operator in THERE else {"Value": value})
        ),
        st.sampled_from(names),
        st.sampled_from([*operators, *THERE]),
        st.sampled_from(values),
    )


LEAVES = st.one_of(
    filters(["HyperParameters.x", "HyperParameters.a.b"], [*ALIKE, *ORDERED], ["1", "1.5", "-1"]),
    filters(["HyperParameters.y"], [*ALIKE, "Contains", "In"], ["abc", "b", "abc, 1", "1"]),
    filters(["Metrics.m", "Metrics.n:o", "Metrics.none"], [*ALIKE, *ORDERED], ["0.5", "1"]),
    filters(["Tags.team", "Tags.a.b", "TrainingJobName"], [*ALIKE, "Contains"], ["1", "job-a"]),
    filters(["EnableNetworkIsolation"], ALIKE, ["true", "false"]),
    filters(["CreationTime", "LastModifiedTime"], [*ALIKE, *ORDERED], ["2023-11-14T22:13:22"]),
    filters(["ResourceConfig.InstanceCount"], [*ALIKE, *ORDERED], ["1", "9007199254740993"]),
    filters(["InputDataConfig.ChannelName"], [*ALIKE, "In"], ["train", "test, train"]),
    filters(["ResourceConfig", "InputDataConfig", "HyperParameters"], [], ["1"]),
)
NESTED = filters(["InputDataConfig.ChannelName"], ALIKE, ["train", "test"]).map(
    lambda leaf: {"NestedPropertyName": "InputDataConfig", "Filters": [leaf]}
)
EXPRESSIONS = st.recursive(
    st.fixed_dictionaries(
        {"Filters": st.lists(LEAVES, min_size=1, max_size=3)},
        optional={
            "Operator": st.sampled_from(["And", "Or"]),
            "NestedFilters": st.lists(NESTED, min_size=1, max_size=1),
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"SubExpressions": st.lists(inner, min_size=1, max_size=2)},
        optional={"Operator": st.sampled_from(["And", "Or"])},
    ),
    max_leaves=3,
)
SORTS = st.sampled_from(
    [
        *("Metrics.m", "HyperParameters.x", "Tags.team", "LastModifiedTime", "TrainingJobName"),
        *("EnableNetworkIsolation", "ResourceConfig.InstanceType", "InputDataConfig.ChannelName"),
    ]
)


def reference(
    store: MetadataStore, expression: Mapping[str, Any], sort_by: str, *, descending: bool
) -> list[str]:
    """The names that match, in order, from every document that there is."""
    searchable = SEARCHABLE[KIND]
    matches = compile_expression(searchable, expression)  # type: ignore[arg-type]
    by = property_of(searchable, sort_by)
    found = []
    for resource in store.each(ResourceQuery(KIND)):
        candidate = Candidate(searchable, resource, store)
        if matches(candidate):
            ranks = [one for value in by.values(candidate) if (one := rank(by, value)) is not None]
            found.append((min(ranks, default=None), resource.name))
    found.sort(key=lambda item: (item[0] or LOWEST, item[1]), reverse=descending)
    found.sort(key=lambda item: item[0] is None)
    return [name for _, name in found]


def change(store: MetadataStore, clock: ManualClock, what: Any) -> None:
    verb, name, *rest = what
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}"
    present = store.get_many(KIND, [name]).get(name)
    clock.advance(1.0)
    if verb == "delete" and present is not None:
        store.delete(KIND, name)
    elif verb == "tag" and present is not None:
        store.remove_tags(arn, list(store.tags(arn)))
        store.set_tags(arn, rest[0])
    elif verb == "put":
        body, tags = rest
        body = {**body, "TrainingJobName": name, "CreationTime": clock.now()}
        if present is None:
            now = clock.now()
            store.create(Resource(KIND, name, arn, "", now, now, body), tags=tags)
        else:
            store.update(dataclasses.replace(present, body=body))


def paged(operations: Operations, size: int, **members: Any) -> tuple[list[str], set[int]]:
    """The names on all pages, and the totals that they told."""
    names: list[str] = []
    totals = set()
    token: dict[str, str] = {}
    while True:
        answer = operations.call(
            "sagemaker", "Search", Resource=KIND, MaxResults=size, **members, **token
        )
        names += [result[KIND]["TrainingJobName"] for result in answer["Results"]]
        totals.add(answer["TotalHits"]["Value"])
        if "NextToken" not in answer:
            return names, totals
        token = {"NextToken": answer["NextToken"]}


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, search, clock=ManualClock(START)) as operations:
        yield operations


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rounds=st.lists(st.tuples(CHANGES, EXPRESSIONS, SORTS), min_size=1, max_size=4),
    descending=st.booleans(),
    size=st.integers(1, 4),
)
def test_it_answers_what_the_documents_say(
    operations: Operations, rounds: list[Any], descending: bool, size: int
) -> None:
    store = operations.ports.store
    clock = operations.ports.clock
    assert isinstance(clock, ManualClock)
    for changes, expression, sort_by in rounds:
        for what in changes:
            change(store, clock, what)
        expected = reference(store, expression, sort_by, descending=descending)
        found, totals = paged(
            operations,
            size,
            SearchExpression=expression,
            SortBy=sort_by,
            SortOrder="Descending" if descending else "Ascending",
        )
        assert found == expected
        assert totals == {len(expected)}


def test_a_page_does_not_show_what_has_changed_while_it_was_read(operations: Operations) -> None:
    store = operations.ports.store
    for name in "ab":
        body = {"TrainingJobName": name, "HyperParameters": {"x": "1"}}
        store.create(Resource(KIND, name, f"arn:{name}", "", START, START, body))
    expression = {"Filters": [{"Name": "HyperParameters.x", "Value": "1"}]}
    read = store.get_many
    changed = []

    def late(kind: str, names: Any) -> Any:
        if not changed:
            changed.append(True)
            present = store.get(KIND, "a")
            store.update(dataclasses.replace(present, body={"TrainingJobName": "a"}))
        return read(kind, names)

    assert paged(operations, 10, SearchExpression=expression)[0] == ["b", "a"]
    store.get_many = late  # type: ignore[method-assign]
    assert paged(operations, 10, SearchExpression=expression) == (["b"], {1})


def test_it_forgets_properties_before_it_grows_without_end(operations: Operations) -> None:
    store = operations.ports.store
    environment = {f"V{number}": str(number) for number in range(150)}
    body = {"TrainingJobName": "a", "Environment": environment}
    store.create(Resource(KIND, "a", "arn:a", "", START, START, body))
    for number in range(0, 150, 50):
        asked = [
            {"Name": f"Environment.V{each}", "Value": str(each)}
            for each in range(number, number + 20)
        ]
        more = [
            {"Name": f"Environment.V{each}", "Value": str(each)}
            for each in range(number + 20, number + 40)
        ]
        expression = {"Filters": asked, "SubExpressions": [{"Filters": more}]}
        assert paged(operations, 10, SearchExpression=expression)[0] == ["a"]
