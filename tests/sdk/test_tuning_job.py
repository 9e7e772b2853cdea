"""Tuning as a person does it: a search, what it found, and what is refused at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy
import pandas
import pytest

from bottega.credentials import Credentials
from bottega.errors import ClientFault, ResourceNotFound, ValidationException
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.sdk.training_job import JobFailed
from bottega.sdk.tuning_job import TuningJob
from bottega.sdk.tuning_request import tuning_job_name
from bottega.testing.daemon import running_daemon

SCRIPT = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
rate = parser.parse_args().rate
print(f"score={(rate - 3) ** 2};")
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        config = daemon.config
        client = RemoteClient(daemon.url, config.region, Credentials.load(config))
        yield Session(client, config)


@pytest.fixture(scope="module")
def frame() -> pandas.DataFrame:
    random = numpy.random.default_rng(0)
    frame = pandas.DataFrame(random.normal(size=(120, 3)), columns=list("abc"))
    return frame.assign(y=frame.a * 2 + frame.b**2)


@pytest.fixture(scope="module")
def tuned(session: Session, frame: pandas.DataFrame) -> TuningJob:
    return session.tune(
        "xgboost",
        frame[:80],
        validation=frame[80:],
        target="y",
        objective_metric="validation:rmse",
        ranges={"max_depth": (2, 5), "eta": (0.05, 0.5, "log"), "booster": ["gbtree", "dart"]},
        strategy="Random",
        max_jobs=3,
        seed=7,
        num_round=5,
        tags={"team": "botany"},
    )


def test_the_request_says_what_was_said(session: Session, tuned: TuningJob):
    asked = tuned.describe()
    config = asked["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == "Random"
    assert config["RandomSeed"] == 7
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Minimize",
        "MetricName": "validation:rmse",
    }
    names = {item["Name"] for ranges in config["ParameterRanges"].values() for item in ranges}
    assert names == {"max_depth", "eta", "booster"}
    fixed = asked["TrainingJobDefinition"]["StaticHyperParameters"]
    assert fixed["num_round"] == "5"
    assert not names & set(fixed)
    tags = session.client.call(
        "sagemaker", "ListTags", {"ResourceArn": asked["HyperParameterTuningJobArn"]}
    )["Tags"]
    assert {"Key": "team", "Value": "botany"} in tags


def test_the_best_is_the_best_of_the_table(tuned: TuningJob):
    assert tuned.status == "Completed"
    table = tuned.trials()
    assert list(table.TrainingJobStatus) == ["Completed"] * 3
    assert set(table.booster) <= {"gbtree", "dart"}
    assert table.eta.between(0.05, 0.5).all()
    assert (table.TrainingElapsedTimeSeconds > 0).all()
    best = table.loc[table.FinalObjectiveValue.idxmin()]
    assert tuned.best.name == best.TrainingJobName
    assert tuned.best_value == best.FinalObjectiveValue
    assert float(tuned.best_parameters["eta"]) == best.eta
    assert tuned.best.metrics["validation:rmse"] == pytest.approx(tuned.best_value, abs=1e-5)
    assert tuned.progress()["Trials"]["Succeeded"] == 3


def test_it_is_found_again(session: Session, tuned: TuningJob):
    (found,) = session.tuning_jobs(NameContains=tuned.name)
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert session.tuning_job(tuned.name).wait(quiet=True).best_value == tuned.best_value
    with pytest.raises(ResourceNotFound, match="There is no tuning job 'gone'"):
        session.tuning_job("gone").describe()


def test_the_model_of_the_best_is_deployed_and_knows_its_columns(tuned: TuningJob, frame):
    endpoint = tuned.deploy("best-of-all")
    try:
        rows = frame[80:].drop(columns="y")
        swapped = endpoint.predict(rows[["c", "a", "b"]])
        numpy.testing.assert_allclose(endpoint.predict(rows), swapped)
    finally:
        endpoint.delete()


def test_a_script_is_tuned_and_stopped(session: Session, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    job = session.tune(
        script=script,
        image="python",
        metrics={"score": r"score=([-0-9.e]+);"},
        objective_metric="score",
        objective_type="Minimize",
        ranges={"rate": (0.0, 10.0)},
        max_jobs=100,
        max_parallel_jobs=1,
        wait=False,
    )
    with pytest.raises(ClientFault, match=f"Best training job not available .*{job.name}"):
        _ = job.best
    job.stop()
    assert job.wait(quiet=True).status == "Stopped"
    assert len(job.trials()) < 100
    job.delete()
    with pytest.raises(ResourceNotFound):
        job.stop()


def test_one_that_fails_says_why(session: Session, tmp_path):
    script = tmp_path / "train.py"
    script.write_text("raise SystemExit('the data is upside down')\n")
    with pytest.raises(JobFailed, match="Failed"):
        session.tune(
            script=script,
            image="python",
            metrics={"score": "score=([0-9.]+)"},
            objective_metric="score",
            objective_type="Maximize",
            ranges={"x": (0.0, 1.0)},
            max_jobs=2,
        )


def test_what_contradicts_itself_is_refused_before_anything_is_sent(session: Session, frame):
    before = len(list(session.tuning_jobs()))
    given = {"data": frame, "target": "y"}
    with pytest.raises(ClientFault, match=r"no metric 'validation:rsme'; did you mean valid"):
        session.tune("xgboost", **given, objective_metric="validation:rsme")
    with pytest.raises(ClientFault, match="eta: a hyperparameter has either a value or a range"):
        session.tune(
            "xgboost", **given, objective_metric="train:rmse", ranges={"eta": (0.1, 0.2)}, eta=0.1
        )
    with pytest.raises(ClientFault, match="say where to look"):
        session.tune(script="train.py", objective_metric="x", objective_type="Minimize")
    with pytest.raises(ClientFault, match='objective_type="Minimize" or "Maximize"'):
        session.tune(script="train.py", objective_metric="x", ranges={"x": (1, 2)})
    with pytest.raises(ClientFault, match="have no experiment"):
        session.tune("xgboost", **given, objective_metric="train:rmse", experiment="e")
    with pytest.raises(ValidationException):
        session.tune("xgboost", **given, objective_metric="train:rmse", strategy="Luck")
    assert len(list(session.tuning_jobs())) == before


def test_the_request_has_what_was_asked_for_and_nothing_else(session: Session, frame):
    given = {"data": frame, "target": "y", "num_round": 3}
    search = session.tune(
        "xgboost",
        **given,
        objective_metric="train:rmse",
        ranges={"max_depth": (2, 3)},
        strategy="Hyperband",
        max_jobs=2,
        max_parallel_jobs=1,
        max_tuning_runtime=600,
        target_value=0.0001,
        resources=(None, 3),
    )
    config = search.describe()["HyperParameterTuningJobConfig"]
    assert config["StrategyConfig"] == {"HyperbandStrategyConfig": {"MaxResource": 3}}
    assert config["ResourceLimits"]["MaxRuntimeInSeconds"] == 600
    criteria = config["TuningJobCompletionCriteria"]
    assert criteria == {"TargetObjectiveMetricValue": 0.0001}
    warm = session.tune(
        "xgboost",
        **given,
        objective_metric="train:rmse",
        ranges={"max_depth": (2, 4)},
        max_jobs=1,
        early_stopping=True,
        warm_start=[search.name],
        transfer_learning=True,
    ).describe()
    assert warm["WarmStartConfig"] == {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": search.name}],
        "WarmStartType": "TransferLearning",
    }
    assert warm["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] == "Auto"


def test_a_made_name_is_short_enough_and_new():
    names = {tuning_job_name("factorization-machines") for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) <= 32 for name in names)
    assert tuning_job_name("***").startswith("job-")
