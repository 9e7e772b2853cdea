"""How much there is of everything, and how much was computed today."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.clock import ManualClock
from bottega.features.studio import activity
from bottega.storage.metadata import Resource
from bottega.testing.operations import Operations

MIDNIGHT = 1_700_006_400.0
assert MIDNIGHT % 86_400 == 0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(MIDNIGHT - 7200)


@pytest.fixture
def studio(tmp_path: Path, clock: ManualClock) -> Iterator[Operations]:
    with Operations(tmp_path / "h", activity, clock=clock) as operations:
        yield operations


def put(studio: Operations, kind: str, name: str, status: str = "", **body: Any) -> None:
    now = studio.ports.clock.now()
    studio.ports.store.create(Resource(kind, name, "", status, now, now, body=body))


def job(studio: Operations, name: str, status: str, instances: int = 1, **times: float) -> None:
    body = {"ResourceConfig": {"InstanceCount": instances}, **times}
    put(studio, "TrainingJob", name, status, **body)


def describe(studio: Operations) -> Any:
    return studio.call("bottega", "DescribeActivity")


def seconds(studio: Operations) -> float:
    return float(describe(studio)["ComputeSecondsToday"])


def test_an_empty_studio_has_every_kind_with_nothing(studio: Operations) -> None:
    assert describe(studio) == {
        "Kinds": [
            {"Kind": kind, "Total": 0, "Statuses": {}}
            for kind in (
                *("TrainingJob", "ProcessingJob", "TransformJob", "HyperParameterTuningJob"),
                *("Endpoint", "Model"),
            )
        ],
        "ComputeSecondsToday": 0.0,
    }


def test_resources_are_counted_by_kind_and_status(studio: Operations) -> None:
    for name, status in (("a", "InService"), ("b", "InService"), ("c", "Failed")):
        put(studio, "Endpoint", name, status)
    put(studio, "Model", "m")
    put(studio, "EndpointConfig", "c")
    kinds = {kind["Kind"]: kind for kind in describe(studio)["Kinds"]}
    assert kinds["Endpoint"]["Total"] == 3
    assert kinds["Endpoint"]["Statuses"] == {"InService": 2, "Failed": 1}
    assert kinds["Model"] == {"Kind": "Model", "Total": 1, "Statuses": {}}
    assert kinds["TrainingJob"]["Total"] == 0


def test_processing_and_transform_jobs_count_too(studio: Operations, clock: ManualClock) -> None:
    clock.advance(7200 + 1000)
    cluster = {"ClusterConfig": {"InstanceCount": 2}}
    put(
        studio,
        "ProcessingJob",
        "cleans",
        "InProgress",
        ProcessingResources=cluster,
        ProcessingStartTime=MIDNIGHT + 900,
    )
    put(
        studio,
        "TransformJob",
        "predicts",
        "Completed",
        TransformResources={"InstanceCount": 1},
        TransformStartTime=MIDNIGHT + 10,
        TransformEndTime=MIDNIGHT + 40,
    )
    assert seconds(studio) == 2 * 100 + 30


def test_instance_seconds_since_midnight_are_added_up(
    studio: Operations, clock: ManualClock
) -> None:
    job(studio, "running", "InProgress", 2, TrainingStartTime=MIDNIGHT - 3600)
    job(studio, "yesterday", "Completed", 8, TrainingStartTime=1.0, TrainingEndTime=MIDNIGHT - 7200)
    clock.advance(7200 + 1000)
    job(studio, "waiting", "InProgress", 4)
    job(studio, "refused", "Failed", 4, TrainingEndTime=MIDNIGHT + 900)
    job(
        studio,
        "over-midnight",
        "Completed",
        3,
        TrainingStartTime=MIDNIGHT - 50,
        TrainingEndTime=MIDNIGHT + 100,
    )
    job(
        studio,
        "today",
        "Stopped",
        1,
        TrainingStartTime=MIDNIGHT + 10,
        TrainingEndTime=MIDNIGHT + 15.5,
    )
    assert seconds(studio) == 2 * 1000 + 3 * 100 + 5.5


def test_a_running_job_goes_on_counting_and_an_ended_one_does_not(
    studio: Operations, clock: ManualClock
) -> None:
    clock.advance(7200)
    job(studio, "running", "Stopping", 2, TrainingStartTime=MIDNIGHT)
    job(studio, "ended", "Failed", 1, TrainingStartTime=MIDNIGHT, TrainingEndTime=MIDNIGHT)
    clock.advance(10)
    assert seconds(studio) == 20
    clock.advance(10)
    assert seconds(studio) == 40
    clock.advance(86_400 - 20)
    assert seconds(studio) == 0
