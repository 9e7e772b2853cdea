"""Rolling window features, and features of whole series."""

from __future__ import annotations

from bottega.nearest import did_you_mean
from bottega.wrangler.columns import NUMBERS, ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Serving, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import free_names, quoted
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.features import (
    FEATURES,
    STRATEGIES,
    chosen,
    list_sql,
    of_window,
    write_function,
)

_STRATEGY = Parameter(
    "strategy",
    "choice",
    "Strategy",
    "Which features: the eight of tsfresh's minimal set, those that need one pass, all, or chosen "
    "ones.",
    default="Minimal subset",
    choices=tuple(STRATEGIES),
)
_MANUAL = Parameter(
    "features",
    "texts",
    "Features",
    f"Names of features: {', '.join(FEATURES)}.",
    path="strategy_Manual subset_parameters.features",
    required=True,
    when=("strategy", ("Manual subset",)),
)
_FLATTEN = Parameter(
    "flatten",
    "boolean",
    "Flatten",
    "Whether each feature is a column of its own, not all one vector.",
    default=True,
)
_LEFT_OUT = (
    "Missing and infinite values are left out; of no values the length is 0 and the rest missing."
)


def check_features(values: Values) -> None:
    """Refuse unknown features."""
    for name in values["features"] or ():
        if name not in FEATURES:
            raise ParameterError(
                "features",
                f"Features: {name!r} is no feature{did_you_mean(name, FEATURES)}; there are "
                f"{', '.join(FEATURES)}.",
            )
    if values["strategy"] == "Manual subset" and not values["features"]:
        raise ParameterError("features", "Features: choose at least one.")


def _keys(values: Values) -> list[str]:
    return list(dict.fromkeys(chosen(values["strategy"], values["features"])))


