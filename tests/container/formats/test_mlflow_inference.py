"""What the inference script makes of predictions."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy
import pandas
import pytest

from bottega.container.formats.mlflow_inference import output_fn


@pytest.mark.parametrize(
    ("prediction", "as_json", "as_csv"),
    [
        (numpy.array([1.5, 2.0]), [1.5, 2.0], "1.5\n2.0\n"),
        (pandas.DataFrame({"a": [1, 2], "b": [3, 4]}), [[1, 3], [2, 4]], "1,3\n2,4\n"),
        (["yes", "no"], ["yes", "no"], "yes\nno\n"),
        (numpy.float64(0.5), [0.5], "0.5\n"),
        (7, [7], "7\n"),
        (numpy.array([[1.0, math.nan], [math.inf, 2.0]]), [[1.0, None], [None, 2.0]], None),
        (pandas.Series(["a", math.nan]), ["a", None], 'a\n""\n'),
    ],
)
def test_predictions_of_every_shape_are_answered(
    prediction: Any, as_json: list[Any], as_csv: str | None
) -> None:
    def refused(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    text, kind = output_fn(prediction, "application/json")
    assert kind == "application/json"
    assert json.loads(text, parse_constant=refused) == {"predictions": as_json}
    text, kind = output_fn(prediction, "text/csv")
    assert kind == "text/csv"
    assert as_csv in (text, None)
