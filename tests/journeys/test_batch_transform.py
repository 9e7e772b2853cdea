"""Batch transform through ``kill -9``: one line of output for each line of input, in order."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import archive
from bottega.testing.processes import descendants, holders, kill
from bottega.testing.requests import channel, training_job
from bottega.testing.transform import LINES, transform_request

FEW = 1_200
MANY = 1_000_000
SLOW = LINES.replace("    lines = text", "    time.sleep(0.002)\n    lines = text")


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path / "h", tracking=False) as daemon:
        yield daemon


def status(daemon: TestDaemon, name: str) -> str:
    job = daemon.client("sagemaker").describe_transform_job(TransformJobName=name)
    assert job["TransformJobStatus"] != "Failed", job
    return str(job["TransformJobStatus"])


def result(daemon: TestDaemon, key: str) -> bytes:
    got = daemon.client("s3").get_object(Bucket=daemon.config.bucket, Key=key)
    return bytes(got["Body"].read())


def noted(daemon: TestDaemon, name: str) -> int:
    """How many lines of the first object the job has noted as done."""
    folder = daemon.home / "work" / "transform" / name / "instances" / "0" / "data"
    try:
        progress = json.loads((folder / "progress.json").read_text())
    except FileNotFoundError:
        return 0
    return int(progress["line"]) - 1


def kill_part(daemon: TestDaemon, name: str, part: str) -> None:
    """``kill -9`` of all processes of one part of a job: ``server`` or ``driver``."""
    runs = daemon.home / "work" / "transform" / name / "instances" / "0" / part
    victims = holders(runs)
    assert victims
    kill(process for victim in victims for process in (*descendants(victim), victim))


def start(daemon: TestDaemon, model: str, data: bytes, **changes: Any) -> None:
    """A job ``job`` over one object."""
    bucket = daemon.config.bucket
    daemon.client("s3").put_object(Bucket=bucket, Key="in/data.csv", Body=data)
    request = transform_request(
        "job", model, f"s3://{bucket}/in/data.csv", f"s3://{bucket}/out", **changes
    )
    daemon.client("sagemaker").create_transform_job(**request)


def create_model(daemon: TestDaemon, name: str, image: str, uri: str) -> None:
    daemon.client("sagemaker").create_model(
        ModelName=name,
        ExecutionRoleArn=daemon.config.role_arn,
        PrimaryContainer={"Image": image, "ModelDataUrl": uri},
    )


def test_kills_of_everything_lose_and_double_no_line(fresh: TestDaemon):
    bucket = fresh.config.bucket
    files = archive({"code/inference.py": SLOW})
    fresh.client("s3").put_object(Bucket=bucket, Key="m.tar.gz", Body=files)
    create_model(fresh, "lines", "python", f"s3://{bucket}/m.tar.gz")
    data = "".join(f"{n}\n" for n in range(FEW)).encode()
    more = {"BatchStrategy": "SingleRecord", "MaxConcurrentTransforms": 4}
    start(fresh, "lines", data, **more)
    eventually(lambda: noted(fresh, "job") > 0, "the first lines are done")
    kill_part(fresh, "job", "server")
    before = noted(fresh, "job")
    eventually(lambda: noted(fresh, "job") > before, "it goes on")
    fresh.kill()
    kill_part(fresh, "job", "driver")
    fresh.start()
    eventually(lambda: status(fresh, "job") == "Completed", "the job completes")
    assert result(fresh, "out/data.csv.out") == b"".join(b"<%d>\n" % n for n in range(FEW))
    eventually(lambda: not any((fresh.home / "work" / "transform").iterdir()), "it is tidy")


def abalone(shared_data: Path) -> tuple[list[str], str]:
    """Rows of features, and the same with the label before them."""
    import pandas

    names = ["sex", *"abcdefg", "rings"]
    table = pandas.read_csv(shared_data / "abalone" / "abalone.csv", header=None, names=names)
    rows = table[list("abcdefg")].astype(str).agg(",".join, axis=1).tolist()
    return rows, "".join(f"{r},{row}\n" for r, row in zip(table["rings"], rows, strict=True))


def train(daemon: TestDaemon, training: str) -> None:
    """Train XGBoost, and make a model ``abalone`` of it."""
    bucket, role = daemon.config.bucket, daemon.config.role_arn
    sagemaker = daemon.client("sagemaker")
    daemon.client("s3").put_object(Bucket=bucket, Key="train/a.csv", Body=training.encode())
    sagemaker.create_training_job(
        **training_job(
            "abalone",
            bucket,
            role,
            "xgboost",
            HyperParameters={"num_round": "50", "objective": "reg:squarederror"},
            InputDataConfig=[channel("train", f"s3://{bucket}/train", "text/csv")],
        )
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="abalone", WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    create_model(daemon, "abalone", "xgboost", f"s3://{bucket}/output/abalone/output/model.tar.gz")


def test_predictions_stand_beside_real_rows(fresh: TestDaemon, shared_data: Path, tmp_path: Path):
    """Two instances, packed objects, an id that the model does not see."""
    import numpy
    import xgboost

    rows, training = abalone(shared_data)
    train(fresh, training)
    bucket, s3 = fresh.config.bucket, fresh.client("s3")
    halves = [range(2000), range(2000, len(rows))]
    for part, numbers in enumerate(halves):
        text = "".join(f"id-{n},{rows[n]}\n" for n in numbers)
        key = f"in/part-{part}.csv.gz"
        s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(text.encode()))
    fresh.client("sagemaker").create_transform_job(
        **transform_request(
            "job",
            "abalone",
            f"s3://{bucket}/in/part",
            f"s3://{bucket}/out/",
            content_type="text/csv",
            accept="text/csv",
            gzip=True,
            instances=2,
            DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input"},
        )
    )
    eventually(lambda: status(fresh, "job") == "Completed", "the job completes")
    model = tmp_path / "model.tar.gz"
    s3.download_file(bucket, "output/abalone/output/model.tar.gz", str(model))
    with tarfile.open(model) as archived:
        archived.extractall(tmp_path / "model", filter="data")
    booster = xgboost.Booster()
    booster.load_model(bytearray((tmp_path / "model" / "xgboost-model").read_bytes()))
    values = numpy.array([[float(cell) for cell in row.split(",")] for row in rows])
    wanted = booster.predict(xgboost.DMatrix(values))
    for part, numbers in enumerate(halves):
        lines = result(fresh, f"out/part-{part}.csv.gz.out").decode().splitlines()
        cut = [line.rpartition(",") for line in lines]
        assert [row for row, _, _ in cut] == [f"id-{n},{rows[n]}" for n in numbers]
        found = [float(prediction) for _, _, prediction in cut]
        numpy.testing.assert_allclose(found, wanted[list(numbers)], rtol=1e-5)


@pytest.mark.slow
def test_a_million_lines_through_kills(fresh: TestDaemon, shared_data: Path):
    """Real rows, over and over, each with its number; a model that was trained on them."""
    rows, training = abalone(shared_data)
    train(fresh, training)
    data = "".join(f"{n},{rows[n % len(rows)]}\n" for n in range(MANY)).encode()
    start(
        fresh,
        "abalone",
        data,
        content_type="text/csv",
        accept="text/csv",
        MaxPayloadInMB=1,
        MaxConcurrentTransforms=2,
        DataProcessing={
            "InputFilter": "$[1:]",
            "JoinSource": "Input",
            "OutputFilter": "$[0,-1]",
        },
    )
    eventually(lambda: noted(fresh, "job") > 0, "the first lines are done")
    kill_part(fresh, "job", "server")
    before = noted(fresh, "job")
    eventually(lambda: noted(fresh, "job") > before, "it goes on")
    fresh.kill()
    kill_part(fresh, "job", "driver")
    fresh.start()
    eventually(lambda: noted(fresh, "job") > before + MANY // 4, "it goes on again")
    kill_part(fresh, "job", "driver")
    eventually(lambda: status(fresh, "job") == "Completed", "the job completes")
    lines = result(fresh, "out/data.csv.out").decode().splitlines()
    assert len(lines) == MANY
    expected: dict[str, str] = {}
    for n, line in enumerate(lines):
        number, _, prediction = line.partition(",")
        assert number == str(n)
        # Each row has one prediction, wherever it stands and whoever was killed around it.
        assert expected.setdefault(rows[n % len(rows)], prediction) == prediction
    assert len(set(expected.values())) > 500
