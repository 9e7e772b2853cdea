"""ExplainJobFailure: what a failed job's screen shows first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.storage.metadata import Resource
from bottega.studio import Studio
from bottega.testing.requests import channel, code_archive, processing_job, script_job

TRACE = (
    "reading\n"
    "Traceback (most recent call last):\n"
    '  File "/opt/ml/code/train.py", line 4, in prepare\n'
    '    y = frame["Churn"]\n'
    '  File "/usr/lib/python3/site-packages/pandas/frame.py", line 9, in __getitem__\n'
    "    raise KeyError(key)\n"
    "KeyError: 'Churn'"
)
REASON = (
    "AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage \"KeyError: 'Churn'\"\n"
    'Command "/usr/bin/python train.py", exit code: 1'
)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    """A studio whose controllers do not run: its jobs end as the tests say."""
    opened = Studio.temporary(isolation="process", preload=False)
    config = opened.ports.config
    put = opened.ports.objects.put
    put(config.bucket, "train/a.csv", b"churn,age\n0,31\n1,42\n")
    put(config.bucket, "code.tar.gz", code_archive(train__py="import pandas\n"))
    yield opened
    opened.close()


def call(studio: Studio, service: str, operation: str, **request: Any) -> Any:
    return studio.registry.call(service, operation, request, studio.owner("sdk"))


def explain(studio: Studio, name: str, kind: str = "Training") -> Any:
    return call(studio, "bottega", "ExplainJobFailure", JobKind=kind, JobName=name)


def create(studio: Studio, name: str, **changes: Any) -> Resource:
    config = studio.ports.config
    base = {
        "InputDataConfig": [channel("train", f"s3://{config.bucket}/train", "text/csv")],
        "HyperParameters": {},
    }
    uri = f"s3://{config.bucket}/code.tar.gz"
    request = script_job(name, config.bucket, config.role_arn, uri, **{**base, **changes})
    call(studio, "sagemaker", "CreateTrainingJob", **request)
    return studio.ports.store.get("TrainingJob", name)


def end(studio: Studio, job: Resource, status: str = "Failed", **members: Any) -> None:
    studio.ports.store.modify(
        job.kind,
        job.name,
        lambda found: replace(found, status=status, body={**found.body, **members}),
    )


def write(studio: Studio, group: str, stream: str, text: str, start: int = 1000) -> None:
    with studio.ports.logs.path(group, stream).open("a") as file:
        for number, line in enumerate(text.splitlines()):
            file.write(f"{start + number} {line}\n")


def stream_of(job: Resource, host: str = "algo-1") -> str:
    return f"{job.name}/{host}-{int(job.created)}"


def fail(studio: Studio, name: str, reason: str, log: str = "", **changes: Any) -> Resource:
    job = create(studio, name, **changes)
    if log:
        write(studio, "/aws/sagemaker/TrainingJobs", stream_of(job), log)
    end(studio, job, FailureReason=reason, SecondaryStatus="Failed")
    return job


def test_the_cause_has_the_names_of_the_data_and_a_place_in_the_log(studio: Studio):
    job = fail(studio, "column", REASON, TRACE)
    found = explain(studio, "column")
    assert found["Known"] is True
    cause = found["Cause"]
    assert cause["Code"] == "LabelColumnMissing"
    assert "'churn'" in cause["Sentence"]
    assert cause["Evidence"] == {
        "Text": "KeyError: 'Churn'",
        "LogStreamName": stream_of(job),
        "Line": 6,
    }
    assert found["Location"] == {
        "File": "/opt/ml/code/train.py",
        "Line": 4,
        "Function": "prepare",
        "Code": 'y = frame["Churn"]',
    }
    assert found["Traceback"]["Lines"] == TRACE.splitlines()[1:]
    assert (found["ExceptionType"], found["ExitCode"]) == ("KeyError", 1)
    assert [line["Line"] for line in found["LastLines"]] == list(range(7))
    assert found["LastLines"][0]["Time"] == 1.0
    assert found["LogGroupName"] == "/aws/sagemaker/TrainingJobs"


def test_lines_of_a_long_log_keep_their_numbers(studio: Studio):
    epochs = "\n".join(f"epoch {number}" for number in range(2000))
    fail(studio, "long", REASON, f"{epochs}\n{TRACE}")
    found = explain(studio, "long")
    assert found["Cause"]["Evidence"]["Line"] == 2006
    assert found["LastLines"][-1]["Line"] == 2006


def test_the_host_that_failed_is_the_one_that_is_shown(studio: Studio):
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = create(studio, "hosts", ResourceConfig=resources)
    group = "/aws/sagemaker/TrainingJobs"
    write(studio, group, stream_of(job), "waiting")
    write(studio, group, stream_of(job, "algo-2"), TRACE)
    end(studio, job, FailureReason=REASON, SecondaryStatus="Failed")
    found = explain(studio, "hosts")
    assert found["Traceback"]["LogStreamName"] == stream_of(job, "algo-2")
    assert found["LastLines"][-1]["LogStreamName"] == stream_of(job, "algo-2")


def test_the_last_attempt_counts(studio: Studio):
    job = create(studio, "attempts")
    group = "/aws/sagemaker/TrainingJobs"
    write(studio, group, stream_of(job), "MemoryError")
    write(studio, group, f"{stream_of(job)}-1", TRACE)
    end(studio, job, FailureReason=REASON, SecondaryStatus="Failed")
    assert {line["LogStreamName"] for line in explain(studio, "attempts")["LastLines"]} == {
        f"{stream_of(job)}-1"
    }


def test_nothing_known_is_said_as_that(studio: Studio):
    fail(studio, "own", "AlgorithmError: , exit code: 3", "giving up")
    found = explain(studio, "own")
    assert found["Known"] is False
    assert found["Cause"]["Code"] == "Unknown"
    assert found["Traceback"] == {"Lines": []}
    assert [line["Text"] for line in found["LastLines"]] == ["giving up"]


def test_without_a_log_the_reason_has_to_do(studio: Studio):
    fail(studio, "silent", "ClientError: The channel train has no data on any host.")
    found = explain(studio, "silent")
    assert found["Cause"]["Code"] == "EmptyChannel"
    assert found["LastLines"] == []
    assert "LogGroupName" not in found


def test_memory_is_compared_with_what_was_used(studio: Studio):
    job = create(studio, "memory")
    samples = '{"MemoryUsed": 3000000000.0}\nbroken\n{"MemoryUsed": 5000000000.0}'
    write(studio, "/bottega/SystemMetrics", stream_of(job), samples)
    write(studio, "/aws/sagemaker/TrainingJobs", stream_of(job), "epoch 1")
    reason = "AlgorithmError: , exit code: 137 (killed because memory ran out; use less data)"
    end(studio, job, FailureReason=reason, SecondaryStatus="Failed")
    found = explain(studio, "memory")
    assert (found["OutOfMemory"], found["Signal"]) == (True, 9)
    assert "5 GB" in found["Cause"]["Sentence"]


def test_a_module_that_lies_in_a_folder_of_the_code_is_found_there(studio: Studio):
    config = studio.ports.config
    body = code_archive(**{"train__py": "", "steps/prepare__py": ""})
    studio.ports.objects.put(config.bucket, "folders.tar.gz", body)
    uri = f"s3://{config.bucket}/folders.tar.gz"
    trace = (
        'Traceback (most recent call last):\n  File "/opt/ml/code/train.py", line 1, in <module>\n'
        "    import prepare\nModuleNotFoundError: No module named 'prepare'"
    )
    reason = REASON.replace("KeyError: 'Churn'", "ModuleNotFoundError: No module named 'prepare'")
    values = {"sagemaker_submit_directory": uri}
    fail(studio, "folders", reason, trace, HyperParameters=values)
    assert "steps/prepare.py" in explain(studio, "folders")["Cause"]["Sentence"]


def test_data_and_code_that_are_gone_are_no_matter(studio: Studio):
    config = studio.ports.config
    studio.ports.objects.put(config.bucket, "gone/a.csv", b"a,b\n1,2\n")
    channels = [channel("train", f"s3://{config.bucket}/gone", "text/csv")]
    fail(studio, "gone", REASON, TRACE, InputDataConfig=channels)
    studio.ports.objects.delete(config.bucket, ["gone/a.csv"])
    assert explain(studio, "gone")["Cause"]["Code"] == "LabelColumnMissing"


def test_a_job_that_ran_out_of_time_is_explained_too(studio: Studio):
    job = create(studio, "slow", StoppingCondition={"MaxRuntimeInSeconds": 5})
    end(studio, job, "Stopped", SecondaryStatus="MaxRuntimeExceeded")
    assert explain(studio, "slow")["Cause"]["Code"] == "Timeout"


def test_a_processing_job_is_explained(studio: Studio):
    config = studio.ports.config
    request = processing_job("clean", config.bucket, config.role_arn, ["python3", "clean.py"])
    call(studio, "sagemaker", "CreateProcessingJob", **request)
    job = studio.ports.store.get("ProcessingJob", "clean")
    write(studio, "/aws/sagemaker/ProcessingJobs", stream_of(job), TRACE)
    end(studio, job, FailureReason=f"AlgorithmError: {TRACE}, exit code: 1")
    found = explain(studio, "clean", "Processing")
    assert found["Cause"]["Code"] == "LabelColumnMissing"
    assert found["Cause"]["Evidence"]["LogStreamName"] == stream_of(job)
    assert found["Replayable"] is True


def test_a_job_of_another_image_cannot_be_replayed(studio: Studio):
    config, store = studio.ports.config, studio.ports.store
    request = processing_job("own-image", config.bucket, config.role_arn, ["python3", "clean.py"])
    call(studio, "sagemaker", "CreateProcessingJob", **request)
    store.modify("ProcessingJob", "own-image", lambda job: replace(job, private={"docker": True}))
    end(studio, store.get("ProcessingJob", "own-image"), FailureReason="AlgorithmError: exit code")
    assert explain(studio, "own-image", "Processing")["Replayable"] is False


def test_a_tuning_job_is_explained_by_its_last_trial(studio: Studio):
    fail(studio, "search-001-abc", REASON, TRACE)
    store, now = studio.ports.store, studio.ports.clock.now()
    reason = f"All 5 training jobs failed. The last one, search-001-abc, said: {REASON}"
    body = {"FailureReason": reason}
    for name, found in (("search", body), ("odd", {"FailureReason": "another"})):
        store.create(
            Resource("HyperParameterTuningJob", name, name, "Failed", now, now, body=found), tags={}
        )
    answer = explain(studio, "search", "HyperParameterTuning")
    assert (answer["JobKind"], answer["JobName"]) == ("Training", "search-001-abc")
    with pytest.raises(ValidationException, match="odd is Failed, and not for"):
        explain(studio, "odd", "HyperParameterTuning")
    with pytest.raises(ValidationException, match="no tuning job 'none'"):
        explain(studio, "none", "HyperParameterTuning")


def test_a_transform_job_is_explained(studio: Studio):
    store, now = studio.ports.store, studio.ports.clock.now()
    body = {
        "FailureReason": "ClientError: the model server of i-1 ended, exit code: 139",
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    job = Resource("TransformJob", "score", "score", "Failed", now, now, body=body)
    store.create(job, tags={})
    write(studio, "/aws/sagemaker/TransformJobs", "score/i-1", "loading the model")
    found = explain(studio, "score", "Transform")
    assert found["Cause"]["Code"] == "KilledBySignal"
    assert found["Cause"]["Evidence"]["LogStreamName"] == "score/i-1"


def test_a_line_of_any_length_is_looked_at(studio: Studio):
    fail(studio, "wide", REASON, f"{'x' * 3_000_000}\n{TRACE}")
    assert explain(studio, "wide")["Cause"]["Evidence"]["Line"] == 7


def test_what_did_not_fail_is_refused(studio: Studio):
    create(studio, "running")
    with pytest.raises(ValidationException, match="running is InProgress; what can be explained"):
        explain(studio, "running")
    with pytest.raises(ValidationException, match="no transform job 'none'"):
        explain(studio, "none", "Transform")
