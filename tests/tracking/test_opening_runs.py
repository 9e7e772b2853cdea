"""Opening runs of jobs: a job has one, however often it is asked for."""

from __future__ import annotations

import time
from typing import Any

import urllib3

from bottega.testing.tracker import TOKEN, Tracker
from bottega.tracking.port import TrackedRun


def api(tracker: Tracker, path: str, body: dict[str, Any]) -> Any:
    answer = urllib3.request(
        "POST",
        f"{tracker.address}/mlflow/api/2.0/mlflow/{path}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        json=body,
    )
    assert answer.status == 200, answer.data
    return answer.json()


def open_young(tracker: Tracker, name: str, started: float, **changes: Any) -> TrackedRun:
    arguments: dict[str, Any] = {
        "experiment": f"of {name}",
        "name": name,
        "arn": f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}",
        "started": started,
        "tags": {"bottega.kind": "TrainingJob"},
        "parameters": {"eta": "0.2"},
    }
    return tracker.tracking.open_run(**arguments | changes)


def runs(tracker: Tracker, run: TrackedRun) -> list[str]:
    """The runs of an experiment that are not deleted."""
    query = {"experiment_ids": [run.experiment_id], "max_results": 100}
    return [found["info"]["run_id"] for found in api(tracker, "runs/search", query)["runs"]]


def test_the_second_time_the_run_of_the_first_is_found(tracker: Tracker) -> None:
    started = time.time()
    first = open_young(tracker, "young", started)
    assert open_young(tracker, "young", started) == first
    assert runs(tracker, first) == [first.run_id]


def test_an_experiment_deleted_in_between_comes_back(tracker: Tracker) -> None:
    first = open_young(tracker, "gone", time.time())
    api(tracker, "experiments/delete", {"experiment_id": first.experiment_id})
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/gone-2"
    second = open_young(tracker, "gone", time.time(), arn=arn)
    assert second.experiment_id == first.experiment_id
    assert second.run_id in runs(tracker, second)


def test_a_job_made_anew_under_its_name_has_a_run_of_its_own(tracker: Tracker) -> None:
    first = open_young(tracker, "anew", time.time(), parameters={"eta": "0.1"})
    second = open_young(tracker, "anew", time.time(), parameters={"eta": "0.9"})
    assert second.run_id != first.run_id
    assert sorted(runs(tracker, first)) == sorted([first.run_id, second.run_id])
