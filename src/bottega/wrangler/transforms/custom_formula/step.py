"""The transform; what a formula means is in ``translate``, which needs a parser."""

from __future__ import annotations

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values


class CustomFormula(Transform):
    operator = "sagemaker.spark.custom_formula_0.1"
    name = "Custom formula"
    is_only = True
    group = "Custom formula"
    sentence = "Computes a column from others by an expression of Spark SQL."
    edge_cases = (
        "Where a value is missing the result is missing, as in SQL, but for AND, OR, CASE, "
        "coalesce and the like. What is no number is missing: division by zero, the root and the "
        "logarithm of a negative number. Infinity is a number. Whole numbers that become too large "
        "for 64 bits stop the step."
    )
    parameters = (
        Parameter(
            "formula",
            "formula",
            "Formula",
            "An expression over the columns, `unit price` * quantity; names with blanks go in "
            "backticks. It looks at one row at a time.",
            required=True,
            language="sql",
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "Where the result goes.",
            required=True,
        ),
    )
    words = ("expression", "calculate", "compute", "sql", "case when", "derive")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        from bottega.wrangler.transforms.custom_formula.translate import translate

        translate(values["formula"], schema, PandasCode())

    def columns(self, step: Step) -> Schema:
        kind = self._kind(step)
        return step.schema.with_columns([Column(step.values["output_column"], kind)])

    def sql(self, step: Step) -> Rendering:
        from bottega.wrangler.transforms.custom_formula.translate import translate

        found = translate(step.values["formula"], step.schema, PandasCode())
        kind = found.type or ColumnType.STRING
        return Columns({step.values["output_column"]: f"({found.sql})::{kind.duckdb}"})

    def pandas(self, step: Step, code: PandasCode) -> None:
        from bottega.wrangler.transforms.custom_formula.terms import Context
        from bottega.wrangler.transforms.custom_formula.translate import translate

        found = translate(step.values["formula"], step.schema, code)
        series = Context(step.schema, code).series(found)
        code.line(f"{code.column(step.values['output_column'])} = {series}")

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        from bottega.wrangler.transforms.custom_formula.translate import columns_of

        output = {values["output_column"]} & set(schema.names)
        return columns_of(values["formula"], schema) | output

    @staticmethod
    def _kind(step: Step) -> ColumnType:
        from bottega.wrangler.transforms.custom_formula.translate import translate

        found = translate(step.values["formula"], step.schema, PandasCode())
        return found.type or ColumnType.STRING
