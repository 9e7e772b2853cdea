"""What transforms of texts have in common: columns of text in, one expression each."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values

INPUT = Parameter(
    "input_column",
    "columns",
    "Input columns",
    "The columns of text.",
    required=True,
    types=frozenset({ColumnType.STRING}),
)
OUTPUT = Parameter(
    "output_column",
    "new_column",
    "Output column",
    "Where the result goes when it shall not replace the column; for one column only.",
)


class TextStep(Transform):
    """A transform that computes each value from one text."""

    result: ClassVar[ColumnType] = ColumnType.STRING
    """The type of what comes out."""
    parameters: ClassVar[tuple[Parameter, ...]] = (INPUT, OUTPUT)

    @abstractmethod
    def expression(self, x: str, values: Values) -> str:
        """The engine's expression over a text, which may be missing."""

    @abstractmethod
    def statement(self, x: str, values: Values, code: PandasCode) -> str:
        """The same over a column in pandas, ``df["a"]``."""

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if values["output_column"] and len(values["input_column"]) > 1:
            raise ParameterError(
                "output_column",
                "Output column: several columns cannot go into one; leave it empty to replace "
                "them, or choose one input column.",
            )
        self.check_values(values)

    def check_values(self, values: Values) -> None:
        """Refuse what the parameters' descriptions cannot say."""

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        return step.schema.with_columns(
            Column(output or column, self.result) for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output = step.values["output_column"]
        return Columns(
            {
                (output or column): self.expression(name(column), step.values)
                for column in step.values["input_column"]
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        output = step.values["output_column"]
        for column in step.values["input_column"]:
            text = self.statement(code.column(column), step.values, code)
            code.line(f"{code.column(output or column)} = {text}")


def needs(values: Values, parameter: str, label: str) -> None:
    """Refuse an empty text.

    Raises:
        ParameterError: it is empty.
    """
    if not values[parameter]:
        raise ParameterError(parameter, f"{label} is empty; it needs at least one character.")
