"""Searching entities in SQL gives what looking at each of them would give."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.entities import Entities
from bottega.testing.run_samples import SampleStore
from bottega.tracking.store.catalogue import Refusal
from bottega.tracking.store.entities import finding, planning
from bottega.tracking.store.entities.members import as_number

STATUSES = ("InProgress", "Stopping", "Completed", "Failed")
TEXTS = ("tree", "Tree", "5", "05", "1e1", "-2.5", "nan", "")
POINTS = {"auc": (0.5, 0.25, 0.75), "loss": (3.0,)}


def component(number: int) -> dict[str, Any]:
    """Something different of everything, and nothing of some."""
    made: dict[str, Any] = {"Parameters": {}, "tags": {}}
    if number % 3:
        made["Parameters"]["kind"] = {"StringValue": TEXTS[number % len(TEXTS)]}
    if number % 4:
        made["Parameters"]["lr"] = {"NumberValue": number % 5 - 1.5}
    if number % 2:
        made["tags"]["team"] = "blue" if number % 5 else "Red"
        made["StartTime"] = 1000.0 + number % 3
    if number % 7:
        made["Status"] = {"PrimaryStatus": STATUSES[number % 4]}
    if number % 6 == 1:
        made["InputArtifacts"] = {"data.csv": {"Value": "s3://a", "MediaType": "text/csv"}}
    return made


@pytest.fixture(scope="module")
def filled(
    empty_database: Any, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Entities, list[Mapping[str, Any]]]:
    """Forty components of two trials, and all that is shown of them."""
    database = tmp_path_factory.mktemp("finding") / "mlflow.db"
    shutil.copy(empty_database, database)
    entities = Entities(SampleStore(database))
    for name in ("one", "two"):
        entities.create("Experiment", name)
        entities.create("Trial", f"trial-{name}", experiment=name)
    for number in range(40):
        name = f"c{(number * 17) % 40:02d}"
        entities.create("TrialComponent", name, **component(number))
        for trial in [t for t, n in (("one", 2), ("two", 3)) if number % n == 0]:
            entities.change("associate", component=name, trial=f"trial-{trial}")
    shown = entities.find(whole=True)["documents"]
    with closing(sqlite3.connect(database)) as connection, connection:
        for place, each in enumerate(shown):
            for metric, values in POINTS.items():
                rows = [
                    (metric, value + place % 3, 1, step, each["RunId"])
                    for step, value in enumerate(values)
                    if (place + len(metric)) % 5
                ]
                connection.executemany(
                    "INSERT INTO metrics (key, value, timestamp, step, is_nan, run_uuid)"
                    " VALUES (?, ?, ?, ?, 0, ?)",
                    rows,
                )
                connection.executemany(
                    "INSERT INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid)"
                    " VALUES (?, ?, ?, ?, 0, ?)",
                    rows[-1:],
                )
    return entities, entities.find(whole=True)["documents"]


def test_summaries_are_those_of_the_points(filled: Any) -> None:
    _, documents = filled
    summaries = [
        metric for each in documents for metric in each["Metrics"] if metric["MetricName"] == "auc"
    ]
    assert len(summaries) > 20
    for metric in summaries:
        points = [value + metric["Min"] - 0.25 for value in POINTS["auc"]]
        assert (metric["Max"], metric["Last"], metric["Count"]) == (max(points), points[-1], 3)
        assert metric["Avg"] == pytest.approx(statistics.fmean(points))
        assert metric["StdDev"] == pytest.approx(statistics.pstdev(points))


def values_of(document: Mapping[str, Any], name: str) -> Sequence[Any]:
    """What a component has under a property's name, by looking at what is shown of it."""
    head, _, rest = name.partition(".")
    if head == "Parameters":
        value = document["Parameters"].get(rest)
        return [] if value is None else list(value.values())
    if head == "Tags":
        return [document["Tags"][rest]] if rest in document["Tags"] else []
    if head == "Parents":
        return [parent[rest] for parent in document.get("Parents", [])]
    if head == "Metrics":
        metric, _, statistic = rest.partition(".")
        return [
            each[statistic or "Last"]
            for each in document["Metrics"]
            if each["MetricName"] == metric
        ]
    if head == "InputArtifacts":
        key, _, member = rest.rpartition(".")
        artifact = document["InputArtifacts"].get(key)
        return [] if artifact is None else [artifact[member]]
    found: Any = document
    for step in name.split("."):
        found = found.get(step) if found is not None else None
    return [] if found is None else [found]


