"""The adapter against the real MLflow server."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name

from bottega.testing.tracker import TOKEN, Tracker
from bottega.tracking import mlflow_rest
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.port import MetricPoint, TrackedRun, TrackingRefused, TrackingUnavailable

ARN = "arn:aws:sagemaker:us-east-1:000000000000:training-job/{}"


def api(tracker: Tracker, path: str, body: dict[str, Any] | None = None) -> Any:
    """MLflow's own answer, through the proxy."""
    answer = urllib3.request(
        "GET" if body is None else "POST",
        f"{tracker.address}/mlflow/api/2.0/mlflow/{path}",
        headers={"Authorization": f"Bearer {TOKEN}"},
        **({} if body is None else {"json": body}),
    )
    assert answer.status == 200, answer.data
    return answer.json()


def open_run(tracker: Tracker, name: str, **changes: Any) -> TrackedRun:
    arguments: dict[str, Any] = {
        "experiment": "adapter",
        "name": name,
        "arn": ARN.format(name),
        "started": 1_700_000_000.5,
        "tags": {"bottega.kind": "TrainingJob"},
        "parameters": {"eta": "0.2"},
    }
    return tracker.tracking.open_run(**arguments | changes)


def run_of(tracker: Tracker, run: TrackedRun) -> Any:
    return api(tracker, f"runs/get?run_id={run.run_id}")["run"]


def as_dict(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in pairs}


def test_a_run_has_what_the_job_has(tracker: Tracker) -> None:
    run = open_run(tracker, "whole")
    shown = run_of(tracker, run)
    assert shown["info"]["run_name"] == "whole"
    assert shown["info"]["status"] == "RUNNING"
    assert shown["info"]["start_time"] == 1_700_000_000_500
    assert as_dict(shown["data"]["params"]) == {"eta": "0.2"}
    tags = as_dict(shown["data"]["tags"])
    assert tags["bottega.arn"] == ARN.format("whole")
    assert tags["bottega.kind"] == "TrainingJob"
    name = api(tracker, f"experiments/get?experiment_id={run.experiment_id}")["experiment"]["name"]
    assert name == "adapter"


def test_opening_again_finds_the_same_run(tracker: Tracker) -> None:
    first = open_run(tracker, "again")
    tracker.tracking.close_run(first.run_id, status="KILLED", ended=1_700_000_001.0)
    assert open_run(tracker, "again") == first
    assert run_of(tracker, first)["info"]["status"] == "RUNNING"


def test_a_deleted_run_is_replaced_and_takes_nothing_more(tracker: Tracker) -> None:
    first = open_run(tracker, "deleted")
    api(tracker, "runs/delete", {"run_id": first.run_id})
    with pytest.raises(TrackingRefused, match="runs/log-batch"):
        tracker.tracking.log_metrics(first.run_id, [MetricPoint("m", 1.0, 1, 0)])
    assert open_run(tracker, "deleted").run_id != first.run_id


def test_a_deleted_experiment_comes_back(tracker: Tracker) -> None:
    first = open_run(tracker, "one", experiment="coming and going")
    api(tracker, "experiments/delete", {"experiment_id": first.experiment_id})
    second = open_run(tracker, "two", experiment="coming and going")
    assert second.experiment_id == first.experiment_id
    assert run_of(tracker, second)["info"]["lifecycle_stage"] == "active"


def test_every_point_arrives_once(tracker: Tracker) -> None:
    run = open_run(tracker, "points")
    points = [
        MetricPoint("validation:rmse", float(step), 1_700_000_000_000 + step, step)
        for step in range(2500)
    ]
    tracker.tracking.log_metrics(run.run_id, points)
    tracker.tracking.log_metrics(run.run_id, points[1000:])
    path = f"metrics/get-history?run_id={run.run_id}&metric_key=validation:rmse&max_results=5000"
    history = api(tracker, path)["metrics"]
    assert [(point["step"], point["value"]) for point in history] == [
        (point.step, point.value) for point in points
    ]


def test_values_that_json_cannot_say(tracker: Tracker) -> None:
    run = open_run(tracker, "odd-values")
    values = {"nan": math.nan, "up": math.inf, "down": -math.inf}
    tracker.tracking.log_metrics(
        run.run_id, [MetricPoint(name, value, 1, 0) for name, value in values.items()]
    )
    shown = as_dict(run_of(tracker, run)["data"]["metrics"])
    assert shown["nan"] == "NaN" or math.isnan(shown["nan"])
    # MLflow's database has no infinity: the greatest number stands for it.
    assert float(shown["up"]) > 1e308
    assert float(shown["down"]) < -1e308


def test_names_and_values_are_changed_as_little_as_mlflow_needs(tracker: Tracker) -> None:
    run = open_run(
        tracker,
        "odd-names",
        parameters={"a(b)": "1", "a[b]": "2", "long": "x" * 7000, "x" * 300: "3", "..": "4"},
    )
    tracker.tracking.log_metrics(run.run_id, [MetricPoint("loss (%)", 0.5, 1, 0)])
    shown = run_of(tracker, run)["data"]
    parameters = as_dict(shown["params"])
    assert parameters["a_b_"] == "1"
    assert parameters["a_b__2"] == "2"
    assert parameters["long"] == "x" * 5999 + "…"
    assert parameters["x" * 250] == "3"
    assert parameters["_"] == "4"
    assert as_dict(shown["metrics"]) == {"loss ___": 0.5}


