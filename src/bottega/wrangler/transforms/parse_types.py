"""Parse column as type: all columns of a table, or one, and what becomes of unreadable values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import ROW, SCALARS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter, ParameterSet
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import (
    Columns,
    Query,
    Rendering,
    State,
    Step,
    Transform,
    Values,
)
from bottega.wrangler.transforms.casting import (
    can_cast,
    cast_pandas,
    cast_sql,
    guess,
    guessing,
    is_blank_sql,
)
from bottega.wrangler.transforms.query_sql import quoted_names
from bottega.wrangler.transforms.text_times import USUAL_SENTENCE, time_formats
from bottega.wrangler.transforms.text_values import NumberStyle
from bottega.wrangler.typed_values import typed_value

_GROUP = "Parse column as type"
_TYPES = ("long", "float", "boolean", "date", "datetime", "string")
_OTHER_NAMES = {"bool": "boolean", "object": "string"}
"""What files of SageMaker's call types, too."""
_ERROR, _DROP = "error", "drop"
_SEPARATORS = {"None": "", "Comma": ",", "Point": ".", "Space": " ", "Apostrophe": "'"}
_READING = (
    "Blank text becomes missing. A number is digits with an optional sign, point and exponent, or "
    "inf; as a whole number its decimals are cut off. A boolean is true, t, yes, y, 1, false, f, "
    f"no, n or 0 in any case. A date is {USUAL_SENTENCE}. "
)


