from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import frames, series
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError, FlowError
from bottega.wrangler.transforms.registry import named

GROUP = "Process numeric"
SCALERS = {
    "Min-max scaler": "min_max_scaler",
    "Standard scaler": "standard_scaler",
    "Robust scaler": "robust_scaler",
    "Max absolute scaler": "max_absolute_scaler",
}


def check(bench: Bench, name: str, values: dict[str, Any], frame: Any, types: Any = None) -> Any:
    return bench.check(named(GROUP, name), values, frame, types=types)


def scale(bench: Bench, scaler: str, frame: Any, types: Any = None, **more: Any) -> Any:
    values = {f"{SCALERS[scaler]}_{name}": value for name, value in more.items()}
    return check(bench, "Scale values", {"scaler": scaler, **values}, frame, types)


@pytest.mark.parametrize(
    ("scaler", "more", "reference"),
    [
        ("Min-max scaler", {}, MinMaxScaler()),
        ("Min-max scaler", {"min": -1, "max": 3}, MinMaxScaler((-1, 3))),
        ("Standard scaler", {"center": True}, StandardScaler()),
        ("Robust scaler", {"center": True}, RobustScaler()),
        (
            "Robust scaler",
            {"lower_quantile": 0.1, "upper_quantile": 0.8},
            RobustScaler(with_centering=False, quantile_range=(10, 80)),
        ),
        ("Max absolute scaler", {}, MaxAbsScaler()),
    ],
)
def test_scalers_are_scikit_learns(
    bench: Bench, scaler: str, more: dict[str, Any], reference: Any
) -> None:
    frame = pd.DataFrame({"{x}": [-3.5, 0.0, 1.0, 2.0, 10.0], "n": [5, 4, 3, 2, -7]})
    result = scale(bench, scaler, frame, input_column=["{x}", "n"], **more)
    expected = reference.fit_transform(frame)
    if scaler == "Standard scaler":  # that of a sample here, that of a population there
        expected = expected * math.sqrt(4 / 5)
    np.testing.assert_allclose(result.to_numpy(), expected)


def test_scalers_and_infinite_missing_and_equal_values(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [1.0, None, np.inf, 3.0], "same": [2.0, None, 2.0, np.inf]})
    columns = ["x", "same"]
    result = scale(bench, "Min-max scaler", frame, input_column=columns)
    assert result["x"].tolist()[0::2] == [0.0, np.inf]
    assert result["same"].dropna().tolist() == [0.5, 0.5, 0.5]
    result = scale(bench, "Standard scaler", frame, input_column=columns)
    assert result["same"].dropna().tolist() == [0.0, 0.0, 0.0]
    result = scale(bench, "Standard scaler", frame, input_column=columns, scale="false")
    assert result["same"].dropna().tolist() == [2.0, 2.0, np.inf]


def test_scale_reads_sagemakers_nodes_and_a_scalers_own_columns() -> None:
    node = {
        "operator": "Scale values",
        "scale_values_parameters": {
            "scaler": "Standard scaler",
            "min_max_scaler_parameters": {"min": 0, "max": 1, "input_column": ["left over"]},
            "standard_scaler_parameters": {"scale": True, "center": False, "input_column": ["x"]},
        },
    }
    parameters = named(GROUP, "Scale values").parameter_set()
    frame = pd.DataFrame({"x": [1.0]})
    bench = Bench()
    try:
        checked = parameters.check(parameters.read(node), bench.relation(frame).schema)
    finally:
        bench.close()
    assert checked["standard_scaler_input_column"] == ["x"]
    assert checked["min_max_scaler_input_column"] is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"scaler": "Min-max scaler"}, "Columns is missing"),
        ({"scaler": "Min-max scaler", "min_max_scaler_input_column": "t"}, "takes float or long"),
        (
            {"min_max_scaler_input_column": "x", "min_max_scaler_min": 2, "min_max_scaler_max": 1},
            "2 is not below the max, 1",
        ),
        (
            {"min_max_scaler_input_column": ["x", "y"], "min_max_scaler_output_column": "o"},
            "cannot go into one",
        ),
        ({"min_max_scaler_input_column": ["x", "nothing"]}, "'nothing' has no finite value"),
    ],
)
def test_scale_refuses(bench: Bench, values: dict[str, Any], words: str) -> None:
    frame = pd.DataFrame({"x": [1.0], "y": [2.0], "nothing": [np.nan], "t": ["a"]})
    with pytest.raises(FlowError, match=words):
        check(bench, "Scale values", values, frame)


