"""The log lines that metric definitions and people look for."""

from __future__ import annotations

import json
import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.reports import Reporter, quality_regex

LINE = re.compile(r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d (INFO|WARNING) \d+\] (.*)\n")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    match = LINE.fullmatch(capsys.readouterr().out)
    assert match is not None
    return match[2]


def test_quality_with_and_without_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter("Linear Learner", "algo-1")
    reporter.quality("validation mse_objective", "loss", 88.19, epoch=0)
    assert said(capsys) == (
        "#quality_metric: host=algo-1, epoch=0, validation mse_objective <loss>=88.19"
    )
    reporter.quality("train msd", "loss", 2)
    assert said(capsys) == "#quality_metric: host=algo-1, train msd <loss>=2.0"


def test_progress_and_early_stopping(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter("K-Means", "algo-2")
    reporter.progress(3, 4)
    assert said(capsys) == "#progress_metric: host=algo-2, completed 75 % of epochs"
    reporter.early_stopping(0.5, epoch=2, criteria="loss")
    assert said(capsys) == (
        "#early_stopping_criteria_metric: host=algo-2, epoch=2, criteria=loss, value=0.5"
    )


def test_numbers_as_json_leave_out_what_json_cannot_hold(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Reporter("Linear Learner", "algo-1").metrics({"loss": 2.5, "bad": math.nan}, epoch=0, model=31)
    word, _, text = capsys.readouterr().out.partition(" ")
    document = json.loads(text)
    assert word == "#metrics"
    assert document["Dimensions"] == {
        "Algorithm": "Linear Learner",
        "Host": "algo-1",
        "Operation": "training",
        "epoch": 0,
        "model": 31,
    }
    assert document["Metrics"] == {"loss": {"sum": 2.5, "count": 1, "min": 2.5, "max": 2.5}}
    assert document["StartTime"] <= document["EndTime"]


def test_a_host_that_does_not_speak_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter("K-Means", "algo-2", speaks=False)
    reporter.info("here")
    reporter.metrics({"x": 1.0})
    assert capsys.readouterr().out == ""


@given(value=st.floats(), epoch=st.none() | st.integers(0, 9))
def test_the_expression_finds_the_number(value: float, epoch: int | None) -> None:
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        Reporter("K-Means", "algo-1").quality("test msd", "loss", value, epoch=epoch)
    found = re.search(quality_regex("test msd", "loss"), out.getvalue())
    assert found is not None
    assert float(found[1]) == pytest.approx(value, nan_ok=True)
    assert re.search(quality_regex("test msd", "score"), out.getvalue()) is None