class CastSingleDataType(Transform):
    operator = "sagemaker.spark.cast_single_data_type_0.1"
    name = "Parse value as type"
    is_only = True
    group = _GROUP
    sentence = "Reads the values of a column as another type."
    edge_cases = (
        _READING + "Numbers other than zero are true, and true is 1; infinity is no whole number. "
        "Missing values stay missing and are not invalid."
    )
    parameters = (
        Parameter("column", "column", "Column", "What is read.", required=True, types=SCALARS),
        Parameter(
            "data_type",
            "choice",
            "Data type",
            "What the column becomes.",
            required=True,
            choices=_TYPES,
        ),
        Parameter(
            "non_castable_data_handling_method",
            "choice",
            "Non-castable data",
            "What becomes of a value that cannot be read: it goes missing, a value of yours takes "
            "its place (with_new_col keeps it in a column of its own), its row is dropped, or the "
            "step fails.",
            default="replace_null",
            choices=(
                "replace_null",
                "replace_null_with_new_col",
                "replace_value",
                "replace_value_with_new_col",
                _DROP,
                _ERROR,
            ),
        ),
        Parameter(
            "replace_value",
            "value",
            "Replacement value",
            "What takes the place of a value that cannot be read.",
            required=True,
            when=(
                "non_castable_data_handling_method",
                ("replace_value", "replace_value_with_new_col"),
            ),
        ),
        Parameter(
            "date_formatting",
            "text",
            "Date format",
            "How dates and times are written, as dd-MM-yyyy HH:mm:ss or %d-%m-%Y; when empty, "
            f"{USUAL_SENTENCE}.",
            when=("data_type", ("date", "datetime")),
        ),
        Parameter(
            "thousands_separator",
            "choice",
            "Thousands separator",
            "What stands between groups of digits.",
            default="None",
            choices=tuple(_SEPARATORS),
            when=("data_type", ("long", "float")),
        ),
        Parameter(
            "decimal_separator",
            "choice",
            "Decimal separator",
            "What stands before the decimals.",
            default="Point",
            choices=("Point", "Comma"),
            when=("data_type", ("long", "float")),
        ),
        Parameter(
            "signs",
            "boolean",
            "Currency and percent signs",
            "Whether $, €, £, ¥ and ₹ are passed over, and % divides by 100.",
            default=False,
            when=("data_type", ("long", "float")),
        ),
    )
    words = ("cast", "convert", "astype", "to_datetime", "to_numeric", "type")

    @classmethod
    def parameter_set(cls) -> ParameterSet:
        return _CastParameters(cls.parameters)

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        source, target = schema[values["column"]], ColumnType(values["data_type"])
        if not can_cast(source.type, target):
            raise ParameterError(
                "data_type",
                f"Column {source.name!r} is {source.type}, which cannot be read as {target}; parse "
                "it as string first.",
            )
        time_formats("date_formatting", values["date_formatting"])
        if values["replace_value"] is not None:
            typed_value("replace_value", values["replace_value"], Column(source.name, target))
        thousands, decimal = values["thousands_separator"], values["decimal_separator"]
        if thousands is not None and thousands == decimal:
            raise ParameterError(
                "thousands_separator",
                f"Thousands separator: {thousands} is the decimal separator, too; choose another.",
            )

    def columns(self, step: Step) -> Schema:
        column = step.values["column"]
        found = [Column(column, ColumnType(step.values["data_type"]))]
        if self._keeps(step):
            found.append(Column(_invalid_name(column), ColumnType.STRING))
        return step.schema.with_columns(found)

    def sql(self, step: Step) -> Rendering:
        if step.values["non_castable_data_handling_method"] != _DROP:
            return self.served(step)
        column = step.values["column"]
        parsed, invalid = map(escaped, self._parsed(step))
        shown = [
            f"{parsed} AS {quoted_names([c])}" if c == column else quoted_names([c])
            for c in step.schema.names
        ]
        return Query(f"SELECT {ROW}, {', '.join(shown)} FROM {{input}} WHERE NOT {invalid}")

    def served(self, step: Step) -> Rendering:
        """Every row; where one would be dropped the value is missing."""
        column, target = step.values["column"], ColumnType(step.values["data_type"])
        place, (parsed, invalid) = name(column), self._parsed(step)
        method = step.values["non_castable_data_handling_method"]
        found = {column: parsed}
        if method == _ERROR:
            message = literal(_message(column, target))
            value = f"error({message} || ({place})::VARCHAR)"
            found[column] = f"CASE WHEN {invalid} THEN {value} ELSE {parsed} END"
        elif step.values["replace_value"] is not None:
            value = literal(self._replacement(step))
            found[column] = f"(CASE WHEN {invalid} THEN {value} ELSE {parsed} END)"
            found[column] += f"::{target.duckdb}"
        if self._keeps(step):
            found[_invalid_name(column)] = f"CASE WHEN {invalid} THEN ({place})::VARCHAR END"
        return Columns(found)

    def _parsed(self, step: Step) -> tuple[str, str]:
        """The value that was read, and whether there is one that cannot be."""
        column, target = step.values["column"], ColumnType(step.values["data_type"])
        source, place = step.schema.type(column), name(column)
        parsed = cast_sql(place, source, target, self._formats(step), _style(step))
        invalid = f"({place} IS NOT NULL AND {parsed} IS NULL)"
        if source == ColumnType.STRING:
            invalid = f"({invalid} AND NOT {is_blank_sql(place)})"
        return parsed, invalid

    def pandas(self, step: Step, code: PandasCode) -> None:
        column, target = step.values["column"], ColumnType(step.values["data_type"])
        source, place, df = step.schema.type(column), code.column(column), code.table
        parsed = cast_pandas(place, source, target, self._formats(step), code, _style(step))
        method = step.values["non_castable_data_handling_method"]
        if method == "replace_null":
            code.line(f"{place} = {parsed}")
            return
        code.line(f"parsed = {parsed}")
        invalid = f"parsed.isna() & {place}.notna()"
        if source == ColumnType.STRING:
            space = code.literal(" \t\n\r\f\v")
            invalid += f' & ({place}.str.strip({space}) != "")'
        code.line(f"invalid = {invalid}")
        if self._keeps(step):
            kept = code.column(_invalid_name(column))
            code.line(f'{kept} = {place}.where(invalid).astype("str")')
        if method == _ERROR:
            message = code.literal(_message(column, target))
            value = f"str({place}[invalid].iloc[0])"
            code.line(f"if invalid.any():\n    raise ValueError({message} + {value})")
        if step.values["replace_value"] is not None:
            value = self._replacement(step)
            text = code.literal(value)
            if target.is_time:
                text = f"pd.Timestamp({code.literal(value.isoformat())})"
            code.line(f"parsed = parsed.mask(invalid, {text})")
        code.line(f"{place} = parsed")
        if method == _DROP:
            code.line(f"{df} = {df}[~invalid]")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        column = values["column"]
        return frozenset({column, _invalid_name(column)} & set(schema.names))

    @staticmethod
    def _keeps(step: Step) -> bool:
        method: str = step.values["non_castable_data_handling_method"]
        return method.endswith("with_new_col")

    @staticmethod
    def _formats(step: Step) -> list[tuple[str, str]]:
        return time_formats("date_formatting", step.values["date_formatting"])

    @staticmethod
    def _replacement(step: Step) -> Any:
        target = Column(step.values["column"], ColumnType(step.values["data_type"]))
        return typed_value("replace_value", step.values["replace_value"], target)


