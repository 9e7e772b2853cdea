"""Processing jobs through boto3: programs that run, fail, stop, wait, and outlive the daemon."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.requests import processing_input, processing_job, processing_outputs
from bottega.testing.wheels import write_wheel

GROUP = "/aws/sagemaker/ProcessingJobs"
CODE = "/opt/ml/processing/input/code/script.py"
COPY = """
import json, os, pathlib, sys
root = pathlib.Path("/opt/ml/processing")
for path in sorted((root / "input/data").rglob("*.csv")):
    (root / "result" / path.name).write_text(path.read_text().upper())
config = json.load(open("/opt/ml/config/processingjobconfig.json"))
hosts = json.load(open("/opt/ml/config/resourceconfig.json"))
facts = {"arguments": sys.argv[1:], "job": os.environ["PROCESSING_JOB_NAME"],
         "mine": os.environ["MINE"],
         "arn": config["ProcessingJobArn"], "experiment": config["ExperimentConfig"],
         "host": hosts["current_host"]}
(root / "result" / "facts.json").write_text(json.dumps(facts))
os.symlink("/etc/passwd", root / "result" / "link")
os.makedirs("/opt/ml/output", exist_ok=True)
open("/opt/ml/output/message", "w").write("two files")
print("done")
"""


class Jobs:
    """A daemon and what these tests ask of it."""

    def __init__(self, daemon: TestDaemon) -> None:
        self.daemon, self.config = daemon, daemon.config
        self.s3, self.sagemaker = daemon.client("s3"), daemon.client("sagemaker")

    def put(self, key: str, text: str | bytes) -> str:
        body = text.encode() if isinstance(text, str) else text
        self.s3.put_object(Bucket=self.config.bucket, Key=key, Body=body)
        return f"s3://{self.config.bucket}/{key}"

    def start(self, name: str, script: str, *arguments: str, **changes: Any) -> None:
        code = processing_input("code", self.put(f"{name}/input/code/script.py", script))
        changes["ProcessingInputs"] = [code, *changes.get("ProcessingInputs", ())]
        command = ["python3", CODE]
        request = processing_job(name, self.config.bucket, self.config.role_arn, command, **changes)
        if arguments:
            request["AppSpecification"]["ContainerArguments"] = list(arguments)
        self.sagemaker.create_processing_job(**request)

    def describe(self, name: str) -> Any:
        return self.sagemaker.describe_processing_job(ProcessingJobName=name)

    def wait(self, name: str, *statuses: str) -> Any:
        wanted = statuses or ("Completed", "Failed", "Stopped")
        eventually(
            lambda: self.describe(name)["ProcessingJobStatus"] in wanted, f"{name} is {wanted}"
        )
        return self.describe(name)

    def text(self, key: str) -> str:
        found = self.s3.get_object(Bucket=self.config.bucket, Key=key)
        return str(found["Body"].read().decode())

    def keys(self, prefix: str) -> list[str]:
        found = self.s3.list_objects_v2(Bucket=self.config.bucket, Prefix=prefix)
        return [entry["Key"] for entry in found.get("Contents", ())]

    def lines(self, name: str) -> list[str]:
        logs = self.daemon.client("logs")
        try:
            streams = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams["logStreams"]
            for event in logs.get_log_events(
                logGroupName=GROUP, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]

    def uri(self, key: str) -> str:
        return f"s3://{self.config.bucket}/{key}"


@pytest.fixture(scope="module")
def jobs(plain_daemon: TestDaemon) -> Jobs:
    return Jobs(plain_daemon)


def test_a_script_reads_its_inputs_and_its_outputs_are_uploaded(jobs: Jobs):
    jobs.put("raw/a.csv", "x,y\n")
    jobs.put("raw/deep/b.csv", "z\n")
    jobs.start(
        "copy",
        COPY,
        "--mode",
        "fast",
        ProcessingInputs=[processing_input("data", jobs.uri("raw/"))],
        ProcessingOutputConfig=processing_outputs(result=jobs.uri("copied")),
        Environment={"MINE": "yes"},
        Tags=[{"Key": "team", "Value": "blue"}],
    )
    job = jobs.wait("copy")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert job["ExitMessage"] == "two files"
    assert job["ProcessingStartTime"] <= job["ProcessingEndTime"]
    assert job["AppSpecification"]["ContainerArguments"] == ["--mode", "fast"]
    assert jobs.keys("copied/") == ["copied/a.csv", "copied/b.csv", "copied/facts.json"]
    assert jobs.text("copied/a.csv") == "X,Y\n"
    facts = json.loads(jobs.text("copied/facts.json"))
    assert facts == {
        "arguments": ["--mode", "fast"],
        "job": "copy",
        "mine": "yes",
        "arn": job["ProcessingJobArn"],
        "experiment": None,
        "host": "algo-1",
    }
    assert "done" in jobs.lines("copy")
    tags = jobs.sagemaker.list_tags(ResourceArn=job["ProcessingJobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    listed = jobs.sagemaker.list_processing_jobs(NameContains="copy")["ProcessingJobSummaries"]
    assert [(one["ProcessingJobName"], one["ExitMessage"]) for one in listed] == [
        ("copy", "two files")
    ]


def test_a_failing_script_says_why(jobs: Jobs):
    jobs.start("fails", "def clean():\n    raise ValueError('no rows')\nclean()\n")
    job = jobs.wait("fails")
    assert job["ProcessingJobStatus"] == "Failed"
    reason = job["FailureReason"]
    assert reason.startswith("AlgorithmError: Traceback (most recent call last):")
    assert "ValueError: no rows" in reason
    assert reason.endswith(", exit code: 1")


def test_two_hosts_share_what_is_sharded(jobs: Jobs):
    for letter in "abcd":
        jobs.put(f"four/{letter}.txt", letter)
    script = """
