"""Custom code in SQL: a query about the table."""

from __future__ import annotations

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, name, names
from bottega.wrangler.transform import Query, Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.learnt_columns import (
    learnt,
    learnt_schema,
    refuse_names,
    write_types,
)
from bottega.wrangler.transforms.user_sql import TABLE, UserQuery, check_sql, type_of

_RUN_QUERY = '''
def run_query(query, df, schema):
    """The result of a query about the table df."""
    with duckdb.connect() as connection:
        connection.register("df", pa.Table.from_pandas(df, schema, preserve_index=False))
        result = connection.sql(query).to_arrow_table()
    nullable = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int64Dtype()}
    nullable[pa.bool_()] = pd.BooleanDtype()
    return result.to_pandas(types_mapper=nullable.get, date_as_object=False)
'''


class SqlCode(Transform):
    operator = "sagemaker.spark.custom_code_0.1"
    name = "SQL (PySpark SQL)"
    group = "Custom code"
    sentence = "Runs a query on the table df, in DuckDB's SQL."
    edge_cases = (
        "NaN is NULL. A query over the table alone keeps the order of its rows and ORDER BY says "
        "another; where neither does, as after GROUP BY, a join, DISTINCT, a window or a "
        "subquery, rows are sorted by all columns. Other tables and files cannot be read."
    )
    parameter_group = "sql_parameters"
    parameters = (
        Parameter(
            "code",
            "code",
            "Query",
            "One SELECT; the table is df.",
            required=True,
            language="sql",
        ),
    )
    serving = "refuse"
    learns = True
    runs_code = True
    words = ("query", "select", "duckdb", "spark")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        check_sql("code", values["code"])

    def fit(self, table: Table, values: Values) -> State:
        import duckdb

        query = check_sql("code", values["code"])
        try:
            found = table.rows(
                "SELECT column_name, column_type FROM (DESCRIBE "
                f"{_on_table(query.text, table.schema, '{table}')})"
            )
        except duckdb.Error as error:
            told = str(error).split("\n\n", 1)[0].replace("\n", " ")
            raise DataError(f"The query cannot run: {told}") from error
        columns = [Column(column, type_of(column, kind)) for column, kind in found]
        refuse_names(columns)
        return learnt(columns)

    def columns(self, step: Step) -> Schema:
        return learnt_schema(step.state)

    def sql(self, step: Step) -> Rendering:
        query, schema = check_sql("code", step.values["code"]), self.columns(step)
        items = "".join(f", {_cast(column)} AS {escaped(name(column.name))}" for column in schema)
        source = _on_table(query.sorted_text, step.schema, "{input}")
        return Query(f"SELECT row_number() OVER () AS {ROW}{items} FROM ({source}) AS __result")

    def pandas(self, step: Step, code: PandasCode) -> None:
        query = check_sql("code", step.values["code"])
        _write_query(code, query, step.schema)
        write_types(code, self.columns(step))

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)


def _on_table(query: str, schema: Schema, place: str) -> str:
    shown = escaped(names(schema.names)) or "1"
    return (
        f"WITH {TABLE} AS (SELECT {shown} FROM {place} ORDER BY {ROW}) "
        f"SELECT * FROM (\n{escaped(query)}\n)"
    )


def _cast(column: Column) -> str:
    text = f"{escaped(name(column.name))}::{column.type.duckdb}"
    return f"nullif({text}, 'nan'::DOUBLE)" if column.type is ColumnType.FLOAT else text


def _write_query(code: PandasCode, query: UserQuery, schema: Schema) -> None:
    """A table of Arrow between pandas and DuckDB: it has missing whole numbers, and days."""
    code.require("import duckdb")
    code.require("import pyarrow as pa")
    code.function("run_query", _RUN_QUERY)
    fields = ", ".join(f"({code.literal(column.name)}, {_ARROW[column.type]})" for column in schema)
    constant = code.constant("query", query.sorted_text)
    code.line(f"{code.table} = run_query({constant}, {code.table}, pa.schema([{fields}]))")


_ARROW = {
    ColumnType.LONG: "pa.int64()",
    ColumnType.FLOAT: "pa.float64()",
    ColumnType.BOOLEAN: "pa.bool_()",
    ColumnType.STRING: "pa.string()",
    ColumnType.DATE: "pa.date32()",
    ColumnType.DATETIME: 'pa.timestamp("us")',
    ColumnType.VECTOR: "pa.list_(pa.float64())",
    ColumnType.ARRAY: "pa.list_(pa.string())",
}