class InferAndCastType(Transform):
    operator = "sagemaker.spark.infer_and_cast_type_0.1"
    name = "Infer and cast types"
    is_only = True
    group = _GROUP
    sentence = (
        "Reads columns of text as the types that all their values have, or as the types given."
    )
    edge_cases = (
        _READING
        + "A type is taken when every value that is not blank reads as it; text with a leading "
        "zero, as postal codes have, stays text, and so does a column of blanks. What cannot be "
        "read as the type given becomes missing."
    )
    parameters = (
        Parameter(
            "schema",
            "records",
            "Types",
            "Columns and their types; all columns of text are inferred when none is given.",
            fields=(
                Parameter("column", "column", "Column", "What is read.", required=True),
                Parameter(
                    "data_type",
                    "choice",
                    "Data type",
                    "What it becomes.",
                    required=True,
                    choices=_TYPES,
                ),
            ),
        ),
    )
    learns = True
    words = ("cast", "detect", "schema", "type")

    @classmethod
    def parameter_set(cls) -> ParameterSet:
        return _SchemaParameters(cls.parameters)

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        for entry in values["schema"] or ():
            source, target = schema[entry["column"]], ColumnType(entry["data_type"])
            if not can_cast(source.type, target):
                raise ParameterError(
                    "schema",
                    f"Types: column {source.name!r} is {source.type}, which cannot be read as "
                    f"{target}.",
                )

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["schema"]:
            return {}
        found = {}
        for column in schema.of_type({ColumnType.STRING}):
            for kind, test in guessing(name(column)).items():
                found[f"{kind} {column}"] = test
        return found

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        """State: ``schema``, the new type of each column that gets one."""
        counts: dict[str, dict[str, Any]] = {}
        for key, value in found.items():
            kind, column = key.split(" ", 1)
            counts.setdefault(column, {})[kind] = value
        guessed = {column: guess(count) for column, count in counts.items()}
        return {"schema": {c: str(kind) for c, kind in guessed.items() if kind != "string"}}

    def fit(self, table: Any, values: Values) -> State:
        if values["schema"]:
            return {"schema": {e["column"]: e["data_type"] for e in values["schema"]}}
        found = dict(super().fit(table, values))
        return found or {"schema": {}}

    def columns(self, step: Step) -> Schema:
        return step.schema.with_columns(
            Column(column, ColumnType(kind)) for column, kind in step.state["schema"].items()
        )

    def sql(self, step: Step) -> Rendering:
        return Columns(
            {
                column: cast_sql(
                    name(column), step.schema.type(column), ColumnType(kind), _usual_formats()
                )
                for column, kind in step.state["schema"].items()
                if step.schema.type(column) != kind
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        for column, kind in step.state["schema"].items():
            source = step.schema.type(column)
            if source == kind:
                continue
            place = code.column(column)
            parsed = cast_pandas(place, source, ColumnType(kind), _usual_formats(), code)
            code.line(f"{place} = {parsed}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        if values["schema"]:
            return frozenset(entry["column"] for entry in values["schema"])
        return frozenset(schema.of_type({ColumnType.STRING}))


class _CastParameters(ParameterSet):
    """Reads the names of types that files of SageMaker's have."""

    def read(self, node_parameters: Mapping[str, Any]) -> dict[str, Any]:
        found = super().read(node_parameters)
        if "data_type" in found:
            found["data_type"] = _OTHER_NAMES.get(found["data_type"], found["data_type"])
        return found


class _SchemaParameters(ParameterSet):
    """In a file the schema is a mapping; SageMaker has it among what the node has learnt."""

    def read(self, node_parameters: Mapping[str, Any]) -> dict[str, Any]:
        found = node_parameters.get("schema")
        if found is None:
            trained = node_parameters.get("trained_parameters")
            found = trained.get("schema") if isinstance(trained, Mapping) else None
        if isinstance(found, Mapping):
            found = [
                {"column": column, "data_type": _OTHER_NAMES.get(kind, kind)}
                for column, kind in found.items()
            ]
        return {} if found is None else {"schema": found}

    def write(
        self, values: Mapping[str, Any], into: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        result = super().write(values, into)
        listed = result.get("schema")
        if isinstance(listed, list):
            result["schema"] = {entry["column"]: entry["data_type"] for entry in listed}
        return result


def _usual_formats() -> list[tuple[str, str]]:
    return time_formats("schema", None)


def _style(step: Step) -> NumberStyle:
    thousands, decimal = step.values["thousands_separator"], step.values["decimal_separator"]
    return NumberStyle(
        _SEPARATORS[thousands or "None"],
        _SEPARATORS[decimal or "Point"],
        bool(step.values["signs"]),
    )


def _invalid_name(column: str) -> str:
    return f"{column}_typecast_error"


def _message(column: str, target: ColumnType) -> str:
    return f"Column {column!r} has a value that cannot be read as {target}: "
