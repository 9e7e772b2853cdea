"""A model of a built-in algorithm: how soon it is in service, and by what it is predicted."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

import numpy as np
import pytest
import xgboost

from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon

_DEPLOYMENTS = 7


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        yield BotoHosting(daemon)


@pytest.fixture(scope="module")
def booster(hosting: BotoHosting) -> xgboost.Booster:
    rows = np.random.default_rng(5).normal(size=(500, 20)).astype(np.float32)
    data = xgboost.DMatrix(rows, label=rows[:, 0] * rows[:, 1])
    trained = xgboost.train({"max_depth": 6, "nthread": 1}, data, 200)
    uri = hosting.put("trees.tar.gz", {"xgboost-model": bytes(trained.save_raw("ubj"))})
    hosting.model("trees", PrimaryContainer={"Image": "xgboost", "ModelDataUrl": uri})
    return trained


def test_how_soon_a_model_is_in_service(hosting: BotoHosting, booster: xgboost.Booster) -> None:
    took = []
    for number in range(_DEPLOYMENTS):
        name = f"soon-{number}"
        hosting.config(name, {"VariantName": "v", "ModelName": "trees"})
        began = time.monotonic()
        hosting.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        hosting.settled(name)
        took.append(time.monotonic() - began)
        row = ",".join(["0"] * 20)
        assert float(hosting.invoke(name, row, ContentType="text/csv")) == pytest.approx(
            float(booster.inplace_predict(np.zeros((1, 20), np.float32))[0]), abs=1e-6
        )
        hosting.sagemaker.delete_endpoint(EndpointName=name)
    print(
        f"InService after {statistics.median(took) * 1000:.0f} ms (p50 of {_DEPLOYMENTS}), "
        f"{max(took) * 1000:.0f} ms at most"
    )


def test_compiled_trees_say_what_the_library_says(
    hosting: BotoHosting, booster: xgboost.Booster
) -> None:
    rows = np.random.default_rng(6).normal(size=(300, 20)).astype(np.float32)
    wanted = booster.inplace_predict(rows)

    def answers(parts: int) -> list[float]:
        found: list[float] = []
        for part in np.array_split(rows, parts):
            body = "\n".join(",".join(repr(float(cell)) for cell in row) for row in part)
            text = hosting.invoke("compiled", body, ContentType="text/csv").decode()
            found += [float(value) for value in text.replace("\n", ",").split(",") if value]
        return found

    hosting.endpoint("compiled", {"VariantName": "v", "ModelName": "trees"})
    before = answers(30)
    eventually(
        lambda: "Compiled trees predict" in hosting.log("compiled"), "compiled trees predict", 30
    )
    for parts in (300, 30, 1):
        assert np.array_equal(np.array(answers(parts), np.float32), wanted)
    assert np.array_equal(np.array(before, np.float32), wanted)
