"""What a person does with a session, in process and over a daemon alike."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy
import pytest

from bottega.credentials import Credentials
from bottega.errors import BottegaError, ClientFault, ModelError, ResourceNotFound
from bottega.sdk.data import DataError
from bottega.sdk.endpoint import EndpointFailed
from bottega.sdk.session import Session
from bottega.sdk.training_job import JobFailed, TrainingJob

TRAIN = """
import argparse, json, os
import joblib, pandas
from sklearn.tree import DecisionTreeClassifier

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--depth", type=int)
    depth = parser.parse_args().depth
    frame = pandas.read_csv(os.environ["SM_CHANNEL_TRAIN"] + "/train.csv")
    features, label = frame.drop(columns="target"), frame["target"]
    model = DecisionTreeClassifier(max_depth=depth, random_state=0).fit(features, label)
    print(f"accuracy={model.score(features, label)};")
    joblib.dump(model, os.environ["SM_MODEL_DIR"] + "/model.joblib")
"""
MODEL_FN = """
import joblib

def model_fn(model_dir):
    return joblib.load(model_dir + "/model.joblib")
"""
INFERENCE = MODEL_FN + "\ndef predict_fn(data, model):\n    return model.predict(data) + 100\n"


@pytest.fixture(scope="module")
def trained(session: Session, iris) -> TrainingJob:
    return session.train(
        "xgboost",
        data=iris[:100],
        validation=iris[100:][iris.columns[::-1]],  # in another order on purpose
        target="target",
        objective="multi:softprob",
        num_class=3,
        eval_metric=["merror", "mlogloss"],
        num_round=numpy.int64(10),
        max_depth=None,
        tags={"team": "botany"},
    )


@pytest.fixture(scope="module")
def endpoint(trained: TrainingJob):
    deployed = trained.deploy("iris")
    yield deployed
    deployed.delete()


def resources(session: Session) -> dict[str, int]:
    kinds = {"Models": "Models", "EndpointConfigs": "EndpointConfigs", "Endpoints": "Endpoints"}
    return {
        kind: len(list(session.pages(f"List{kind}", member, {}))) for kind, member in kinds.items()
    }


def test_a_job_tells_how_it_went(session: Session, trained: TrainingJob, tmp_path: Path):
    assert trained.status == "Completed"
    assert trained.metrics["validation:merror"] < 0.15
    assert set(trained.metrics) == {
        f"{side}:{name}" for side in ("train", "validation") for name in ("merror", "mlogloss")
    }
    lines = list(trained.logs())
    assert sum(line.startswith("[") for line in lines) == 10
    assert list(trained.logs(follow=True)) == lines
    assert trained.name in [job["TrainingJobName"] for job in session.jobs(NameContains="xgb")]
    with tarfile.open(trained.download_model(tmp_path)) as tar:
        assert "xgboost-model" in [member.name.removeprefix("./") for member in tar]
    values = trained.describe()["HyperParameters"]
    assert values["eval_metric"] == "merror,mlogloss"
    assert "max_depth" not in values


def test_predictions_do_not_depend_on_how_rows_are_given(endpoint, iris):
    test = iris[100:]
    features = test.drop(columns="target")
    expected = endpoint.predict(features)
    assert expected.shape == (50, 3)
    assert (expected.argmax(axis=1) == test["target"]).mean() > 0.85
    shuffled = test[sorted(test.columns, reverse=True)]
    for rows in (shuffled, features.to_numpy(), features.to_numpy().tolist()):
        numpy.testing.assert_array_equal(endpoint.predict(rows), expected)
    numpy.testing.assert_array_equal(endpoint.predict(shuffled.iloc[0]), expected[:1])
    numpy.testing.assert_array_equal(endpoint.predict(shuffled.to_dict("records")), expected)
    numpy.testing.assert_array_equal(endpoint.predict(features.iloc[0].tolist()), expected[:1])
    answer = endpoint.predict(features[:2], accept="application/json")
    assert len(answer["predictions"]) == 2


def test_bad_rows_are_refused(endpoint, iris):
    with pytest.raises(DataError, match="lack columns of the model: petal width"):
        endpoint.predict(iris.drop(columns="petal width (cm)"))
    with pytest.raises(ModelError, match="not consistent with feature size"):
        endpoint.predict([1, 2, 3])
    with pytest.raises(ModelError, match="'red' in column 4"):
        endpoint.predict([[1, 2, 3, "red"]])


def test_a_taken_name_leaves_the_endpoint_alone(session: Session, trained, endpoint):
    before = resources(session)
    with pytest.raises(ClientFault, match="there is an endpoint iris already"):
        trained.deploy("iris")
    assert resources(session) == before
    assert endpoint.status == "InService"


def test_a_refused_deployment_leaves_nothing_behind(session: Session, trained):
    before = resources(session)
    for change in ({"instance_count": 0}, {"instance_type": "enormous"}):
        with pytest.raises(ClientFault):
            trained.deploy("refused", **change)
        assert resources(session) == before


def test_a_deployment_that_was_broken_off_is_done_again(session: Session, trained):
    before = resources(session)
    trained.deploy("again")
    session.client.call("sagemaker", "DeleteEndpoint", {"EndpointName": "again"})
    while session.endpoint("again").exists():
        pass
    again = trained.deploy("again")
    assert again.status == "InService"
    again.delete()
    assert resources(session) == before


def test_deleting_spares_what_deploy_did_not_make(session: Session, trained):
    call = session.client.call
    container = {"Image": "xgboost", "ModelDataUrl": trained.model_uri}
    role = session.config.role_arn
    mine = {"ModelName": "mine", "ExecutionRoleArn": role, "PrimaryContainer": container}
    call("sagemaker", "CreateModel", mine)
    variant = {
        "VariantName": "v",
        "ModelName": "mine",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    config = {"EndpointConfigName": "mine", "ProductionVariants": [variant]}
    call("sagemaker", "CreateEndpointConfig", config)
    call("sagemaker", "CreateEndpoint", {"EndpointName": "mine", "EndpointConfigName": "mine"})
    endpoint = session.endpoint("mine").wait()
    assert endpoint.columns == ()
    endpoint.delete()
    assert call("sagemaker", "DescribeModel", {"ModelName": "mine"})["ModelName"] == "mine"
    call("sagemaker", "DeleteEndpointConfig", {"EndpointConfigName": "mine"})
    call("sagemaker", "DeleteModel", {"ModelName": "mine"})


@pytest.mark.parametrize(
    ("beside", "offset"), [({}, 0), ({"inference.py": INFERENCE}, 100)], ids=["train", "inference"]
)
def test_a_script_trains_and_serves(session: Session, iris, tmp_path: Path, beside, offset):
    (tmp_path / "train.py").write_text(TRAIN + MODEL_FN)
    for name, text in beside.items():
        (tmp_path / name).write_text(text)
    job = session.train(
        script="train.py",
        source_dir=tmp_path,
        data=iris,
        hyperparameters={"depth": 3},
        metrics={"accuracy": "accuracy=([0-9.]+);"},
        logs=False,
    )
    assert job.metrics["accuracy"] > 0.95
    endpoint = job.deploy()
    try:
        rows = iris.drop(columns="target")[:20]
        served = numpy.array(endpoint.predict(rows)) - offset
        assert (served == iris["target"][:20]).mean() > 0.9
        assert endpoint.predict(rows, accept="text/csv").shape == (20,)
    finally:
        endpoint.delete()


def test_a_script_that_fails_says_why(session: Session, tmp_path: Path):
    script = tmp_path / "broken.py"
    script.write_text("def load(path):\n    return open(path)\n\nload('nowhere.csv')\n")
    with pytest.raises(JobFailed, match=r"FileNotFoundError.*nowhere\.csv") as caught:
        session.train(script=script, logs=False)
    name = caught.value.message.split()[2].rstrip(":")
    with pytest.raises(ClientFault, match="is Failed; only a completed job"):
        session.job(name).deploy()
    session.job(name).delete()
    with pytest.raises(ResourceNotFound, match=name):
        session.job(name).describe()


def test_a_model_that_cannot_be_served_says_so(session: Session, tmp_path: Path):
    script = tmp_path / "nothing.py"
    script.write_text("print('no model here')\n")
    job = session.train(script=script, logs=False)
    with pytest.raises(EndpointFailed, match="did not pass the ping health check"):
        job.deploy()
    session.endpoint(job.name).delete()


def test_a_job_can_be_stopped(session: Session, tmp_path: Path):
    script = tmp_path / "long.py"
    script.write_text("import time\nprint('started', flush=True)\ntime.sleep(600)\n")
    job = session.train(script=script, wait=False)
    assert next(line for line in job.logs(follow=True) if line == "started")
    job.stop()
    with pytest.raises(JobFailed, match="Stopped"):
        job.wait(quiet=True)


REFUSED = {
    "nothing to do": ({}, "either a built-in algorithm"),
    "both": ({"algorithm": "xgboost", "script": "x.py"}, "either a built-in algorithm"),
    "unknown algorithm": ({"algorithm": "xgbost"}, "xgbost.*Images that run here"),
    "unknown hyperparameter": ({"algorithm": "xgboost", "depht": 3}, "depht"),
    "bad hyperparameter": ({"algorithm": "xgboost", "max_depth": "deep"}, "max_depth.*'deep'"),
    "bad name": ({"algorithm": "xgboost", "name": "a b"}, "'a b' at 'trainingJobName'"),
    "bad runtime": ({"algorithm": "xgboost", "max_runtime": 0}, "maxRuntimeInSeconds"),
    "metrics of an algorithm": (
        {"algorithm": "xgboost", "metrics": {"a": "(b)"}},
        "can't override the metric definitions",
    ),
    "script missing": ({"script": "nowhere.py"}, r"nowhere\.py does not exist"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_trained_is_refused(session: Session, iris, case: str):
    arguments, text = REFUSED[case]
    before = len(list(session.jobs()))
    with pytest.raises(ClientFault, match=text):
        session.train(**{"data": iris, "target": "target", **arguments})
    assert len(list(session.jobs())) == before


def test_data_that_makes_no_sense_is_refused(session: Session, iris):
    with pytest.raises(DataError, match="which column of the frame is to be predicted"):
        session.train("xgboost", data=iris)
    with pytest.raises(DataError, match="given twice"):
        session.train("xgboost", data=iris, channels={"train": iris}, target="target")
    with pytest.raises(DataError, match="target is for built-in algorithms"):
        session.train(script=__file__, data=iris, target="target")
    with pytest.raises(ClientFault, match="did you mean the argument 'validation'"):
        session.train("xgboost", data=iris, target="target", validaton=iris)
    with pytest.raises(ClientFault, match=r"channel.*'train'"):
        session.train("xgboost")
    with pytest.raises(BottegaError, match="No S3 objects found"):
        session.train("xgboost", data="s3://nowhere/train.csv")


def test_csv_on_disk_and_behind_a_uri(session: Session, iris, tmp_path: Path):
    file = tmp_path / "iris.csv"
    iris.to_csv(file, index=False)
    parameters = {"num_round": 2, "logs": False}
    assert session.train("xgboost", data=file, target="target", **parameters).metrics
    bare = iris[["target", *iris.columns[:-1]]].to_csv(index=False, header=False)
    uri = session.client.put_object(session.config.bucket, "data/part-0", bare.encode())
    prefix = uri.removesuffix("part-0")
    job = session.train("xgboost", data=prefix, content_type="text/csv", **parameters)
    assert job.metrics


def test_what_is_shown_of_a_session_holds_no_secrets(session: Session, trained: TrainingJob):
    shown = f"{session} {trained} {session.client}"
    assert Credentials.load(session.config).secret_key not in shown
    assert trained.name in shown


def test_what_is_not_there_is_named(session: Session):
    for act in ("describe", "stop", "delete"):
        with pytest.raises(ResourceNotFound, match="no training job 'nope'"):
            getattr(session.job("nope"), act)()
    with pytest.raises(ResourceNotFound, match="'nope'"):
        list(session.job("nope").logs())
    with pytest.raises(ClientFault, match="nope"):
        session.endpoint("nope").predict([1])
    with pytest.raises(ClientFault, match="nope"):
        session.endpoint("nope").delete()


def test_breaking_off_ends_the_waiting_only(session: Session, tmp_path: Path, capsys, monkeypatch):
    script = tmp_path / "slow.py"
    script.write_text("import time\ntime.sleep(1)\n")
    job = session.train(script=script, wait=False)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("bottega.sdk.training_job.time.sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            job.wait()
    assert f"The training job {job.name} goes on." in capsys.readouterr().out
    assert job.wait(quiet=True).status == "Completed"
