"""Manage vectors: columns to a vector, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, State, Step, Transform, Values

_OPERATOR = "sagemaker.spark.manage_vectors_0.1"
_GROUP = "Manage vectors"
_MOST = 10_000
_ASSEMBLE = '''
def assemble(parts):
    """One list of numbers and lists of numbers; None when a part is missing."""
    numbers = []
    for part in parts:
        if isinstance(part, list):
            numbers.extend(part)
        elif pd.isna(part):
            return None
        else:
            numbers.append(float(part))
    return numbers
'''


class Assemble(Transform):
    operator = _OPERATOR
    name = "Assemble"
    group = _GROUP
    sentence = "Makes one vector of the numbers and vectors of several columns."
    edge_cases = "A row with a missing value gets a missing vector; infinity is a number."
    parameter_group = "assemble_parameters"
    parameters = (
        Parameter(
            "input_column",
            "columns",
            "Input columns",
            "In the order that their numbers shall have.",
            required=True,
            types=NUMBERS | {ColumnType.BOOLEAN, ColumnType.VECTOR},
        ),
        Parameter(
            "output_column", "new_column", "Output column", "The vector's name.", required=True
        ),
    )
    words = ("features", "array")

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns([Column(step.values["output_column"], ColumnType.VECTOR)])

    def sql(self, step: Step) -> Rendering:
        chosen = step.values["input_column"]
        parts = [
            name(c) if step.schema.type(c) is ColumnType.VECTOR else f"[{_number(step, c)}]"
            for c in chosen
        ]
        present = " AND ".join(f"{name(c)} IS NOT NULL" for c in chosen)
        joined = parts[0] if len(parts) == 1 else f"list_concat({', '.join(parts)})"
        return Columns({step.values["output_column"]: f"CASE WHEN {present} THEN {joined} END"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.function("assemble", _ASSEMBLE)
        columns = ", ".join(map(code.column, step.values["input_column"]))
        code.line(
            f"{code.column(step.values['output_column'])} = pd.Series(\n"
            f"    map(assemble, zip({columns})), index={code.table}.index, dtype=object\n"
            ")"
        )


def _number(step: Step, column: str) -> str:
    if step.schema.type(column) is ColumnType.BOOLEAN:
        return f"{name(column)}::TINYINT::DOUBLE"
    return f"{name(column)}::DOUBLE"


class Flatten(Transform):
    operator = _OPERATOR
    name = "Flatten"
    group = _GROUP
    sentence = "Makes a column of each number of a vector."
    edge_cases = (
        "A missing vector gives missing numbers, and a shorter one missing numbers at its end; "
        "what a longer one has more is left out."
    )
    parameter_group = "flatten_parameters"
    parameters = (
        Parameter(
            "input_column",
            "column",
            "Input column",
            "The column of vectors.",
            required=True,
            types=frozenset({ColumnType.VECTOR}),
        ),
        Parameter(
            "number_of_outputs",
            "integer",
            "Number of outputs",
            "How many columns; as many as the longest vector has numbers when empty.",
            minimum=1,
            maximum=_MOST,
        ),
        Parameter(
            "output_prefix",
            "text",
            "Output prefix",
            "What the new columns' names begin with, before a number from 0; the column's name and "
            "_ when empty.",
        ),
    )
    learns = True
    words = ("expand", "unpack", "columns")

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["number_of_outputs"] is not None:
            return {}
        return {"length": f"max(len({name(values['input_column'])}))"}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        length = found["length"] or 0
        if length > _MOST:
            raise DataError(
                f"Column {values['input_column']!r} has vectors of {length:,} numbers; set Number "
                f"of outputs to {_MOST:,} at most."
            )
        return {"length": length}

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns(Column(n, ColumnType.FLOAT) for n in self._names(step))

    def sql(self, step: Step) -> Rendering:
        x = name(step.values["input_column"])
        return Columns({new: f"{x}[{i}]" for i, new in enumerate(self._names(step), 1)})

    def pandas(self, step: Step, code: PandasCode) -> None:
        names, table = self._names(step), code.table
        code.line(
            "flat = pd.DataFrame(\n"
            f"    [\n"
            f"        [v[i] if isinstance(v, list) and i < len(v) else float('nan')\n"
            f"         for i in range({len(names)})]\n"
            f"        for v in {code.column(step.values['input_column'])}\n"
            f"    ],\n"
            f"    index={table}.index,\n"
            f"    columns={code.literal(names)},\n"
            '    dtype="float64",\n'
            ")\n"
            f"{table} = pd.concat([{table}, flat], axis=1)"
        )

    def _names(self, step: Step) -> list[str]:
        count = step.values["number_of_outputs"] or step.state["length"]
        prefix = step.values["output_prefix"]
        if prefix is None:
            prefix = f"{step.values['input_column']}_"
        return [step.schema.free_name(f"{prefix}{i}") for i in range(count)]
