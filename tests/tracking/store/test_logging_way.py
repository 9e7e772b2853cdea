"""The short way for metrics answers as MLflow's own way does, or leaves it to that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
import urllib3

from bottega.testing.tracker import TOKEN, Tracker
from bottega.tracking.port import MetricPoint

SHORT = "application/json"
LONG = "application/json; charset=utf-8"
"""What MLflow takes for the same, and the short way does not look at."""
API = "/mlflow/api/2.0/mlflow/"


def send(
    tracker: Tracker, path: str, body: bytes | Mapping[str, Any], kind: str
) -> tuple[int, Any, str]:
    """(status, the answer, its media type)."""
    answer = urllib3.request(
        "POST",
        f"{tracker.address}{API}{path}",
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": kind},
        retries=False,
    )
    try:
        said = answer.json()
    except ValueError:
        said = answer.data
    return answer.status, said, answer.headers.get("Content-Type", "")


def history(tracker: Tracker, run: str, key: str) -> Any:
    answer = urllib3.request(
        "GET",
        f"{tracker.address}{API}metrics/get-history",
        fields={"run_id": run, "metric_key": key},
        headers={"Authorization": f"Bearer {TOKEN}"},
        retries=False,
    )
    return [
        {name: point[name] for name in ("value", "timestamp", "step")}
        for point in answer.json().get("metrics", [])
    ]


def new_run(tracker: Tracker, name: str) -> str:
    status, made, _ = send(tracker, "runs/create", {"experiment_id": "0", "run_name": name}, LONG)
    assert status == 200, made
    return str(made["run"]["info"]["run_id"])


METRIC = {"key": "m", "value": 1.5, "timestamp": 7, "step": 2}


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("runs/log-batch", {"metrics": [METRIC]}),
        ("runs/log-batch", {"metrics": [METRIC, METRIC, {**METRIC, "value": 2, "step": -3}]}),
        ("runs/log-batch", {"metrics": [METRIC], "params": [], "tags": []}),
        ("runs/log-batch", {"metrics": [METRIC], "tags": [{"key": "k", "value": "v"}]}),
        (
            "runs/log-batch",
            {"metrics": [{**METRIC, "value": text} for text in ("NaN", "-Infinity")]},
        ),
        ("runs/log-batch", {"metrics": [{**METRIC, "value": float("nan")}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "timestamp": "8", "step": "9"}]}),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 1.0, "timestamp": 3}]}),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": 1.0}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "value": None}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "value": True}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "key": "m?"}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "timestamp": -1}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "step": 2**63}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "value": 10**400}]}),
        ("runs/log-batch", {"metrics": [{**METRIC, "other": 1}]}),
        ("runs/log-batch", {"metrics": ["m"]}),
        ("runs/log-batch", {"metrics": []}),
        ("runs/log-batch", {"metrics": [{**METRIC, "key": f"m{n}"} for n in range(1001)]}),
        ("runs/log-batch", {"run_id": "f" * 32, "metrics": [METRIC]}),
        ("runs/log-batch", {"run_id": "../x", "metrics": [METRIC]}),
        ("runs/log-batch", {"run_id": 7, "metrics": [METRIC]}),
        ("runs/log-metric", METRIC),
        ("runs/log-metric", {"key": "m", "value": 4, "timestamp": 1}),
        ("runs/log-metric", {"run_uuid": "f" * 32, **METRIC}),
        ("runs/log-metric", {"key": "m"}),
        ("runs/log-batch", b"{"),
        ("runs/log-batch", b""),
        ("runs/log-batch", b"[]"),
        ("runs/log-batch", b"[" * 5000),
    ],
)
def test_both_ways_say_and_keep_the_same(tracker: Tracker, path: str, members: Any) -> None:
    kept = []
    for kind in (SHORT, LONG):
        run = new_run(tracker, kind)
        body = members if isinstance(members, bytes) else {"run_id": run, **members}
        status, said, answered = send(tracker, path, body, kind)
        text = json.dumps(said, default=repr).replace(run, "RUN")
        kept.append((status, text, answered, history(tracker, run, "m")))
    assert kept[0] == kept[1]


def test_a_deleted_run_takes_no_more_metrics(tracker: Tracker) -> None:
    run = new_run(tracker, "gone")
    assert send(tracker, "runs/delete", {"run_id": run}, SHORT)[0] == 200
    status, said, _ = send(tracker, "runs/log-batch", {"run_id": run, "metrics": [METRIC]}, SHORT)
    assert status == 400
    assert "must be in the 'active' state" in said["message"]


def test_points_of_a_job_go_the_short_way_and_are_there_once(tracker: Tracker) -> None:
    run = new_run(tracker, "job")
    points = [MetricPoint("loss", 1 / step, 1000 + step, step) for step in range(1, 4)]
    for _ in range(2):
        tracker.tracking.log_metrics(run, points)
    assert [point["step"] for point in history(tracker, run, "loss")] == [1, 2, 3]
