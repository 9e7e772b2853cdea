"""ListJobs; no controller runs, so nothing moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.training.entities import KIND, LOG_GROUP, TrainingJob
from bottega.features.training.job_log import job_logs
from bottega.features.training.other_jobs import overview
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import channel, processing_job, script_job, training_job


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    opened.ports.objects.put(opened.ports.config.bucket, "train/a.csv", b"1,2\n")
    yield opened
    opened.close()


def call(studio: Studio, service: str, operation: str, **request: Any) -> Any:
    return studio.registry.call(service, operation, request, studio.owner("sdk"))


def create(studio: Studio, name: str, **changes: Any) -> None:
    config = studio.ports.config
    base = {
        "HyperParameters": {"num_round": "3"},
        "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
    }
    request = training_job(name, config.bucket, config.role_arn, **{**base, **changes})
    call(studio, "sagemaker", "CreateTrainingJob", **request)


def change(studio: Studio, name: str, *to: Any, at: float = 100.0, **private: Any) -> None:
    def changed(resource: Any) -> Any:
        job = TrainingJob(resource)
        for number, status in enumerate(to):
            job = job.moved(status, at + number)
        return job.with_private(**private).resource

    studio.ports.store.modify(KIND, name, changed)


def finished(studio: Studio, name: str, *, seconds: float, value: float | None = None) -> None:
    change(studio, name, "Downloading", at=100.0)
    kept = {} if value is None else {"objective": {"metric": "m", "value": value, "trend": [value]}}
    change(studio, name, "Completed", at=100.0 + seconds, **kept)


def jobs(studio: Studio, **request: Any) -> list[str]:
    answer = call(studio, "bottega", "ListJobs", **request)
    return [job["JobName"] for job in answer["Jobs"]]


def only(studio: Studio, **request: Any) -> Any:
    (job,) = call(studio, "bottega", "ListJobs", **request)["Jobs"]
    return job


def test_a_job_is_shown_as_a_table_shows_it(studio: Studio):
    create(studio, "a", ExperimentConfig={"ExperimentName": "churn"})
    change(studio, "a", "Downloading", "Training", at=50.0)
    resource = studio.ports.store.get(KIND, "a")
    assert only(studio) == {
        "JobName": "a",
        "JobArn": resource.arn,
        "Kind": "Training",
        "Status": "InProgress",
        "SecondaryStatus": "Training",
        "Algorithm": "xgboost",
        "Image": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1",
        "CreationTime": resource.created,
        "StartTime": 50.0,
        "LastModifiedTime": resource.modified,
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "ExperimentName": "churn",
    }


def test_a_window_is_cut_out_of_the_order(studio: Studio):
    for number in range(7):
        create(studio, f"job-{number}")
    assert jobs(studio) == [f"job-{n}" for n in (6, 5, 4, 3, 2, 1, 0)]
    answer = call(studio, "bottega", "ListJobs", Offset=2, MaxResults=3, SortOrder="Ascending")
    assert [job["JobName"] for job in answer["Jobs"]] == ["job-2", "job-3", "job-4"]
    assert answer["Total"] == 7
    assert call(studio, "bottega", "ListJobs", Offset=9) == {"Jobs": [], "Total": 7}


def test_every_order(studio: Studio):
    config = studio.ports.config
    create(studio, "b")
    create(studio, "c")
    create(studio, "a", HyperParameters={"num_round": "4"})
    script = script_job("d", config.bucket, config.role_arn, f"s3://{config.bucket}/train/a.csv")
    call(studio, "sagemaker", "CreateTrainingJob", **script)
    finished(studio, "a", seconds=5, value=0.5)
    finished(studio, "b", seconds=50, value=float("nan"))
    finished(studio, "c", seconds=20, value=0.9)

    def both(sort_by: str) -> tuple[list[str], list[str]]:
        up = jobs(studio, SortBy=sort_by, SortOrder="Ascending")
        return up, jobs(studio, SortBy=sort_by, SortOrder="Descending")

    assert both("CreationTime") == (["b", "c", "a", "d"], ["d", "a", "c", "b"])
    assert both("Name") == (["a", "b", "c", "d"], ["d", "c", "b", "a"])
    assert both("Status") == (["a", "b", "c", "d"], ["d", "c", "b", "a"])
    # What has no value comes last whichever way the order goes.
    assert both("Duration") == (["a", "c", "b", "d"], ["b", "c", "a", "d"])
    assert both("Objective") == (["a", "c", "b", "d"], ["c", "a", "b", "d"])
    assert both("Algorithm") == (["d", "a", "b", "c"], ["a", "b", "c", "d"])


def test_a_running_job_has_lasted_until_now(studio: Studio):
    create(studio, "short")
    finished(studio, "short", seconds=5)
    create(studio, "running")
    change(studio, "running", "Downloading", at=200.0)
    assert jobs(studio, SortBy="Duration") == ["running", "short"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["churn-1", "churn-2", "fraud"]),
        ("CHURN", ["churn-1", "churn-2"]),
        ("churn 2", ["churn-2"]),
        ("name:1,fraud", ["churn-1", "fraud"]),
        ("status:completed", ["churn-1"]),
        ("status:Completed,InProgress churn", ["churn-1", "churn-2"]),
        ("status:Completed status:InProgress", []),
        ("kind:training", ["churn-1", "churn-2", "fraud"]),
        ("algorithm:xgb", ["churn-1", "churn-2"]),
        ("algorithm:train.py", ["fraud"]),
        ("algorithm:xgb,train status:InProgress", ["churn-2", "fraud"]),
    ],
)
def test_a_filter_leaves_what_matches(studio: Studio, text: str, expected: list[str]):
    config = studio.ports.config
    create(studio, "churn-1")
    create(studio, "churn-2")
    uri = f"s3://{config.bucket}/train/a.csv"
    script = script_job("fraud", config.bucket, config.role_arn, uri)
    call(studio, "sagemaker", "CreateTrainingJob", **script)
    finished(studio, "churn-1", seconds=1)
    answer = call(studio, "bottega", "ListJobs", Filter=text, SortBy="Name", SortOrder="Ascending")
    assert [job["JobName"] for job in answer["Jobs"]] == expected
    assert answer["Total"] == len(expected)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("owner:me", "algorithm:, kind:, name:, status:"),
        ("status:Done", "Completed"),
        ("kind:Labeling", "Training"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(studio: Studio, text: str, said: str):
    with pytest.raises(ValidationException, match=said):
        jobs(studio, Filter=text)


def test_what_ended_before_objectives_were_kept_has_its_last_value(studio: Studio):
    values = {"num_round": "3", "objective": "binary:logistic", "eval_metric": "auc,logloss"}
    create(studio, "old", HyperParameters=values)
    finished(studio, "old", seconds=1)
    final = [
        {"MetricName": "validation:auc", "Value": 0.7, "Timestamp": 1.0},
        {"MetricName": "validation:logloss", "Value": 0.2, "Timestamp": 1.0},
    ]
    studio.ports.store.modify(
        KIND, "old", lambda r: TrainingJob(r).with_body(FinalMetricDataList=final).resource
    )
    job = only(studio)
    assert (job["ObjectiveMetric"], job["ObjectiveValue"]) == ("validation:logloss", 0.2)
    assert "ObjectiveTrend" not in job


def test_a_running_job_shows_how_good_it_is_by_now(studio: Studio):
    config = studio.ports.config
    script = script_job(
        "live",
        config.bucket,
        config.role_arn,
        f"s3://{config.bucket}/train/a.csv",
        AlgorithmSpecification={
            "TrainingImage": "python",
            "TrainingInputMode": "File",
            "MetricDefinitions": [
                {"Name": "val_loss", "Regex": "val=([0-9.]+)"},
                {"Name": "loss", "Regex": "train=([0-9.]+)"},
            ],
        },
    )
    call(studio, "sagemaker", "CreateTrainingJob", **script)
    change(studio, "live", "Downloading", "Training")
    assert "ObjectiveValue" not in only(studio)
    job = TrainingJob(studio.ports.store.get(KIND, "live"))
    log = studio.ports.logs.path(LOG_GROUP, job.log_stream("algo-1"))
    log.write_text("".join(f"{1000 + n} train=1 val={n}\n" for n in range(100)))
    job_logs(studio.ports).of(job).advance()
    shown = only(studio)
    assert (shown["ObjectiveMetric"], shown["ObjectiveValue"]) == ("val_loss", 99.0)
    assert len(shown["ObjectiveTrend"]) <= 32
    assert (shown["ObjectiveTrend"][0], shown["ObjectiveTrend"][-1]) == (0.0, 99.0)


def test_what_is_remembered_follows_every_change(studio: Studio):
    create(studio, "a")
    assert only(studio, SortBy="Duration")["SecondaryStatus"] == "Starting"
    change(studio, "a", "Failed")
    assert only(studio, SortBy="Duration")["SecondaryStatus"] == "Failed"
    # A new job of the same name and version is another one.
    before = studio.ports.store.get(KIND, "a")
    studio.ports.store.delete(KIND, "a")
    assert jobs(studio) == []
    again = replace(before, created=before.created + 1, status="InProgress")
    studio.ports.store.create(again)
    change(studio, "a", "Starting")
    assert only(studio)["CreationTime"] == before.created + 1
    assert only(studio)["Status"] == "InProgress"


def process(studio: Studio, name: str, *command: str, **changes: Any) -> None:
    config = studio.ports.config
    script = list(command) or ["python3", "/opt/ml/processing/input/code/clean.py"]
    request = processing_job(name, config.bucket, config.role_arn, script, "python", **changes)
    call(studio, "sagemaker", "CreateProcessingJob", **request)


def transform(studio: Studio, name: str, status: str = "Completed", **times: float) -> None:
    """A transform job as its feature keeps it; no two jobs are of the same millisecond."""
    begun = studio.ports.clock.now()
    while (now := studio.ports.clock.now()) < begun + 0.002:
        pass
    body = {
        "ModelName": "churn-model",
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
        **times,
    }
    private = {"phase": "Transforming"}
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:transform-job/{name}"
    resource = Resource("TransformJob", name, arn, status, now, now, body=body, private=private)
    studio.ports.store.create(resource)
    while studio.ports.clock.now() < now + 0.002:
        pass


def test_jobs_of_every_kind_are_in_one_order(studio: Studio):
    create(studio, "b")
    process(studio, "a")
    transform(studio, "c", TransformStartTime=10.0, TransformEndTime=17.0)
    create(studio, "d")
    finished(studio, "d", seconds=3)
    assert jobs(studio) == ["d", "c", "a", "b"]
    assert jobs(studio, SortOrder="Ascending", Offset=1, MaxResults=2) == ["a", "c"]
    assert jobs(studio, SortBy="Name", SortOrder="Ascending") == ["a", "b", "c", "d"]
    assert jobs(studio, SortBy="Status")[:2] == ["b", "a"]
    assert jobs(studio, SortBy="Duration")[:2] == ["c", "d"]
    assert jobs(studio, SortBy="Objective") == ["a", "b", "c", "d"]
    assert jobs(studio, Filter="kind:transform,Processing") == ["c", "a"]
    assert jobs(studio, Filter="kind:Processing status:Completed") == []
    assert jobs(studio, Filter="algorithm:clean.py,churn") == ["c", "a"]
    assert call(studio, "bottega", "ListJobs", Filter="status:Completed")["Total"] == 2


def test_jobs_of_two_kinds_may_have_one_name(studio: Studio):
    create(studio, "same")
    process(studio, "same")
    for sort_by in ("CreationTime", "Duration"):
        found = call(studio, "bottega", "ListJobs", SortBy=sort_by)["Jobs"]
        assert sorted(job["Kind"] for job in found) == ["Processing", "Training"]
    studio.ports.store.delete(KIND, "same")
    assert only(studio)["Kind"] == "Processing"


def test_a_processing_job_is_shown_with_its_script(studio: Studio):
    process(studio, "cleaning", ExperimentConfig={"ExperimentName": "churn"})
    resource = studio.ports.store.get("ProcessingJob", "cleaning")
    assert only(studio) == {
        "JobName": "cleaning",
        "JobArn": resource.arn,
        "Kind": "Processing",
        "Status": "InProgress",
        "SecondaryStatus": "Starting",
        "Algorithm": "clean.py",
        "Image": "python",
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "ExperimentName": "churn",
    }


def test_a_transform_job_is_shown_with_its_model(studio: Studio):
    transform(studio, "predicts", "InProgress", TransformStartTime=10.0)
    job = only(studio)
    assert (job["Kind"], job["Algorithm"], job["InstanceCount"]) == ("Transform", "churn-model", 2)
    assert (job["SecondaryStatus"], job["StartTime"]) == ("Transforming", 10.0)


@pytest.mark.parametrize(
    ("specification", "shown"),
    [
        ({"ContainerEntrypoint": ["/bin/bash", "/opt/ml/processing/input/run.sh"]}, "run.sh"),
        ({"ContainerEntrypoint": ["/usr/bin/tool", "--fast"]}, "tool"),
        ({}, "sagemaker-data-wrangler-container"),
    ],
)
def test_what_a_processing_job_runs(specification: dict[str, Any], shown: str):
    image = "663277389841.dkr.ecr.us-east-1.amazonaws.com/sagemaker-data-wrangler-container:1.x"
    cluster = {"ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1}}
    body = {
        "AppSpecification": {"ImageUri": image, **specification},
        "ProcessingResources": cluster,
        "FailureReason": "AlgorithmError: no rows",
    }
    found = overview("Processing", Resource("ProcessingJob", "p", "", "Failed", 1.0, 1.0, body))
    assert (found["Algorithm"], found["FailureReason"]) == (shown, "AlgorithmError: no rows")
