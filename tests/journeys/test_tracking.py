"""Every job is an MLflow run, and a notebook logs beside it to the same place."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas
import psutil
import pytest
import urllib3

from bottega.credentials import Credentials
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.sdk.training_job import JobFailed, TrainingJob
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.processes import command_line
from bottega.testing.requests import processing_input, processing_job

COUNTING = """
import time
for n in range({lines}):
    print(f"score={{n * 0.5}};", flush=True)
    time.sleep({pause})
"""
SCORE = {"score": "score=([0-9.]+);"}
OWN = """
import os, mlflow
print("run", os.environ["MLFLOW_RUN_ID"])
mlflow.log_metric("inner", 0.25, step=7)
mlflow.log_param("seen", "yes")
mlflow.log_text("a note", "note.txt")
"""
NOTEBOOK = """
import mlflow
mlflow.set_experiment("notebook")
with mlflow.start_run() as run:
    for step in range(60):
        mlflow.log_metric("loss", 1.0 / (step + 1), step=step)
print(run.info.run_id)
"""


class Mlflow:
    """Reads MLflow over its REST API, as the daemon serves it."""

    def __init__(self, daemon: TestDaemon) -> None:
        self._daemon = daemon

    def get(self, path: str) -> Any:
        environment = self._daemon.environment()
        headers = {"Authorization": f"Bearer {environment['MLFLOW_TRACKING_TOKEN']}"}
        url = f"{environment['MLFLOW_TRACKING_URI']}/api/2.0/{path}"

        def answer() -> urllib3.BaseHTTPResponse | None:
            found = urllib3.request("GET", url, headers=headers, timeout=30)
            return None if found.status == 503 else found  # it is being started again

        answered = eventually(answer, f"MLflow answers {path}")
        assert answered.status == 200, answered.data
        return answered

    def post(self, path: str, body: object) -> urllib3.BaseHTTPResponse:
        environment = self._daemon.environment()
        headers = {"Authorization": f"Bearer {environment['MLFLOW_TRACKING_TOKEN']}"}
        url = f"{environment['MLFLOW_TRACKING_URI']}/api/2.0/{path}"
        return urllib3.request("POST", url, headers=headers, json=body, timeout=30)

    def run(self, run_id: str) -> dict[str, Any]:
        return dict(self.get(f"mlflow/runs/get?run_id={run_id}").json()["run"])

    def history(self, run_id: str, metric: str) -> list[tuple[int, float]]:
        path = f"mlflow/metrics/get-history?run_id={run_id}&metric_key={quote(metric)}"
        points = self.get(path).json().get("metrics", [])
        return sorted((int(point["step"]), float(point["value"])) for point in points)

    def artifacts(self, run_id: str, folder: str = "") -> set[str]:
        path = f"mlflow/artifacts/list?run_id={run_id}&path={quote(folder)}"
        return {item["path"] for item in self.get(path).json().get("files", [])}


def pairs(items: list[dict[str, str]]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}


def hyperparameters(run: dict[str, Any]) -> dict[str, str]:
    """The parameters of a run, without what SageMaker says of the machines."""
    params = pairs(run["data"]["params"])
    return {name: value for name, value in params.items() if not name.startswith("SageMaker.")}


def connected(daemon: TestDaemon) -> Session:
    config = daemon.config
    client = RemoteClient(
        daemon.url, config.region, Credentials.load(config), revive=lambda: daemon.url
    )
    return Session(client, config)


@pytest.fixture(scope="module")
def session(daemon: TestDaemon) -> Session:
    return connected(daemon)


@pytest.fixture(scope="module")
def mlflow(daemon: TestDaemon) -> Mlflow:
    return Mlflow(daemon)


@pytest.fixture
def own_daemon(tmp_path: Path) -> Iterator[TestDaemon]:
    """A daemon to be killed."""
    with running_daemon(tmp_path / "own") as started:
        yield started


def counting(session: Session, folder: Path, lines: int, pause: float, **more: Any) -> TrainingJob:
    script = folder / "count.py"
    script.write_text(COUNTING.format(lines=lines, pause=pause))
    return session.train(script=script, metrics=SCORE, wait=False, **more)


def run_id(job: TrainingJob) -> str:
    details = eventually(lambda: job.describe().get("MlflowDetails"), "the job has its run")
    return str(details["MlflowRunId"])


def closed(mlflow: Mlflow, run: str) -> dict[str, Any]:
    """The run once it has been closed."""

    def ended() -> dict[str, Any] | None:
        found = mlflow.run(run)
        return found if found["info"]["status"] != "RUNNING" else None

    return dict(eventually(ended, "the run is closed"))


def test_a_completed_job(session: Session, mlflow: Mlflow):
    frame = pandas.DataFrame({"x": range(80), "y": [n % 2 for n in range(80)]})
    job = session.train(
        "xgboost",
        data=frame[:60],
        validation=frame[60:],
        target="y",
        objective="binary:logistic",
        eval_metric="logloss",
        num_round=6,
        experiment="journeys",
        logs=False,
    )
    run = run_id(job)
    found = closed(mlflow, run)
    assert found["info"]["status"] == "FINISHED"
    assert found["info"]["run_name"] == job.name
    description = job.describe()
    assert found["info"]["start_time"] == int(description["CreationTime"] * 1000)
    assert found["info"]["end_time"] == int(description["TrainingEndTime"] * 1000)
    assert hyperparameters(found) == description["HyperParameters"]
    for side in ("train", "validation"):
        points = mlflow.history(run, f"{side}:logloss")
        assert [step for step, _ in points] == list(range(6))
        assert points[-1][1] == pytest.approx(job.metrics[f"{side}:logloss"])
    tags = pairs(found["data"]["tags"])
    assert tags["bottega.job"] == job.name
    assert tags["bottega.output"] == job.model_uri
    assert tags["bottega.status"] == "Completed"
    assert tags["bottega.input.train"].startswith("s3://")
    assert tags["mlflow.source.name"] == "xgboost"
    assert description["TrainingJobArn"] in tags.values()
    assert mlflow.artifacts(run) == {"logs", "model", "training-job.json"}
    assert mlflow.artifacts(run, "model") == {"model/model.tar.gz"}
    assert mlflow.artifacts(run, "logs") == {"logs/algo-1.log"}
    experiment = found["info"]["experiment_id"]
    answer = mlflow.get(f"mlflow/experiments/get?experiment_id={experiment}").json()
    assert answer["experiment"]["name"] == "journeys"


def test_metrics_come_while_the_job_runs(session: Session, mlflow: Mlflow, tmp_path: Path):
    job = counting(session, tmp_path, 2000, 0.05)
    run = run_id(job)
    eventually(lambda: len(mlflow.history(run, "score")) > 3, "metrics come live")
    assert mlflow.run(run)["info"]["status"] == "RUNNING"
    assert job.status == "InProgress"
    job.stop()
    with pytest.raises(JobFailed, match="Stopped"):
        job.wait(quiet=True)
    found = closed(mlflow, run)
    assert found["info"]["status"] == "KILLED"
    points = mlflow.history(run, "score")
    assert points == [(step, step * 0.5) for step in range(len(points))]
    assert points[-1][1] == job.metrics["score"]


def test_a_processing_job_with_an_experiment_has_a_run_to_log_to(
    daemon: TestDaemon, mlflow: Mlflow
):
    config, sagemaker = daemon.config, daemon.client("sagemaker")
    daemon.client("s3").put_object(Bucket=config.bucket, Key="own/script.py", Body=OWN.encode())
    script = "/opt/ml/processing/input/code/script.py"
    request = processing_job(
        "logging",
        config.bucket,
        config.role_arn,
        ["python3", script],
        ProcessingInputs=[processing_input("code", f"s3://{config.bucket}/own/script.py")],
        ExperimentConfig={"ExperimentName": "cleaning"},
    )
    request["AppSpecification"]["ContainerArguments"] = ["--rows", "10"]
    sagemaker.create_processing_job(**request)

    def ended() -> Any:
        job = sagemaker.describe_processing_job(ProcessingJobName="logging")
        return job if job["ProcessingJobStatus"] in ("Completed", "Failed") else None

    job = eventually(ended, "the job ends")
    assert job["ProcessingJobStatus"] == "Completed", job
    path = "mlflow/experiments/get-by-name?experiment_name=cleaning"
    experiment = mlflow.get(path).json()["experiment"]["experiment_id"]
    (only,) = mlflow.post("mlflow/runs/search", {"experiment_ids": [experiment]}).json()["runs"]
    run = str(only["info"]["run_id"])
    found = closed(mlflow, run)
    assert (found["info"]["status"], found["info"]["run_name"]) == ("FINISHED", "logging")
    assert mlflow.history(run, "inner") == [(7, 0.25)]
    assert hyperparameters(found) == {"rows": "10", "seen": "yes"}
    assert pairs(found["data"]["tags"])["mlflow.source.name"] == "script.py"
    assert mlflow.artifacts(run) == {"logs", "note.txt", "processing-job.json"}


def test_a_run_whose_artifacts_are_elsewhere_is_closed_all_the_same(
    daemon: TestDaemon, session: Session, mlflow: Mlflow, tmp_path: Path
):
    made = mlflow.post(
        "mlflow/experiments/create", {"name": "elsewhere", "artifact_location": "s3://far/away"}
    )
    experiment = made.json()["experiment_id"]
    config, sagemaker = daemon.config, daemon.client("sagemaker")
    trained = counting(session, tmp_path, lines=1, pause=0.0, experiment="elsewhere")
    daemon.client("s3").put_object(Bucket=config.bucket, Key="own/pass.py", Body=b"")
    request = processing_job(
        "elsewhere",
        config.bucket,
        config.role_arn,
        ["python3", "/opt/ml/processing/input/code/pass.py"],
        ProcessingInputs=[processing_input("code", f"s3://{config.bucket}/own/pass.py")],
        ExperimentConfig={"ExperimentName": "elsewhere"},
    )
    sagemaker.create_processing_job(**request)

    def runs() -> list[str]:
        found = mlflow.post("mlflow/runs/search", {"experiment_ids": [experiment]}).json()
        return [run["info"]["run_id"] for run in found.get("runs", [])]

    eventually(lambda: len(runs()) == 2, "both jobs have a run")
    found = [closed(mlflow, run) for run in runs()]
    assert [run["info"]["status"] for run in found] == ["FINISHED", "FINISHED"]
    assert {run["info"]["run_name"] for run in found} == {trained.name, "elsewhere"}
    assert {pairs(run["data"]["tags"])["bottega.status"] for run in found} == {"Completed"}


def test_a_failed_job(session: Session, mlflow: Mlflow, tmp_path: Path):
    script = tmp_path / "bad.py"
    script.write_text("raise ValueError('no such luck')\n")
    job = session.train(script=script, wait=False)
    found = closed(mlflow, run_id(job))
    assert found["info"]["status"] == "FAILED"
    assert "no such luck" in pairs(found["data"]["tags"])["bottega.failure"]


def test_a_script_logs_into_the_run_of_its_job(session: Session, mlflow: Mlflow, tmp_path: Path):
    script = tmp_path / "own.py"
    script.write_text(OWN)
    job = session.train(script=script, logs=False)
    run = run_id(job)
    assert f"run {run}" in list(job.logs())
    found = closed(mlflow, run)
    assert found["info"]["status"] == "FINISHED"
    assert mlflow.history(run, "inner") == [(7, 0.25)]
    assert pairs(found["data"]["params"])["seen"] == "yes"
    assert "note.txt" in mlflow.artifacts(run)


def test_a_notebook_and_a_job_log_together(
    daemon: TestDaemon, session: Session, mlflow: Mlflow, tmp_path: Path
):
    job = counting(session, tmp_path, 400, 0.02)
    notebooks = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", NOTEBOOK],
            env=os.environ | daemon.environment(),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for notebook in notebooks:
        out, err = notebook.communicate(timeout=120)
        assert notebook.returncode == 0, err
        run = out.split()[-1]
        assert mlflow.run(run)["info"]["status"] == "FINISHED"
        assert [step for step, _ in mlflow.history(run, "loss")] == list(range(60))
    assert job.wait(quiet=True).status == "Completed"
    own = run_id(job)
    closed(mlflow, own)
    assert mlflow.history(own, "score") == [(step, step * 0.5) for step in range(400)]


def tracking_server(daemon: TestDaemon) -> psutil.Process:
    def found() -> psutil.Process | None:
        assert daemon.process is not None
        children = psutil.Process(daemon.process.pid).children(recursive=True)
        servers = (child for child in children if "bottega.tracking" in command_line(child))
        return next(servers, None)

    server: psutil.Process = eventually(found, "MLflow's server runs")
    return server


@pytest.mark.slow
def test_mlflow_killed_in_the_middle(own_daemon: TestDaemon, tmp_path: Path):
    session, mlflow = connected(own_daemon), Mlflow(own_daemon)
    job = counting(session, tmp_path, 100, 0.05)
    run = run_id(job)
    eventually(lambda: len(mlflow.history(run, "score")) > 3, "metrics come live")
    tracking_server(own_daemon).send_signal(signal.SIGKILL)
    assert job.wait(quiet=True).status == "Completed"
    found = closed(mlflow, run)
    assert found["info"]["status"] == "FINISHED"
    assert mlflow.history(run, "score") == [(step, step * 0.5) for step in range(100)]
    assert "training-job.json" in mlflow.artifacts(run)


@pytest.mark.slow
def test_the_daemon_killed_in_the_middle(own_daemon: TestDaemon, tmp_path: Path):
    session, mlflow = connected(own_daemon), Mlflow(own_daemon)
    job = counting(session, tmp_path, 100, 0.05)
    run = run_id(job)
    eventually(lambda: len(mlflow.history(run, "score")) > 3, "metrics come live")
    own_daemon.restart()
    assert job.wait(quiet=True).status == "Completed"
    found = closed(mlflow, run)
    assert found["info"]["status"] == "FINISHED"
    assert mlflow.history(run, "score") == [(step, step * 0.5) for step in range(100)]