TEXTUAL = (
    "TrialComponentName",
    "DisplayName",
    "Status.PrimaryStatus",
    "Tags.team",
    "Parents.TrialName",
    "Parents.ExperimentName",
    "InputArtifacts.data.csv.Value",
    "InputArtifacts.data.csv.MediaType",
)
NUMERIC = ("Metrics.auc", "Metrics.auc.Max", "Metrics.auc.StdDev", "Metrics.loss.Count")
MIXED = ("Parameters.kind", "Parameters.lr")
ORDERS = {
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanOrEqualTo": lambda a, b: a >= b,
    "LessThan": lambda a, b: a < b,
    "LessThanOrEqualTo": lambda a, b: a <= b,
}
WORD_LIST = ("tree", "TREE", "blue", "re", "trial-one", "TWO", "Completed", "c03", "c1", "s3://a")
WORDS = st.sampled_from(WORD_LIST)
LOWER = st.sampled_from(["blue", "trial-one", "two", "c03", "s3://a"])
NUMBER_LIST = ("0", "0.5", "1.5", "-0.5", "3", "5", "10", "-2.5", "0.75")
NUMBERS = st.sampled_from(NUMBER_LIST)


def filters(names: Sequence[str], operators: Sequence[str], values: Any) -> Any:
    return st.fixed_dictionaries(
        {"Name": st.sampled_from(names), "Operator": st.sampled_from(operators), "Value": values}
    )


LEAVES = st.one_of(
    filters(TEXTUAL, ["Equals", "NotEquals", "Contains", "Exists", "NotExists"], WORDS),
    filters(TEXTUAL, ["In"], st.lists(LOWER, min_size=1, max_size=3).map(", ".join)),
    filters(NUMERIC, [*ORDERS, "Exists", "NotExists"], NUMBERS),
    filters(MIXED, [*ORDERS, "Equals", "NotEquals"], NUMBERS),
    filters(MIXED, ["Equals", "NotEquals", "Contains"], WORDS),
)
EXPRESSIONS = st.recursive(
    st.fixed_dictionaries(
        {"Filters": st.lists(LEAVES, min_size=1, max_size=2)},
        optional={"Operator": st.sampled_from(["And", "Or"])},
    ),
    lambda inner: st.fixed_dictionaries(
        {"SubExpressions": st.lists(inner, min_size=1, max_size=2)},
        optional={"Operator": st.sampled_from(["And", "Or"])},
    ),
    max_leaves=3,
)


def equal(value: Any, wanted: str, *, is_mixed: bool) -> bool:
    number = as_number(wanted) if is_mixed else None
    if number is None:
        return bool(value == wanted)
    present = as_number(value) if isinstance(value, str) else value
    return present == number


def satisfies(document: Mapping[str, Any], item: Mapping[str, str]) -> bool:
    name, operator, wanted = item["Name"], item["Operator"], item["Value"]
    values = values_of(document, name)
    if operator in ("Exists", "NotExists"):
        return bool(values) is (operator == "Exists")
    is_mixed = name in MIXED
    if operator in ("Equals", "NotEquals"):
        # As the names of trials and components are told apart.
        folds = name in ("TrialComponentName", "Parents.TrialName", "Parents.ExperimentName")
        same = [
            equal(v.lower(), wanted.lower(), is_mixed=False)
            if folds
            else equal(v, wanted, is_mixed=is_mixed)
            for v in values
        ]
        return any(same) is (operator == "Equals")
    if operator == "Contains":
        return any(wanted.lower() in text_of(value).lower() for value in values)
    if operator == "In":
        return any(value in [part.strip() for part in wanted.split(",")] for value in values)
    numbers = [as_number(v) if isinstance(v, str) else v for v in values]
    return any(n is not None and ORDERS[operator](n, float(wanted)) for n in numbers)


