"""Reading very many resources at once tells of each what its document says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.clock import ManualClock
from bottega.events import EventBus
from bottega.features.search.kinds import SEARCHABLE, Candidate
from bottega.features.search.properties import OWNED, TAGS, property_of
from bottega.features.search.reading import AT_ONCE, Reading, Single
from bottega.storage.metadata import Resource, Written
from bottega.storage.sql import SqlMetadataStore

KIND = "TrainingJob"
NAMES = ["CreationTime", "LastModifiedTime", "TrainingJobName", "TrainingJobStatus"]
MORE = [
    *("HyperParameters", "InputDataConfig.ChannelName", "EnableNetworkIsolation"),
    *("ResourceConfig.InstanceCount", "FinalMetricDataList.MetricName", "FinalMetricDataList"),
]


def metric(name: str, value: float) -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Timestamp": 1.0}


BODIES: Mapping[str, dict[str, Any]] = {
    "plain": {
        "TrainingJobStatus": "Completed",
        "CreationTime": 7.25,
        "HyperParameters": {"x": "1", "a.b": "two"},
        "FinalMetricDataList": [metric("m", 0.1), metric("n:o", 1e-300)],
    },
    "empty": {},
    "not JSON for everybody": {
        "FinalMetricDataList": [metric("m", math.nan), metric("n", -math.inf)],
        "ResourceConfig": {"InstanceCount": 2**70},
        "HyperParameters": {"x": "half a pair: \ud800", "é": "\u0000"},
    },
    "one name twice": {"FinalMetricDataList": [metric("m", 1.0), metric("n", 2), metric("m", 3)]},
    "several values": {
        "InputDataConfig": [{"ChannelName": "train"}, {"ChannelName": "test"}],
        "HyperParameters": {"x": "1"},
    },
    "one in a list": {"InputDataConfig": [{"ChannelName": "train"}]},
    "nothing in them": {
        "HyperParameters": {},
        "FinalMetricDataList": [],
        "InputDataConfig": [],
        "ResourceConfig": {},
    },
    "other types": {
        "CreationTime": 7,
        "EnableNetworkIsolation": True,
        "ResourceConfig": {"InstanceCount": 2**53 + 1},
        "FinalMetricDataList": [metric("m", 5)],
    },
    "nobody knows": {"NoMemberOfTheShape": [1], "LastModifiedTime": 3.0, "Metrics": {"m": 1}},
}


@pytest.fixture
def store(tmp_path: Path) -> SqlMetadataStore:
    return SqlMetadataStore(f"sqlite:///{tmp_path}/m.sqlite", EventBus(), ManualClock(1000.0))


def told(
    kind: str,
    asked: Sequence[str],
    rows: Sequence[Written],
    tags: Mapping[str, Any],
    owned: Sequence[str] = OWNED,
) -> dict[str, dict[tuple[str, ...], list[Any]]]:
    """What a reading tells, by the resource."""
    found: dict[str, dict[tuple[str, ...], list[Any]]] = {}
    searchable = SEARCHABLE[kind]
    properties = {one.path: one for one in (property_of(searchable, name) for name in asked)}
    for batch in Reading(searchable, properties, owned).read(rows, tags):
        if isinstance(batch, Single):
            assert batch.name not in found
            found[batch.name] = {path: list(values) for path, values in batch.values.items()}
            continue
        assert batch.names
        for name, values in zip(batch.names, batch.values, strict=True):
            assert name not in found
            paths = zip(batch.paths, values, strict=True)
            found[name] = {path: [value] for path, value in paths}
    return found


def expected(
    kind: str, asked: Sequence[str], row: Written, tags: Mapping[str, str], store: SqlMetadataStore
) -> dict[tuple[str, ...], list[Any]]:
    """What a whole document says."""
    searchable = SEARCHABLE[kind]
    body = json.loads(row.body)
    candidate = Candidate(
        searchable, Resource(kind, row.name, "arn", "", 0.0, row.modified, body), store
    )
    found: dict[tuple[str, ...], list[Any]] = {}
    for name in asked:
        wanted = property_of(searchable, name)
        found[wanted.path] = list(wanted.values(candidate))
    parameters = candidate.document.get("HyperParameters", {})
    found.update({("HyperParameters", name): [value] for name, value in parameters.items()})
    found.update({("Metrics", name): [value] for name, value in candidate.metrics.items()})
    found.update({("Tags", name): [value] for name, value in tags.items()})
    return {path: values for path, values in found.items() if values}


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and (one == other or (one != one and other != other))


@pytest.mark.parametrize("kind", SEARCHABLE)
@pytest.mark.parametrize("more", [[], *([name] for name in MORE), MORE])
def test_each_resource_has_the_values_of_its_document(
    store: SqlMetadataStore, kind: str, more: list[str]
) -> None:
    shape = SEARCHABLE[kind].shape.members
    asked = [name for name in [*NAMES, *more] if name.partition(".")[0] in shape]
    rows = [
        Written(f"{name} {number}", 10.5 + number, json.dumps(body))
        for number in range(2 * AT_ONCE // len(BODIES))
        for name, body in BODIES.items()
    ]
    tags = {row.name: {"team": "a", row.name[:3]: "b"} for row in rows[::2]}
    found = told(kind, asked, rows, tags)
    assert found.keys() == {row.name for row in rows}
    for row in rows:
        wanted = expected(kind, asked, row, tags.get(row.name, {}), store)
        assert found[row.name].keys() == wanted.keys()
        for path, values in wanted.items():
            assert all(map(same, found[row.name][path], values)), (row.name, path)
            assert len(found[row.name][path]) == len(values)


def test_nothing_is_told_of_nothing() -> None:
    assert told(KIND, NAMES, [], {}) == {}


@pytest.mark.parametrize("head", OWNED)
def test_of_names_that_owners_choose_only_those_asked_for_are_told(head: str) -> None:
    rows = [Written("a", 1.0, json.dumps(BODIES["plain"]))]
    tags = {"a": {"team": "b"}}
    every = told(KIND, NAMES, rows, tags)["a"]
    some = told(KIND, NAMES, rows, tags if head == TAGS else {}, owned=[head])["a"]
    others = set(OWNED) - {head}
    assert some == {path: values for path, values in every.items() if path[0] not in others}
    assert any(path[0] == head for path in some)


def test_properties_may_be_few() -> None:
    rows = [Written("a", 1.0, json.dumps({"TrainingJobName": "a"}))]
    assert told(KIND, [], rows, {}) == {"a": {}}
    assert told(KIND, ["TrainingJobName"], rows, {}) == {"a": {("TrainingJobName",): ["a"]}}
