"""Missing values of time series: filled from the series itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import NUMBERS, ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import (
    Columns,
    InMemory,
    Query,
    Rendering,
    Serving,
    Step,
    Transform,
    Values,
)
from bottega.wrangler.transforms.query_sql import clash, quoted
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.interpolation import between
from bottega.wrangler.typed_values import typed_value

if TYPE_CHECKING:
    import pandas as pd

_STRATEGIES = (
    "Constant Value",
    "Most Common Value",
    "Forward fill",
    "Backward fill",
    "Interpolate",
)
_LEFTOVERS = ("Fill with Forward/Backward feed", "Leave missing")
_ALONG, _CELL = "hm_input_type_Along column_parameters", "hm_input_type_Cell_parameters"
_MOST_COMMON = '''
def with_most_common(values):
    """Missing values replaced by the most frequent one, of equally frequent ones the smallest."""
    common = values.mode()
    return values.fillna(common[0]) if len(common) else values
'''
_INTERPOLATED = '''
def interpolated(values):
    """Missing values between others on the straight line between these."""
    return values.interpolate(limit_area="inside")
'''
_FILLED_CELL = '''
def filled_cell(cell, strategy, constant, feed):
    """One vector without its missing values."""
    if not isinstance(cell, list):
        return None
    values = pd.Series(cell, dtype="float64")
    if strategy == "Constant Value":
        filled = values.fillna(constant)
    elif strategy == "Most Common Value":
        filled = values.fillna(values.mode().get(0, float("nan")))
    elif strategy == "Forward fill":
        filled = values.ffill()
    elif strategy == "Backward fill":
        filled = values.bfill()
    else:
        filled = values.interpolate(limit_area="inside")
    return (filled.ffill().bfill() if feed else filled).tolist()
'''


class HandleMissing(Transform):
    operator = series.OPERATOR
    name = "Handle missing"
    group = series.GROUP
    sentence = "Fills missing values of a series from its other values."
    edge_cases = (
        f"{series.ORDER} Infinity is a value; between a finite and an infinite one lies infinity, "
        "between both infinities nothing. Interpolation takes rows as evenly spaced. What a "
        "strategy leaves, as before the first value, is then filled from the nearest earlier, else "
        "the nearest later value, or stays missing, as is chosen; a series without a value stays "
        "missing."
    )
    parameter_group = "Handle missing_parameters"
    parameters = (
        Parameter(
            "hm_input_type",
            "choice",
            "Input type",
            "Whether a series goes along the rows of a column, or each cell holds one as a vector.",
            default="Along column",
            choices=("Along column", "Cell"),
        ),
        Parameter(
            "sequence_column",
            "column",
            "Sequence column",
            "Where to fill.",
            path=f"{_ALONG}.hmac_sequence_column",
            required=True,
            types=series.sequence_parameter().types,
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "id_column",
            "column",
            "ID column",
            "Tells the series apart; one series when empty.",
            path=f"{_ALONG}.hmac_id_column",
            types=series.id_parameter().types,
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "timestamp_column",
            "column",
            "Timestamp column",
            "What orders a series.",
            path=f"{_ALONG}.hmac_timestamp_column",
            required=True,
            types=series.timestamp_parameter().types,
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "strategy",
            "choice",
            "Strategy",
            "What is put in the place of a missing value.",
            path=f"{_ALONG}.hmac_strategy",
            default="Forward fill",
            choices=_STRATEGIES,
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "custom_value",
            "value",
            "Custom value",
            "The constant; it must be readable as the column's type.",
            path=f"{_ALONG}.hmac_strategy_Constant Value_parameters.hmac_custom_value",
            required=True,
            when=("strategy", ("Constant Value",)),
        ),
        Parameter(
            "leftover",
            "choice",
            "Leftover missing values",
            "What becomes of those that the strategy leaves.",
            path=f"{_ALONG}.hmac_leftovernans",
            default=_LEFTOVERS[0],
            choices=_LEFTOVERS,
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes; in the column's place when empty.",
            path=f"{_ALONG}.hmac_output_column",
            when=("hm_input_type", ("Along column",)),
        ),
        Parameter(
            "cell_column",
            "column",
            "Sequence column",
            "The vectors in which to fill.",
            path=f"{_CELL}.hmc_sequence_column",
            required=True,
            types=frozenset({ColumnType.VECTOR}),
            when=("hm_input_type", ("Cell",)),
        ),
        Parameter(
            "cell_strategy",
            "choice",
            "Strategy",
            "What is put in the place of a missing value.",
            path=f"{_CELL}.hmc_strategy",
            default="Forward fill",
            choices=_STRATEGIES,
            when=("hm_input_type", ("Cell",)),
        ),
        Parameter(
            "cell_value",
            "number",
            "Custom value",
            "The constant.",
            path=f"{_CELL}.hmc_strategy_Constant Value_parameters.hmc_custom_value",
            required=True,
            when=("cell_strategy", ("Constant Value",)),
        ),
        Parameter(
            "cell_leftover",
            "choice",
            "Leftover missing values",
            "What becomes of those that the strategy leaves.",
            path=f"{_CELL}.hmc_leftovernans",
            default=_LEFTOVERS[0],
            choices=_LEFTOVERS,
            when=("hm_input_type", ("Cell",)),
        ),
        Parameter(
            "cell_output",
            "new_column",
            "Output column",
            "Where the result goes; in the column's place when empty.",
            path=f"{_CELL}.hmc_output_column",
            when=("hm_input_type", ("Cell",)),
        ),
    )
    serving = "refuse"
    words = ("fillna", "impute", "interpolate", "forward fill", "ffill")

    def serving_of(self, values: Values) -> Serving:
        alone = self._is_cell(values) or values["strategy"] == "Constant Value"
        return "apply" if alone else self.serving

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        column, output = self._places(values)
        near = clash(schema, output)
        if near is not None and output != column:
            raise ParameterError(
                "cell_output" if self._is_cell(values) else "output_column",
                f"Output column: there is a column {near!r} already; choose another name.",
            )
        if self._is_cell(values):
            return
        kind = schema.type(column)
        if values["strategy"] == "Constant Value":
            typed_value("custom_value", values["custom_value"], schema[column])
        if values["strategy"] == "Interpolate" and kind not in NUMBERS:
            raise ParameterError(
                "strategy",
                f"Strategy: column {column!r} is {kind}, and only numbers can be interpolated; "
                "choose another strategy.",
            )

    def columns(self, step: Step) -> Schema:
        column, output = self._places(step.values)
        kind = step.schema.type(column)
        if not self._is_cell(step.values) and step.values["strategy"] == "Interpolate":
            kind = ColumnType.FLOAT
        return step.schema.with_columns([Column(output, kind)])

    def sql(self, step: Step) -> Rendering:
        if self._is_cell(step.values):
            return InMemory(lambda *frames: self._cells(step, frames[0]), rowwise=True)
        column, output = self._places(step.values)
        if step.values["strategy"] == "Constant Value":
            constant = literal(self._constant(step, column))
            return Columns({output: f"coalesce({name(column)}, {constant})"})
        result = f"({self._filled(step, column)})::{self.columns(step).type(output).duckdb}"
        shown = [
            f"{result} AS {quoted(output)}" if c == output else quoted(c)
            for c in self.columns(step).names
        ]
        before = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        after = "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING"
        x = quoted(column)
        place = f"CASE WHEN {x} IS NOT NULL THEN __place END"
        partition = ""
        if step.values["id_column"] is not None:
            partition = f"PARTITION BY {quoted(step.values['id_column'])}"
        over = series.window(step.values)
        parts = [
            f"last_value({x} IGNORE NULLS) OVER (__w {before}) AS __before",
            f"first_value({x} IGNORE NULLS) OVER (__w {after}) AS __after",
        ]
        if step.values["strategy"] == "Interpolate":
            parts.append(f"last_value({place} IGNORE NULLS) OVER (__w {before}) AS __first")
            parts.append(f"first_value({place} IGNORE NULLS) OVER (__w {after}) AS __last")
        if step.values["strategy"] == "Most Common Value":
            parts.append(f"mode({x} ORDER BY {x}) OVER ({partition}) AS __common")
        return Query(
            f"SELECT {ROW}, {', '.join(shown)} FROM (SELECT *, {', '.join(parts)} FROM "
            f"(SELECT *, row_number() OVER ({over}) AS __place FROM {{input}}) "
            f"WINDOW __w AS ({over}))"
        )

    def _filled(self, step: Step, column: str) -> str:
        x, feed = quoted(column), step.values["leftover"] == _LEFTOVERS[0]
        match step.values["strategy"]:
            case "Most Common Value":
                main = "__common"
            case "Forward fill":
                main = "__before"
            case "Backward fill":
                main = "__after"
            case _:
                main = between("__before", "__after", "__place", "__first", "__last")
        return f"coalesce({', '.join([x, main, *(['__before', '__after'] if feed else [])])})"

    def pandas(self, step: Step, code: PandasCode) -> None:
        column, output = self._places(step.values)
        target, source = code.column(output), code.column(column)
        values = step.values
        if self._is_cell(values):
            function = code.function("filled_cell", _FILLED_CELL)
            strategy, constant, feed = self._cell_arguments(values)
            code.line("cells = [")
            code.line(
                f"    {function}(cell, {code.literal(strategy)}, {code.literal(constant)}, {feed})"
            )
            code.line(f"    for cell in {source}")
            code.line("]")
            code.line(f"{target} = pd.Series(cells, {code.table}.index, dtype=object)")
            return
        strategy = values["strategy"]
        kind = self.columns(step).type(output).pandas
        if kind != step.schema.type(column).pandas:
            source = f'{source}.astype("{kind}")'
        if strategy == "Constant Value":
            constant = self._constant(step, column)
            text = code.literal(constant)
            if step.schema.type(column).is_time:
                text = f"pd.Timestamp({code.literal(constant.isoformat())})"
            code.line(f"{target} = {source}.fillna({text})")
            return
        series.write_ordered(code, values)
        if kind != step.schema.type(column).pandas:
            place = code.column(column, "ordered")
            code.line(f'{place} = {place}.astype("{kind}")')
        code.line(f"values = {series.grouped(code, values)}")
        call = {"Forward fill": "values.ffill()", "Backward fill": "values.bfill()"}.get(strategy)
        if strategy == "Interpolate":
            function = code.function("interpolated", _INTERPOLATED)
            call = f"values.transform({function})"
            if values["id_column"] is None:
                call = f"{function}(values)"
        elif strategy == "Most Common Value":
            function = code.function("with_most_common", _MOST_COMMON)
            call = f"values.transform({function})"
            if values["id_column"] is None:
                call = f"{function}(values)"
        feed = values["leftover"] == _LEFTOVERS[0]
        filled = f"{source}.fillna({call})" + (
            ".fillna(values.ffill()).fillna(values.bfill())" if feed else ""
        )
        code.line(f"{target} = {filled}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        names = ("sequence_column", "id_column", "timestamp_column", "cell_column")
        return frozenset(values[name] for name in names if values[name] is not None)

    def _cells(self, step: Step, frame: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        scope: dict[str, Any] = {"pd": pd}
        exec(_FILLED_CELL, scope)
        column, output = self._places(step.values)
        arguments = self._cell_arguments(step.values)
        cells = [scope["filled_cell"](cell, *arguments) for cell in frame[column]]
        return frame.assign(**{output: pd.Series(cells, frame.index, dtype=object)})

    @staticmethod
    def _cell_arguments(values: Values) -> tuple[str, float | None, bool]:
        feed = values["cell_leftover"] == _LEFTOVERS[0]
        return values["cell_strategy"], values["cell_value"], feed

    @staticmethod
    def _constant(step: Step, column: str) -> Any:
        return typed_value("custom_value", step.values["custom_value"], step.schema[column])

    @staticmethod
    def _is_cell(values: Values) -> bool:
        return bool(values["hm_input_type"] == "Cell")

    def _places(self, values: Values) -> tuple[str, str]:
        if self._is_cell(values):
            return values["cell_column"], values["cell_output"] or values["cell_column"]
        return values["sequence_column"], values["output_column"] or values["sequence_column"]