def test_more_parameters_than_one_request_takes(tracker: Tracker) -> None:
    parameters = {f"p{number}": str(number) for number in range(230)}
    run = open_run(tracker, "many", parameters=parameters)
    assert as_dict(run_of(tracker, run)["data"]["params"]) == parameters


def test_artifacts_are_kept_whole(tracker: Tracker, tmp_path: Path) -> None:
    run = open_run(tracker, "artifacts")
    file = tmp_path / "model.tar.gz"
    for content in (b"first", bytes(range(256)) * 40_000):
        file.write_bytes(content)
        tracker.tracking.log_artifact(run.run_id, file, "model/model of ünïcode.tar.gz")
    folder = tracker.config.home / "mlflow" / "artifacts" / run.experiment_id / run.run_id
    assert (folder / "artifacts/model/model of ünïcode.tar.gz").read_bytes() == content
    listed = api(tracker, f"artifacts/list?run_id={run.run_id}&path=model")["files"]
    assert [entry["path"] for entry in listed] == ["model/model of ünïcode.tar.gz"]
    assert int(listed[0]["file_size"]) == len(content)


def test_an_artifact_cannot_leave_its_folder(tracker: Tracker, tmp_path: Path) -> None:
    run = open_run(tracker, "escape")
    file = tmp_path / "evil"
    file.write_bytes(b"evil")
    with pytest.raises(TrackingRefused):
        tracker.tracking.log_artifact(run.run_id, file, "../../../../evil")
    assert not list(tracker.config.home.rglob("evil"))


def test_a_run_that_ended_says_when_and_how(tracker: Tracker) -> None:
    run = open_run(tracker, "ended")
    tracker.tracking.set_tags(run.run_id, {"bottega.failure": "y" * 9000})
    for _ in range(2):
        tracker.tracking.close_run(run.run_id, status="FAILED", ended=1_700_000_009.25)
    shown = run_of(tracker, run)
    assert shown["info"]["status"] == "FAILED"
    assert shown["info"]["end_time"] == 1_700_000_009_250
    assert len(as_dict(shown["data"]["tags"])["bottega.failure"]) == 8000


def test_an_unknown_run_is_refused(tracker: Tracker, tmp_path: Path) -> None:
    unknown = "0" * 32
    with pytest.raises(TrackingRefused, match="RESOURCE_DOES_NOT_EXIST"):
        tracker.tracking.close_run(unknown, status="FINISHED", ended=1.0)
    (tmp_path / "file").touch()
    with pytest.raises(TrackingRefused):
        tracker.tracking.log_artifact(unknown, tmp_path / "file", "file")


def test_no_server_is_unavailable(tmp_path: Path) -> None:
    tracking = MlflowTracking(tmp_path / "none", address=lambda: "http://127.0.0.1:1", token="t")
    with pytest.raises(TrackingUnavailable, match="none"):
        tracking.set_tags("run", {"a": "b"})
    assert not tracking.wait_ready(0.1)


def test_clients_are_told_the_address_of_the_daemon() -> None:
    tracking = MlflowTracking(Path("x"), address=lambda: "http://127.0.0.1:4117/", token="secret")
    assert tracking.client_environment["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:4117/mlflow"
    assert tracking.client_environment["MLFLOW_TRACKING_TOKEN"] == "secret"


@given(st.lists(st.text(max_size=300), max_size=300), st.integers(1, 100))
def test_batches_lose_nothing_and_keep_within_the_bounds(texts: list[str], count: int) -> None:
    items = [{"key": text} for text in texts]
    batches = list(mlflow_rest._batches(items, count))
    assert [item for batch in batches for item in batch] == items
    assert all(0 < len(batch) <= count for batch in batches)


def test_batches_are_cut_by_size_too() -> None:
    items = [{"value": "v" * 6000}] * 400
    batches = list(mlflow_rest._batches(items, 1000))
    assert sum(map(len, batches)) == 400
    assert all(len(json.dumps(batch)) <= mlflow_rest.BATCH_BYTES for batch in batches)


@given(st.text())
def test_every_name_becomes_one_that_mlflow_takes(text: str) -> None:
    name = mlflow_rest._name(text)
    _validate_metric_name(name)
    assert len(name) <= mlflow_rest.NAME_LENGTH
    assert mlflow_rest._name(name) == name


@given(st.dictionaries(st.text(), st.text()))
def test_no_two_names_fall_together(values: dict[str, str]) -> None:
    pairs = list(mlflow_rest._pairs(values, 6000))
    assert len({pair["key"] for pair in pairs}) == len(values)
    assert [pair["value"] for pair in pairs] == list(values.values())
