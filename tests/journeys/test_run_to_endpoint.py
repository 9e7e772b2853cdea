"""From the best run of a notebook, or of a job, to an endpoint and a registered model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

import bottega
from bottega.errors import ClientFault
from bottega.sdk.session import Session
from bottega.testing.daemon import TestDaemon, eventually

# All of it waits for MLflow's server, and for the user's own mlflow: seconds each.
pytestmark = pytest.mark.slow

NOTEBOOK = """
import json, warnings
warnings.simplefilter("ignore")
import mlflow, pandas, sklearn, xgboost
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

frame = pandas.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "rooms": [4, 3, 2, 1]})
price = pandas.Series([10.0, 20.0, 30.0, 40.0], name="price")
runs = {}
experiment = mlflow.set_experiment("by hand")
# With signature and requirements MLflow need not run the model once more to find them out.
for name, model, flavor, needs in (
    ("sklearn", LinearRegression(), mlflow.sklearn, f"scikit-learn=={sklearn.__version__}"),
    ("xgboost", xgboost.XGBRegressor(n_estimators=5), mlflow.xgboost, "xgboost"),
):
    with mlflow.start_run(run_name=name) as run:
        model.fit(frame[["size"]] if name == "xgboost" else frame, price)
        known = frame[["size"]] if name == "xgboost" else frame
        signature = infer_signature(known, model.predict(known))
        flavor.log_model(model, name="model", signature=signature, pip_requirements=[needs])
        mlflow.log_metric("rmse", 0.5 if name == "sklearn" else 1.5)
        runs[name] = [run.info.run_id, [float(x) for x in model.predict(known)]]
with mlflow.start_run(run_name="nothing") as run:
    runs["nothing"] = [run.info.run_id, []]
print(json.dumps({"experiment": experiment.experiment_id, "runs": runs}))
"""


@pytest.fixture(scope="module")
def session(daemon: TestDaemon) -> Session:
    return bottega.connect(daemon.home)


@pytest.fixture(scope="module")
def logged(daemon: TestDaemon, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("notebook")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **daemon.environment()}
    run = subprocess.run(
        [sys.executable, "-c", NOTEBOOK],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, object] = json.loads(run.stdout.splitlines()[-1])
    return found


def test_the_best_run_of_a_notebook_is_deployed_and_registered(session, logged, tmp_path: Path):
    found = session.client.call(
        "bottega",
        "SearchRuns",
        {
            "ExperimentIds": [logged["experiment"]],
            "SortBy": "metrics.rmse",
            "SortOrder": "Ascending",
            "MaxResults": 1,
        },
    )
    assert found["Total"] == 3
    run_id, expected = logged["runs"]["sklearn"]
    assert found["Runs"][0]["RunId"] == run_id
    run = session.run(run_id)
    assert run.describe()["LoggedModels"] == ["model"]
    assert run.register("houses") == "1"
    assert run.register("houses", model="model") == "2"
    assert (run.download_model(tmp_path) / "MLmodel").is_file()

    assert run.check() == []
    endpoint = run.deploy()
    assert endpoint.name == f"sklearn-{run_id[:8]}"
    assert endpoint.columns == ("size", "rooms")
    # By name, whatever the order; by position; and as JSON.
    rows = pandas.DataFrame({"rooms": [4, 1], "size": [1.0, 4.0]})
    wanted = pytest.approx([expected[0], expected[-1]])
    assert list(endpoint.predict(rows)) == wanted
    assert list(endpoint.predict([[1.0, 4], [4.0, 1]])) == wanted
    split = {"dataframe_split": {"columns": ["size", "rooms"], "data": [[1.0, 4], [4.0, 1]]}}
    assert endpoint.predict(split, accept="application/json")["predictions"] == wanted
    one = endpoint.predict({"size": 1.0, "rooms": 4}, accept="application/json")
    assert one["predictions"] == pytest.approx(expected[:1])
    endpoint.delete()


def test_an_xgboost_model_is_deployed_under_a_name(session, logged):
    run_id, expected = logged["runs"]["xgboost"]
    endpoint = session.run(run_id).deploy("by-name")
    assert list(endpoint.predict([[1.0], [4.0]])) == pytest.approx([expected[0], expected[-1]])
    endpoint.delete()


def test_a_run_without_a_model_says_so(session, logged):
    run = session.run(logged["runs"]["nothing"][0])
    with pytest.raises(ClientFault, match="has logged no model"):
        run.deploy()
    with pytest.raises(ClientFault, match="has logged no model"):
        run.check()
    with pytest.raises(ClientFault, match="has logged no model"):
        run.register("nothing")
    with pytest.raises(ClientFault, match="There is no run 'nowhere'"):
        session.run("nowhere").describe()


def test_the_run_of_a_training_job_deploys_the_jobs_model(session):
    frame = pandas.DataFrame({"x": range(60), "y": [n % 2 for n in range(60)]})
    job = session.train("xgboost", data=frame, target="y", num_round=2, logs=False)
    run_id = eventually(
        lambda: job.describe().get("MlflowDetails", {}).get("MlflowRunId"), "the job has a run"
    )
    run = session.run(run_id)
    eventually(lambda: run.describe()["LoggedModels"], "the model is among the artifacts")
    described = run.describe()
    assert described["Run"]["TrainingJobName"] == job.name
    assert described["LoggedModels"] == ["model"]
    assert {item["Name"] for item in described["Inputs"]} == {"train"}
    assert run.register("of a job") == "1"
    assert run.check() == []
    endpoint = run.deploy("of-a-job")
    assert len(endpoint.predict([[3.0], [4.0]])) == 2
    endpoint.delete()