@pytest.mark.parametrize(
    ("method", "decimals", "expected"),
    [
        ("Nearest", 0, [3.0, -3.0, 0.0, 1234.0, np.inf, 1e300]),
        ("Nearest", 1, [2.5, -2.5, 0.1, 1234.1, np.inf, 1e300]),
        ("Nearest", -2, [0.0, 0.0, 0.0, 1200.0, np.inf, 1e300]),
        ("Down", 0, [2.0, -3.0, 0.0, 1234.0, np.inf, 1e300]),
        ("Up", 0, [3.0, -2.0, 1.0, 1235.0, np.inf, 1e300]),
        ("Up", -3, [1000.0, 0.0, 1000.0, 2000.0, np.inf, 1e300]),
    ],
)
def test_round(bench: Bench, method: str, decimals: int, expected: list[float]) -> None:
    frame = pd.DataFrame({"x": [2.5, -2.5, 0.05, 1234.1, np.inf, 1e300, None]})
    values = {"input_column": "x", "method": method, "decimals": decimals}
    result = check(bench, "Round values", values, frame)
    assert result["x"].tolist()[:-1] == pytest.approx(expected)


def test_whole_numbers_are_rounded_to_hundreds(bench: Bench) -> None:
    frame = pd.DataFrame({"n": [149, 150, -2]})
    values = {"input_column": "n", "output_column": "r", "decimals": -2}
    assert check(bench, "Round values", values, frame)["r"].tolist() == [100, 200, 0]
    values["decimals"] = 2
    assert str(check(bench, "Round values", values, frame)["r"].dtype) == "Int64"


def test_logarithm_power_absolute(bench: Bench) -> None:
    frame = pd.DataFrame({"x": [100.0, 0.0, -4.0, np.inf, None]})
    result = check(bench, "Logarithm", {"input_column": "x", "base": "10"}, frame)
    assert result["x"].isna().tolist() == [False, True, True, False, True]
    assert result["x"].tolist()[0] == 2
    result = check(bench, "Logarithm", {"input_column": "x", "add_one": True}, frame)
    assert result["x"].tolist()[1] == 0
    result = check(bench, "Power", {"input_column": "x", "exponent": 0.5}, frame)
    assert result["x"].isna().tolist() == [False, False, True, False, True]
    result = check(bench, "Power", {"input_column": "x", "exponent": -1}, frame)
    assert result["x"].isna().tolist() == [False, True, False, False, True]
    result = check(bench, "Absolute value", {"input_column": "x"}, frame)
    assert result["x"].tolist()[:4] == [100.0, 0.0, 4.0, np.inf]


def test_bins(bench: Bench) -> None:
    frame = pd.DataFrame({"{x}": [0.0, 1.0, 4.9, 5.0, 10.0, np.inf, -np.inf, None]})
    values = {"input_column": "{x}", "bins": 2}
    result = check(bench, "Bin values", values, frame)
    assert result["{x}"].tolist()[:-1] == [0, 0, 0, 1, 1, 1, 0]
    quantiles = {**values, "method": "Quantile", "output_column": "bin"}
    result = check(bench, "Bin values", quantiles, frame)
    assert result["bin"].tolist()[:-1] == [0, 0, 1, 1, 1, 1, 0]


def test_many_bins(bench: Bench) -> None:
    frame = pd.DataFrame({"x": np.linspace(-5, 5, 3001)})
    result = check(bench, "Bin values", {"input_column": "x", "bins": 1000}, frame)
    assert sorted(set(result["x"])) == list(range(1000))


def test_bins_of_equal_values(bench: Bench) -> None:
    frame = pd.DataFrame({"n": series(ColumnType.LONG, [3, 3, None])})
    values = {"input_column": "n", "bins": 4, "method": "Quantile"}
    assert check(bench, "Bin values", values, frame)["n"].tolist()[:2] == [1, 1]


@settings(max_examples=80, deadline=None)
@given(
    frame=frames({"{f}": ColumnType.FLOAT, "n": ColumnType.LONG}, largest=1e6),
    infinite=st.booleans(),
    data=st.data(),
)
def test_any_numbers(
    bench: Bench, frame: pd.DataFrame, infinite: bool, data: st.DataObject
) -> None:
    types = {"{f}": ColumnType.FLOAT, "n": ColumnType.LONG}
    if infinite and len(frame):
        frame.loc[0, "{f}"] = data.draw(st.sampled_from([np.inf, -np.inf]))
    columns = ["{f}", "n"]
    try:
        if data.draw(st.booleans()):
            scaler = data.draw(st.sampled_from(sorted(SCALERS)))
            more = (
                {"center": data.draw(st.booleans())} if "d sc" in scaler or "t sc" in scaler else {}
            )
            scale(bench, scaler, frame, types, input_column=columns, **more)
            return
        name, more = data.draw(
            st.sampled_from(
                [
                    ("Absolute value", {}),
                    ("Logarithm", {"base": "2"}),
                    ("Logarithm", {"add_one": True}),
                    ("Power", {"exponent": 3}),
                    ("Power", {"exponent": -0.5}),
                    ("Bin values", {"bins": 3}),
                    ("Bin values", {"bins": 4, "method": "Quantile"}),
                    *(
                        ("Round values", {"method": method, "decimals": decimals})
                        for method in ("Nearest", "Down", "Up")
                        for decimals in (-1, 0, 2)
                    ),
                ]
            )
        )
        check(bench, name, {"input_column": columns, **more}, frame, types)
    except DataError as error:
        if "no finite value" not in error.message:
            raise
