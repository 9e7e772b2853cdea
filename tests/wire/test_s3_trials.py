"""A trial whose files are objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import pytest

from bottega.clock import SystemClock
from bottega.debugger import create_trial
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.source import S3Source
from bottega.debugger.tensors.writer import Sink, TensorWriter
from bottega.testing.object_bench import listening, object_bench


class Objects(Sink):
    """Writes where a job's files are copied to."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def write(self, name: str, content: bytes) -> None:
        self._client.put_object(Bucket="tensors", Key=f"job/debug-output/{name}", Body=content)


class Counting:
    """A client that says what was asked of it."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.got: list[str] = []

    def get_object(self, **request: Any) -> Any:
        self.got.append(request["Key"])
        return self._client.get_object(**request)

    def get_paginator(self, name: str) -> Any:
        return self._client.get_paginator(name)


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("s3")
    with object_bench(home, SystemClock()) as bench, listening(bench) as live:
        bench.call("CreateBucket", Bucket="tensors")
        client = boto3.session.Session().client("s3", endpoint_url=live.url, **live.keys)
        yield client
        client.close()


def test_objects_are_read_once_and_as_they_come(s3: Any) -> None:
    counting = Counting(s3)
    trial = create_trial("s3://tensors/job/debug-output/", client=counting)
    assert (trial.name, trial.steps()) == ("debug-output", [])
    writer = TensorWriter(Objects(s3))
    writer.collections([Collection("losses", ["^loss"])])
    for step in (999, 1000, 1001):
        one = writer.step(step, ModeKeys.TRAIN, step)
        one.add("loss", step / 2)
        one.add("w", np.arange(step, dtype=np.float32))
        one.close()
        assert trial.tensor("loss").value(step) == step / 2
    assert trial.tensor("w").value(1001)[-1] == 1000
    assert trial.tensor_names(collection="losses") == ["loss"]
    assert trial.steps() == [999, 1000, 1001]
    writer.end()
    assert trial.loaded_all_steps
    assert len(counting.got) == len(set(counting.got)) == 7


def test_what_is_not_there(s3: Any) -> None:
    with pytest.raises(FileNotFoundError, match="s3://tensors/job/none"):
        S3Source("s3://tensors/job", s3).read("none")
    with pytest.raises(ValueError, match="no bucket"):
        create_trial("s3://")


def test_a_folder_may_be_an_address(tmp_path: Path) -> None:
    assert create_trial(f"file://{tmp_path}").path == str(tmp_path)