class RollingWindowFeatures(Transform):
    operator = series.OPERATOR
    name = "Rolling window features"
    group = series.GROUP
    sentence = "Describes the last values of a series at each row by numbers."
    edge_cases = (
        f"{series.ORDER} A window is the row and those before it in its series, fewer at the "
        f"beginning. {_LEFT_OUT} Rows keep their order."
    )
    parameter_group = "Rolling window features_parameters"
    parameters = (
        series.sequence_parameter(types=NUMBERS),
        series.id_parameter(),
        series.timestamp_parameter(),
        Parameter(
            "window_size",
            "integer",
            "Window size",
            "How many rows, with the row itself.",
            default=8,
            minimum=1,
            maximum=10_000,
        ),
        _STRATEGY,
        _MANUAL,
        _FLATTEN,
    )
    serving = "refuse"
    words = ("moving", "average", "window", "tsfresh")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        check_features(values)

    def columns(self, step: Step) -> Schema:
        kind = ColumnType.FLOAT if step.values["flatten"] else ColumnType.VECTOR
        return Schema((*step.schema, *(Column(c, kind) for c in self._names(step))))

    def sql(self, step: Step) -> Rendering:
        values, keys = step.values, _keys(step.values)
        over = f"{series.window(values)} ROWS BETWEEN {values['window_size'] - 1} PRECEDING "
        windowed = [key for key in keys if FEATURES[key].window]
        listed = [key for key in keys if not FEATURES[key].window]
        made = [f"{of_window(key)} OVER __w AS __{key}" for key in windowed]
        if listed:
            made.append("coalesce(list(__x) FILTER (__x IS NOT NULL) OVER __w, []) AS __v")
        column = f"{quoted(values['sequence_column'])}::DOUBLE"
        inner = (
            f"SELECT *, {', '.join(made)} FROM (SELECT *, CASE WHEN isfinite({column}) THEN "
            f"{column} END AS __x FROM {{input}}) WINDOW __w AS ({over}AND CURRENT ROW)"
        )
        shown = [ROW, *(quoted(c) for c in step.schema.names)]
        if listed:
            inner = list_sql(f"({inner})", [*shown, *(f"__{key}" for key in windowed)], listed)
        results = [f"__{key}::DOUBLE" for key in keys]
        return Query(
            f"SELECT {', '.join(shown)}, {_shaped(results, self._names(step), values)} "
            f"FROM ({inner})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        values, keys, names = step.values, _keys(step.values), self._names(step)
        sequence, size = values["sequence_column"], values["window_size"]
        df = code.table
        code.require("import numpy as np")
        series.write_ordered(code, values)
        place = code.column(sequence, "ordered")
        code.line(f'{place} = {place}.astype("float64").replace([np.inf, -np.inf], np.nan)')
        code.line(f"values = {series.grouped(code, values)}")
        code.line(
            f"windows = pd.DataFrame({{lag: values.shift(lag) for lag in reversed(range({size}))}})"
        )
        code.line("features = pd.DataFrame(index=windows.index)")
        for key in keys:
            target = f"features[{code.literal(key)}]"
            if FEATURES[key].frame:
                code.line(f"{target} = {FEATURES[key].frame}")
            else:
                function = write_function(code, key)
                code.line(f"{target} = [{function}(row) for row in windows.to_numpy()]")
        if values["flatten"]:
            code.line(f"{df}[{code.literal(names)}] = features")
        else:
            code.line(
                f"{code.column(names[0])} = "
                'pd.Series(features.astype("float64").to_numpy().tolist(), features.index, '
                "dtype=object)"
            )

    def _names(self, step: Step) -> list[str]:
        base = f"{step.values['sequence_column']}_window_{step.values['window_size']}"
        wanted = [f"{base}_{key}" for key in _keys(step.values)]
        if not step.values["flatten"]:
            wanted = [f"{base}_features"]
        return free_names(wanted, step.schema.names)


class ExtractFeatures(Transform):
    operator = series.OPERATOR
    name = "Extract features"
    group = series.GROUP
    sentence = "Describes whole series by numbers: one row for each series, or for each vector."
    edge_cases = (
        f"{series.ORDER} Of a column of numbers one row for each series comes out, sorted by the "
        "ID, a missing one last; of a column of vectors every row stays and gets features. "
        f"{_LEFT_OUT}"
    )
    parameter_group = "Extract features_parameters"
    parameters = (
        series.sequence_parameter(types=NUMBERS | {ColumnType.VECTOR}),
        series.id_parameter(),
        Parameter(
            "timestamp_column",
            "column",
            "Timestamp column",
            "What orders a series; not needed for vectors.",
            types=series.timestamp_parameter().types,
        ),
        _STRATEGY,
        _MANUAL,
        _FLATTEN,
    )
    serving = "refuse"
    words = ("tsfresh", "describe", "statistics")

    def serving_of(self, values: Values) -> Serving:
        # Only vectors do without these.
        alone = values["id_column"] is None and values["timestamp_column"] is None
        return "apply" if alone else self.serving

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        check_features(values)
        if self._is_vector(schema, values):
            return
        for parameter, label in (("id_column", "ID"), ("timestamp_column", "Timestamp")):
            if values[parameter] is None:
                raise ParameterError(
                    parameter,
                    f"{label} column is missing. Column {values['sequence_column']!r} holds one "
                    "value a row, so that ID and timestamp say which of them form a series.",
                )

    def columns(self, step: Step) -> Schema:
        kind = ColumnType.FLOAT if step.values["flatten"] else ColumnType.VECTOR
        return Schema((*self._kept(step), *(Column(c, kind) for c in self._names(step))))

    def sql(self, step: Step) -> Rendering:
        values, keys = step.values, _keys(step.values)
        column, results = quoted(values["sequence_column"]), [f"__{key}" for key in keys]
        made = _shaped(results, self._names(step), values)
        if self._is_vector(step.schema, values):
            shown = [ROW, *(quoted(c) for c in step.schema.names)]
            lists = (
                f"(SELECT *, list_filter(coalesce({column}, []), lambda x: isfinite(x)) AS __v "
                "FROM {input})"
            )
            inner = list_sql(lists, shown, keys)
            return Query(f"SELECT {', '.join(shown)}, {made} FROM ({inner})")
        key, number = quoted(values["id_column"]), f"{column}::DOUBLE"
        order = f"{quoted(values['timestamp_column'])} ASC NULLS LAST, {ROW}"
        lists = (
            f"(SELECT {key}, coalesce(list({number} ORDER BY {order}) "
            f"FILTER (isfinite({number})), []) AS __v FROM {{input}} GROUP BY {key})"
        )
        inner = list_sql(lists, [key], keys)
        return Query(
            f"SELECT row_number() OVER (ORDER BY {key} ASC NULLS LAST) AS {ROW}, {key}, {made} "
            f"FROM ({inner})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        values, keys, names = step.values, _keys(step.values), self._names(step)
        df, functions = code.table, [write_function(code, key) for key in keys]
        source = f"{code.column(values['sequence_column'])}.map"
        if not self._is_vector(step.schema, values):
            series.write_ordered(code, values)
            place = code.column(values["sequence_column"], "ordered")
            code.line(f'{place} = {place}.astype("float64")')
            code.line(f"groups = {series.grouped(code, values)}")
            source = "groups.agg"
        code.line("features = pd.DataFrame({")
        for key, function in zip(keys, functions, strict=True):
            code.line(f'    "{key}": {source}({function}),')
        code.line('}).astype("float64")')
        if not values["flatten"]:
            code.line(
                f"features = pd.DataFrame({{{code.literal(names[0])}: "
                "pd.Series(features.to_numpy().tolist(), features.index, dtype=object)})"
            )
        else:
            code.line(f"features.columns = {code.literal(names)}")
        if self._is_vector(step.schema, values):
            code.line(f"{df} = {df}.join(features)")
        else:
            code.line(f"{df} = features.reset_index()")

    @staticmethod
    def _is_vector(schema: Schema, values: Values) -> bool:
        return schema.type(values["sequence_column"]) is ColumnType.VECTOR

    def _kept(self, step: Step) -> Schema:
        if self._is_vector(step.schema, step.values):
            return step.schema
        return step.schema.select([step.values["id_column"]])

    def _names(self, step: Step) -> list[str]:
        base = step.values["sequence_column"]
        wanted = [f"{base}_{key}" for key in _keys(step.values)]
        if not step.values["flatten"]:
            wanted = [f"{base}_features"]
        return free_names(wanted, self._kept(step).names)


def _shaped(results: list[str], names: list[str], values: Values) -> str:
    if not values["flatten"]:
        return f"[{', '.join(results)}] AS {quoted(names[0])}"
    return ", ".join(f"{r} AS {quoted(n)}" for r, n in zip(results, names, strict=True))
