"""Transform jobs that run: real model servers, real drivers, small data."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import psutil
import pytest

from bottega.features.transform.entities import KIND, JobFolders, TransformJob
from bottega.features.transform.progress import Progress
from bottega.testing.hosting import until
from bottega.testing.processes import descendants, holders, kill
from bottega.testing.transform import LINES, TransformStudio

HURDLES = """
import json, os, time

def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    lines = text.split("\\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        if line == "raise":
            raise LookupError("no such customer")
        if line == "die":
            os._exit(9)
        if line.startswith("wait"):
            time.sleep(float(line[4:]))
    return "".join(f"{os.environ['SAGEMAKER_BATCH_STRATEGY']} {len(lines)}\\n" for line in lines)
"""
"""Answers every line with the strategy and the number of lines of its request."""

JSON_SUM = """
import json

def model_fn(model_dir):
    return None

def transform_fn(model, body, content_type, accept):
    text = body if isinstance(body, str) else body.decode()
    return "".join(
        json.dumps({"sum": sum(json.loads(line))}) + "\\n" for line in text.splitlines()
    )
"""


@pytest.fixture(scope="module")
def lines(jobs: TransformStudio) -> str:
    return jobs.model("lines", LINES)


@pytest.fixture(scope="module")
def hurdles(jobs: TransformStudio) -> str:
    return jobs.model("hurdles", HURDLES)


def test_every_object_has_its_result(jobs: TransformStudio, lines: str) -> None:
    files = {"a.txt": "1\n2\n", "b/c.txt": "3", "b/empty.txt": "", "b.txt": "4\n\n5\r\n"}
    assert jobs.run(lines, files, MaxConcurrentTransforms=4) == {
        "a.txt.out": b"<1>\n<2>\n",
        "b.txt.out": b"<4>\n<5\r>\n",
        "b/c.txt.out": b"<3>\n",
        "b/empty.txt.out": b"",
    }


def test_several_instances_divide_the_objects(jobs: TransformStudio, lines: str) -> None:
    files = {f"{n}.txt": f"{n}\n" for n in range(5)}
    found = jobs.run(lines, files, name="divided", instances=2)
    assert found == {f"{n}.txt.out": f"<{n}>\n".encode() for n in range(5)}
    job = jobs.describe("divided")
    assert job["TransformStartTime"] <= job["TransformEndTime"]


def test_more_instances_than_objects(jobs: TransformStudio, lines: str) -> None:
    assert jobs.run(lines, {"a": "1"}, instances=2) == {"a.out": b"<1>\n"}


def test_one_record_a_request_and_all_that_fit(jobs: TransformStudio, hurdles: str) -> None:
    files = {"a": "".join(f"{n}\n" for n in range(20))}
    several = jobs.run(hurdles, files)
    assert several == {"a.out": b"MULTI_RECORD 20\n" * 20}
    single = jobs.run(hurdles, files, BatchStrategy="SingleRecord", MaxConcurrentTransforms=3)
    assert single == {"a.out": b"SINGLE_RECORD 1\n" * 20}


def test_requests_are_as_large_as_they_may_be(jobs: TransformStudio, hurdles: str) -> None:
    line = "x" * 1023 + "\n"
    found = jobs.run(hurdles, {"a": line * 1500}, MaxPayloadInMB=1, MaxConcurrentTransforms=2)
    assert found == {"a.out": b"MULTI_RECORD 1024\n" * 1024 + b"MULTI_RECORD 476\n" * 476}


def test_gzip_is_unpacked(jobs: TransformStudio, lines: str) -> None:
    text = "".join(f"{n}\n" for n in range(1000))
    found = jobs.run(lines, {"a.gz": gzip.compress(text.encode())}, gzip=True)
    assert found == {"a.gz.out": "".join(f"<{n}>\n" for n in range(1000)).encode()}


def test_a_whole_object_is_one_request(jobs: TransformStudio, lines: str) -> None:
    found = jobs.run(lines, {"a": "1\n2\n", "b": "3"}, split="None", assemble="None")
    assert found == {"a.out": b"<1>\n<2>\n", "b.out": b"<3>\n"}
    found = jobs.run(lines, {"a": "1\n2"}, split="None", assemble="None", MaxPayloadInMB=0)
    assert found == {"a.out": b"<1>\n<2>\n"}


def test_a_manifest_names_the_objects(jobs: TransformStudio, lines: str) -> None:
    uri = jobs.put("listed", {"x/a": "1", "b": "2", "not": "3"})
    jobs.put("manifests", {"m": json.dumps([{"prefix": uri}, "x/a", "b"])})
    source = {
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "ManifestFile",
                "S3Uri": f"s3://{jobs.bucket}/manifests/m",
            }
        },
        "SplitType": "Line",
    }
    assert jobs.run(lines, {}, TransformInput=source) == {"b.out": b"<2>\n", "x/a.out": b"<1>\n"}


def test_json_records_are_filtered_and_joined(jobs: TransformStudio) -> None:
    model = jobs.model("sum", JSON_SUM)
    rows = "".join(f'{{"id":"r{n}","x":[{n},1]}}\n' for n in range(50))
    found = jobs.run(
        model,
        {"a.jsonl": rows},
        content_type="application/jsonlines",
        accept="application/jsonlines",
        DataProcessing={
            "InputFilter": "$.x",
            "JoinSource": "Input",
            "OutputFilter": "$['id','SageMakerOutput']",
        },
    )
    wanted = [{"id": f"r{n}", "SageMakerOutput": {"sum": n + 1}} for n in range(50)]
    assert [json.loads(line) for line in found["a.jsonl.out"].splitlines()] == wanted


def test_what_the_model_says_is_the_reason(jobs: TransformStudio, hurdles: str) -> None:
    files = {"a": "1\n", "b": "1\n2\nraise\n", "c": "raise\n", "d": "4\n"}
    name = jobs.create(
        hurdles,
        files,
        BatchStrategy="SingleRecord",
        ModelClientConfig={"InvocationsMaxRetries": 0},
    )
    job = jobs.ended(name)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(f"AlgorithmError: s3://{jobs.bucket}/in/{name}/b: ")
    assert "line 3: server error (500)" in job["FailureReason"]
    assert "no such customer" in job["FailureReason"]
    assert "2 of 4 objects failed" in job["FailureReason"]
    assert set(jobs.results(name)) == {"a.out", "d.out"}  # whole results of what went well


def test_a_wrong_number_of_lines_fails_the_job(jobs: TransformStudio) -> None:
    model = jobs.model("one", LINES.replace('"".join(f"<{line}>\\n" for line in lines)', '"1\\n"'))
    reason = jobs.fail(model, {"a": "1\n2\n3\n"})
    assert "lines 1 to 3 with 1 lines instead of 3" in reason


def test_a_model_server_that_dies_is_started_again(jobs: TransformStudio, hurdles: str) -> None:
    text = "".join(f"wait0.02{n:02d}\n" for n in range(60))
    name = jobs.create(hurdles, {"a": text}, BatchStrategy="SingleRecord")
    kill_once(jobs, name, "server")
    assert jobs.ended(name)["TransformJobStatus"] == "Completed"
    assert jobs.results(name) == {"a.out": b"SINGLE_RECORD 1\n" * 60}


def test_a_driver_that_dies_goes_on(jobs: TransformStudio, lines: str) -> None:
    slow = jobs.model("slow", LINES.replace("    return", "    time.sleep(0.02)\n    return"))
    text = "".join(f"{n}\n" for n in range(80))
    name = jobs.create(slow, {"a": text}, BatchStrategy="SingleRecord")
    until(lambda: progress(jobs, name).requests > 0)
    kill_once(jobs, name, "driver")
    assert jobs.ended(name)["TransformJobStatus"] == "Completed"
    assert jobs.results(name) == {"a.out": "".join(f"<{n}>\n" for n in range(80)).encode()}


def test_a_record_that_kills_the_server_fails_the_job(jobs: TransformStudio, hurdles: str) -> None:
    reason = jobs.fail(hurdles, {"a": "1\ndie\n"}, BatchStrategy="SingleRecord")
    assert "line 2: the model server ended 3 times while it worked on it" in reason


def test_a_model_that_does_not_load_fails_the_job(jobs: TransformStudio) -> None:
    model = jobs.model("broken", "raise LookupError('no weights')")
    assert "no weights" in jobs.fail(model, {"a": "1"})


def test_a_request_that_takes_too_long_fails_the_job(jobs: TransformStudio, hurdles: str) -> None:
    limits = {"InvocationsTimeoutInSeconds": 1, "InvocationsMaxRetries": 0}
    reason = jobs.fail(hurdles, {"a": "wait5\n"}, ModelClientConfig=limits)
    assert "did not answer within 1 seconds" in reason


def test_stopping_keeps_what_is_done(jobs: TransformStudio, hurdles: str) -> None:
    name = jobs.create(hurdles, {"a": "1\n", "b": "wait300\n"})
    until(lambda: jobs.results(name))
    jobs.call("StopTransformJob", TransformJobName=name)
    job = jobs.ended(name)
    assert job["TransformJobStatus"] == "Stopped"
    assert set(jobs.results(name)) == {"a.out"}
    until(lambda: not (jobs.work / name).exists())


def test_records_are_captured(jobs: TransformStudio, lines: str) -> None:
    target = f"s3://{jobs.bucket}/captured"
    capture = {"DestinationS3Uri": target, "GenerateInferenceId": True}
    files = {"x/a": "1\n2\n", "x/b": "3\n"}
    found = jobs.run(lines, files, name="seen", content_type="text/csv", DataCaptureConfig=capture)
    parts = [line.split(",") for line in found["x/a.out"].decode().splitlines()]
    assert [part[0] for part in parts] == ["<1>", "<2>"]
    assert len({part[1] for part in parts}) == 2
    manifests: dict[str, Any] = {}
    objects = jobs.studio.ports.objects
    for info in objects.each(jobs.bucket, "captured/"):
        with objects.open(jobs.bucket, info.key) as stream:
            manifests[info.key.split("/")[1]] = json.loads(stream.read())
    assert manifests == {
        "input": [{"prefix": f"s3://{jobs.bucket}/in/seen/x/"}, "a", "b"],
        "output": [{"prefix": f"s3://{jobs.bucket}/out/seen/x/"}, "a.out", "b.out"],
    }


def test_a_bucket_that_goes_away_fails_the_job(jobs: TransformStudio, lines: str) -> None:
    jobs.studio.ports.objects.create_bucket("soon-gone")
    slow = jobs.model("late", LINES.replace("    return None", "    time.sleep(1)"))
    output = {"S3OutputPath": "s3://soon-gone/out"}
    name = jobs.create(slow, {"a": "1"}, TransformOutput=output)
    jobs.studio.ports.objects.delete_bucket("soon-gone")
    assert "soon-gone does not exist" in jobs.ended(name)["FailureReason"]


def progress(jobs: TransformStudio, name: str) -> Progress:
    """What the job's first driver has noted."""
    job = TransformJob(jobs.studio.ports.store.get(KIND, name))
    folders = JobFolders.of(jobs.studio.ports.config, job)
    return Progress.load(folders.instances[0].driver.progress)


def kill_once(jobs: TransformStudio, name: str, part: str) -> None:
    """``kill -9`` of the newest process of a job's first instance."""
    until(lambda: progress(jobs, name).requests > 0)
    runs = jobs.work / name / "instances" / "0" / part
    kill([until_found(runs)])


def until_found(runs: Path) -> psutil.Process:
    """The process that runs in the folder of a workload: the supervisor's child."""
    found: list[psutil.Process] = []

    def look() -> bool:
        for process in holders(runs):
            if process.pid != os.getpid():  # the runner follows the logs
                found.extend(descendants(process)[-1:])
        return bool(found)

    until(look)
    return found[-1]
