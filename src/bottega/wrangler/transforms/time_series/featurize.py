"""Featurize datetime: the parts of a moment as numbers."""

from __future__ import annotations

from dataclasses import dataclass

from bottega.wrangler.columns import TIMES, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import free_names
from bottega.wrangler.transforms.time_series import series
from bottega.wrangler.transforms.time_series.parsing import (
    check_format,
    moment_sql,
    write_moments,
)

GROUP = "Featurize date/time"


@dataclass(frozen=True)
class _Part:
    sql: str
    pandas: str
    first: int = 0
    """The smallest number it has."""
    cycle: int = 0
    """After how many it begins anew; never when 0."""


_PARTS = {
    "year": _Part("year({0})", "{0}.dt.year"),
    "month": _Part("month({0})", "{0}.dt.month", 1, 12),
    "day": _Part("day({0})", "{0}.dt.day", 1, 31),
    "hour": _Part("hour({0})", "{0}.dt.hour", 0, 24),
    "minute": _Part("minute({0})", "{0}.dt.minute", 0, 60),
    "second": _Part("second({0})", "{0}.dt.second", 0, 60),
    "week_of_year": _Part("week({0})", "{0}.dt.isocalendar().week", 1, 53),
    "day_of_year": _Part("dayofyear({0})", "{0}.dt.day_of_year", 1, 366),
    "quarter": _Part("quarter({0})", "{0}.dt.quarter", 1, 4),
}


def _part_parameter(part: str) -> Parameter:
    label = part.replace("_", " ").capitalize()
    return Parameter(
        part, "boolean", label, f"Whether the {label.lower()} comes out.", default=True
    )


class FeaturizeDatetime(Transform):
    operator = series.OPERATOR
    name = "Featurize datetime"
    group = GROUP
    sentence = "Makes numbers of the parts of a moment: year, month, hour and others."
    edge_cases = (
        "A moment that is missing or cannot be read gives missing numbers. Weeks are those of ISO "
        "8601. Cyclic numbers are the sine and cosine of a part's place in its cycle; a year has "
        "no cycle and stays a number. Text is read as in 2024-02-29 or 2024-02-29T13:45:00.5 "
        "unless a format is given."
    )
    parameter_group = "Featurize datetime_parameters"
    parameters = (
        Parameter(
            "input_column",
            "column",
            "Input column",
            "The moments; texts are read first.",
            required=True,
            types=TIMES | {ColumnType.STRING},
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "The vector's name, or what the columns' names begin with; the input column when "
            "empty.",
        ),
        Parameter(
            "output_mode",
            "choice",
            "Output mode",
            "Whether a part is its number, or the place in its cycle as sine and cosine.",
            default="Ordinal",
            choices=("Ordinal", "Cyclic"),
        ),
        Parameter(
            "output_format",
            "choice",
            "Output format",
            "Whether each number is a column, or all are one vector.",
            default="Columns",
            choices=("Columns", "Vector"),
        ),
        Parameter(
            "infer_datetime_format",
            "boolean",
            "Infer datetime format",
            "Whether texts are read as ISO 8601 has them, and not by the format.",
            default=True,
        ),
        Parameter(
            "date_time_format",
            "text",
            "Datetime format",
            "How texts are written, as in %d/%m/%Y %H:%M.",
            default="",
            when=("infer_datetime_format", (False,)),
        ),
        *(_part_parameter(part) for part in _PARTS),
    )
    words = ("extract", "month", "weekday", "hour", "date part", "cyclic", "sin", "cos")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if not any(values[part] for part in _PARTS):
            raise ParameterError("year", "No part is chosen; choose at least one, as Year.")
        if self._format(values):
            check_format("date_time_format", self._format(values))

    def columns(self, step: Step) -> Schema:
        names = self._names(step)
        if self._is_vector(step):
            return Schema((*step.schema, Column(names[0], ColumnType.VECTOR)))
        kinds = [kind for _, kind in self._wanted(step)]
        made = (Column(c, kind) for c, kind in zip(names, kinds, strict=True))
        return Schema((*step.schema, *made))

    def sql(self, step: Step) -> Rendering:
        column = step.schema[step.values["input_column"]]
        moment = moment_sql(column, self._format(step.values))
        found = []
        for part in self._chosen(step):
            found += [sql.format(f"({moment})") for sql, _ in self._formulas(step, part)]
        names = self._names(step)
        if self._is_vector(step):
            listed = ", ".join(f"({number})::DOUBLE" for number in found)
            return Columns({names[0]: f"CASE WHEN ({moment}) IS NOT NULL THEN [{listed}] END"})
        return Columns(dict(zip(names, found, strict=True)))

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, names = code.table, self._names(step)
        column = step.schema[step.values["input_column"]]
        source = write_moments(code, column, self._format(step.values), "moments")
        if source != "moments":
            code.line(f"moments = {source}")
        if step.values["output_mode"] == "Cyclic":
            code.require("import numpy as np")
        found = []
        for part in self._chosen(step):
            found += [text.format("moments") for _, text in self._formulas(step, part)]
        if self._is_vector(step):
            code.line("parts = pd.DataFrame({")
            for number, text in enumerate(found):
                code.line(f"    {number}: {text},")
            code.line('}).astype("float64").to_numpy().tolist()')
            code.line(f"{code.column(names[0])} = pd.Series(parts, {df}.index, dtype=object)")
            code.line(
                f"{code.column(names[0])} = {code.column(names[0])}.where(moments.notna(), None)"
            )
            return
        kinds = [kind for _, kind in self._wanted(step)]
        for output, text, kind in zip(names, found, kinds, strict=True):
            code.line(f'{code.column(output)} = ({text}).astype("{kind.pandas}")')

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset({values["input_column"]})

    @staticmethod
    def _format(values: Values) -> str:
        return "" if values["infer_datetime_format"] else str(values["date_time_format"] or "")

    @staticmethod
    def _chosen(step: Step) -> list[str]:
        return [part for part in _PARTS if step.values[part]]

    @staticmethod
    def _is_vector(step: Step) -> bool:
        return bool(step.values["output_format"] == "Vector")

    def _wanted(self, step: Step) -> list[tuple[str, ColumnType]]:
        base = step.values["output_column"] or step.values["input_column"]
        found = []
        for part in self._chosen(step):
            if step.values["output_mode"] == "Cyclic" and _PARTS[part].cycle:
                found.append((f"{base}_{part}_sin", ColumnType.FLOAT))
                found.append((f"{base}_{part}_cos", ColumnType.FLOAT))
            else:
                found.append((f"{base}_{part}", ColumnType.LONG))
        return found

    def _names(self, step: Step) -> list[str]:
        wanted = [name for name, _ in self._wanted(step)]
        if self._is_vector(step):
            wanted = [step.values["output_column"] or f"{step.values['input_column']}_features"]
        return free_names(wanted, step.schema.names)

    @staticmethod
    def _formulas(step: Step, part: str) -> list[tuple[str, str]]:
        """(SQL, Python) of the numbers of a part; ``{0}`` stands for the moment."""
        known = _PARTS[part]
        if step.values["output_mode"] != "Cyclic" or not known.cycle:
            return [(f"{known.sql}::BIGINT", known.pandas)]
        shift = f" - {known.first}" if known.first else ""
        place = f"({known.sql}{shift})"
        array = f'({known.pandas}.astype("float64"){shift})'
        return [
            (
                f"{function}(2 * pi() * {place} / {known.cycle})",
                f"np.{function}(2 * np.pi * {array} / {known.cycle})",
            )
            for function in ("sin", "cos")
        ]