import json, pathlib
host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
names = sorted(p.name for p in pathlib.Path("/opt/ml/processing/input/data").iterdir())
pathlib.Path("/opt/ml/processing/result", host).write_text(" ".join(names))
"""
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
    jobs.start(
        "sharded",
        script,
        ProcessingInputs=[
            processing_input("data", jobs.uri("four/"), S3DataDistributionType="ShardedByS3Key")
        ],
        ProcessingOutputConfig=processing_outputs(result=jobs.uri("shards")),
        ProcessingResources={"ClusterConfig": cluster},
    )
    job = jobs.wait("sharded")
    assert job["ProcessingJobStatus"] == "Completed", job
    assert [jobs.text(key) for key in jobs.keys("shards/")] == ["a.txt c.txt", "b.txt d.txt"]


def test_a_stopped_job_gives_what_it_has(jobs: Jobs):
    script = """
import time
open("/opt/ml/processing/early/part", "w").write("some")
open("/opt/ml/processing/late/part", "w").write("some")
print("waiting")
time.sleep(600)
"""
    outputs = processing_outputs("Continuous", early=jobs.uri("stopped/early"))["Outputs"]
    outputs += processing_outputs(late=jobs.uri("stopped/late"))["Outputs"]
    jobs.start("stops", script, ProcessingOutputConfig={"Outputs": outputs})
    # What is Continuous comes while the job runs.
    eventually(lambda: jobs.keys("stopped/early"), "the part is uploaded")
    assert jobs.describe("stops")["ProcessingJobStatus"] == "InProgress"
    assert not jobs.keys("stopped/late")
    jobs.sagemaker.stop_processing_job(ProcessingJobName="stops")
    assert jobs.wait("stops")["ProcessingJobStatus"] == "Stopped"
    assert jobs.keys("stopped/late") == ["stopped/late/part"]
    with pytest.raises(botocore.exceptions.ClientError, match="is in status Stopped"):
        jobs.sagemaker.stop_processing_job(ProcessingJobName="stops")


def test_time_runs_out(jobs: Jobs):
    jobs.start("slow", "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert jobs.wait("slow")["ProcessingJobStatus"] == "Stopped"


def test_unknown_and_taken_names(jobs: Jobs):
    for call in (jobs.sagemaker.describe_processing_job, jobs.sagemaker.stop_processing_job):
        with pytest.raises(botocore.exceptions.ClientError) as refusal:
            call(ProcessingJobName="nobody")
        assert refusal.value.response["Error"]["Code"] == "ValidationException"
        assert "Could not find requested job with name: nobody" in str(refusal.value)
    jobs.start("taken", "print(1)")
    with pytest.raises(jobs.sagemaker.exceptions.ResourceInUse, match="names must be unique"):
        jobs.start("taken", "print(1)")
    jobs.wait("taken")


def test_a_job_that_has_ended_is_deleted_and_its_name_is_free(jobs: Jobs):
    refusals = jobs.sagemaker.exceptions
    with pytest.raises(refusals.ResourceNotFound, match="Could not find requested job"):
        jobs.sagemaker.delete_processing_job(ProcessingJobName="nobody")
    jobs.start("deleted", "import time; print('first', flush=True); time.sleep(600)")
    eventually(lambda: "first" in jobs.lines("deleted"), "the script runs")
    with pytest.raises(refusals.ResourceInUse, match="is in status InProgress; stop it"):
        jobs.sagemaker.delete_processing_job(ProcessingJobName="deleted")
    jobs.sagemaker.stop_processing_job(ProcessingJobName="deleted")
    jobs.wait("deleted")
    jobs.sagemaker.delete_processing_job(ProcessingJobName="deleted")
    assert not jobs.sagemaker.list_processing_jobs(NameContains="deleted")["ProcessingJobSummaries"]
    jobs.start("deleted", "print('second')")
    assert jobs.wait("deleted")["ProcessingJobStatus"] == "Completed"
    assert "second" in jobs.lines("deleted")


RUNPROC = """#!/bin/bash
cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz
set -e
if [[ -f 'requirements.txt' ]]; then
    pip uninstall --yes typing
    pip install -r requirements.txt
