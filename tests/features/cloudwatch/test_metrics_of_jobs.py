"""Metrics of jobs, which are read from where they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bottega.features.cloudwatch.reading import PROCESSING, SAMPLES, TRAINING, MetricReader
from bottega.metrics.store import MetricName, MetricQuery, dimensions
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import channel, training_job

NOW = 1_700_000_040.0


def answers(service: str, name: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """What training says of the metrics of its one job."""
    assert (service, name, request["TrainingJobName"]) == ("bottega", "GetTrainingJobMetrics", "j")
    course = {"Name": "loss", "Times": [NOW, NOW + 30, NOW + 60], "Values": [3.0, 1.0, 0.5]}
    return {"Metrics": [{**course, "Steps": [0, 1, 2], "Points": 3}]}


def read(cloudwatch: Any, metric: MetricName, unit: str | None = None) -> list[tuple[float, float]]:
    reader = MetricReader(cloudwatch.ports, answers)
    query = MetricQuery(metric, NOW, NOW + 600, 60, unit)
    return [(found.time, found.statistics.average) for found in reader.read(query)]


def test_the_metrics_of_a_training_job_are_those_of_its_log(cloudwatch: Any) -> None:
    arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/j"
    cloudwatch.ports.store.create(Resource("TrainingJob", "j", arn, "Completed", NOW, NOW))
    loss = MetricName(TRAINING, "loss", dimensions(TrainingJobName="j"))
    assert read(cloudwatch, loss) == [(NOW, 2.0), (NOW + 60, 0.5)]
    assert read(cloudwatch, loss._replace(name="accuracy")) == []
    assert read(cloudwatch, loss._replace(dimensions=dimensions(TrainingJobName="k"))) == []
    assert read(cloudwatch, loss._replace(dimensions=dimensions(Other="j"))) == []


@pytest.mark.parametrize(
    ("namespace", "kind"), [(TRAINING, "TrainingJob"), (PROCESSING, "ProcessingJob")]
)
def test_what_a_host_used_is_read_from_its_samples(
    cloudwatch: Any, namespace: str, kind: str
) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:{kind}/j"
    cloudwatch.ports.store.create(Resource(kind, "j", arn, "Completed", NOW, NOW))
    file = cloudwatch.ports.logs.path(SAMPLES, f"j/algo-1-{int(NOW)}")
    samples = [{"CPUUtilization": 100.0, "MemoryUsed": 5e8}, {"CPUUtilization": 300.0}]
    lines = [f"{int((NOW + 5 * n) * 1000)} {json.dumps(one)}\n" for n, one in enumerate(samples)]
    file.write_text("".join(lines))
    host = MetricName(namespace, "CPUUtilization", dimensions(Host="j/algo-1"))
    assert read(cloudwatch, host, "Percent") == [(NOW, 200.0)]
    assert read(cloudwatch, host, "Bytes") == []
    assert read(cloudwatch, host._replace(dimensions=dimensions(Host="j/algo-2"))) == []
    assert read(cloudwatch, host._replace(dimensions=dimensions(Host="k/algo-1"))) == []
    ((_, memory),) = read(cloudwatch, host._replace(name="MemoryUtilization"))
    assert 0 < memory < 100


def test_a_real_job_is_asked_as_the_sdk_asks() -> None:
    studio = Studio.temporary(isolation="process", preload=False)
    owner, config, ports = studio.owner("sdk"), studio.ports.config, studio.ports
    try:
        ports.objects.put(config.bucket, "train/a.csv", b"1,2\n")
        train = channel("train", f"s3://{config.bucket}/train", "text/csv")
        rounds = {"num_round": "3", "eval_metric": "rmse"}
        request = training_job("job", config.bucket, config.role_arn, InputDataConfig=[train])
        request["HyperParameters"] = rounds
        studio.registry.call("sagemaker", "CreateTrainingJob", request, owner)
        created = int(ports.store.get("TrainingJob", "job").created)
        ports.logs.path(TRAINING, f"job/algo-1-{created}").write_text(
            f"{created * 1000} [0]\ttrain-rmse:4\n{created * 1000} [1]\ttrain-rmse:2\n"
        )
        asked = {
            "Namespace": TRAINING,
            "MetricName": "train:rmse",
            "Dimensions": [{"Name": "TrainingJobName", "Value": "job"}],
            "StartTime": created - 60,
            "EndTime": created + 60,
            "Period": 60,
            "Statistics": ["Average"],
        }
        found = studio.registry.call("cloudwatch", "GetMetricStatistics", asked, owner)
        assert [point["Average"] for point in found["Datapoints"]] == [3.0]
    finally:
        studio.close()


def test_what_somebody_put_there_comes_first(cloudwatch: Any) -> None:
    own = [{"Name": "TrainingJobName", "Value": "j"}]
    cloudwatch.do(
        "PutMetricData",
        Namespace=TRAINING,
        MetricData=[{"MetricName": "loss", "Value": 7, "Dimensions": own, "Timestamp": NOW}],
    )
    loss = MetricName(TRAINING, "loss", dimensions(TrainingJobName="j"))
    assert read(cloudwatch, loss) == [(NOW, 7.0)]
