"""Validate timestamps: find rows whose moment is missing or cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.wrangler.columns import TIMES, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transform import (
    Columns,
    Rendering,
    Rows,
    Serving,
    State,
    Step,
    Transform,
    Values,
)
from bottega.wrangler.transforms.query_sql import free_names
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.parsing import moment_sql, write_moments


class ValidateTimestamps(Transform):
    operator = series.OPERATOR
    name = "Validate timestamps"
    group = series.GROUP
    sentence = "Drops, marks or refuses rows whose timestamp is missing or cannot be read."
    edge_cases = (
        "A text is valid when it is an existing day, with or without a time, as in 2024-02-29 or "
        "2024-02-29T13:45:00.5; empty text is not."
    )
    parameter_group = "Validate timestamps_parameters"
    parameters = (
        Parameter(
            "timestamp_column",
            "column",
            "Timestamp column",
            "What is examined.",
            required=True,
            types=TIMES | {ColumnType.STRING},
        ),
        Parameter(
            "policy",
            "choice",
            "Policy",
            "Whether invalid rows are dropped, marked in a new column, or stop the flow.",
            default="drop",
            choices=("drop", "indicate", "error"),
        ),
    )
    learns = True
    words = ("invalid", "check", "date")

    def serving_of(self, values: Values) -> Serving:
        return "skip" if values["policy"] == "drop" else "apply"

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        if values["policy"] != "error":
            return {}
        valid = _valid(schema[values["timestamp_column"]])
        example = f"min({name(values['timestamp_column'])}::VARCHAR) FILTER (NOT ({valid}))"
        return {"invalid": f"count(*) FILTER (NOT ({valid}))", "example": example}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        if found["invalid"]:
            shown = "missing" if found["example"] is None else f"such as {found['example']!r}"
            raise DataError(
                f"{found['invalid']} rows have an invalid timestamp in column "
                f"{values['timestamp_column']!r}: {shown}. Correct them, or choose the policy drop "
                "or indicate."
            )
        return {}

    def columns(self, step: Step) -> Schema:
        if step.values["policy"] != "indicate":
            return step.schema
        return Schema((*step.schema, Column(self._mark(step), ColumnType.BOOLEAN)))

    def sql(self, step: Step) -> Rendering:
        column = step.schema[step.values["timestamp_column"]]
        valid = _valid(column)
        match step.values["policy"]:
            case "drop":
                return Rows(valid)
            case "indicate":
                return Columns({self._mark(step): valid})
        message = literal(_message(column.name))
        source = name(column.name)
        return Columns({column.name: f"CASE WHEN {valid} THEN {source} ELSE error({message}) END"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, column = code.table, step.schema[step.values["timestamp_column"]]
        valid = f"{write_moments(code, column, '', 'moments')}.notna()"
        match step.values["policy"]:
            case "drop":
                code.line(f"{df} = {df}[{valid}]")
            case "indicate":
                code.line(f"{code.column(self._mark(step))} = {valid}")
            case _:
                code.line(f"if not ({valid}).all():")
                code.line(f"    raise ValueError({code.literal(_message(column.name))})")

    @staticmethod
    def _mark(step: Step) -> str:
        wanted = f"{step.values['timestamp_column']}_is_valid"
        return free_names([wanted], step.schema.names)[0]


def _valid(column: Column) -> str:
    return f"({moment_sql(column, '')}) IS NOT NULL"


def _message(column: str) -> str:
    return f"Column {column!r} has an invalid timestamp."
