"""Process numeric: scale, round, absolute value, logarithm, power, bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import Columns, Rendering, State, Step, Transform, Values
from bottega.wrangler.transforms.learnt import finite, learnt
from bottega.wrangler.transforms.numeric_columns import NumericColumns, output_parameters
from bottega.wrangler.transforms.query_sql import no_nan
from bottega.wrangler.transforms.rounding import round_pandas, round_sql

_MIN_MAX, _STANDARD = "Min-max scaler", "Standard scaler"
_ROBUST, _ABSOLUTE = "Robust scaler", "Max absolute scaler"
_GROUPS = {
    _MIN_MAX: "min_max_scaler",
    _STANDARD: "standard_scaler",
    _ROBUST: "robust_scaler",
    _ABSOLUTE: "max_absolute_scaler",
}


def _of(scaler: str, wanted: str, kind: Any, label: str, sentence: str, **more: Any) -> Parameter:
    """A parameter of one scaler: in the file they lie in groups of the same names."""
    return Parameter(
        f"{_GROUPS[scaler]}_{wanted}",
        kind,
        label,
        sentence,
        path=f"{_GROUPS[scaler]}_parameters.{wanted}",
        when=("scaler", (scaler,)),
        **more,
    )


def _columns_of(scaler: str) -> tuple[Parameter, Parameter]:
    return (
        _of(
            scaler,
            "input_column",
            "columns",
            "Columns",
            "What is scaled.",
            required=True,
            types=NUMBERS,
        ),
        _of(
            scaler,
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes when it shall not replace the column; for one column only.",
        ),
    )


class ScaleValues(Transform):
    operator = "sagemaker.spark.process_numeric_0.1"
    name = "Scale values"
    group = "Process numeric"
    sentence = "Brings numbers to a common scale."
    edge_cases = (
        "Missing values stay missing. Infinite values are left out of what is learnt, and stay "
        "infinite. Where all values are equal the min-max scaler gives the middle of its range, "
        "and the other scalers give 0."
    )
    parameter_group = "scale_values_parameters"
    parameters = (
        Parameter(
            "scaler",
            "choice",
            "Scaler",
            "How numbers are scaled.",
            default=_MIN_MAX,
            choices=(_MIN_MAX, _STANDARD, _ROBUST, _ABSOLUTE),
        ),
        *_columns_of(_MIN_MAX),
        _of(
            _MIN_MAX,
            "min",
            "number",
            "Minimum",
            "What the smallest value becomes.",
            default=0,
            minimum=-1e100,
            maximum=1e100,
        ),
        _of(
            _MIN_MAX,
            "max",
            "number",
            "Maximum",
            "What the largest value becomes.",
            default=1,
            minimum=-1e100,
            maximum=1e100,
        ),
        *_columns_of(_STANDARD),
        _of(
            _STANDARD,
            "center",
            "boolean",
            "Center",
            "Whether the mean is subtracted.",
            default=False,
        ),
        _of(
            _STANDARD,
            "scale",
            "boolean",
            "Scale",
            "Whether numbers are divided by the standard deviation of the sample.",
            default=True,
        ),
        *_columns_of(_ROBUST),
        _of(
            _ROBUST,
            "lower_quantile",
            "number",
            "Lower quantile",
            "Where the range begins that numbers are divided by.",
            default=0.25,
            minimum=0,
            maximum=1,
        ),
        _of(
            _ROBUST,
            "upper_quantile",
            "number",
            "Upper quantile",
            "Where the range ends.",
            default=0.75,
            minimum=0,
            maximum=1,
        ),
        _of(
            _ROBUST,
            "center",
            "boolean",
            "Center",
            "Whether the median is subtracted.",
            default=False,
        ),
        _of(
            _ROBUST,
            "scale",
            "boolean",
            "Scale",
            "Whether numbers are divided by the range between the quantiles.",
            default=True,
        ),
        *_columns_of(_ABSOLUTE),
    )
    learns = True
    words = ("normalize", "standardize", "MinMaxScaler", "z-score")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if self._value(values, "output_column") and len(self._value(values, "input_column")) > 1:
            raise ParameterError(
                f"{_GROUPS[values['scaler']]}_output_column",
                "Output column: several columns cannot go into one.",
            )
        for low, high in (("min", "max"), ("lower_quantile", "upper_quantile")):
            least, most = self._value(values, low), self._value(values, high)
            if least is not None and least >= most:
                raise ParameterError(
                    f"{_GROUPS[values['scaler']]}_{low}",
                    f"{low.replace('_', ' ').capitalize()}: {least:g} is not below the "
                    f"{high.replace('_', ' ')}, {most:g}.",
                )

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        found = {}
        for column in self._value(values, "input_column"):
            number = finite(column)
            match values["scaler"]:
                case "Min-max scaler":
                    found[f"low {column}"] = f"min({number})"
                    found[f"high {column}"] = f"max({number})"
                case "Standard scaler":
                    found[f"middle {column}"] = f"favg({number})"
                    found[f"spread {column}"] = f"coalesce(stddev_samp({number}), 0)"
                case "Robust scaler":
                    quantiles = (values[f"robust_scaler_{w}_quantile"] for w in ("lower", "upper"))
                    low, high = (literal(float(quantile)) for quantile in quantiles)
                    found[f"middle {column}"] = f"median({number})"
                    found[f"low {column}"] = f"quantile_cont({number}, {low})"
                    found[f"high {column}"] = f"quantile_cont({number}, {high})"
                case _:
                    found[f"high {column}"] = f"max(abs({number}))"
        return found

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        """For each column ``offset``, ``divisor`` (0 where all values are equal)."""
        state: dict[str, dict[str, float]] = {}
        for column in self._value(values, "input_column"):
            got = {
                key.split(" ", 1)[0]: learnt(column, value)
                for key, value in found.items()
                if key.split(" ", 1)[1] == column
            }
            match values["scaler"]:
                case "Min-max scaler":
                    offset, divisor = got["low"], learnt(column, got["high"] - got["low"])
                case "Max absolute scaler":
                    offset, divisor = 0.0, got["high"]
                case _:
                    spread = got.get("spread")
                    if spread is None:
                        spread = learnt(column, got["high"] - got["low"])
                    offset = got["middle"] if self._value(values, "center") else 0.0
                    divisor = spread if self._value(values, "scale") else 1.0
            state[column] = {"offset": offset, "divisor": divisor}
        return {"scales": state}

    def columns(self, step: Step) -> Schema:
        output = self._value(step.values, "output_column")
        return step.schema.with_columns(
            Column(output or column, ColumnType.FLOAT) for column in step.state["scales"]
        )

    def sql(self, step: Step) -> Rendering:
        output = self._value(step.values, "output_column")
        found = {}
        for column, scale in step.state["scales"].items():
            offset, divisor = float(scale["offset"]), float(scale["divisor"])
            if divisor == 0:
                middle = literal(self._middle(step))
                found[output or column] = f"CASE WHEN {name(column)} IS NOT NULL THEN {middle} END"
                continue
            text = f"{name(column)}::DOUBLE"
            if offset != 0:
                text = f"({text} - {literal(offset)})"
            if divisor != 1:
                text = f"{text} / {literal(divisor)}"
            low, high = self._range(step)
            if high - low != 1:
                text = f"{text} * {literal(high - low)}"
            if low != 0:
                text = f"{text} + {literal(low)}"
            found[output or column] = no_nan(text)
        return Columns(found)

    def pandas(self, step: Step, code: PandasCode) -> None:
        output = self._value(step.values, "output_column")
        for column, scale in step.state["scales"].items():
            offset, divisor = float(scale["offset"]), float(scale["divisor"])
            source, target = code.column(column), code.column(output or column)
            number = source
            if step.schema.type(column) == ColumnType.LONG:
                number = f'{source}.astype("float64")'
            if divisor == 0:
                code.line(f"{target} = {number}.where({source}.isna(), {self._middle(step)})")
                continue
            if offset != 0:
                number = f"({number} - {code.constant(f'{column} offset', offset)})"
            if divisor != 1:
                number = f"{number} / {code.constant(f'{column} scale', divisor)}"
            low, high = self._range(step)
            if high - low != 1:
                number = f"{number} * {high - low}"
            if low != 0:
                number = f"{number} + {low}"
            code.line(f"{target} = {number}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        output = self._value(values, "output_column")
        chosen = self._value(values, "input_column")
        return frozenset({*chosen, *([output] if output in schema else [])})

    @staticmethod
    def _value(values: Values, wanted: str) -> Any:
        return values.get(f"{_GROUPS[values['scaler']]}_{wanted}")

    def _range(self, step: Step) -> tuple[float, float]:
        if step.values["scaler"] != _MIN_MAX:
            return 0.0, 1.0
        return float(self._value(step.values, "min")), float(self._value(step.values, "max"))

    def _middle(self, step: Step) -> float:
        low, high = self._range(step)
        return (low + high) / 2 if step.values["scaler"] == _MIN_MAX else 0.0


class RoundValues(NumericColumns):
    name = "Round values"
    sentence = "Rounds numbers to decimals, or to tens and hundreds."
    edge_cases = (
        "Missing and infinite values stay. To the nearest, halves go away from zero: 2.5 becomes 3 "
        "and -2.5 becomes -3. Whole numbers stay whole where decimals are not negative."
    )
    parameter_group = "round_values_parameters"
    parameters = (
        *output_parameters("What is rounded."),
        Parameter(
            "method",
            "choice",
            "Method",
            "Nearest, Down (floor) or Up (ceiling).",
            default="Nearest",
            choices=("Nearest", "Down", "Up"),
        ),
        Parameter(
            "decimals",
            "integer",
            "Decimals",
            "How many digits stay behind the point; -2 rounds to hundreds.",
            default=0,
            minimum=-15,
            maximum=15,
        ),
    )
    words = ("floor", "ceiling", "truncate")

    def result_type(self, step: Step, kind: ColumnType) -> ColumnType:
        if kind == ColumnType.LONG and step.values["decimals"] >= 0:
            return ColumnType.LONG
        return ColumnType.FLOAT

    def expression(self, step: Step, column: str, number: str) -> str:
        if self.result_type(step, step.schema.type(column)) == ColumnType.LONG:
            return name(column)
        return round_sql(number, step.values["decimals"], step.values["method"])

    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        if self.result_type(step, step.schema.type(column)) == ColumnType.LONG:
            return code.column(column)
        return round_pandas(number, step.values["decimals"], step.values["method"], code)


class AbsoluteValue(NumericColumns):
    name = "Absolute value"
    sentence = "Takes the sign away from numbers."
    edge_cases = "Missing values stay; minus infinity becomes infinity."
    parameter_group = "absolute_value_parameters"
    parameters = output_parameters("Whose sign goes.")
    words = ("abs", "sign")

    def result_type(self, step: Step, kind: ColumnType) -> ColumnType:
        return kind

    def expression(self, step: Step, column: str, number: str) -> str:
        return f"abs({name(column)})"

    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        return f"{code.column(column)}.abs()"


class Logarithm(NumericColumns):
    name = "Logarithm"
    sentence = "Takes the logarithm of numbers."
    edge_cases = (
        "The logarithm of zero and of negative numbers is missing; that of infinity is infinite."
    )
    parameter_group = "logarithm_parameters"
    parameters = (
        *output_parameters("Whose logarithm is taken."),
        Parameter(
            "base",
            "choice",
            "Base",
            "Of the logarithm.",
            default="e",
            choices=("e", "2", "10"),
        ),
        Parameter(
            "add_one",
            "boolean",
            "Add one",
            "Whether 1 is added before, so that zero becomes zero.",
            default=False,
        ),
    )
    words = ("log", "ln", "log1p", "skew")

    def expression(self, step: Step, column: str, number: str) -> str:
        if step.values["add_one"]:
            number = f"({number} + 1)"
        function = {"e": "ln", "2": "log2", "10": "log10"}[step.values["base"]]
        return f"CASE WHEN {number} > 0 THEN {function}({number}) END"

    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        code.require("import numpy as np")
        if step.values["add_one"]:
            number = f"({number} + 1)"
        function = {"e": "log", "2": "log2", "10": "log10"}[step.values["base"]]
        return f"np.{function}({number}.where({number} > 0))"


class Power(NumericColumns):
    name = "Power"
    sentence = "Raises numbers to a power; 0.5 is the square root."
    edge_cases = (
        "Missing values stay. What is no number is missing: a fractional power of a negative "
        "number. A negative power of zero is missing, too."
    )
    parameter_group = "power_parameters"
    parameters = (
        *output_parameters("What is raised."),
        Parameter(
            "exponent",
            "number",
            "Exponent",
            "The power.",
            default=2,
            minimum=-1000,
            maximum=1000,
        ),
    )
    words = ("square", "sqrt", "root", "exponent")

    def expression(self, step: Step, column: str, number: str) -> str:
        exponent = float(step.values["exponent"])
        text = no_nan(f"pow({number}, {literal(exponent)})")
        return f"CASE WHEN {number} <> 0 THEN {text} END" if exponent < 0 else text

    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        exponent = float(step.values["exponent"])
        if exponent < 0:
            number = f"{number}.where({number} != 0)"
        return f"{number} ** {exponent}"
