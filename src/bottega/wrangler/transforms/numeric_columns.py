"""What transforms have in common that compute a number from a number, column by column."""

from __future__ import annotations

from abc import abstractmethod

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values


def output_parameters(sentence: str) -> tuple[Parameter, Parameter]:
    """Where numbers come from, and where they go."""
    return (
        Parameter("input_column", "columns", "Columns", sentence, required=True, types=NUMBERS),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes when it shall not replace the column; for one column only.",
        ),
    )


class NumericColumns(Transform):
    """Base of such transforms."""

    operator = "sagemaker.spark.process_numeric_0.1"
    group = "Process numeric"

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if values["output_column"] and len(values["input_column"]) > 1:
            raise ParameterError(
                "output_column", "Output column: several columns cannot go into one."
            )

    def result_type(self, step: Step, kind: ColumnType) -> ColumnType:
        """The type of the result, from that of the column."""
        return ColumnType.FLOAT

    @abstractmethod
    def expression(self, step: Step, column: str, number: str) -> str:
        """The result as SQL; ``number`` is the column as DOUBLE."""

    @abstractmethod
    def program(self, step: Step, column: str, number: str, code: PandasCode) -> str:
        """The result as pandas code; ``number`` is the column as ``float64``."""

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        return step.schema.with_columns(
            Column(output or column, self.result_type(step, step.schema.type(column)))
            for column in step.values["input_column"]
        )

    def sql(self, step: Step) -> Rendering:
        output = step.values["output_column"]
        return Columns(
            {
                (output or column): self.expression(
                    step,
                    column,
                    f"{name(column)}::DOUBLE"
                    if step.schema.type(column) == ColumnType.LONG
                    else name(column),
                )
                for column in step.values["input_column"]
            }
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        for column in step.values["input_column"]:
            source = code.column(column)
            number = source
            if step.schema.type(column) == ColumnType.LONG:
                number = f'{source}.astype("float64")'
            target = code.column(step.values["output_column"] or column)
            code.line(f"{target} = {self.program(step, column, number, code)}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        output = values["output_column"]
        return frozenset({*values["input_column"], *([output] if output in schema else [])})
