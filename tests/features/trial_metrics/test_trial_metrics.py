"""BatchPutMetrics and BatchGetMetrics, over metrics in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ResourceNotFound, ServiceUnavailable, ValidationException
from bottega.features.trial_metrics import put, queries
from bottega.testing.operations import Operations
from bottega.tracking.component_metrics import (
    ComponentMetrics,
    ComponentPoint,
    Series,
    SeriesQuery,
)
from bottega.tracking.port import TrackingMissing, TrackingUnavailable

ARN = "arn:aws:sagemaker:us-east-1:000000000000:"
LIMIT = 3


class Kept(ComponentMetrics):
    """Components that have been made beforehand, with room for few metrics."""

    def __init__(self) -> None:
        self.points: dict[str, list[ComponentPoint]] = {
            name: [] for name in ("c", "job-aws-training-job")
        }
        self.away = False
        self.asked: list[SeriesQuery] = []

    def put(self, component: str, points: Sequence[ComponentPoint]) -> Sequence[int]:
        held = self._of(component)
        beyond = []
        for index, point in enumerate(points):
            names = {each.name for each in held}
            if point.name not in names and len(names) >= LIMIT:
                beyond.append(index)
            else:
                held.append(point)
        return beyond

    def series(self, query: SeriesQuery) -> Series:
        self.asked.append(query)
        points = [each for each in self._of(query.component) if each.name == query.metric]
        xs = [each.step for each in points]
        return Series(xs, [each.value for each in points], truncated=len(xs) > 2)

    def _of(self, component: str) -> list[ComponentPoint]:
        if self.away:
            raise TrackingUnavailable("MLflow is still starting; ask again in some seconds.")
        if component not in self.points:
            raise TrackingMissing("no", reason=f"TrialComponent {component} does not exist.")
        return self.points[component]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def operations(tmp_path: Path, kept: Kept) -> Iterator[Operations]:
    with Operations(tmp_path, put, queries) as operations:
        operations.ports = dataclasses.replace(operations.ports, component_metrics=kept)
        operations.context = dataclasses.replace(operations.context, ports=operations.ports)
        yield operations


def record(operations: Operations, *data: dict[str, Any], name: str = "c") -> Any:
    return operations.call(
        "sagemaker-metrics", "BatchPutMetrics", TrialComponentName=name, MetricData=list(data)
    )


def datum(name: str = "loss", value: float = 0.5, **members: Any) -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Timestamp": 1_700_000_000.0, **members}


def query(arn: str = "experiment-trial-component/c", **members: Any) -> dict[str, Any]:
    return {
        "MetricName": "loss",
        "ResourceArn": ARN + arn,
        "MetricStat": "Last",
        "Period": "IterationNumber",
        "XAxisType": "IterationNumber",
        **members,
    }


def test_values_are_recorded_with_their_step_and_time(operations: Operations, kept: Kept) -> None:
    assert record(operations, datum(Step=4), datum("a b%", 2.0)) == {}
    first, second = kept.points["c"]
    assert first == ComponentPoint("loss", 0.5, 1_700_000_000_000, 4)
    assert (second.name, second.value, second.step) == ("a b%", 2.0, 0)


def test_what_is_wrong_with_some_values_keeps_no_other_away(
    operations: Operations, kept: Kept
) -> None:
    answer = record(
        operations,
        datum("a"),
        datum("b", Timestamp=-5.0),
        datum("c"),
        datum("d"),
        datum(" "),
        datum("e"),
        datum("d", Step=1),
    )
    assert answer["Errors"] == [
        {"Code": "VALIDATION_ERROR", "MetricIndex": 1},
        {"Code": "VALIDATION_ERROR", "MetricIndex": 4},
        {"Code": "METRIC_LIMIT_EXCEEDED", "MetricIndex": 5},
    ]
    assert [point.name for point in kept.points["c"]] == ["a", "c", "d", "d"]


def test_a_component_has_to_be_there(operations: Operations, kept: Kept) -> None:
    with pytest.raises(ResourceNotFound, match="TrialComponent other does not exist"):
        record(operations, datum(), name="other")
    with pytest.raises(ValidationException, match="trialComponentName"):
        record(operations, datum(), name="Capitals")
    kept.away = True
    with pytest.raises(ServiceUnavailable, match="still starting"):
        record(operations, datum())


def test_without_a_tracker_there_are_no_metrics(operations: Operations) -> None:
    ports = dataclasses.replace(operations.ports, component_metrics=None)
    operations.context = dataclasses.replace(operations.context, ports=ports)
    with pytest.raises(ValidationException, match="BOTTEGA_TRACKING"):
        record(operations, datum())


def results(operations: Operations, *asked: dict[str, Any]) -> Any:
    answer = operations.call("sagemaker-metrics", "BatchGetMetrics", MetricQueries=list(asked))
    return answer["MetricQueryResults"]


def test_each_query_has_its_answer_in_its_place(operations: Operations, kept: Kept) -> None:
    record(operations, *(datum(value=step / 2, Step=step) for step in range(2)))
    record(operations, datum(value=9.0, Step=7), name="job-aws-training-job")
    answers = results(
        operations,
        query(Start=0, End=5),
        query("experiment-trial-component/none"),
        query("training-job/job"),
        query("endpoint/e"),
        query(Start=3, End=2),
    )
    assert [answer["Status"] for answer in answers] == [
        *("Complete", "ValidationError", "Complete", "ValidationError", "ValidationError")
    ]
    assert answers[0]["XAxisValues"] == [0, 1]
    assert answers[0]["MetricValues"] == [0.0, 0.5]
    assert answers[2]["MetricValues"] == [9.0]
    assert "does not exist" in answers[1]["Message"]
    assert "endpoint/e has no metrics" in answers[3]["Message"]
    assert answers[4]["Message"] == "Start 3 is after End 2."
    assert kept.asked[0] == SeriesQuery("c", "loss", "Last", *["IterationNumber"] * 2, 0, 5)  # type: ignore[arg-type]


def test_an_answer_says_that_it_is_cut_off_or_could_not_be_had(
    operations: Operations, kept: Kept
) -> None:
    record(operations, *(datum(Step=step) for step in range(3)))
    (answer,) = results(operations, query())
    assert answer["Status"] == "Truncated"
    assert "ask again with a Start after 2" in answer["Message"]
    kept.away = True
    (answer,) = results(operations, query())
    assert answer["Status"] == "InternalError"
    assert answer["XAxisValues"] == []
