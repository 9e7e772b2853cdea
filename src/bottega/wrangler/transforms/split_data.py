"""Split data: one table into several, for training, validation and test.

Every row is in exactly one of the outputs. How many rows an output gets is exact: a split ends at
the share of all rows that the percentages up to it add up to, rounded.
"""

from __future__ import annotations

from bottega.wrangler.columns import ROW, SCALARS, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Step, Values
from bottega.wrangler.transforms.query_sql import quoted, quoted_names
from bottega.wrangler.transforms.seeded import pandas_random, random_query, seed_parameter
from bottega.wrangler.transforms.splits import SplitTransform


class RandomizedSplit(SplitTransform):
    name = "Randomized split"
    sentence = "Splits the rows at random."
    edge_cases = "Values do not matter. The same seed gives the same rows. Sizes are exact."
    parameter_group = "randomized_split_parameters"
    parameters = (*SplitTransform.shared, seed_parameter())

    def places_sql(self, step: Step) -> tuple[str, str, str]:
        numbered, number = random_query(step.schema, step.values["seed"])
        return numbered, f"row_number() OVER (ORDER BY {number}) - 1", "count(*) OVER ()"

    def places_pandas(self, step: Step, code: PandasCode) -> tuple[str, str]:
        numbers = pandas_random(code, step.values["seed"])
        code.line(f"place = np.argsort(np.argsort({numbers}))")
        return "place", f"len({code.table})"


class OrderedSplit(SplitTransform):
    name = "Ordered split"
    sentence = "Splits the rows in their order, or in the order of a column: the first ones first."
    edge_cases = (
        "Missing values come last. Rows with equal values may be split, in the order of the table, "
        "unless equal values are kept together; then a split may be larger than its percentage."
    )
    parameter_group = "ordered_split_parameters"
    parameters = (
        *SplitTransform.shared,
        Parameter(
            "input_column",
            "column",
            "Column",
            "Rows are split in its order; in that of the table when none is named.",
            types=SCALARS,
        ),
        Parameter(
            "keep_together",
            "boolean",
            "Keep equal values together",
            "Whether rows with equal values come into the same split.",
            default=False,
        ),
    )

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        super().check(schema, values, others)
        if values["keep_together"] and not values["input_column"]:
            raise ParameterError(
                "keep_together",
                "Keep equal values together: name the column whose values these are.",
            )

    def places_sql(self, step: Step) -> tuple[str, str, str]:
        column, rows = step.values["input_column"], "count(*) OVER ()"
        if not column:
            return "SELECT * FROM {input}", f"row_number() OVER (ORDER BY {ROW}) - 1", rows
        order = f"{quoted(column)} NULLS LAST"
        if step.values["keep_together"]:
            return "SELECT * FROM {input}", f"rank() OVER (ORDER BY {order}) - 1", rows
        place = f"row_number() OVER (ORDER BY {order}, {ROW}) - 1"
        return "SELECT * FROM {input}", place, rows

    def places_pandas(self, step: Step, code: PandasCode) -> tuple[str, str]:
        df, column = code.table, step.values["input_column"]
        code.require("import numpy as np")
        if not column:
            code.line(f"place = np.arange(len({df}))")
        else:
            method = "min" if step.values["keep_together"] else "first"
            rank = f'rank(method="{method}", na_option="bottom")'
            code.line(f"place = {code.column(column)}.{rank} - 1")
        return "place", f"len({df})"


class StratifiedSplit(SplitTransform):
    name = "Stratified split"
    sentence = "Splits the rows at random, so that each value of a column has its share everywhere."
    edge_cases = (
        "Missing values are a value of their own. Shares are exact within each value; a value with "
        "a single row goes to the split that has its middle."
    )
    parameter_group = "stratified_split_parameters"
    parameters = (
        *SplitTransform.shared,
        Parameter(
            "input_column",
            "column",
            "Column",
            "Whose values have their share in every split.",
            required=True,
            types=SCALARS,
        ),
        seed_parameter(),
    )

    def places_sql(self, step: Step) -> tuple[str, str, str]:
        numbered, number = random_query(step.schema, step.values["seed"])
        stratum = f"PARTITION BY {quoted(step.values['input_column'])}"
        return (
            numbered,
            f"row_number() OVER ({stratum} ORDER BY {number}) - 1",
            f"count(*) OVER ({stratum})",
        )

    def places_pandas(self, step: Step, code: PandasCode) -> tuple[str, str]:
        df, column = code.table, code.literal(step.values["input_column"])
        numbers = pandas_random(code, step.values["seed"])
        code.line(f"strata = {df}.groupby({column}, dropna=False).ngroup()")
        code.line(f"place = pd.Series({numbers}, {df}.index).groupby(strata).rank() - 1")
        return "place", 'strata.groupby(strata).transform("size")'


class SplitByKey(SplitTransform):
    name = "Split by key"
    sentence = "Splits the rows at random, so that rows with equal keys stay together."
    edge_cases = (
        "Missing values are equal to each other. A key goes to the split in which its rows begin "
        "when all keys are put in a random order, so that sizes are as near as keys let them be."
    )
    parameter_group = "split_by_key_parameters"
    parameters = (
        *SplitTransform.shared,
        Parameter(
            "key_columns",
            "columns",
            "Key columns",
            "Rows that are equal in all of these stay together.",
            required=True,
            types=SCALARS,
        ),
        seed_parameter(),
    )

    def places_sql(self, step: Step) -> tuple[str, str, str]:
        keys = quoted_names(step.values["key_columns"])
        numbered, number = random_query(step.schema, step.values["seed"])
        first = quoted(step.schema.free_name("__first"))
        # The random number of a key is that of its first row.
        shown = quoted_names([ROW, *step.schema.names])
        table = (
            f"SELECT {shown}, first_value({number}) OVER (PARTITION BY {keys} ORDER BY {ROW}) "
            f"AS {first} FROM ({numbered})"
        )
        return table, f"rank() OVER (ORDER BY {first}) - 1", "count(*) OVER ()"

    def places_pandas(self, step: Step, code: PandasCode) -> tuple[str, str]:
        df, keys = code.table, code.literal(step.values["key_columns"])
        numbers = pandas_random(code, step.values["seed"])
        code.line(f"keys = {df}.groupby({keys}, dropna=False).ngroup()")
        code.line(f"numbers = pd.Series({numbers}, {df}.index)")
        code.line('first = numbers.groupby(keys).transform("first")')
        code.line('place = first.rank(method="min") - 1')
        return "place", f"len({df})"
