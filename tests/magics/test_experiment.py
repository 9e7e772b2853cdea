"""``%%experiment``: cells as runs of MLflow."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")  # what mlflow warns of is not our affair


@pytest.fixture
def runs(daemon, shell):
    """The runs of an experiment by name, as MLflow's client sees them."""
    from mlflow import MlflowClient

    client = MlflowClient(daemon.environment()["MLFLOW_TRACKING_URI"])

    def found(experiment):
        number = client.get_experiment_by_name(experiment).experiment_id
        return {run.info.run_name: run for run in client.search_runs([number])}

    return found


def test_a_cell_is_a_run(run, runs):
    ran = run(
        "%%experiment ripeness --run first\nimport mlflow\nmlflow.log_param('p', 'v')\n"
        "mlflow.log_metric('m', 1.5)\nkept = 6 * 7\nkept"
    )
    assert ran.result.success, ran.text
    found = runs("ripeness")["first"]
    assert (found.info.status, found.data.metrics, found.data.params) == (
        "FINISHED",
        {"m": 1.5},
        {"p": "v"},
    )
    assert f"/runs/{found.info.run_id}" in ran.text
    assert "metric     m     1.5" in ran.bundles[-1]["text/plain"]
    assert run("kept").value == 42


def test_a_cell_that_fails_marks_its_run(run, runs):
    ran = run("%%experiment ripeness --run bad\n1 / 0\n")
    assert "ZeroDivisionError" in ran.text
    assert ran.refusal == "the cell failed; the run bad is marked FAILED"
    assert runs("ripeness")["bad"].info.status == "FAILED"


def test_jobs_trained_in_it_belong_to_the_experiment(shell, run):
    ran = run("%%experiment jobs-of-mine\n%train xgboost --target target --data iris --no-wait\n")
    assert ran.result.success, ran.text
    job = shell.user_ns["_job"]
    assert job.describe()["ExperimentConfig"]["ExperimentName"] == "jobs-of-mine"
    job.wait(quiet=True)


def test_a_deleted_experiment_is_refused(run, runs, daemon):
    from mlflow import MlflowClient

    assert run("%%experiment short-lived\npass\n").result.success
    client = MlflowClient(daemon.environment()["MLFLOW_TRACKING_URI"])
    client.delete_experiment(client.get_experiment_by_name("short-lived").experiment_id)
    assert "is deleted: restore it" in run("%%experiment short-lived\npass\n").refusal