fi
python3 train.py "$@"
"""
"""The kind of entrypoint that FrameworkProcessor uploads."""
PACKAGED = """
import json, os, pathlib, subprocess, sys
import numpy, tiny, part.rows
where = pathlib.Path(tiny.__file__).parent
facts = {"arguments": sys.argv[1:], "tiny": tiny.ANSWER, "rows": part.rows.COUNT,
         "numpy": str(pathlib.Path(numpy.__file__).parent.parent), "packages": str(where)}
open("/opt/ml/processing/result/facts.json", "w").write(json.dumps(facts))
"""


def test_a_framework_processors_shell_script_unpacks_and_installs(jobs: Jobs, tmp_path: Path):
    wheel = write_wheel(tmp_path, "tiny", "1.0", "ANSWER = 42")
    files = {
        "train.py": PACKAGED.encode(),
        "part/rows.py": b"COUNT = 3",
        "requirements.txt": f"numpy>=1\n./{wheel.name}\n".encode(),
        wheel.name: wheel.read_bytes(),
    }
    code = jobs.put("framework/code/sourcedir.tar.gz", archive(files))
    script = jobs.put("framework/entrypoint/runproc.sh", RUNPROC)
    places = "/opt/ml/processing/input"
    request = processing_job(
        "framework",
        jobs.config.bucket,
        jobs.config.role_arn,
        ["/bin/bash", f"{places}/entrypoint/runproc.sh"],
        ProcessingInputs=[
            processing_input("code", code, f"{places}/code/"),
            processing_input("entrypoint", script, f"{places}/entrypoint"),
        ],
        ProcessingOutputConfig=processing_outputs(result=jobs.uri("framework/out")),
    )
    request["AppSpecification"]["ContainerArguments"] = ["--a", "two words"]
    jobs.sagemaker.create_processing_job(**request)
    assert jobs.wait("framework")["ProcessingJobStatus"] == "Completed", jobs.lines("framework")
    facts = json.loads(jobs.text("framework/out/facts.json"))
    assert (facts["arguments"], facts["tiny"], facts["rows"]) == (["--a", "two words"], 42, 3)
    # Only what was missing came to the job's own folder.
    assert facts["packages"] == "/opt/ml/packages"
    assert facts["numpy"] != "/opt/ml/packages"


def archive(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


TALKING = """
import json, os, socket, time
facts = json.load(open("/opt/ml/config/resourceconfig.json"))
host, first = facts["current_host"], facts["hosts"][0]
if host == first:
    with socket.create_server((socket.gethostbyname(first), 9111)) as server:
        server.settimeout(60)
        told, _ = server.accept()
        said = told.makefile().read()
        open("/opt/ml/processing/result/heard", "w").write(said)
