"""The plain mlflow client, in a process of its own, against the tracker of a home."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bottega.testing.tracker import Tracker
from bottega.tracking.port import MetricPoint

NOTEBOOK = """
import json, pathlib, mlflow
from mlflow import MlflowClient

mlflow.set_experiment("from a notebook")
pathlib.Path("plot.txt").write_text("a plot")
with mlflow.start_run(run_name="by hand") as run:
    mlflow.log_params({"depth": 3})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_artifact("plot.txt", "plots")
    mlflow.log_text("a table", "table.csv")
found = mlflow.search_runs(
    experiment_names=["from a notebook"], filter_string="params.depth = '3'", output_format="list"
)
client = MlflowClient()
folder = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/plots")
client.create_registered_model("m")
version = client.create_model_version("m", f"runs:/{run.info.run_id}/plots", run.info.run_id)
client.set_registered_model_alias("m", "best", version.version)
print(json.dumps({
    "runs": [one.info.run_id for one in found],
    "run": run.info.run_id,
    "metrics": found[0].data.metrics,
    "history": [point.value for point in client.get_metric_history(run.info.run_id, "loss")],
    "artifacts": sorted(one.path for one in client.list_artifacts(run.info.run_id)),
    "plot": (pathlib.Path(folder) / "plot.txt").read_text(),
    "alias": client.get_model_version_by_alias("m", "best").version,
    "artifact_uri": run.info.artifact_uri,
}))
"""

BUSY_NOTEBOOK = """
import mlflow
mlflow.set_experiment("busy")
with mlflow.start_run(run_name="notebook"):
    for step in range(60):
        mlflow.log_metric("loss", float(step), step=step)
        mlflow.log_param(f"p{step}", step)
"""

COUNT = """
import json
from mlflow import MlflowClient
client = MlflowClient()
experiment = client.get_experiment_by_name("busy")
runs = client.search_runs([experiment.experiment_id])
print(json.dumps(sorted([
    run.info.run_name, len(client.get_metric_history(run.info.run_id, "loss")),
    len(run.data.params), run.info.status,
] for run in runs)))
"""


def test_a_notebook_logs_finds_and_registers(tracker: Tracker) -> None:
    said = json.loads(tracker.run_client(NOTEBOOK).stdout.splitlines()[-1])
    assert said["runs"] == [said["run"]]
    assert said["metrics"] == {"loss": 0.2}
    assert said["history"] == [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    assert said["artifacts"] == ["plots", "table.csv"]
    assert said["plot"] == "a plot"
    assert said["alias"] in (1, "1")
    assert said["artifact_uri"].startswith("mlflow-artifacts:/")


def test_a_notebook_without_the_token_is_refused(tracker: Tracker) -> None:
    script = "import os; del os.environ['MLFLOW_TRACKING_TOKEN']\n" + NOTEBOOK
    failed = tracker.run_client(script, check=False)
    assert failed.returncode != 0
    assert "MLFLOW_TRACKING_TOKEN" in failed.stderr


def test_a_job_continues_the_run_that_bottega_opened(tracker: Tracker, tmp_path: Path) -> None:
    """What script mode does: MLFLOW_RUN_ID names the job's run, and the script logs to it."""
    run = tracker.tracking.open_run(
        experiment="jobs", name="job", arn="arn:job", started=1.0, tags={}, parameters={"a": "1"}
    )
    script = (
        f"import os; os.environ['MLFLOW_RUN_ID'] = {run.run_id!r}\n"
        "import mlflow\n"
        "with mlflow.start_run() as run:\n"
        "    mlflow.log_metric('score', 0.5)\n"
        "print(run.info.run_id)\n"
    )
    assert tracker.run_client(script).stdout.split()[-1] == run.run_id
    tracker.tracking.log_metrics(run.run_id, [MetricPoint("score", 0.75, 2_000_000_000_000, 1)])
    tracker.tracking.close_run(run.run_id, status="FINISHED", ended=2.0)


@pytest.mark.slow
def test_jobs_and_notebooks_log_at_once_without_locking_each_other(tracker: Tracker) -> None:
    notebooks = [tracker.start_client(BUSY_NOTEBOOK) for _ in range(2)]
    runs = [
        tracker.tracking.open_run(
            experiment="busy",
            name=f"job-{n}",
            arn=f"arn:busy/{n}",  # of no other test's job, whose run it would be
            started=1.0,
            tags={},
            parameters={},
        )
        for n in range(3)
    ]
    total = 0
    while any(notebook.process.poll() is None for notebook in notebooks):
        for run in runs:
            points = [MetricPoint("loss", float(s), 1000 + s, s) for s in range(total, total + 20)]
            tracker.tracking.log_metrics(run.run_id, points)
        total += 20
    for notebook in notebooks:
        notebook.finish()
    for run in runs:
        tracker.tracking.close_run(run.run_id, status="FINISHED", ended=2.0)
    counted = json.loads(tracker.run_client(COUNT).stdout.splitlines()[-1])
    assert counted == [
        *([f"job-{n}", total, 0, "FINISHED"] for n in range(3)),
        *([["notebook", 60, 60, "FINISHED"]] * 2),
    ]
    assert "locked" not in tracker.process.log_file.read_text()
