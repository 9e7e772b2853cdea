"""Manage columns: drop, duplicate, rename, move, concatenate."""

from __future__ import annotations

from bottega.wrangler.columns import Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Columns, Rendering, Step, Transform

_OPERATOR = "sagemaker.spark.manage_columns_0.1"
_GROUP = "Manage columns"


class DropColumn(Transform):
    operator = _OPERATOR
    name = "Drop column"
    group = _GROUP
    sentence = "Drops columns."
    edge_cases = "Values do not matter."
    parameter_group = "drop_column_parameters"
    parameters = (
        Parameter("column_to_drop", "columns", "Columns", "Which columns go.", required=True),
    )
    words = ("remove", "delete")

    def columns(self, step: Step) -> Schema:
        return step.schema.without(step.values["column_to_drop"])

    def sql(self, step: Step) -> Rendering:
        return Columns({}, drop=step.values["column_to_drop"])

    def pandas(self, step: Step, code: PandasCode) -> None:
        dropped = code.literal(step.values["column_to_drop"])
        code.line(f"{code.table} = {code.table}.drop(columns={dropped})")
