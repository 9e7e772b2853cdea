"""Tensors as screens show them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.reading.courses import STATISTICS, Refused, TensorReader, finite
from bottega.debugger.tensors.collection import Collection
from bottega.debugger.tensors.modes import ModeKeys
from bottega.debugger.tensors.writer import FolderSink, TensorWriter


def saved(folder: Path, steps: int, workers: tuple[str, ...] = ("worker_0",)) -> None:
    """Weights [step, -step] and a loss 1/step; every tenth step is of EVAL."""
    for number, worker in enumerate(workers):
        writer = TensorWriter(FolderSink(folder), worker, len(workers))
        weights = Collection("weights", include_regex=["^w"])
        writer.collections([weights, Collection("losses", tensor_names={"loss"})])
        for step in range(steps):
            mode = ModeKeys.EVAL if step % 10 == 9 else ModeKeys.TRAIN
            opened = writer.step(step, mode, step // 10 if mode is ModeKeys.EVAL else step)
            opened.add("w1", np.array([step + number, -step - number], dtype=np.float32))
            opened.add("loss", 1 / (step + 1) if step else math.nan)
            opened.close()


def courses(reader: TensorReader, **arguments: Any) -> list[dict[str, Any]]:
    usual: dict[str, Any] = {"names": None, "collection": None, "regex": None, "mode": None}
    usual |= {"statistic": "value", "points": 100, "tensors": 10}
    found: list[dict[str, Any]] = reader.courses(**{**usual, **arguments})["courses"]
    return found


def test_what_is_there_is_told(tmp_path: Path) -> None:
    reader = TensorReader(tmp_path)
    reader.refresh()
    assert reader.summary()["last_step"] is None
    saved(tmp_path, 20)
    reader.refresh()
    assert reader.summary() == {
        "collections": {"losses": 1, "weights": 1},
        "modes": ["TRAIN", "EVAL"],
        "tensors": 2,
        "steps": 20,
        "last_step": 19,
    }
    page = reader.names(None, "^w", 0, 10)
    assert page["total"] == 1
    (weights,) = page["tensors"]
    assert weights["collections"] == ["weights"]
    assert (weights["first"], weights["last"], weights["steps"]) == (0, 19, 20)
    assert reader.names("losses", None, 1, 10) == {"total": 1, "tensors": []}
    with pytest.raises(Refused, match="no regular expression"):
        reader.names(None, "(", 0, 10)


def test_each_statistic_of_each_mode(tmp_path: Path) -> None:
    saved(tmp_path, 20)
    reader = TensorReader(tmp_path)
    reader.refresh()
    expected = {
        "value": 0.0,  # of two numbers: their mean
        "mean": 0.0,
        "min": -3.0,
        "max": 3.0,
        "std": 3.0,
        "l2": math.sqrt(18),
        "abs_mean": 3.0,
    }
    assert expected.keys() == set(STATISTICS)
    for statistic, value in expected.items():
        train, evaluation = courses(reader, names=["w1", "none"], statistic=statistic)
        assert (train["mode"], evaluation["mode"]) == ("TRAIN", "EVAL")
        assert train["values"][train["steps"].index(3)] == pytest.approx(value)
        assert evaluation["steps"] == [0, 1]


def test_a_training_without_modes_has_courses_of_all_steps(tmp_path: Path) -> None:
    writer = TensorWriter(FolderSink(tmp_path))
    for step in range(3):
        opened = writer.step(step, ModeKeys.GLOBAL, step)
        opened.add("train-rmse", 1.0)
        opened.close()
    reader = TensorReader(tmp_path)
    reader.refresh()
    assert reader.summary()["modes"] == ["GLOBAL"]
    (course,) = courses(reader, regex="rmse")
    assert (course["mode"], course["steps"]) == ("GLOBAL", [0, 1, 2])
    assert reader.names(None, None, 0, 9)["tensors"][0]["modes"] == ["GLOBAL"]


def test_several_workers_are_averaged(tmp_path: Path) -> None:
    saved(tmp_path, 5, ("worker_0", "worker_1"))
    reader = TensorReader(tmp_path)
    reader.refresh()
    (course,) = courses(reader, names=["w1"], statistic="max")
    assert course["values"] == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_new_steps_come_to_a_course(tmp_path: Path) -> None:
    saved(tmp_path, 5)
    reader = TensorReader(tmp_path)
    reader.refresh()
    assert courses(reader, names=["loss"])[0]["count"] == 5
    saved(tmp_path, 8)
    reader.refresh()
    assert courses(reader, names=["loss"])[0]["count"] == 8


@settings(max_examples=10, deadline=None)
@given(steps=st.integers(1, 120), points=st.integers(2, 20))
def test_no_course_is_longer_than_wanted(
    tmp_path_factory: pytest.TempPathFactory, steps: int, points: int
) -> None:
    folder = tmp_path_factory.mktemp("courses")
    saved(folder, steps)
    reader = TensorReader(folder)
    reader.refresh()
    for course in courses(reader, collection="losses", points=points, mode="GLOBAL"):
        assert course["count"] == steps
        assert len(course["steps"]) == len(course["values"]) <= points
        assert course["steps"][0] == 0
        assert course["steps"][-1] == steps - 1


def test_json_has_no_numbers_for_some() -> None:
    assert finite({"a": [math.nan, 1.0, math.inf], "b": 2}) == {"a": ["nan", 1.0, "inf"], "b": 2}
