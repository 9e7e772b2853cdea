"""Statuses and transitions of a training job."""

from __future__ import annotations

import pytest

from bottega.features.training.entities import PRIMARY, TERMINAL, TrainingJob
from bottega.storage.metadata import Resource


def new_job() -> TrainingJob:
    body = {
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": 10.0, "StatusMessage": "Starting"}
        ],
        "ResourceConfig": {"InstanceCount": 2},
    }
    return TrainingJob(Resource("TrainingJob", "j", "arn", "InProgress", 10.0, 10.0, body))


def test_each_change_ends_the_transition_before_it():
    job = new_job().moved("Downloading", 12.0).moved("Training", 15.0).moved("Uploading", 20.0)
    steps = job.body["SecondaryStatusTransitions"]
    assert [(s["Status"], s["StartTime"], s.get("EndTime")) for s in steps] == [
        ("Starting", 10.0, 12.0),
        ("Downloading", 12.0, 15.0),
        ("Training", 15.0, 20.0),
        ("Uploading", 20.0, None),
    ]
    assert all(step["StatusMessage"] for step in steps)


def test_the_message_of_the_present_transition_changes_in_place():
    job = new_job().moved("Downloading", 12.0).moved("Downloading", 13.0, "Half of it")
    steps = job.body["SecondaryStatusTransitions"]
    assert len(steps) == 2
    assert steps[-1] == {"Status": "Downloading", "StartTime": 12.0, "StatusMessage": "Half of it"}


def test_the_end_sets_times():
    job = new_job().moved("Downloading", 12.0).moved("Training", 13.0).moved("Completed", 20.4)
    assert job.status == "Completed"
    assert job.body["TrainingStartTime"] == 12.0
    assert job.body["TrainingEndTime"] == 20.4
    assert job.body["TrainingTimeInSeconds"] == job.body["BillableTimeInSeconds"] == 8
    assert job.body["SecondaryStatusTransitions"][-1]["EndTime"] == 20.4


def test_a_job_that_never_ran_has_no_training_time():
    job = new_job().moved("Stopping", 11.0).moved("Stopped", 12.0)
    assert "TrainingTimeInSeconds" not in job.body
    assert job.status == "Stopped"


def test_a_failure_keeps_1024_characters():
    job = new_job().failed("AlgorithmError: " + "x" * 2000, 12.0)
    assert len(job.body["FailureReason"]) == 1024
    assert job.status == job.secondary == "Failed"


def test_changing_a_job_leaves_the_former_one_alone():
    job = new_job()
    job.moved("Downloading", 12.0)
    assert len(job.body["SecondaryStatusTransitions"]) == 1
    assert "EndTime" not in job.body["SecondaryStatusTransitions"][0]


@pytest.mark.parametrize("secondary", sorted(PRIMARY))
def test_every_secondary_status_has_a_primary_one(secondary):
    assert new_job().moved(secondary, 11.0).ended is (PRIMARY[secondary] in TERMINAL)


def test_hosts_are_named_as_sagemaker_names_them():
    assert new_job().host_names == ("algo-1", "algo-2")
