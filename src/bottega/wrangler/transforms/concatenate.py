"""Concatenate: one table below the other."""

from __future__ import annotations

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, TIMES, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import clash, quoted, quoted_names


class Concatenate(Transform):
    operator = "sagemaker.spark.concatenate_0.1"
    name = "Concatenate"
    is_only = True
    group = "Concatenate"
    sentence = "Puts the rows of a second table below those of the first, by the columns' names."
    edge_cases = (
        "A column that only one table has is missing in the rows of the other; columns of the "
        "second table alone come last. Whole numbers and floats become floats, dates and datetimes "
        "datetimes; other types must agree. Of duplicates the first row stays; missing values "
        "equal each other."
    )
    parameters = (
        Parameter(
            "remove_duplicates",
            "boolean",
            "Remove duplicates",
            "Whether equal rows, of both tables or of one, come out once.",
            default=False,
        ),
        Parameter(
            "source_column",
            "new_column",
            "Source column",
            "Says where a row comes from: 0 for the first table, 1 for the second. None when "
            "empty. It does not tell duplicates apart.",
        ),
    )
    serving = "refuse"
    inputs = 2
    words = ("union", "append", "stack", "concat", "combine", "below")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        joined = [*schema]
        for column in others[0]:
            if column.name in schema:
                _common_type(schema[column.name], column)
                continue
            near = clash(schema, column.name)
            if near is not None:
                raise ParameterError(
                    "",
                    f"The second table has {column.name!r} and the first {near!r}, which differ in "
                    "capitals only; rename one of them.",
                )
            joined.append(column)
        source = values["source_column"]
        if source is not None and clash(Schema(joined), source) is not None:
            raise ParameterError(
                "source_column",
                f"Source column: there is a column {source!r} already; choose another name.",
            )
        lists = [column.name for column in joined if column.type not in SCALARS]
        if values["remove_duplicates"] and lists:
            raise ParameterError(
                "remove_duplicates",
                f"Remove duplicates: rows with vectors or arrays ({lists[0]!r}) are not compared; "
                "flatten or drop the column first.",
            )

    def columns(self, step: Step) -> Schema:
        second = step.others[0]
        made = [
            Column(c.name, _common_type(c, second[c.name]) if c.name in second else c.type)
            for c in step.schema
        ]
        made += [column for column in second if column.name not in step.schema]
        if step.values["source_column"] is not None:
            made.append(Column(step.values["source_column"], ColumnType.LONG))
        return Schema(made)

    def sql(self, step: Step) -> Rendering:
        source, joined = step.values["source_column"], self.columns(step)
        names = [c for c in joined.names if c != source]
        parts = []
        for number, (schema, place) in enumerate(
            ((step.schema, "{input}"), (step.others[0], "{input_1}"))
        ):
            items = [
                f"{quoted(c) if c in schema else 'NULL'}::{joined.type(c).duckdb} AS {quoted(c)}"
                for c in names
            ]
            items.append(f"{number}::BIGINT AS __source")
            parts.append(f"SELECT {ROW} AS __old, {', '.join(items)} FROM {place}")
        both = " UNION ALL ".join(parts)
        if step.values["remove_duplicates"] and names:
            both = (
                f"SELECT * FROM ({both}) QUALIFY row_number() OVER "
                f"(PARTITION BY {quoted_names(names)} ORDER BY __source, __old) = 1"
            )
        shown = [quoted(c) for c in names]
        if source is not None:
            shown.append(f"__source AS {quoted(source)}")
        return Query(
            f"SELECT row_number() OVER (ORDER BY __source, __old) AS {ROW}"
            f"{''.join(f', {item}' for item in shown)} FROM ({both})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, other, source = code.table, code.others[0], step.values["source_column"]
        joined = self.columns(step)
        names = [c for c in joined.names if c != source]
        if source is not None:
            code.line(f"{code.column(source)} = 0")
            # Not in place: the other table may be wanted elsewhere as it is.
            code.line(f"{other} = {other}.assign(**{{{code.literal(source)}: 1}})")
        for table, schema in ((df, step.schema), (other, step.others[0])):
            kinds = {
                c.name: joined.type(c.name).pandas
                for c in schema
                if c.type is not joined.type(c.name)
            }
            if kinds:
                code.line(f"{table} = {table}.astype({code.literal(kinds)})")
        code.line(f"{df} = pd.concat([{df}, {other}], ignore_index=True)[")
        code.line(f"    {code.literal(joined.names)}")
        code.line("]")
        if step.values["remove_duplicates"] and names:
            code.line(f"{df} = {df}.drop_duplicates(subset={code.literal(names)})")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)


def _common_type(one: Column, other: Column) -> ColumnType:
    kinds = {one.type, other.type}
    if len(kinds) == 1:
        return one.type
    if kinds <= NUMBERS:
        return ColumnType.FLOAT
    if kinds <= TIMES:
        return ColumnType.DATETIME
    raise ParameterError(
        "",
        f"Column {one.name!r} is {one.type} in the first table and {other.type} in the second; "
        "parse one of them as the other's type first.",
    )
