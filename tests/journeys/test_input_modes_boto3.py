"""File, FastFile and Pipe through an unmodified boto3: what a job sees of its channels."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from bottega.compute.local.isolation import Machine
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.requests import channel, code_archive, script_job, training_job

XGBOOST = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
PART = 5 << 20
TREE = bytes(range(256)) * (PART // 256) + b"the last part"
"""Larger than a part of an upload."""
RECORDS = """
import os, struct
def records(stream):
    while header := stream.read(8):
        magic, length = struct.unpack("<II", header)
        assert magic == 0xced7230a
        yield stream.read(length)
        stream.read(-length % 4)
"""

_numbers = itertools.count()


class User:
    """Uploads, trains and looks at what came of it."""

    def __init__(self, daemon: TestDaemon) -> None:
        self.daemon = daemon
        self.isolated = Machine().choose(daemon.config.isolation) != "process"
        self.bucket, self.role = daemon.config.bucket, daemon.config.role_arn
        self.sagemaker, self.s3 = daemon.client("sagemaker"), daemon.client("s3")
        self.logs = daemon.client("logs")

    def put(self, key: str, body: bytes) -> str:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return f"s3://{self.bucket}/{key}"

    def start(self, text: str, *channels: dict[str, Any], **changes: Any) -> str:
        """Start a script that reads these channels; returns the job's name."""
        name = f"modes-{next(_numbers)}"
        uri = self.put(f"code/{name}.tar.gz", code_archive(train__py=text))
        request = script_job(
            name, self.bucket, self.role, uri, InputDataConfig=list(channels), **changes
        )
        self.sagemaker.create_training_job(**request)
        return name

    def ended(self, name: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            job = self.sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

        return eventually(over, f"{name} ends")

    def completed(self, name: str, host: str = "algo-1") -> list[str]:
        """The log of a host, once the job has completed."""
        job = self.ended(name)
        assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
        return self.log(name, host)

    def log(self, name: str, host: str = "algo-1") -> list[str]:
        group = "/aws/sagemaker/TrainingJobs"
        streams = self.logs.describe_log_streams(
            logGroupName=group, logStreamNamePrefix=f"{name}/{host}"
        )
        events = self.logs.get_log_events(
            logGroupName=group,
            logStreamName=streams["logStreams"][0]["logStreamName"],
            startFromHead=True,
        )
        return [event["message"] for event in events["events"]]

    def read(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body


@pytest.fixture(scope="module", params=["auto", "process"])
def user(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[User]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, isolation=request.param) as daemon:
        yield User(daemon)


LOOK = """
import hashlib, json, os, pathlib
data = pathlib.Path(os.environ["SM_CHANNEL_TRAIN"])
for path in sorted(p for p in data.rglob("*") if p.is_file()):
    print(path.relative_to(data), path.stat().st_size, hashlib.md5(path.read_bytes()).hexdigest())
    try:
        path.write_bytes(b"harm")
    except OSError as error:
        print(error.strerror)
print(json.loads(os.environ["SM_INPUT_DATA_CONFIG"])["train"]["TrainingInputMode"])
"""


def test_fast_files_are_there_and_no_job_can_harm_the_objects(user: User, tmp_path: Path) -> None:
    (tmp_path / "tree").write_bytes(TREE)
    parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART)
    user.s3.upload_file(str(tmp_path / "tree"), user.bucket, "fast/deep/tree", Config=parts)
    user.put("fast/whole", TREE[:100_000])
    user.put("fast/small", b"small")
    source = channel("train", f"s3://{user.bucket}/fast/", mode="FastFile")
    for _ in range(2):  # the second finds what the first may have changed
        lines = user.completed(user.start(LOOK, source))
        told = [line for line in lines if line.startswith(("deep/", "whole", "small"))]
        assert told == [
            f"{name} {len(data)} {hashlib.md5(data).hexdigest()}"
            for name, data in (
                ("deep/tree", TREE),
                ("small", b"small"),
                ("whole", TREE[:100_000]),
            )
        ]
        assert "FastFile" in lines
        assert lines.count("Read-only file system") == (3 if user.isolated else 0)
    assert user.read("fast/deep/tree") == TREE
    assert user.read("fast/whole") == TREE[:100_000]
    assert user.read("fast/small") == b"small"


def test_a_script_reads_one_pipe_an_epoch_in_orders_of_their_own(user: User) -> None:
    for number in range(20):
        user.put(f"pipe/{number:02}.csv.gz", gzip.compress(f"{number}\n".encode()))
    text = """
import os
pipe = os.environ["SM_CHANNEL_TRAIN"]
for epoch in range(3):
    with open(f"{pipe}_{epoch}") as stream:
        print("epoch", *stream.read().split())
with open(f"{pipe}_3") as stream:
    print("first", stream.readline().strip())
"""
    source = channel("train", f"s3://{user.bucket}/pipe/", mode="Pipe", packed=True, seed=1)
    lines = user.completed(user.start(text, source))
    orders = [line.split()[1:] for line in lines if line.startswith("epoch")]
    assert len(orders) == 3
    assert all(sorted(order, key=int) == [str(n) for n in range(20)] for order in orders)
    assert len({tuple(order) for order in orders}) == 3
    again = user.completed(user.start(text, source))
    assert [line for line in again if line.startswith(("epoch", "first"))] == [
        line for line in lines if line.startswith(("epoch", "first"))
    ]


def test_an_augmented_manifest_comes_as_records(user: User) -> None:
    lines = []
    for number in range(3):
        uri = user.put(f"images/{number}.jpg", b"\xff\xd8\xff" + bytes([number]) * 100_000)
        lines.append({"source-ref": uri, "class": number, "class-metadata": {"x": 1}})
    manifest = user.put("m.manifest", "\n".join(map(json.dumps, lines)).encode())
    source = channel(
        "train",
        manifest,
        "application/x-recordio",
        mode="Pipe",
        records=True,
        S3DataType="AugmentedManifestFile",
        AttributeNames=["source-ref", "class"],
    )
    text = """
for record in records(open(os.environ["SM_CHANNEL_TRAIN"] + "_0", "rb")):
    print("record", len(record), record[:5])
"""
    found = user.completed(user.start(RECORDS + text, source))
    assert [line for line in found if line.startswith("record")] == [
        line
        for number in range(3)
        for line in (
            f"record 100003 {b'%s' % (bytes([255, 216, 255]) + bytes([number]) * 2)!r}",
            f"record 1 {str(number).encode()!r}",
        )
    ]


def test_hosts_share_what_is_sharded(user: User) -> None:
    for number in range(5):
        user.put(f"shared/{number}", f"{number}\n".encode())
    text = """
import os
for epoch in range(2):
    with open(os.environ["SM_CHANNEL_TRAIN"] + f"_{epoch}") as stream:
        print("epoch", *stream.read().split())
"""
    source = channel(
        "train",
        f"s3://{user.bucket}/shared/",
        mode="Pipe",
        S3DataDistributionType="ShardedByS3Key",
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    name = user.start(text, source, ResourceConfig=resources)
    shares = [
        [line.split()[1:] for line in user.completed(name, host) if line.startswith("epoch")]
        for host in ("algo-1", "algo-2")
    ]
    assert shares == [[["0", "2", "4"]] * 2, [["1", "3"]] * 2]


def test_an_entrypoint_reads_its_pipe(user: User) -> None:
    uri = user.put("entry/a", b"rows\n")
    request = training_job(
        f"modes-{next(_numbers)}",
        user.bucket,
        user.role,
        "python",
        InputDataConfig=[channel("train", uri, mode="Pipe")],
    )
    command = 'cat "${BOTTEGA_ML_ROOT:-/opt/ml}/input/data/train_0"'
    request["AlgorithmSpecification"] |= {
        "ContainerEntrypoint": ["/bin/sh"],
        "ContainerArguments": ["-c", command],
    }
    user.sagemaker.create_training_job(**request)
    assert user.completed(request["TrainingJobName"]) == ["rows"]


def test_damaged_data_fail_the_job_with_their_name(user: User) -> None:
    uri = user.put("damaged/a.gz", gzip.compress(TREE)[:-100])
    text = """
import os
print(len(open(os.environ["SM_CHANNEL_TRAIN"] + "_0", "rb").read()))
"""
    job = user.ended(user.start(text, channel("train", uri, mode="Pipe", packed=True)))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        f"ClientError: channel 'train': {uri} cannot be unpacked"
    )


def test_xgboost_learns_the_same_in_every_mode(user: User) -> None:
    rows = "".join(f"{n % 7},{n},{n * n % 31}\n" for n in range(300))
    uri = user.put("rows/a.csv", rows.encode())
    curves = []
    for mode in ("File", "FastFile", "Pipe"):
        name = f"modes-{next(_numbers)}"
        request = training_job(
            name,
            user.bucket,
            user.role,
            XGBOOST,
            InputDataConfig=[channel("train", uri, "text/csv")],
            HyperParameters={"num_round": "4"},
        )
        request["AlgorithmSpecification"]["TrainingInputMode"] = mode
        user.sagemaker.create_training_job(**request)
        found = [line for line in user.completed(name) if "train-rmse" in line]
        curves.append([line.partition("[")[2] for line in found])
    assert len(curves[0]) == 4
    assert curves[0] == curves[1] == curves[2]


def test_nothing_of_a_job_is_left(user: User) -> None:
    uri = user.put("gone/a", TREE)
    channels = [channel("train", uri, mode="Pipe"), channel("more", uri, mode="FastFile")]
    user.completed(user.start("print('done')", *channels))
    work = user.daemon.home / "work" / "training"
    eventually(lambda: not any(work.iterdir()), "the job's folder is removed")
    assert user.read("gone/a") == TREE


@pytest.mark.slow
def test_the_daemon_may_die_and_the_pipes_go_on(tmp_path: Path) -> None:
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        user = User(daemon)
        for number in range(3):
            user.put(f"long/{number}", TREE)
        text = """
import os, time
for epoch in range(60):
    with open(os.environ["SM_CHANNEL_TRAIN"] + f"_{epoch}", "rb") as stream:
        print("epoch", epoch, sum(len(chunk) for chunk in iter(lambda: stream.read(65536), b"")))
    time.sleep(0.02)
"""
        name = user.start(text, channel("train", f"s3://{user.bucket}/long/", mode="Pipe", seed=3))

        def begun() -> bool:
            job = user.sagemaker.describe_training_job(TrainingJobName=name)
            training = job["SecondaryStatus"] == "Training"
            return training and any(line.startswith("epoch") for line in user.log(name))

        eventually(begun, "the first epoch")
        daemon.restart()
        again = User(daemon)
        # What a running job reads is its own, whatever becomes of the objects.
        again.s3.delete_object(Bucket=again.bucket, Key="long/1")
        lines = [line for line in again.completed(name) if line.startswith("epoch")]
        assert lines == [f"epoch {epoch} {3 * len(TREE)}" for epoch in range(60)]
