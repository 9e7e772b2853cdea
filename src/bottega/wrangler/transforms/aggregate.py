"""Group and aggregate: group by, pivot, unpivot."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Query, Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.aggregations import (
    AGGREGATIONS,
    FUNCTIONS,
    aggregate_pandas,
    aggregate_sql,
    refuse_type,
    result_name,
)
from bottega.wrangler.transforms.query_sql import free_names, quoted, quoted_names

_GROUP = "Group and aggregate"
_MOST_PIVOTED = 1000


class GroupBy(Transform):
    operator = "sagemaker.spark.group_by_0.1"
    name = "Group by"
    is_only = True
    group = _GROUP
    sentence = "Makes one row of all rows that have the same keys, with aggregates of the others."
    edge_cases = (
        "Missing keys form a group of their own. Groups are sorted by their keys, missing ones "
        "last. Missing values are left out; of no values the count and the sum are 0 and the rest "
        "is missing, as is a mean of both infinities. Standard deviation and variance divide by "
        "the number of values less one. First and last follow the order of the rows; of equally "
        "common values the smallest is taken."
    )
    parameters = (
        Parameter(
            "group_columns",
            "columns",
            "Group by",
            "Rows with the same values in all of these come together.",
            required=True,
            types=SCALARS,
        ),
        Parameter(
            "aggregations",
            "records",
            "Aggregations",
            "What is computed of each group.",
            required=True,
            fields=(
                Parameter("column", "column", "Column", "Of what.", required=True),
                Parameter(
                    "function",
                    "choice",
                    "Function",
                    "What of it.",
                    default="mean",
                    choices=FUNCTIONS,
                ),
                Parameter(
                    "output_column",
                    "new_column",
                    "Output column",
                    "What the result is called; column and function when empty.",
                ),
            ),
        ),
    )
    serving = "refuse"
    words = ("groupby", "aggregate", "sum", "mean", "count", "summarise")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        used = {column.lower() for column in values["group_columns"]}
        for record in values["aggregations"]:
            refuse_type("aggregations", record["function"], schema[record["column"]])
            output = result_name(record)
            if output.lower() in used:
                raise ParameterError(
                    "aggregations",
                    f"Aggregations: two columns would be called {output!r}; give one another name.",
                )
            used.add(output.lower())

    def columns(self, step: Step) -> Schema:
        made = (
            Column(
                result_name(record),
                AGGREGATIONS[record["function"]].type(step.schema[record["column"]]),
            )
            for record in step.values["aggregations"]
        )
        return Schema((*step.schema.select(step.values["group_columns"]), *made))

    def sql(self, step: Step) -> Rendering:
        keys = step.values["group_columns"]
        items = [f"__i.{quoted(key)}" for key in keys]
        for record in step.values["aggregations"]:
            column = step.schema[record["column"]]
            value = aggregate_sql(record["function"], f"__i.{quoted(column.name)}", column)
            items.append(f"{value} AS {quoted(result_name(record))}")
        return _grouped(keys, items)

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, keys = code.table, step.values["group_columns"]
        code.line(f"{df} = {df}.groupby({code.literal(keys)}, dropna=False).agg(")
        code.line("    **{")
        for record in step.values["aggregations"]:
            function = aggregate_pandas(record["function"], code)
            output, column = code.literal(result_name(record)), code.literal(record["column"])
            code.line(f"        {output}: ({column}, {function}),")
        code.line("    }")
        code.line(").reset_index()")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        aggregated = {record["column"] for record in values["aggregations"]}
        return frozenset(values["group_columns"]) | aggregated


class Pivot(Transform):
    operator = "bottega.pivot_0.1"
    name = "Pivot"
    is_only = True
    group = _GROUP
    sentence = "Makes a column of each value that a column has, and one row of all rows with a key."
    edge_cases = (
        "Which columns come out is learnt; values that come later are left out, and so are rows "
        "whose pivoted value is missing, though their key stays. Missing keys form a group of "
        "their own. Rows are sorted by their keys, missing ones last; columns by value. What does "
        "not occur is missing, or 0 for a count and a sum. More than 1,000 values are refused."
    )
    parameters = (
        Parameter(
            "group_columns",
            "columns",
            "Rows",
            "Rows with the same values in all of these come together.",
            required=True,
            types=SCALARS,
        ),
        Parameter(
            "pivot_column",
            "column",
            "Columns",
            "Its values become the names of columns.",
            required=True,
            types=SCALARS,
        ),
        Parameter("value_column", "column", "Values", "What fills the table.", required=True),
        Parameter(
            "function",
            "choice",
            "Function",
            "What of several values.",
            default="mean",
            choices=FUNCTIONS,
        ),
    )
    serving = "refuse"
    learns = True
    words = ("pivot table", "crosstab", "wide", "reshape")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_type("value_column", values["function"], schema[values["value_column"]])
        if values["pivot_column"] in values["group_columns"]:
            raise ParameterError(
                "pivot_column",
                f"Columns: {values['pivot_column']!r} is among the rows already; choose another.",
            )

    def fit(self, table: Table, values: Values) -> State:
        column = name(values["pivot_column"])
        found = table.rows(
            escaped(f"SELECT DISTINCT {column} AS v FROM ")
            + "{table}"
            + escaped(f" WHERE {column} IS NOT NULL ORDER BY v LIMIT {_MOST_PIVOTED + 1}")
        )
        if len(found) > _MOST_PIVOTED:
            raise DataError(
                f"Column {values['pivot_column']!r} has more than {_MOST_PIVOTED} values; each "
                "would become a column. Choose another column, or replace rare values first."
            )
        return {"values": [_plain(value) for (value,) in found]}

    def columns(self, step: Step) -> Schema:
        column = step.schema[step.values["value_column"]]
        kind = AGGREGATIONS[step.values["function"]].type(column)
        made = (Column(c, kind) for c in self._names(step))
        return Schema((*step.schema.select(step.values["group_columns"]), *made))

    def sql(self, step: Step) -> Rendering:
        keys, column = step.values["group_columns"], step.schema[step.values["value_column"]]
        pivoted, source = f"__i.{quoted(step.values['pivot_column'])}", f"__i.{quoted(column.name)}"
        items = [f"__i.{quoted(key)}" for key in keys]
        for value, output in zip(step.state["values"], self._names(step), strict=True):
            wanted = escaped(literal(_typed(value, step.schema.type(step.values["pivot_column"]))))
            chosen = f"CASE WHEN {pivoted} = {wanted} THEN {source} END"
            aggregate = aggregate_sql(step.values["function"], chosen, column)
            items.append(f"{aggregate} AS {quoted(output)}")
        return _grouped(keys, items)

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, keys = code.table, step.values["group_columns"]
        source = code.column(step.values["value_column"])
        pivoted, function = step.values["pivot_column"], step.values["function"]
        names, values = self._names(step), step.state["values"]
        if not values:
            code.line(f"{df} = {df}[{code.literal(keys)}].drop_duplicates()")
            code.line(f"{df} = {df}.sort_values({code.literal(keys)})")
            return
        kind = step.schema.type(pivoted)
        if kind is ColumnType.FLOAT:
            values = [float(value) for value in values]
        constant = code.constant(f"{pivoted} columns", dict(zip(names, values, strict=True)))
        value = "pd.Timestamp(value)" if kind.is_time else "value"
        code.line("chosen = {")
        code.line(f"    column: {source}.where({code.column(pivoted)}.eq({value}).fillna(False))")
        code.line(f"    for column, value in {constant}.items()")
        code.line("}")
        code.line(f"groups = [{', '.join(code.column(key) for key in keys)}]")
        code.line(
            f"{df} = pd.DataFrame(chosen, index={df}.index).groupby(groups, dropna=False)"
            f".agg({aggregate_pandas(function, code)}).reset_index()"
        )

    def _names(self, step: Step) -> list[str]:
        wanted = [_name_of(value) for value in step.state["values"]]
        return free_names(wanted, step.values["group_columns"])


class Unpivot(Transform):
    operator = "bottega.unpivot_0.1"
    name = "Unpivot"
    is_only = True
    group = _GROUP
    sentence = "Makes a row of each value: the opposite of a pivot."
    edge_cases = (
        "Missing values get rows, too. All rows of the first column come first, in the order of "
        "the table, then those of the next. Whole numbers beside others become floats; columns "
        "of different types are refused."
    )
    parameters = (
        Parameter(
            "value_columns",
            "columns",
            "Columns",
            "Their values come under one another.",
            required=True,
            types=SCALARS,
        ),
        Parameter(
            "id_columns",
            "columns",
            "Kept columns",
            "These are repeated for each value; all others when none is named.",
        ),
        Parameter(
            "name_column",
            "new_column",
            "Name column",
            "Where the name of the value's column goes.",
            default="variable",
        ),
        Parameter(
            "value_column",
            "new_column",
            "Value column",
            "Where the value goes.",
            default="value",
        ),
    )
    serving = "refuse"
    words = ("melt", "long", "stack", "reshape")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        kinds = {schema.type(column) for column in values["value_columns"]}
        if len(kinds) > 1 and not kinds <= NUMBERS:
            shown = ", ".join(f"{c!r} is {schema.type(c)}" for c in values["value_columns"])
            raise ParameterError(
                "value_columns",
                f"Columns: values of different types cannot stand in one column: {shown}. Parse "
                "them as one type first.",
            )
        both = [c for c in values["id_columns"] or () if c in values["value_columns"]]
        if both:
            raise ParameterError(
                "id_columns", f"Kept columns: {both[0]!r} is among the unpivoted columns already."
            )
        used = [column.lower() for column in self._kept(schema, values)]
        for parameter in ("name_column", "value_column"):
            if values[parameter].lower() in used:
                raise ParameterError(
                    parameter,
                    f"There is a column {values[parameter]!r} already; choose another name.",
                )
            used.append(values[parameter].lower())

    def columns(self, step: Step) -> Schema:
        return Schema(
            (
                *step.schema.select(self._kept(step.schema, step.values)),
                Column(step.values["name_column"], ColumnType.STRING),
                Column(step.values["value_column"], self._type(step)),
            )
        )

    def sql(self, step: Step) -> Rendering:
        kept, kind = self._kept(step.schema, step.values), self._type(step)
        cases, labels = [], []
        for number, column in enumerate(step.values["value_columns"]):
            cases.append(f"WHEN {number} THEN {quoted(column)}::{kind.duckdb}")
            labels.append(f"WHEN {number} THEN {escaped(literal(column))}")
        shown = "".join(f"{quoted(column)}, " for column in kept)
        count = len(step.values["value_columns"])
        return Query(
            f"SELECT row_number() OVER (ORDER BY __column, {ROW}) AS {ROW}, {shown}"
            f"CASE __column {' '.join(labels)} END AS {quoted(step.values['name_column'])}, "
            f"CASE __column {' '.join(cases)} END AS {quoted(step.values['value_column'])} "
            f"FROM {{input}}, range({count}) AS r(__column)"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, columns, kind = code.table, step.values["value_columns"], self._type(step)
        if any(step.schema.type(column) is not kind for column in columns):
            code.line(f"{df} = {df}.astype({code.literal(dict.fromkeys(columns, kind.pandas))})")
        made = [step.values["name_column"], step.values["value_column"]]
        # pandas melts into no name that the table has, even of a column that goes.
        first = step.schema.free_name(made[0])
        second = step.schema.with_columns([Column(first, kind)]).free_name(made[1])
        code.line(f"{df} = {df}.melt(")
        code.line(f"    id_vars={code.literal(self._kept(step.schema, step.values))},")
        code.line(f"    value_vars={code.literal(columns)},")
        code.line(f"    var_name={code.literal(first)},")
        code.line(f"    value_name={code.literal(second)},")
        code.line(")")
        if [first, second] != made:
            code.line(f"{df}.columns = {code.literal(self.columns(step).names)}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset((*values["value_columns"], *self._kept(schema, values)))

    @staticmethod
    def _kept(schema: Schema, values: Values) -> list[str]:
        if values["id_columns"]:
            return list(values["id_columns"])
        return [column for column in schema.names if column not in values["value_columns"]]

    @staticmethod
    def _type(step: Step) -> ColumnType:
        kinds = {step.schema.type(column) for column in step.values["value_columns"]}
        return kinds.pop() if len(kinds) == 1 else ColumnType.FLOAT


def _grouped(keys: list[str], items: list[str]) -> Query:
    order = ", ".join(f"{quoted(key)} ASC NULLS LAST" for key in keys)
    return Query(
        f"SELECT row_number() OVER (ORDER BY {order}) AS {ROW}, * FROM "
        f"(SELECT {', '.join(items)} FROM {{input}} AS __i GROUP BY {quoted_names(keys, '__i')})"
    )


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def _typed(value: Any, kind: ColumnType) -> Any:
    match kind:
        case ColumnType.DATE:
            return date.fromisoformat(value)
        case ColumnType.DATETIME:
            return datetime.fromisoformat(value)
        case ColumnType.FLOAT:
            return float(value)
    return value


def _name_of(value: Any) -> str:
    # Blank names, and those that begin like the engine's own, cannot be names of columns.
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"value {text}".rstrip() if not text.strip() or text.startswith("__") else text
