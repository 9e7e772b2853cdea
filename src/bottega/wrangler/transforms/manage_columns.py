"""Manage columns: drop, duplicate, rename, move, concatenate."""

from __future__ import annotations

from bottega.wrangler.columns import SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.as_text import JOIN_TEXTS, text_pandas, text_sql

_OPERATOR = "sagemaker.spark.manage_columns_0.1"
_GROUP = "Manage columns"


class DropColumn(Transform):
    operator = _OPERATOR
    name = "Drop column"
    group = _GROUP
    sentence = "Drops columns."
    edge_cases = "Values do not matter. The last column cannot be dropped."
    parameter_group = "drop_column_parameters"
    parameters = (
        Parameter("column_to_drop", "columns", "Columns", "Which columns go.", required=True),
    )
    words = ("remove", "delete")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if len(values["column_to_drop"]) == len(schema):
            raise ParameterError(
                "column_to_drop", "Columns: these are all columns of the table; keep at least one."
            )

    def columns(self, step: Step) -> Schema:
        return step.schema.without(step.values["column_to_drop"])

    def sql(self, step: Step) -> Rendering:
        return Columns({}, drop=step.values["column_to_drop"])

    def pandas(self, step: Step, code: PandasCode) -> None:
        dropped = code.literal(step.values["column_to_drop"])
        code.line(f"{code.table} = {code.table}.drop(columns={dropped})")


class DuplicateColumn(Transform):
    operator = _OPERATOR
    name = "Duplicate column"
    group = _GROUP
    sentence = "Copies a column under a new name."
    edge_cases = "Every value is copied as it is. A column that has the new name is refused."
    parameter_group = "duplicate_column_parameters"
    parameters = (
        Parameter("input_column", "column", "Column", "What is copied.", required=True),
        Parameter("new_name", "new_column", "New name", "Of the copy.", required=True),
    )
    words = ("copy", "clone")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_known(schema, values["new_name"])

    def columns(self, step: Step) -> Schema:
        kind = step.schema.type(step.values["input_column"])
        return step.schema.with_columns([Column(step.values["new_name"], kind)])

    def sql(self, step: Step) -> Rendering:
        return Columns({step.values["new_name"]: name(step.values["input_column"])})

    def pandas(self, step: Step, code: PandasCode) -> None:
        source = code.column(step.values["input_column"])
        code.line(f"{code.column(step.values['new_name'])} = {source}")


class RenameColumn(Transform):
    operator = _OPERATOR
    name = "Rename column"
    group = _GROUP
    sentence = "Gives a column another name."
    edge_cases = "Values stay. A name that another column has is refused."
    parameter_group = "rename_column_parameters"
    parameters = (
        Parameter("input_column", "column", "Column", "What is renamed.", required=True),
        Parameter("new_name", "new_column", "New name", "Of the column.", required=True),
    )

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        _refuse_known(schema.without([values["input_column"]]), values["new_name"])

    def columns(self, step: Step) -> Schema:
        return Schema(Column(self._new(step, column.name), column.type) for column in step.schema)

    def sql(self, step: Step) -> Rendering:
        old, new = step.values["input_column"], step.values["new_name"]
        order = [self._new(step, column) for column in step.schema.names]
        return Columns({new: name(old)}, drop=[old] if new != old else [], order=order)

    def pandas(self, step: Step, code: PandasCode) -> None:
        renamed = code.literal({step.values["input_column"]: step.values["new_name"]})
        code.line(f"{code.table} = {code.table}.rename(columns={renamed})")

    @staticmethod
    def _new(step: Step, column: str) -> str:
        new: str = step.values["new_name"]
        return new if column == step.values["input_column"] else column


def _move_parameters(kind: str, path: str, *more: Parameter) -> tuple[Parameter, ...]:
    moved = Parameter(
        f"{path}_column",
        "columns",
        "Columns",
        "What is moved; the columns keep their order among themselves.",
        path=f"{path}_parameters.column_to_move",
        required=True,
        when=("move_type", (kind,)),
    )
    return (moved, *more)


def _target(kind: str, path: str, sentence: str) -> Parameter:
    return Parameter(
        f"{path}_target",
        "column",
        "Target column",
        sentence,
        path=f"{path}_parameters.target_column",
        required=True,
        when=("move_type", (kind,)),
    )


