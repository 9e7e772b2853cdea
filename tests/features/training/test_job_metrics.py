"""Courses of metrics and of what instances use, read from what a job's supervisor wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.compute.file_logs import FileLogStore
from bottega.compute.logs import LogChunk
from bottega.errors import ValidationException
from bottega.events import Event, MetricsChanged
from bottega.features.training.entities import (
    KIND,
    LOG_GROUP,
    SYSTEM_METRICS_GROUP,
    TrainingJob,
)
from bottega.features.training.job_log import _RECENT, JobLogs, job_logs
from bottega.studio import Studio
from bottega.testing.requests import channel, training_job


@pytest.fixture
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    opened.ports.objects.put(opened.ports.config.bucket, "train/a.csv", b"1,2\n")
    yield opened
    opened.close()


def call(studio: Studio, service: str, operation: str, **request: Any) -> Any:
    return studio.registry.call(service, operation, request, studio.owner("sdk"))


def create(studio: Studio, name: str = "job", **changes: Any) -> TrainingJob:
    config = studio.ports.config
    base = {
        "HyperParameters": {"num_round": "3", "eval_metric": "rmse"},
        "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
    }
    request = training_job(name, config.bucket, config.role_arn, **{**base, **changes})
    call(studio, "sagemaker", "CreateTrainingJob", **request)
    return TrainingJob(studio.ports.store.get(KIND, name))


def write(studio: Studio, job: TrainingJob, text: str, *, group: str = LOG_GROUP, host: int = 1):
    path = studio.ports.logs.path(group, job.log_stream(f"algo-{host}"))
    with path.open("a") as file:
        file.write(text)


def rounds(start: int, end: int) -> str:
    return "".join(
        f"{1000 * (n + 1)} [{n}]\ttrain-rmse:{1 / (n + 1)}\tvalidation-rmse:{2 / (n + 1)}\n"
        for n in range(start, end)
    )


def courses(studio: Studio, name: str = "job", **request: Any) -> dict[str, Any]:
    answer = call(studio, "bottega", "GetTrainingJobMetrics", TrainingJobName=name, **request)
    return {course["Name"]: course for course in answer["Metrics"]}


class _Growing(FileLogStore):
    """A log whose job writes a round for every look at it."""

    rounds = 0

    def grow(self, stream: str) -> None:
        assert self.rounds < 100, "the reader never lets go"
        with self.path(LOG_GROUP, stream).open("a") as file:
            file.write(rounds(self.rounds, self.rounds + 1))
        self.rounds += 1

    def read(self, group: str, stream: str, *, position: int = 0, limit: int = 10_000) -> LogChunk:
        self.grow(stream)
        return super().read(group, stream, position=position, limit=limit)


def test_a_log_that_grows_faster_than_it_is_read_is_left_in_between(studio: Studio, tmp_path: Path):
    job = create(studio)
    logs = _Growing(tmp_path)
    stream = job.log_stream("algo-1")
    log = JobLogs(logs, keep_points=False).of(job)
    for looks in (1, 2):
        logs.grow(stream)
        log.advance()
        assert logs.rounds == 2 * looks
        assert log.courses(10)["train:rmse"][0] == 2 * looks


def test_the_whole_course_of_each_metric_is_told(studio: Studio):
    job = create(studio)
    write(studio, job, rounds(0, 3))
    answer = call(studio, "bottega", "GetTrainingJobMetrics", TrainingJobName="job")
    assert answer["ObjectiveMetric"] == "validation:rmse"
    assert answer["Metrics"][1] == {
        "Name": "validation:rmse",
        "Steps": [0, 1, 2],
        "Times": [1.0, 2.0, 3.0],
        "Values": [2.0, 1.0, 2 / 3],
        "Points": 3,
        "Direction": "Minimize",
    }
    assert [metric["Name"] for metric in answer["Metrics"]] == ["train:rmse", "validation:rmse"]


def test_a_course_grows_with_the_log_and_nothing_is_read_twice(studio: Studio):
    job = create(studio)
    assert courses(studio) == {}
    write(studio, job, rounds(0, 2) + "9999 [2]\ttrain-rm")
    assert courses(studio)["train:rmse"]["Points"] == 2
    write(studio, job, "se:0.25\n" + rounds(3, 5))
    assert courses(studio)["train:rmse"]["Values"] == [1.0, 0.5, 0.25, 0.25, 0.2]


def test_all_instances_are_read(studio: Studio):
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = create(studio, ResourceConfig=resources)
    write(studio, job, "1 [0]\ttrain-rmse:1\n", host=1)
    write(studio, job, "2 [0]\ttrain-rmse:3\n", host=2)
    assert courses(studio)["train:rmse"]["Values"] == [1.0, 3.0]


def test_a_long_course_is_thinned_and_keeps_its_extremes(studio: Studio):
    job = create(studio)
    write(studio, job, rounds(0, 500) + "9 [500]\ttrain-rmse:77\n" + rounds(501, 900))
    course = courses(studio, MaxPoints=20)["train:rmse"]
    assert course["Points"] == 900
    assert len(course["Values"]) <= 20
    assert max(course["Values"]) == 77.0
    assert course["Steps"][-1] == 899


def test_a_script_tells_no_direction(studio: Studio):
    create(
        studio,
        HyperParameters={"sagemaker_program": "t.py", "sagemaker_submit_directory": "s3://a/b"},
        AlgorithmSpecification={
            "TrainingImage": "python",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+)"}],
        },
    )
    job = TrainingJob(studio.ports.store.get(KIND, "job"))
    write(studio, job, "1 loss=0.5\n")
    assert "Direction" not in courses(studio)["loss"]


@pytest.mark.parametrize("operation", ["GetTrainingJobMetrics", "GetTrainingJobSystemMetrics"])
def test_an_unknown_job_is_refused(studio: Studio, operation: str):
    with pytest.raises(ValidationException, match="Requested resource not found"):
        call(studio, "bottega", operation, TrainingJobName="no-such-job")


def test_a_followed_log_is_shared_with_those_who_look(studio: Studio):
    logs = job_logs(studio.ports)
    job = create(studio)
    followed = logs.of(job)
    assert logs.reading(job) is followed
    logs.forget("job")
    assert logs.reading(job) is followed
    assert logs.of(job) is not followed


def test_few_logs_are_kept_that_nobody_follows(studio: Studio):
    logs = JobLogs(studio.ports.logs, keep_points=True)
    all_jobs = [create(studio, f"job-{n}") for n in range(_RECENT + 1)]
    first = logs.reading(all_jobs[0])
    for job in all_jobs[1:]:
        logs.reading(job)
    assert logs.reading(all_jobs[0]) is not first


def test_new_points_of_a_followed_job_are_announced(studio: Studio):
    heard: list[Event] = []
    studio.ports.events.subscribe(heard.append)
    job = create(studio)
    write(studio, job, rounds(0, 3))
    courses(studio)
    assert not any(isinstance(event, MetricsChanged) for event in heard)
    followed = job_logs(studio.ports).of(job)
    followed.advance()
    assert [(e.kind, e.name) for e in heard if isinstance(e, MetricsChanged)] == [(KIND, "job")]
    followed.advance()
    followed.advance()
    assert len([e for e in heard if isinstance(e, MetricsChanged)]) == 1


def test_what_instances_use_is_told_by_series(studio: Studio):
    job = create(studio)
    empty = call(studio, "bottega", "GetTrainingJobSystemMetrics", TrainingJobName="job")
    assert empty == {"Hosts": [{"HostName": "algo-1", "Series": []}]}
    samples = [
        {"MemoryUsed": 1000},
        {"CPUUtilization": 150.5, "MemoryUsed": 2000, "DiskRead": 10.0},
        {"CPUUtilization": 50.0, "DiskRead": 0.0, "FromTheFuture": 1},
    ]
    for second, sample in enumerate(samples):
        text = f"{1000 * second} {json.dumps(sample)}\n"
        write(studio, job, text, group=SYSTEM_METRICS_GROUP)
    write(studio, job, "4000 {cut\n", group=SYSTEM_METRICS_GROUP)
    answer = call(studio, "bottega", "GetTrainingJobSystemMetrics", TrainingJobName="job")
    assert answer["Hosts"][0]["Series"] == [
        {"Name": "CPUUtilization", "Unit": "Percent", "Times": [1.0, 2.0], "Values": [150.5, 50.0]},
        {"Name": "MemoryUsed", "Unit": "Bytes", "Times": [0.0, 1.0], "Values": [1000.0, 2000.0]},
        {"Name": "DiskRead", "Unit": "BytesPerSecond", "Times": [1.0, 2.0], "Values": [10.0, 0.0]},
    ]
    write(studio, job, '5000 {"MemoryUsed":3000}\n', group=SYSTEM_METRICS_GROUP)
    again = call(
        studio, "bottega", "GetTrainingJobSystemMetrics", TrainingJobName="job", MaxPoints=2
    )
    assert again["Hosts"][0]["Series"][1]["Values"] == [1000.0, 3000.0]
