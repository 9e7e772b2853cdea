"""Endpoints of many models, of several containers, and of scripts that answer piece by piece."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import xgboost
from botocore.exceptions import ClientError, EventStreamError

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon
from bottega.testing.hosting import ECHO

WITH_CODE = """
import os

def model_fn(model_dir):
    name = open(model_dir + "/answer").read()
    print("loads", name, flush=True)
    return name, b"x" * int(os.environ["SIZE_MB"]) * 2**20

def transform_fn(loaded, data, content_type, accept):
    model = loaded[0]
    text = data if isinstance(data, str) else bytes(data).decode()
    return f"{model}: {text}"
"""
PIECES = """
def model_fn(model_dir):
    return None

def transform_fn(model, data, content_type, accept):
    text = data if isinstance(data, str) else bytes(data).decode()
    def pieces():
        for number in range(5):
            if text == "raise" and number == 3:
                raise LookupError("the fourth is lost")
            yield f"{text} {number};"
    return pieces(), "text/plain"
"""


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        yield BotoHosting(daemon)


def booster(shift: float) -> bytes:
    """A model whose predictions lie about ``shift``."""
    rows = np.random.default_rng(3).normal(size=(200, 3)).astype(np.float32)
    data = xgboost.DMatrix(rows, label=rows[:, 0] + shift)
    trained = xgboost.train({"max_depth": 2, "base_score": shift}, data, 5)
    return bytes(trained.save_raw("ubj"))


def many(hosting: BotoHosting, name: str, image: str, **more: Any) -> str:
    container = {
        "Image": image,
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{hosting.bucket}/{name}/",
    }
    hosting.model(name, PrimaryContainer={**container, **more})
    return hosting.endpoint(
        name, {"VariantName": "v", "ModelName": name, "InitialInstanceCount": 2}
    )


def refused(call: Any, *arguments: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_many_models_of_an_algorithm_at_one_endpoint(hosting: BotoHosting) -> None:
    for number in (1, 2):
        hosting.put(f"trees/m{number}.tar.gz", {"xgboost-model": booster(100.0 * number)})
    many(hosting, "trees", "xgboost")

    def ask(number: int) -> float:
        answer = hosting.invoke(
            "trees", "0,0,0", ContentType="text/csv", TargetModel=f"m{number}.tar.gz"
        )
        return float(answer.decode().strip())

    wanted = [1, 2] * 12
    with ThreadPoolExecutor(8) as pool:  # all of them are the first
        found = list(pool.map(ask, wanted))
    assert all(
        abs(value - 100.0 * number) < 10 for value, number in zip(found, wanted, strict=True)
    )

    code, text = refused(ask, 3)
    assert code == "ValidationError"
    assert "TargetModel m3.tar.gz of endpoint trees: Could not find model data at s3://" in text
    hosting.put("trees/m3.tar.gz", {"xgboost-model": booster(300.0)})
    assert {round(ask(3), -2) for _ in range(6)} == {300.0}
    code, text = refused(hosting.invoke, "trees", "0,0,0", ContentType="text/csv")
    assert (code, "TargetModel" in text) == ("ValidationError", True)


@pytest.mark.parametrize("cache", ["Enabled", "Disabled"])
def test_many_models_with_code_of_their_own(hosting: BotoHosting, cache: str) -> None:
    endpoint, names = f"paints-{cache.lower()}", ("red", "green", "blue")
    for name in names:
        files = {"answer": name, "code/inference.py": WITH_CODE}
        hosting.put(f"{endpoint}/{name}.tar.gz", files)
    kept = {"ModelCacheSetting": cache}
    many(hosting, endpoint, "python", Environment={"SIZE_MB": "1"}, MultiModelConfig=kept)

    def ask(name: str) -> bytes:
        return hosting.invoke(endpoint, "x", TargetModel=f"{name}.tar.gz")

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, names * 8))
    assert found == [f"{name}: x".encode() for name in names * 8]
    # On two servers, and each once; what is not kept is loaded for every request.
    if cache == "Enabled":
        assert hosting.log(endpoint).count("loads ") <= 2 * len(names)
        return
    # The last lines may still be on their way when the last answer is there.
    eventually(
        lambda: hosting.log(endpoint).count("loads ") == len(found), "each request has loaded"
    )


def test_models_make_room_and_are_loaded_again(hosting: BotoHosting) -> None:
    names = ("one", "two", "three")
    for name in names:
        files = {"answer": name, "code/inference.py": WITH_CODE}
        hosting.put(f"heavy/{name}.tar.gz", files)
    container = {
        "Image": "python",
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{hosting.bucket}/heavy/",
        "Environment": {"SIZE_MB": "600"},
    }
    hosting.model("heavy", PrimaryContainer=container)
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"VariantName": "v", "ModelName": "heavy", "ServerlessConfig": serverless}
    hosting.endpoint("heavy", variant)
    for name in names * 2:
        answer = hosting.invoke("heavy", "x", TargetModel=f"{name}.tar.gz")
        assert answer == f"{name}: x".encode()
    log = hosting.log("heavy")
    assert [log.count(f"loads {name}") for name in names] == [2, 2, 2]
    hosting.sagemaker.delete_endpoint(EndpointName="heavy")


def test_containers_that_are_named_and_containers_in_a_row(hosting: BotoHosting) -> None:
    containers = []
    for name in ("first", "second"):
        uri = hosting.put(f"{name}.tar.gz", {"answer": name, "code/inference.py": ECHO})
        containers.append({"Image": "python", "ModelDataUrl": uri, "ContainerHostname": name})
    hosting.model("named", Containers=containers, InferenceExecutionConfig={"Mode": "Direct"})
    hosting.model("row", Containers=containers)
    for name in ("named", "row"):
        hosting.endpoint(name, {"VariantName": "v", "ModelName": name})

    for name in ("first", "second"):
        answer = hosting.invoke("named", "x", TargetContainerHostname=name)
        assert answer == f"{name}: x".encode()
    code, text = refused(hosting.invoke, "named", "x", TargetContainerHostname="third")
    assert (code, "first, second" in text) == ("ValidationError", True), text
    code, text = refused(hosting.invoke, "named", "x")
    assert (code, "TargetContainerHostname" in text) == ("ValidationError", True)
    assert hosting.invoke("row", "x") == b"second: first: x"
    code, text = refused(hosting.invoke, "row", "x", TargetContainerHostname="first")
    assert (code, "Direct" in text) == ("ValidationError", True), text
    code, text = refused(hosting.invoke, "row", "raise")
    assert code == "ModelError"
    assert "no such customer" in text


def test_an_answer_that_comes_piece_by_piece(hosting: BotoHosting) -> None:
    hosting.endpoint("pieces", {"VariantName": "v", "ModelName": hosting.script("pieces", PIECES)})

    def stream(body: str) -> Iterator[bytes]:
        told = hosting.runtime.invoke_endpoint_with_response_stream(
            EndpointName="pieces", Body=body, ContentType="text/plain"
        )
        assert told["InvokedProductionVariant"] == "v"
        # Whoever stops at an error has a connection in hand.
        with closing(told["Body"]) as events:
            for event in events:
                yield event["PayloadPart"]["Bytes"]

    whole = b"".join(f"go {number};".encode() for number in range(5))
    assert b"".join(stream("go")) == whole
    assert hosting.invoke("pieces", "go") == whole
    found: list[bytes] = []
    with pytest.raises(EventStreamError) as caught:
        found.extend(stream("raise"))
    assert "ModelStreamError" in str(caught.value)
    code, text = refused(hosting.invoke, "pieces", "raise")
    assert code == "ModelError"
    assert "the fourth is lost" in text
    assert b"".join(stream("again")).count(b";") == 5
    assert json.dumps(hosting.log("pieces")).count("the fourth is lost") >= 2
