"""DescribeTrainingJobReplay: what a job had, as far as it is still there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.features.training.entities import KIND, JobFolders, TrainingJob
from bottega.features.training.replay_inputs import staged_inputs
from bottega.studio import Studio
from bottega.testing.requests import channel, code_archive, script_job, training_job


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """A studio whose controllers do not run."""
    opened = Studio.temporary(isolation="process", preload=False)
    bucket = opened.ports.config.bucket
    opened.ports.objects.put(bucket, "code.tar.gz", code_archive(train__py="print(1)\n"))
    yield opened
    opened.close()


def call(studio: Studio, service: str, operation: str, **request: Any) -> Any:
    return studio.registry.call(service, operation, request, studio.owner("sdk"))


def put(studio: Studio, key: str, body: bytes = b"1,2\n") -> None:
    studio.ports.objects.put(studio.ports.config.bucket, key, body)


def ended(studio: Studio, name: str, private: dict[str, Any] | None = None, **changes: Any) -> None:
    config = studio.ports.config
    uri = f"s3://{config.bucket}/code.tar.gz"
    request = script_job(name, config.bucket, config.role_arn, uri, **changes)
    call(studio, "sagemaker", "CreateTrainingJob", **request)
    end(studio, name, private)


def end(studio: Studio, name: str, private: dict[str, Any] | None = None) -> None:
    now = studio.ports.clock.now()

    def failed(resource: Any) -> Any:
        body = {**resource.body, "TrainingStartTime": now}
        return replace(resource, status="Failed", body=body, private=private or {})

    studio.ports.store.modify(KIND, name, failed)


def replay(studio: Studio, name: str, **request: Any) -> Any:
    return call(studio, "bottega", "DescribeTrainingJobReplay", TrainingJobName=name, **request)


def train(studio: Studio, prefix: str, **source: Any) -> list[dict[str, Any]]:
    return [channel("train", f"s3://{studio.ports.config.bucket}/{prefix}", "text/csv", **source)]


def test_it_has_files_variables_and_data(studio: Studio):
    put(studio, "all/a.csv")
    put(studio, "all/deep/b.csv", b"3,4,5\n")
    ended(
        studio,
        "all",
        HyperParameters={"depth": "3"},
        InputDataConfig=train(studio, "all/"),
        Environment={"LEVEL": "high"},
    )
    found = replay(studio, "all")
    assert (found["HostName"], found["Image"], found["Program"]) == (
        "algo-1",
        "scikit-learn",
        "train.py",
    )
    assert found["CodeUri"].endswith("/code.tar.gz")
    files = {name: json.loads(text) for name, text in found["Files"].items()}
    assert files["input/config/hyperparameters.json"]["depth"] == "3"
    assert files["input/config/resourceconfig.json"]["current_host"] == "algo-1"
    assert set(files["input/config/inputdataconfig.json"]) == {"train"}
    assert found["Variables"]["LEVEL"] == "high"
    assert found["Variables"]["TRAINING_JOB_NAME"] == "all"
    (one,) = found["Channels"]
    assert [item["Path"] for item in one["Objects"]] == ["a.csv", "deep/b.csv"]
    assert one["TotalBytes"] == 10
    assert found["Notes"] == []


def test_no_secret_and_no_credentials_are_in_it(studio: Studio):
    ended(
        studio,
        "secrets",
        HyperParameters={"api_key": "hush-1", "depth": "3"},
        Environment={"HF_TOKEN": "hush-2", "MONKEY": "seen", "DB_PASSWORD": "hush-3"},
    )
    found = replay(studio, "secrets")
    assert found["Secrets"] == ["DB_PASSWORD", "HF_TOKEN"]
    assert found["SecretHyperParameters"] == ["api_key"]
    assert found["Variables"]["MONKEY"] == "seen"
    text = json.dumps(found)
    assert "hush" not in text
    assert not [name for name in found["Variables"] if name.startswith(("AWS_", "MLFLOW_"))]


def test_what_is_gone_new_or_written_anew_is_said(studio: Studio):
    for name in ("a", "b", "c", "d"):
        put(studio, f"changing/{name}.csv")
    before = {"train": {"a.csv": 4, "b.csv": 4, "c.csv": 4, "d.csv": 4}}
    ended(studio, "changing", {"inputs": before}, InputDataConfig=train(studio, "changing/"))
    assert replay(studio, "changing")["Notes"] == []
    bucket = studio.ports.config.bucket
    studio.ports.objects.delete(bucket, ["changing/b.csv", "changing/c.csv"])
    put(studio, "changing/d.csv", b"9,9\n")
    put(studio, "changing/e.csv")
    assert replay(studio, "changing")["Notes"] == [
        "Of the channel train is gone what the job had: b.csv, c.csv.",
        "The channel train has what the job had not: e.csv.",
        "The channel train has files that were written anew since the job ran: d.csv.",
    ]
    studio.ports.objects.delete(
        bucket, ["changing/a.csv", "changing/d.csv", "changing/e.csv", "code.tar.gz"]
    )
    found = replay(studio, "changing")
    assert found["Channels"][0]["Objects"] == []
    assert "The channel train cannot be brought: No S3 objects found" in found["Notes"][0]
    assert "a.csv, b.csv, c.csv and 1 more" in found["Notes"][1]
    assert "is not there any more; put the script into the folder code" in found["Notes"][2]
    studio.ports.objects.put(bucket, "code.tar.gz", code_archive(train__py="print(2)\n"))
    assert "was written anew since" in replay(studio, "changing")["Notes"][-1]


def test_each_host_has_its_own_share(studio: Studio):
    for name in ("a", "b", "c"):
        put(studio, f"shares/{name}.csv")
    ended(
        studio,
        "shares",
        InputDataConfig=train(studio, "shares/", S3DataDistributionType="ShardedByS3Key"),
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
    )
    found = replay(studio, "shares", HostName="algo-2")
    assert [item["Path"] for item in found["Channels"][0]["Objects"]] == ["b.csv"]
    assert "algo-2 is alone in a replay" in found["Notes"][-1]
    with pytest.raises(ValidationException, match="has no host 'algo-3'; it has algo-1, algo-2"):
        replay(studio, "shares", HostName="algo-3")


def test_pipes_become_files_and_a_command_stays_one(studio: Studio):
    put(studio, "pipe/a.csv")
    config = studio.ports.config
    specification = {
        "TrainingImage": "python",
        "TrainingInputMode": "Pipe",
        "ContainerEntrypoint": ["/bin/sh"],
        "ContainerArguments": ["-c", "true"],
    }
    request = training_job(
        "pipe",
        config.bucket,
        config.role_arn,
        "python",
        AlgorithmSpecification=specification,
        InputDataConfig=train(studio, "pipe/"),
    )
    call(studio, "sagemaker", "CreateTrainingJob", **request)
    end(studio, "pipe")
    found = replay(studio, "pipe")
    assert found["Command"] == ["/bin/sh", "-c", "true"]
    assert "Program" not in found
    assert "was a pipe; a replay has its objects as files" in found["Notes"][0]
    settings = json.loads(found["Files"]["input/config/inputdataconfig.json"])
    assert settings["train"]["TrainingInputMode"] == "File"


def test_checkpoints_and_what_watches_a_job_are_left_out(studio: Studio):
    bucket = studio.ports.config.bucket
    ended(studio, "watched", CheckpointConfig={"S3Uri": f"s3://{bucket}/checkpoints"})

    def watched(resource: Any) -> Any:
        hook = {"S3OutputPath": f"s3://{bucket}/debug"}
        return replace(resource, body={**resource.body, "DebugHookConfig": hook})

    studio.ports.store.modify(KIND, "watched", watched)
    found = replay(studio, "watched")
    assert "input/config/checkpointconfig.json" in found["Files"]
    assert "input/config/debughookconfig.json" not in found["Files"]
    assert f"s3://{bucket}/checkpoints are not brought" in found["Notes"][-1]


def test_a_job_that_goes_on_is_refused(studio: Studio):
    config = studio.ports.config
    uri = f"s3://{config.bucket}/code.tar.gz"
    request = script_job("goes-on", config.bucket, config.role_arn, uri)
    call(studio, "sagemaker", "CreateTrainingJob", **request)
    with pytest.raises(ValidationException, match="goes-on is InProgress; it can be replayed"):
        replay(studio, "goes-on")
    with pytest.raises(ValidationException, match="Requested resource not found"):
        replay(studio, "none")


def test_what_a_host_had_is_remembered_by_name_and_size(studio: Studio):
    put(studio, "had/a.csv")
    ended(studio, "had", InputDataConfig=train(studio, "had/"))
    job = TrainingJob(studio.ports.store.get(KIND, "had"))
    folders = JobFolders.of(studio.ports.config, job)
    assert staged_inputs(job, folders) == {}
    data = folders.host("algo-1") / "input" / "data" / "train"
    (data / "deep").mkdir(parents=True)
    (data / "a.csv").write_bytes(b"1,2\n")
    (data / "deep" / "b.csv").write_bytes(b"1")
    (data / "out").symlink_to("/etc")
    assert staged_inputs(job, folders)["train"] == {"a.csv": 4, "deep/b.csv": 1}