def text_of(value: Any) -> str:
    """A parameter as the param that it is."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value)


def holds(document: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    together = any if expression.get("Operator") == "Or" else all
    return together(
        [
            *(satisfies(document, item) for item in expression.get("Filters", [])),
            *(holds(document, inner) for inner in expression.get("SubExpressions", [])),
        ]
    )


def singles() -> Iterator[dict[str, str]]:
    """Every property with every operator and value that it can be asked for with."""
    for names, operators, values in (
        (TEXTUAL, ["Equals", "NotEquals", "Contains"], WORD_LIST),
        (TEXTUAL, ["Exists", "NotExists"], ["x"]),
        (NUMERIC, [*ORDERS], NUMBER_LIST),
        (MIXED, [*ORDERS, "Equals", "NotEquals"], NUMBER_LIST),
        (MIXED, ["Equals", "NotEquals", "Contains"], WORD_LIST),
    ):
        for name, operator, value in itertools.product(names, operators, values):
            yield {"Name": name, "Operator": operator, "Value": value}


@pytest.mark.parametrize("few", [0, 5000])
def test_every_filter_alone(filled: Any, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    entities, documents = filled
    monkeypatch.setattr(planning, "FEW", few)
    for item in singles():
        found = entities.names(expression={"Filters": [item]})
        wanted = [each["TrialComponentName"] for each in documents if satisfies(each, item)]
        assert sorted(found) == sorted(wanted), item


SORTS = ("CreationTime", "TrialComponentName", "Metrics.auc", "Metrics.auc.Max", "Parameters.lr",
         "Parameters.kind", "StartTime", "Tags.team")  # fmt: skip


def rank(document: Mapping[str, Any], sort_by: str) -> Any:
    values = [as_number(v) if as_number(str(v)) is not None and isinstance(v, str) else v
              for v in values_of(document, sort_by)]  # fmt: skip
    ranks = [(isinstance(value, str), value) for value in values]
    return min(ranks, default=None)


@settings(max_examples=60)
@given(EXPRESSIONS, st.sampled_from(SORTS), st.booleans(), st.sampled_from([0, 5000]))
def test_a_search_finds_what_looking_at_each_finds(
    filled: Any, expression: Any, sort_by: str, descending: bool, few: int
) -> None:
    entities, documents = filled
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(planning, "FEW", few)  # look all up one by one, or list the matches
        asked = {"expression": expression, "sort_by": sort_by, "descending": descending}
        found = entities.names(**asked, limit=7)
        total = entities.find(**asked, limit=1)["total"]
    wanted = [each for each in documents if holds(each, expression)]
    having = [each for each in wanted if rank(each, sort_by) is not None]
    having.sort(
        key=lambda each: (rank(each, sort_by), each["TrialComponentName"]), reverse=descending
    )
    rest = [each for each in wanted if rank(each, sort_by) is None]
    rest.sort(key=lambda each: each["TrialComponentName"], reverse=descending)
    assert found == [each["TrialComponentName"] for each in [*having, *rest]]
    assert total == len(wanted)


def test_a_nested_filter_looks_at_one_parent(filled: Any) -> None:
    entities, documents = filled

    def nested(trial: str, experiment: str) -> list[str]:
        inner = [
            {"Name": "Parents.TrialName", "Operator": "Contains", "Value": trial},
            {"Name": "Parents.ExperimentName", "Operator": "NotEquals", "Value": experiment},
        ]
        expression = {"NestedFilters": [{"NestedPropertyName": "Parents", "Filters": inner}]}
        return entities.names(expression=expression)

    assert nested("trial-one", "one") == []
    both = [each for each in documents if len(each.get("Parents", [])) == 2]
    assert len(both) == 7
    found = nested("trial-one", "two")
    assert {each["TrialComponentName"] for each in both} < set(found)


def test_counting_stops_somewhere(filled: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    entities, _ = filled
    monkeypatch.setattr(finding, "MOST_COUNTED", 11)
    expression = {"Filters": [{"Name": "RunId", "Operator": "Exists"}]}
    page = entities.find(expression=expression, limit=5)
    assert (page["total"], page["exact"]) == (11, False)


def test_visible_is_what_has_the_value_or_not_the_tag(filled: Any) -> None:
    entities, documents = filled
    found = entities.names(visible=[("team", "blue")], sort_by="TrialComponentName")
    wanted = [each["TrialComponentName"] for each in documents if each["Tags"] != {"team": "Red"}]
    assert found == sorted(wanted, reverse=True)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"Name": "Nonsense"}, "Unknown property name: Nonsense"),
        ({"Name": "Parameters"}, "Unknown property name: Parameters"),
        ({"Name": "DisplayName", "Operator": "GreaterThan", "Value": "a"}, "not supported"),
        ({"Name": "Metrics.auc", "Operator": "Contains", "Value": "a"}, "not supported"),
        ({"Name": "Metrics.auc", "Operator": "LessThan", "Value": "a"}, "decimal"),
        ({"Name": "CreationTime", "Operator": "LessThan", "Value": "noon"}, "ISO 8601"),
        ({"Name": "DisplayName", "Operator": "Equals"}, "has no Value"),
    ],
)
def test_filters_that_make_no_sense_are_refused(filled: Any, item: Any, message: str) -> None:
    entities, _ = filled
    with pytest.raises(Refusal, match=message):
        entities.find(expression={"Filters": [item]})


@pytest.mark.parametrize("kind", ["Experiment", "Trial"])
def test_times_compare_as_moments(filled: Any, kind: str) -> None:
    entities, _ = filled

    def after(moment: Any) -> list[str]:
        item = {"Name": "CreationTime", "Operator": "GreaterThan", "Value": moment}
        return entities.names(kind, expression={"Filters": [item]}, sort_by=f"{kind}Name")

    assert len(after("2020-01-01T00:00:00")) >= 2
    assert after("2999-01-01T00:00:00Z") == []
    assert len(after(0.0)) >= 2
