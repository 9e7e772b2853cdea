"""Who watches is told of changed runs, once for many."""

from __future__ import annotations

import urllib3

from bottega.events import Event, EventBus, TrackingChanged
from bottega.testing.daemon import eventually
from bottega.testing.tracker import TOKEN, Listener, Tracker
from bottega.tracking.changes import ChangeNotices
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.port import MetricPoint
from bottega.tracking.proxy import token_check, tracking_proxy

LONG = 3600.0


def told(interval: float) -> tuple[ChangeNotices, list[str]]:
    """Notices, and the experiments that a listener is told of."""
    notices, experiments = ChangeNotices(interval), []
    bus = EventBus()

    def listen(event: Event) -> None:
        assert isinstance(event, TrackingChanged)
        assert event.time > 0
        experiments.append(event.experiment)

    bus.subscribe(listen)
    notices.tell(bus)
    return notices, experiments


def test_the_first_change_is_told_at_once_and_those_after_it_later() -> None:
    notices, experiments = told(LONG)
    for _ in range(10):
        notices.note("1")
    assert experiments == ["1"]
    notices.close()
    notices.note("2")
    assert experiments == ["1"]


def test_what_follows_is_told_as_one() -> None:
    notices, experiments = told(0.01)
    for number in ("1", "2", "2"):
        notices.note(number)
    eventually(lambda: len(experiments) == 2, "the rest is told")
    assert experiments in (["1", "2"], ["1", ""])
    notices.close()


def test_changes_of_a_single_experiment_keep_its_name() -> None:
    notices, experiments = told(0.01)
    notices.note("1")
    notices.note("1")
    eventually(lambda: len(experiments) == 2, "the rest is told")
    assert experiments == ["1", "1"]
    notices.close()


def test_nobody_is_told_before_there_is_a_bus() -> None:
    notices = ChangeNotices()
    notices.note("1")
    notices.close()


def test_writes_through_the_proxy_are_noted_and_reads_are_not(tracker: Tracker) -> None:
    noted: list[None] = []
    listener = Listener(
        tracking_proxy(tracker.process.socket, token_check(TOKEN), lambda: noted.append(None))
    )

    def send(method: str, path: str, body: dict[str, object] | None = None) -> dict[str, dict]:
        answer = urllib3.request(
            method,
            f"{listener.address}/mlflow/{path}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            json=body,
        )
        return dict(answer.json())

    try:
        send("POST", "api/2.0/mlflow/experiments/create", {"name": "noted"})
        assert len(noted) == 1
        experiment = send("GET", "api/2.0/mlflow/experiments/get-by-name?experiment_name=noted")[
            "experiment"
        ]["experiment_id"]
        created = send("POST", "ajax-api/2.0/mlflow/runs/create", {"experiment_id": experiment})
        run = created["run"]["info"]["run_id"]
        metric = {"run_id": run, "key": "m", "value": 1, "timestamp": 1, "step": 0}
        send("POST", "api/2.0/mlflow/runs/log-metric", metric)
        assert len(noted) == 3
        send("POST", "api/2.0/mlflow/runs/search", {"experiment_ids": [experiment]})
        send("POST", "api/2.0/mlflow/experiments/search", {"max_results": 1})
        send("POST", "api/2.0/mlflow/logged-models/search", {"experiment_ids": [experiment]})
        send("POST", "api/2.0/mlflow/runs/log-metric", {"run_id": "nowhere"})
        assert len(noted) == 3
    finally:
        listener.close()


def test_what_the_studio_logs_itself_is_noted(tracker: Tracker) -> None:
    noted: list[str] = []
    tracking = MlflowTracking(
        tracker.process.socket, address=lambda: "", token="", changed=noted.append
    )
    run = tracking.open_run(
        experiment="noted too", name="r", arn="arn:1", started=1.0, tags={}, parameters={}
    )
    assert noted == [run.experiment_id]
    tracking.log_metrics(run.run_id, [MetricPoint("m", 1.0, 1, 0)])
    tracking.set_tags(run.run_id, {"a": "b"})
    tracking.close_run(run.run_id, status="FINISHED", ended=2.0)
    assert len(noted) == 4
    tracking.close()
