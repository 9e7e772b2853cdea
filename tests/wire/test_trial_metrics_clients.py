"""sagemaker-metrics through boto3, beside plain mlflow clients, and over kills."""

from __future__ import annotations

import json
import signal
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from bottega.testing.daemon import TestDaemon, eventually, running_daemon

NOW = 1_760_000_000
API = "/mlflow/api/2.0/mlflow/"


@pytest.fixture(scope="module")
def daemon() -> Iterator[TestDaemon]:
    with (
        tempfile.TemporaryDirectory(prefix="bt-") as folder,
        running_daemon(Path(folder) / "h", preload=False) as daemon,
    ):
        yield daemon


def mlflow(daemon: TestDaemon, method: str, path: str, **body: Any) -> Any:
    """A call of MLflow's REST API, as its clients make it."""
    token = daemon.environment()["MLFLOW_TRACKING_TOKEN"]
    answer = urllib3.request(
        method,
        f"{daemon.url}{API}{path}",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        retries=False,
        **({"fields": body} if method == "GET" else {"body": json.dumps(body)}),
    )
    if answer.status != 200:
        raise ConnectionError(f"{answer.status} {answer.data!r}")
    return answer.json()


def new_component(daemon: TestDaemon) -> str:
    """A run of a plain mlflow client, whose id is the name of its component."""

    def create() -> str | None:
        try:
            made = mlflow(daemon, "POST", "runs/create", experiment_id="0", start_time=NOW * 1000)
        except (ConnectionError, urllib3.exceptions.HTTPError):
            return None  # still starting
        return str(made["run"]["info"]["run_id"])

    return str(eventually(create, "the tracker answers"))


def history(daemon: TestDaemon, run: str, key: str) -> list[tuple[int, float]]:
    points: list[tuple[int, float]] = []
    token: dict[str, str] = {}
    while True:
        page = mlflow(daemon, "GET", "metrics/get-history", run_id=run, metric_key=key, **token)
        points += [(int(each["step"]), each["value"]) for each in page.get("metrics", [])]
        if not page.get("next_page_token"):
            return points
        token = {"page_token": page["next_page_token"]}


def test_what_boto3_records_an_mlflow_client_sees_and_boto3_reads(daemon: TestDaemon) -> None:
    component = new_component(daemon)
    metrics = daemon.client("sagemaker-metrics")
    answer = metrics.batch_put_metrics(
        TrialComponentName=component,
        MetricData=[
            {"MetricName": "loss", "Timestamp": NOW + step, "Step": step, "Value": 1 / (step + 1)}
            for step in range(3)
        ],
    )
    assert answer.get("Errors", []) == []
    assert history(daemon, component, "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    mlflow(
        daemon,
        "POST",
        "runs/log-batch",
        run_id=component,
        metrics=[{"key": "loss", "value": 0.25, "timestamp": (NOW + 90) * 1000, "step": 3}],
    )
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:experiment-trial-component/{component}"
    query = {"MetricName": "loss", "ResourceArn": arn, "MetricStat": "Min"}
    found = metrics.batch_get_metrics(
        MetricQueries=[
            {**query, "Period": "IterationNumber", "XAxisType": "IterationNumber"},
            {**query, "Period": "OneMinute", "XAxisType": "Timestamp"},
        ]
    )["MetricQueryResults"]
    assert [each["Status"] for each in found] == ["Complete", "Complete"]
    assert found[0]["XAxisValues"] == [0, 1, 2, 3]
    assert found[0]["MetricValues"] == [1.0, 0.5, 1 / 3, 0.25]
    minute = NOW - NOW % 60
    assert found[1]["XAxisValues"] == [minute, minute + 60]
    assert found[1]["MetricValues"] == [1 / 3, 0.25]


def test_a_component_that_is_not_there_is_named(daemon: TestDaemon) -> None:
    metrics = daemon.client("sagemaker-metrics")
    with pytest.raises(ClientError, match="TrialComponent none does not exist") as caught:
        metrics.batch_put_metrics(
            TrialComponentName="none",
            MetricData=[{"MetricName": "m", "Timestamp": NOW, "Value": 1.0}],
        )
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def test_writers_at_once_lose_and_double_nothing(daemon: TestDaemon) -> None:
    components = [new_component(daemon) for _ in range(8)]

    def write(component: str) -> None:
        metrics = daemon.client("sagemaker-metrics")
        for call in range(6):
            steps = range(call * 10, call * 10 + 10)
            answer = metrics.batch_put_metrics(
                TrialComponentName=component,
                MetricData=[
                    {"MetricName": "m", "Timestamp": NOW, "Step": step, "Value": float(step)}
                    for step in steps
                ],
            )
            assert answer.get("Errors", []) == []

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, components))
    for component in components:
        assert history(daemon, component, "m") == [(step, float(step)) for step in range(60)]


class Writer(threading.Thread):
    """Writes one point after the other, each until it is acknowledged."""

    def __init__(self, write: Callable[[int], None]) -> None:
        super().__init__(daemon=True)
        self.acknowledged = 0
        self.failures = 0
        self.stopping = threading.Event()
        self._write = write

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._write(self.acknowledged)
            except (BotoCoreError, ClientError, ConnectionError, urllib3.exceptions.HTTPError):
                self.failures += 1
                self.stopping.wait(0.1)
            else:
                self.acknowledged += 1


def tracking_server(daemon: TestDaemon) -> Any:
    return next(
        (
            each
            for each in daemon.processes()
            if any("bottega.tracking.server" in word for word in each.cmdline())
        ),
        None,
    )


@pytest.mark.slow
def test_kills_lose_and_double_nothing_that_was_acknowledged(daemon: TestDaemon) -> None:
    runs = [new_component(daemon) for _ in range(6)]

    def by_put(run: str) -> Callable[[int], None]:
        def write(step: int) -> None:
            daemon.client("sagemaker-metrics", retries={"max_attempts": 0}).batch_put_metrics(
                TrialComponentName=run,
                MetricData=[{"MetricName": "m", "Timestamp": NOW, "Step": step, "Value": 1.0}],
            )

        return write

    def by_mlflow(run: str) -> Callable[[int], None]:
        def write(step: int) -> None:
            point = {"key": "m", "value": 1.0, "timestamp": NOW * 1000, "step": step}
            mlflow(daemon, "POST", "runs/log-batch", run_id=run, metrics=[point])

        return write

    writers = [
        Writer(by_put(run) if number % 2 else by_mlflow(run)) for number, run in enumerate(runs)
    ]
    for writer in writers:
        writer.start()

    def all_wrote_more() -> None:
        before = [writer.acknowledged for writer in writers]
        eventually(
            lambda: all(w.acknowledged > b + 5 for w, b in zip(writers, before, strict=True)),
            "every writer writes",
        )

    all_wrote_more()
    server = tracking_server(daemon)
    server.send_signal(signal.SIGKILL)
    all_wrote_more()
    daemon.restart()
    all_wrote_more()
    for writer in writers:
        writer.stopping.set()
    for writer in writers:
        writer.join(60)
    assert sum(writer.failures for writer in writers) > 0
    for run, writer in zip(runs, writers, strict=True):
        times = Counter(step for step, _ in history(daemon, run, "m"))
        assert set(times.values()) == {1}
        # The last one may be there without its answer having come.
        assert set(range(writer.acknowledged)) <= set(times) <= set(range(writer.acknowledged + 1))
