"""One-hot encode: a number for every category, one of which is 1."""

from __future__ import annotations

from typing import Any

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.encode_categorical.lookup import (
    INPUT,
    OUTPUT,
    code_of,
    learnt_categories,
    refuse_one_output_for_many,
    refuse_unknown,
    rendered,
    text_of,
    texts_of,
    unknown_error,
)

_MOST_COLUMNS = 1000
_LONGEST_VECTOR = 10_000


class OneHotEncode(Transform):
    operator = "sagemaker.spark.encode_categorical_0.1"
    name = "One-hot encode"
    group = "Encode categorical"
    sentence = "Gives every category a number that is 1 where it stands, and 0 elsewhere."
    edge_cases = (
        "Missing values and those not learnt are invalid; empty text is a category. More than "
        "1,000 columns, or vectors of more than 10,000 numbers, are refused."
    )
    parameter_group = "one_hot_encode_parameters"
    parameters = (
        INPUT,
        Parameter(
            "input_already_ordinal_encoded",
            "boolean",
            "Input already ordinal encoded",
            "Whether the columns hold whole numbers from 0 that are the categories.",
            default=False,
        ),
        Parameter(
            "invalid_handling_strategy",
            "choice",
            "Invalid handling strategy",
            "What becomes of invalid values: the row is dropped (Skip), they are one more category "
            "(Keep), or the step fails (Error).",
            default="Keep",
            choices=("Skip", "Keep", "Error"),
        ),
        Parameter(
            "drop_last",
            "boolean",
            "Drop last category",
            "Whether the last category has no number: all are 0 then.",
            default=False,
        ),
        Parameter(
            "output_style",
            "choice",
            "Output style",
            "A column for each category, or one column of vectors.",
            default="Columns",
            choices=("Vector", "Columns"),
        ),
        OUTPUT,
    )
    learns = True
    words = ("dummies", "get_dummies", "indicator")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_one_output_for_many(values)
        if values["input_already_ordinal_encoded"]:
            for column in values["input_column"]:
                if schema.type(column) != ColumnType.LONG:
                    raise ParameterError(
                        "input_already_ordinal_encoded",
                        f"Input already ordinal encoded: column {column!r} is "
                        f"{schema.type(column)}, not whole numbers.",
                    )

    def fit(self, table: Table, values: Values) -> State:
        found = {}
        most = _LONGEST_VECTOR if values["output_style"] == "Vector" else _MOST_COLUMNS
        for column in values["input_column"]:
            if values["input_already_ordinal_encoded"]:
                x = escaped(name(column))
                (largest,) = table.row(f"SELECT max({x}) FROM {{table}}")
                count = 0 if largest is None else max(largest + 1, 0)
            else:
                x = escaped(name(column))
                (count,) = table.row(f"SELECT count(DISTINCT {x}) FROM {{table}}")
            if count > most:
                raise DataError(
                    f"Column {column!r} has {count:,} categories, and at most {most:,} can be "
                    "one-hot encoded; replace rare ones first, or use Target encode or Similarity "
                    "encode."
                )
            if values["input_already_ordinal_encoded"]:
                found[column] = list(range(count))
            else:
                found[column] = [value for value, _ in learnt_categories(table, column)]
        return {"categories": found}

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        if step.values["output_style"] == "Vector":
            return step.schema.with_columns(
                Column(output or c, ColumnType.VECTOR) for c in step.values["input_column"]
            )
        kept = step.schema.without([] if output else step.values["input_column"])
        made = [
            Column(new, ColumnType.LONG)
            for names in self._names(step).values()
            for new in names.values()
        ]
        return kept.with_columns(made)

    def sql(self, step: Step) -> Rendering:
        output, strategy = step.values["output_column"], step.values["invalid_handling_strategy"]
        found: dict[str, str] = {}
        valid = []
        for column, categories in step.state["categories"].items():
            known = code_of(text_of(column), categories)
            valid.append(f"{known} IS NOT NULL")
            if step.values["output_style"] == "Vector":
                found[output or column] = self._vector(step, column, known)
            else:
                for category, new in self._names(step)[column].items():
                    found[new] = self._number(column, known, category, strategy)
        dropped = []
        if step.values["output_style"] == "Columns" and not output:
            dropped = step.values["input_column"]
        where = " AND ".join(valid) if strategy == "Skip" else ""
        learnt = step.state["categories"].values()
        return rendered(found, self.columns(step), learnt, drop=dropped, where=where)

    def _number(self, column: str, known: str, category: Any, strategy: str) -> str:
        if category is None:
            return f"({known} IS NULL)::BIGINT"
        is_it = f"coalesce({text_of(column)} = {literal(texts_of([category])[0])}, FALSE)::BIGINT"
        if strategy == "Error":
            return (
                f"CASE WHEN {known} IS NULL THEN {unknown_error(column)}::BIGINT ELSE {is_it} END"
            )
        return is_it

    def _vector(self, step: Step, column: str, known: str) -> str:
        count, strategy = self._length(step, column), step.values["invalid_handling_strategy"]
        if strategy == "Keep":
            known = f"coalesce({known}, {len(step.state['categories'][column])})"
        elif strategy == "Error":
            known = f"coalesce({known}, {unknown_error(column)}::BIGINT)"
        zeros = "list_resize([]::DOUBLE[], {}, 0.0::DOUBLE)"
        one = f"list_concat({zeros.format('c')}, [1.0::DOUBLE], {zeros.format(f'{count} - c - 1')})"
        each = f"CASE WHEN c < {count} THEN {one} WHEN c IS NOT NULL THEN {zeros.format(count)} END"
        # A lambda over one value, so that the place is looked up once.
        return f"list_transform([{known}], lambda c: {each})[1]"

    def pandas(self, step: Step, code: PandasCode) -> None:
        output, strategy = step.values["output_column"], step.values["invalid_handling_strategy"]
        table, is_vector = code.table, step.values["output_style"] == "Vector"
        learnt = {
            column: code.constant(f"{column} categories", categories)
            for column, categories in step.state["categories"].items()
        }
        for column, categories in learnt.items():
            if strategy == "Skip":
                code.line(f"{table} = {table}[{code.column(column)}.isin({categories})]")
            elif strategy == "Error":
                refuse_unknown(code, column, categories)
        for column, categories in learnt.items():
            place = code.column(column)
            if is_vector:
                codes = f"{{category: i for i, category in enumerate({categories})}}"
                keep = f".fillna(len({categories}))" if strategy == "Keep" else ""
                length = self._length(step, column)
                code.line(
                    f'codes = {place}.map({codes}).astype("Int64"){keep}\n'
                    f"{code.column(output or column)} = pd.Series(\n"
                    f"    [[float(i == one) for i in range({length})] for one in codes],\n"
                    f"    index={table}.index,\n"
                    "    dtype=object,\n"
                    ")"
                )
                continue
            names = dict(self._names(step)[column])
            unknown = names.pop(None, None)
            constant = code.constant(f"{column} columns", names)
            dropped = "" if output else f".drop(columns={code.literal(column)})"
            code.line(
                f"encoded = pd.DataFrame(\n"
                f"    {{new: {place}.eq(category) for category, new in {constant}.items()}},\n"
                f"    index={table}.index,\n"
                f').fillna(False).astype("Int64")'
            )
            if unknown is not None:
                code.line(
                    f"encoded[{code.literal(unknown)}] = "
                    f'(~{place}.isin({categories})).astype("Int64")'
                )
            code.line(f"{table} = pd.concat([{table}{dropped}, encoded], axis=1)")

    def _length(self, step: Step, column: str) -> int:
        keep = step.values["invalid_handling_strategy"] == "Keep"
        count: int = len(step.state["categories"][column]) + keep
        return max(count - bool(step.values["drop_last"]), 0)

    def _names(self, step: Step) -> dict[str, dict[Any, str]]:
        """For every column the new ones by category; None is that of invalid values."""
        output = step.values["output_column"]
        # The engine takes names for one that differ in case only.
        used = {c.lower() for c in step.schema.names}
        if not output:
            used -= {c.lower() for c in step.values["input_column"]}
        found: dict[str, dict[Any, str]] = {}
        for column, categories in step.state["categories"].items():
            labels = [*zip(categories, texts_of(categories), strict=True)]
            if step.values["invalid_handling_strategy"] == "Keep":
                labels.append((None, "missing"))
            if step.values["drop_last"]:
                labels = labels[:-1]
            found[column] = {}
            for category, label in labels:
                wanted = new = f"{output or column}_{label}"
                number = 0
                while new.lower() in used:
                    number += 1
                    new = f"{wanted}_{number}"
                used.add(new.lower())
                found[column][category] = new
        return found
