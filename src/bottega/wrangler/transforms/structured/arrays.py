"""Arrays: from JSON, to rows, to text, and how long they are."""

from __future__ import annotations

from typing import ClassVar

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.structured.flatten import GROUP, OPERATOR
from bottega.wrangler.transforms.structured.json_text import require_json, valid_json
from bottega.wrangler.transforms.text_step import INPUT, OUTPUT, TextStep

_LISTS = frozenset({ColumnType.ARRAY, ColumnType.VECTOR})
_ARRAYS = Parameter(
    "input_column",
    "columns",
    "Input columns",
    "The columns of arrays.",
    required=True,
    types=frozenset({ColumnType.ARRAY}),
)


class ExplodeArray(Transform):
    operator = OPERATOR
    name = "Explode array"
    group = GROUP
    sentence = "Makes a row of every value of an array, with the other columns repeated."
    edge_cases = "A missing or empty array gives one row with a missing value."
    parameter_group = "explode_array_parameters"
    parameters = (
        Parameter(
            "input_column",
            "column",
            "Input column",
            "The column of arrays or vectors.",
            required=True,
            types=_LISTS,
        ),
        OUTPUT,
    )
    serving = "refuse"
    words = ("unnest", "rows", "expand")

    def columns(self, step: Step) -> Schema:
        column, output = step.values["input_column"], step.values["output_column"]
        is_vector = step.schema.type(column) is ColumnType.VECTOR
        kind = ColumnType.FLOAT if is_vector else ColumnType.STRING
        return step.schema.with_columns([Column(output or column, kind)])

    def sql(self, step: Step) -> Rendering:
        column, output = step.values["input_column"], step.values["output_column"]
        x, kind = name(column), step.schema.type(column).duckdb
        values = f"CASE WHEN len({x}) > 0 THEN {x} ELSE [NULL]::{kind} END"
        result = output or column
        shown = "".join(
            f", {'value' if c == result else f't.{name(c)}'} AS {name(c)}"
            for c in self.columns(step).names
        )
        inner = (
            f"SELECT {ROW}, unnest({values}) AS value, generate_subscripts({values}, 1) AS place"
        )
        return Query(
            escaped(f"SELECT row_number() OVER (ORDER BY t.{ROW}, place) AS {ROW}{shown} FROM ")
            + "{input} AS t JOIN ("
            + escaped(f"{inner} FROM ")
            + "{input}"
            + escaped(f") AS exploded ON exploded.{ROW} = t.{ROW}")
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        column, output = step.values["input_column"], step.values["output_column"]
        result = output or column
        if output:
            code.line(f"{code.column(output)} = {code.column(column)}")
        place = code.column(result)
        kind = self.columns(step).type(result).pandas
        code.line(
            f"{code.table} = {code.table}.explode({code.literal(result)}, ignore_index=True)\n"
            f'{place} = {place}.astype("{kind}")'
        )


class ParseJsonArray(TextStep):
    operator = OPERATOR
    name = "Parse JSON array"
    group = GROUP
    sentence = "Makes an array of the text of a JSON array."
    edge_cases = (
        "Missing where the text is missing or no JSON array; null in the array is missing there. "
        "Nested objects and arrays stay JSON text."
    )
    result = ColumnType.ARRAY
    parameter_group = "parse_json_array_parameters"
    words = ("list", "json")

    def expression(self, x: str, values: Values) -> str:
        text = valid_json(x)
        found = f"json_extract_string({text}, '$[*]')"
        return f"CASE WHEN json_type({text}) = 'ARRAY' THEN {found} END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        require_json(code)
        function = code.function("read_json_array", _READ_ARRAY)
        return f'{x}.map({function}, na_action="ignore").astype(object)'


_READ_ARRAY = '''
def read_json_array(text):
    """The texts of the values of a JSON array; None when the text is none."""
    value = read_json(text)
    if not isinstance(value, list) or isinstance(value, JsonObject):
        return None
    return [json_text(item) for item in value]
'''


class JoinArray(TextStep):
    operator = OPERATOR
    name = "Join array"
    group = GROUP
    sentence = "Makes one text of an array, with a separator between the values."
    edge_cases = "Missing values are left out; an empty array gives empty text."
    parameter_group = "join_array_parameters"
    parameters = (
        _ARRAYS,
        Parameter(
            "separator", "text", "Separator", "What is put between the values.", default=", "
        ),
        OUTPUT,
    )
    words = ("concatenate", "text")

    def expression(self, x: str, values: Values) -> str:
        joined = f"array_to_string({x}, {literal(values['separator'])})"
        return f"CASE WHEN {x} IS NOT NULL THEN coalesce({joined}, '') END"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        separator = code.literal(values["separator"])
        join = f"lambda values: {separator}.join(one for one in values if one is not None)"
        return f'{x}.map({join}, na_action="ignore").astype("str")'


class ArrayLength(TextStep):
    operator = OPERATOR
    name = "Array length"
    group = GROUP
    sentence = "Counts the values of an array or a vector."
    edge_cases = "Missing values count; a missing array has no length."
    result: ClassVar[ColumnType] = ColumnType.LONG
    parameter_group = "array_length_parameters"
    parameters = (
        Parameter(INPUT.name, "columns", INPUT.label, "The columns.", required=True, types=_LISTS),
        OUTPUT,
    )
    words = ("count", "size")

    def expression(self, x: str, values: Values) -> str:
        return f"len({x})"

    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        return f'{x}.map(len, na_action="ignore").astype("Int64")'