class MoveColumn(Transform):
    operator = _OPERATOR
    name = "Move column"
    group = _GROUP
    sentence = "Moves columns to another place in the table."
    edge_cases = "Values stay."
    parameter_group = "move_column_parameters"
    parameters = (
        Parameter(
            "move_type",
            "choice",
            "Move type",
            "Where the columns go.",
            default="Move to start",
            choices=("Move to start", "Move to end", "Move before", "Move after", "Move to index"),
        ),
        *_move_parameters("Move to start", "move_to_start"),
        *_move_parameters("Move to end", "move_to_end"),
        *_move_parameters(
            "Move before",
            "move_before",
            _target("Move before", "move_before", "They come before this one."),
        ),
        *_move_parameters(
            "Move after",
            "move_after",
            _target("Move after", "move_after", "They come after this one."),
        ),
        *_move_parameters(
            "Move to index",
            "move_to_index",
            Parameter(
                "index",
                "integer",
                "Index",
                "The place of the first of them, counted from 0; at most the number of the others.",
                path="move_to_index_parameters.index",
                required=True,
                minimum=0,
                when=("move_type", ("Move to index",)),
            ),
        ),
    )
    words = ("reorder", "order")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        moved, rest = self._parts(schema, values)
        prefix = _prefix(values["move_type"])
        target = values.get(f"{prefix}_target")
        if target in moved:
            raise ParameterError(
                f"{prefix}_target", f"Target column: {target!r} is moved itself; choose another."
            )
        if prefix == "move_to_index" and values["index"] > len(rest):
            raise ParameterError(
                "index",
                f"Index: {values['index']} is beyond the other {len(rest)} columns of the table.",
            )

    def columns(self, step: Step) -> Schema:
        return step.schema.select(self._order(step))

    def sql(self, step: Step) -> Rendering:
        return Columns({}, order=self._order(step))

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.line(f"{code.table} = {code.table}[{code.literal(self._order(step))}]")

    def _order(self, step: Step) -> list[str]:
        moved, rest = self._parts(step.schema, step.values)
        kind = step.values["move_type"]
        match kind:
            case "Move to start":
                place = 0
            case "Move to end":
                place = len(rest)
            case "Move to index":
                place = step.values["index"]
            case _:
                place = rest.index(step.values[f"{_prefix(kind)}_target"])
                place += kind == "Move after"
        return [*rest[:place], *moved, *rest[place:]]

    @staticmethod
    def _parts(schema: Schema, values: Values) -> tuple[list[str], list[str]]:
        moved = list(values[f"{_prefix(values['move_type'])}_column"])
        return moved, [column for column in schema.names if column not in moved]


class ConcatenateColumns(Transform):
    operator = _OPERATOR
    name = "Concatenate columns"
    group = _GROUP
    sentence = "Writes the values of columns one after the other into a column of text."
    edge_cases = (
        "Missing values are left out together with their delimiter; where all are missing, the "
        "result is empty text. Numbers read as 1, 1.5, 1e+16 and inf."
    )
    parameter_group = "concatenate_columns_parameters"
    parameters = (
        Parameter(
            "left_column", "column", "Left column", "Comes first.", required=True, types=SCALARS
        ),
        Parameter(
            "right_column", "column", "Right column", "Comes next.", required=True, types=SCALARS
        ),
        Parameter(
            "more_columns", "columns", "More columns", "Come after these two.", types=SCALARS
        ),
        Parameter("delimiter", "text", "Delimiter", "Stands between two values.", default="_"),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the text goes; the two names with an underscore between them when empty.",
        ),
    )
    words = ("concat", "join", "merge", "combine")

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns([Column(self._output(step.values), ColumnType.STRING)])

    def sql(self, step: Step) -> Rendering:
        texts = (text_sql(name(c), step.schema.type(c)) for c in self._columns(step.values))
        delimiter = literal(step.values["delimiter"])
        return Columns({self._output(step.values): f"concat_ws({delimiter}, {', '.join(texts)})"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        joined = code.function("join_texts", JOIN_TEXTS)
        texts = ", ".join(
            text_pandas(code.column(c), step.schema.type(c), code)
            for c in self._columns(step.values)
        )
        delimiter = code.literal(step.values["delimiter"])
        code.line(f"{code.column(self._output(step.values))} = {joined}([{texts}], {delimiter})")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        output = self._output(values)
        return frozenset({*self._columns(values), *([output] if output in schema else [])})

    @staticmethod
    def _columns(values: Values) -> list[str]:
        return [values["left_column"], values["right_column"], *(values["more_columns"] or ())]

    @staticmethod
    def _output(values: Values) -> str:
        output: str = values["output_column"] or f"{values['left_column']}_{values['right_column']}"
        return output


def _prefix(move_type: str) -> str:
    return move_type.lower().replace(" ", "_")


def _refuse_known(schema: Schema, new: str) -> None:
    if new in schema:
        raise ParameterError("new_name", f"New name: there is already a column {new!r}.")