else:
    while True:
        try:
            with socket.create_connection((first, 9111), timeout=60) as line:
                line.sendall(f"{host} of {facts['hosts']}".encode())
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
print("network", [name for _, name in socket.if_nameindex()])
print("aws", "AWS_ENDPOINT_URL" in os.environ)
print("I am", host)
"""


def test_hosts_without_network_reach_one_another_and_each_has_a_log(jobs: Jobs):
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 10}
    jobs.start(
        "talking",
        TALKING,
        ProcessingResources={"ClusterConfig": cluster},
        ProcessingOutputConfig=processing_outputs(result=jobs.uri("talking/out")),
        NetworkConfig={"EnableNetworkIsolation": True},
    )
    job = jobs.wait("talking")
    assert job["ProcessingJobStatus"] == "Completed", jobs.lines("talking")
    assert jobs.text("talking/out/heard") == "algo-2 of ['algo-1', 'algo-2']"
    streams = jobs.daemon.client("logs").describe_log_streams(
        logGroupName=GROUP, logStreamNamePrefix="talking/algo-"
    )["logStreams"]
    names = [stream["logStreamName"].rpartition("-")[0] for stream in streams]
    assert names == ["talking/algo-1", "talking/algo-2"]
    lines = jobs.lines("talking")
    assert [line for line in lines if line.startswith("I am")] == ["I am algo-1", "I am algo-2"]
    assert lines.count("network ['lo']") == 2
    assert lines.count("aws False") == 2


def test_what_the_program_manages_by_itself_is_left_to_it(jobs: Jobs):
    script = """
import os
print(sorted(os.listdir("/opt/ml/processing/input")))
os.makedirs("/opt/ml/processing/mine")
open("/opt/ml/processing/mine/part", "w").write("not uploaded")
"""
    own = processing_input("own", jobs.uri("not/there"), "/opt/ml/processing/input/own")
    (output,) = processing_outputs(mine=jobs.uri("managed/out"))["Outputs"]
    jobs.start(
        "managed",
        script,
        ProcessingInputs=[{**own, "AppManaged": True}],
        ProcessingOutputConfig={"Outputs": [{**output, "AppManaged": True}]},
    )
    job = jobs.wait("managed")
    assert job["ProcessingJobStatus"] == "Completed", jobs.lines("managed")
    assert job["ProcessingInputs"][1]["AppManaged"] is True
    assert "['code']" in jobs.lines("managed")
    assert jobs.keys("managed/out") == []


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path / "h", tracking=False, slots=1) as daemon:
        yield daemon


def test_a_killed_daemon_loses_no_job(fresh: TestDaemon):
    jobs = Jobs(fresh)
    script = """
import pathlib, time
print("started", flush=True)
while not pathlib.Path("/opt/ml/processing/go").exists():
    time.sleep(0.05)
pathlib.Path("/opt/ml/processing/result/done").write_text("yes")
print("ended", flush=True)
"""
    outputs = processing_outputs(result=jobs.uri("kept"))
    jobs.start("runs", script, ProcessingOutputConfig=outputs)
    jobs.start("waits", "print('at last')")
    eventually(lambda: "started" in jobs.lines("runs"), "the script runs")
    assert jobs.describe("waits")["ProcessingJobStatus"] == "InProgress"
    fresh.kill()
    processing = fresh.config.home / "work" / "processing" / "runs" / "hosts" / "algo-1"
    (processing / "processing" / "go").touch()
    fresh.restart()
    jobs = Jobs(fresh)
    assert jobs.wait("runs")["ProcessingJobStatus"] == "Completed"
    assert jobs.text("kept/done") == "yes"
    assert jobs.lines("runs") == ["started", "ended"]
    assert jobs.wait("waits")["ProcessingJobStatus"] == "Completed"
    eventually(lambda: not any((fresh.config.home / "work" / "processing").iterdir()), "tidy")
