"""What a training job that a tuning job started has beyond any other one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bottega.context import Errand
from bottega.features.training import launch
from bottega.features.training.channel_staging import channel_mounts, stage_channels
from bottega.features.training.entities import KIND, LOG_GROUP, JobFolders, TrainingJob
from bottega.features.training.job_log import job_logs
from bottega.jobs.trial_courses import NO_COURSE
from bottega.service_calls import ServiceCaller
from bottega.studio import Studio
from bottega.testing.requests import SKLEARN_IMAGE, channel, training_job

TUNING = "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/tune"
DATA = b"word,2\n" * 20_000
"""More than is kept within the index of objects."""
METRIC = {"_tuning_objective_metric": "validation:rmse"}


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    opened.ports.objects.put(opened.ports.config.bucket, "train/a.csv", DATA)
    yield opened
    opened.close()


def request(studio: Studio, name: str, **changes: Any) -> dict[str, Any]:
    config = studio.ports.config
    base = {
        "HyperParameters": {"num_round": "3", **METRIC},
        "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
    }
    return training_job(name, config.bucket, config.role_arn, **{**base, **changes})


def create(studio: Studio, name: str, errand: Errand | None, **changes: Any) -> TrainingJob:
    caller = ServiceCaller(studio.registry, studio.ports, "Role", "tuning")
    wanted = request(studio, name, **changes)
    caller.call("sagemaker", "CreateTrainingJob", wanted, errand)
    return TrainingJob(studio.ports.store.get(KIND, name))


def test_a_trial_knows_its_tuning_job(studio: Studio) -> None:
    job = create(studio, "known", Errand(TUNING, cores=1, live_seconds=0.1))
    assert job.body["TuningJobArn"] == TUNING
    assert job.tuning_objective == "validation:rmse"
    assert job.live_seconds == 0.1
    assert launch.environment(studio.ports, job)["BOTTEGA_CPUS"] == "1"


def test_any_other_job_does_not(studio: Studio) -> None:
    """Also where somebody sends the hyperparameter of a trial."""
    job = create(studio, "other", None)
    assert "TuningJobArn" not in job.body
    assert not job.tuning_objective
    assert "BOTTEGA_CPUS" not in launch.environment(studio.ports, job)


def test_a_trial_of_an_algorithm_sees_the_objects_themselves(studio: Studio) -> None:
    script: dict[str, Any] = {
        "AlgorithmSpecification": {"TrainingImage": SKLEARN_IMAGE, "TrainingInputMode": "File"},
        "HyperParameters": {"sagemaker_program": "train.py", **METRIC},
    }
    cases: tuple[tuple[str, Errand | None, dict[str, Any], bool], ...] = (
        ("trial", Errand(TUNING), {}, True),
        ("lone", None, {}, False),
        ("script", Errand(TUNING), script, False),  # which may write to its folder
    )
    for name, errand, changes, linked in cases:
        job = create(studio, name, errand, **changes)
        folders = JobFolders.of(studio.ports.config, job)
        copied = stage_channels(studio.ports.objects, job, folders, lambda: False, shown=True)
        assert (copied == 0) is linked
        mounts = channel_mounts(job, folders, "algo-1")
        assert [mount.read_only for mount in mounts] == ([True] if linked else [])
        folder = folders.host("algo-1") / "input" / "data" / "train"
        if linked:
            folder = folders.linked("algo-1", "train")
        assert (folder / "a.csv").read_bytes() == DATA
        copied = stage_channels(studio.ports.objects, job, folders, lambda: False, shown=False)
        assert copied == len(DATA)


def test_the_course_of_its_objective(studio: Studio) -> None:
    job = create(studio, "course", Errand(TUNING))
    log = job_logs(studio.ports).of(job)
    log.advance()
    assert log.course("validation:rmse") == NO_COURSE
    with studio.ports.logs.path(LOG_GROUP, job.log_stream("algo-1")).open("a") as file:
        for number, value in enumerate((0.5, 0.25, 0.75)):
            file.write(f"{number + 1} [{number}]\ttrain-rmse:9\tvalidation-rmse:{value}\n")
    log.advance()
    course = log.course("validation:rmse")
    assert (course.count, list(course.steps)) == (3, [1, 2, 3])
    assert list(course.values) == [0.5, 0.25, 0.75]
    assert course.final == 0.75


def test_a_check_may_leave_the_data_alone(studio: Studio) -> None:
    def errors(**given: Any) -> list[str]:
        answer = studio.registry.call(
            "bottega",
            "CheckTrainingJob",
            {"Request": request(studio, "checked"), **given},
            studio.owner("sdk"),
        )
        return [one["Message"] for one in answer["Findings"] if one["Severity"] == "Error"]

    assert any("holds text" in message for message in errors())
    assert errors(InspectData=False) == []
