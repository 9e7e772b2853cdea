"""Lag features: earlier values of a series beside each value."""

from __future__ import annotations

from bottega.wrangler.columns import NUMBERS, ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import free_names, quoted, quoted_names
from bottega.wrangler.transforms.time_series import series

_TEXTS = frozenset({ColumnType.STRING})


class LagFeatures(Transform):
    operator = series.OPERATOR
    name = "Lag features"
    group = series.GROUP
    sentence = "Puts earlier values of a series beside each value."
    edge_cases = (
        f"{series.ORDER} What lies before the first value is missing; a missing or infinite value "
        "is passed on as it is. Rows keep their order."
    )
    parameter_group = "Lag features_parameters"
    parameters = (
        series.sequence_parameter(),
        series.id_parameter(),
        series.timestamp_parameter(),
        Parameter(
            "lag", "integer", "Lag", "How many rows back.", default=1, minimum=1, maximum=1000
        ),
        Parameter(
            "entire_window",
            "boolean",
            "Entire lag window",
            "Whether all values from one row back to the lag come, not that at the lag alone.",
            default=False,
        ),
        Parameter(
            "flatten",
            "boolean",
            "Flatten",
            "Whether each is a column of its own, not all one vector.",
            path="entire_window_True_parameters.flatten",
            default=True,
            when=("entire_window", (True,)),
        ),
        Parameter(
            "drop_rows",
            "boolean",
            "Drop rows without history",
            "Whether the first rows of a series go, which have not so many before them.",
            default=False,
        ),
    )
    serving = "refuse"
    words = ("shift", "previous", "history")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        kind = schema.type(values["sequence_column"])
        if self._is_vector(values) and kind not in NUMBERS | _TEXTS:
            raise ParameterError(
                "flatten",
                f"Flatten: column {values['sequence_column']!r} is {kind}, which no vector can "
                "hold; choose flatten.",
            )

    def columns(self, step: Step) -> Schema:
        kind = step.schema.type(step.values["sequence_column"])
        if self._is_vector(step.values):
            kind = ColumnType.VECTOR if kind in NUMBERS else ColumnType.ARRAY
        return Schema((*step.schema, *(Column(c, kind) for c in self._names(step))))

    def sql(self, step: Step) -> Rendering:
        values, names = step.values, self._names(step)
        column, over = quoted(values["sequence_column"]), series.window(values)
        lags = [f"lag({column}, {lag}) OVER __w" for lag in self._lags(values)]
        if self._is_vector(values):
            kind = self.columns(step).type(names[0])
            lags = [f"[{', '.join(lags)}]::{kind.duckdb}"]
        made = ", ".join(
            f"{lag} AS {quoted(output)}" for lag, output in zip(lags, names, strict=True)
        )
        drop = ""
        if values["drop_rows"]:
            drop = f" QUALIFY row_number() OVER __w > {values['lag']}"
        return Query(
            f"SELECT {ROW}, {quoted_names(step.schema.names)}, {made} FROM {{input}} "
            f"WINDOW __w AS ({over}){drop}"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, values, names = code.table, step.values, self._names(step)
        series.write_ordered(code, values)
        code.line(f"values = {series.grouped(code, values)}")
        lags = self._lags(values)
        if self._is_vector(values):
            code.line(f"lags = pd.DataFrame({{lag: values.shift(lag) for lag in {_range(lags)}}})")
            if step.schema.type(values["sequence_column"]) in NUMBERS:
                code.line('lags = lags.astype("float64")')
            else:
                code.line("lags = lags.astype(object).where(lags.notna(), None)")
            code.line(
                f"{code.column(names[0])} = "
                "pd.Series(lags.to_numpy().tolist(), lags.index, dtype=object)"
            )
        elif len(lags) > 1:
            code.line(f"for lag, column in enumerate({code.literal(names)}, 1):")
            code.line(f"    {df}[column] = values.shift(lag)")
        else:
            code.line(f"{code.column(names[0])} = values.shift({lags[0]})")
        if values["drop_rows"]:
            if values["id_column"] is None:
                code.line(f"{df} = {df}.drop(index=ordered.index[:{values['lag']}])")
            else:
                code.line(f"complete = values.cumcount() >= {values['lag']}")
                code.line(f"{df} = {df}[complete.reindex({df}.index)]")

    @staticmethod
    def _lags(values: Values) -> list[int]:
        last = int(values["lag"])
        return list(range(1, last + 1)) if values["entire_window"] else [last]

    @staticmethod
    def _is_vector(values: Values) -> bool:
        return bool(values["entire_window"] and not values["flatten"])

    def _names(self, step: Step) -> list[str]:
        base = step.values["sequence_column"]
        wanted = [f"{base}_lag_{lag}" for lag in self._lags(step.values)]
        if self._is_vector(step.values):
            wanted = [f"{base}_lags"]
        return free_names(wanted, step.schema.names)


def _range(lags: list[int]) -> str:
    return f"range(1, {lags[-1] + 1})"
