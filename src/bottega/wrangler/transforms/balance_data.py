"""Balance data: more rows of rare classes, or fewer of frequent ones."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from bottega.wrangler.columns import NUMBERS, ROW, SCALARS, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import InMemory, Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import quoted, quoted_names
from bottega.wrangler.transforms.seeded import pandas_random, random_query, seed_parameter

if TYPE_CHECKING:
    import pandas as pd

_OPERATOR = "sagemaker.spark.balance_data_0.1"
_GROUP = "Balance data"
_SHARED = (
    Parameter(
        "target_column",
        "column",
        "Target column",
        "Its values are the classes.",
        required=True,
        types=SCALARS,
    ),
    Parameter(
        "ratio",
        "number",
        "Ratio",
        "The share of the most frequent class's rows that every class has afterwards, at least.",
        default=1,
        minimum=1e-9,
        maximum=1,
    ),
)


class RandomOversample(Transform):
    operator = _OPERATOR
    name = "Random oversample"
    group = _GROUP
    sentence = "Repeats rows of rare classes."
    edge_cases = (
        "Rows without a class stay and do not count. Copies come after all rows; each row of a "
        "class is repeated as often as any other, or once more."
    )
    parameters = (*_SHARED, seed_parameter())
    serving = "skip"
    words = ("imbalanced", "upsample", "resample", "class weight")

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        schema, target = step.schema, quoted(step.values["target_column"])
        numbered, number = random_query(schema, step.values["seed"])
        rows, place, copies, copy = (
            quoted(schema.free_name(wanted))
            for wanted in ("__rows", "__place", "__copies", "__copy")
        )
        shown = quoted_names([ROW, *schema.names])
        counted = (
            f"SELECT {shown}, {number}, CASE WHEN {target} IS NOT NULL THEN "
            f"count(*) OVER (PARTITION BY {target}) END AS {rows}, "
            f"row_number() OVER (PARTITION BY {target} ORDER BY {number}) - 1 AS {place} "
            f"FROM ({numbered})"
        )
        ratio = literal(float(step.values["ratio"]))
        wanted = f"ceil({ratio} * max({rows}) OVER ())"
        repeated = (
            f"SELECT {shown}, {number}, coalesce(greatest(ceil("
            f"({wanted} - {rows} - {place}) / {rows}::DOUBLE), 0), 0)::BIGINT AS {copies} "
            f"FROM ({counted})"
        )
        unrolled = (
            f"SELECT {shown}, {number}, unnest(range(0, {copies} + 1)) AS {copy} FROM ({repeated})"
        )
        return Query(
            f"SELECT row_number() OVER (ORDER BY {copy}, "
            f"CASE WHEN {copy} = 0 THEN {ROW} ELSE {number}::BIGINT END) AS {ROW}, "
            f"{quoted_names(schema.names)} FROM ({unrolled})"
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        numbers = pandas_random(code, step.values["seed"])
        function = code.function("oversample", _OVERSAMPLE)
        target, ratio = code.literal(step.values["target_column"]), float(step.values["ratio"])
        code.line(f"{code.table} = {function}({code.table}, {target}, {ratio}, {numbers})")


_OVERSAMPLE = '''
def oversample(df, target, ratio, numbers):
    """Repeat rows of rare classes, each as often as the others, in the order of random numbers."""
    numbers = pd.Series(numbers, df.index)
    classes = numbers.groupby(df[target])
    rows = classes.transform("size")
    wanted = np.ceil(ratio * rows.max())
    copies = np.ceil((wanted - rows - (classes.rank() - 1)) / rows)
    parts = [df]
    number = 1
    while (copies >= number).any():
        again = numbers[copies >= number].sort_values().index
        parts.append(df.loc[again])
        number += 1
    return pd.concat(parts, ignore_index=True)
'''


class RandomUndersample(Transform):
    operator = _OPERATOR
    name = "Random undersample"
    group = _GROUP
    sentence = "Drops rows of frequent classes."
    edge_cases = "Rows without a class stay and do not count. Rows keep their order."
    parameters = (
        _SHARED[0],
        Parameter(
            "ratio",
            "number",
            "Ratio",
            "The rarest class's rows as a share of those of any other class afterwards, at least.",
            default=1,
            minimum=1e-9,
            maximum=1,
        ),
        seed_parameter(),
    )
    serving = "skip"
    words = ("imbalanced", "downsample", "resample")

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        schema, target = step.schema, quoted(step.values["target_column"])
        numbered, number = random_query(schema, step.values["seed"])
        rows, place = (quoted(schema.free_name(wanted)) for wanted in ("__rows", "__place"))
        shown = quoted_names([ROW, *schema.names])
        counted = (
            f"SELECT {shown}, CASE WHEN {target} IS NOT NULL THEN "
            f"count(*) OVER (PARTITION BY {target}) END AS {rows}, "
            f"row_number() OVER (PARTITION BY {target} ORDER BY {number}) AS {place} "
            f"FROM ({numbered})"
        )
        ratio = literal(float(step.values["ratio"]))
        return Query(
            f"SELECT {shown} FROM ({counted}) "
            f"QUALIFY {target} IS NULL OR {place} <= floor(min({rows}) OVER () / {ratio})",
            subset=True,
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.require("import numpy as np")
        numbers = pandas_random(code, step.values["seed"])
        target, ratio = code.column(step.values["target_column"]), float(step.values["ratio"])
        code.line(f"classes = pd.Series({numbers}, {code.table}.index).groupby({target})")
        code.line(f'most = np.floor(classes.transform("size").min() / {ratio})')
        code.line(f"{code.table} = {code.table}[(classes.rank() <= most) | {target}.isna()]")


class Smote(Transform):
    operator = _OPERATOR
    name = "SMOTE"
    group = _GROUP
    sentence = "Adds rows to rare classes that lie between a row and one of its nearest neighbors."
    edge_cases = (
        "Rows with missing or infinite features are passed over, and a class needs two others. "
        "Features are all columns of numbers but the target; whole numbers stay whole. Other "
        "columns are copied from the row. The whole table must fit into memory."
    )
    parameters = (
        *_SHARED,
        Parameter(
            "num_neighbors",
            "integer",
            "Number of neighbors",
            "Among how many nearest rows of the class the other row is chosen.",
            path="smote_params.num_neighbors",
            default=5,
            minimum=1,
            maximum=1000,
        ),
        seed_parameter(),
    )
    serving = "skip"
    words = ("imbalanced", "synthetic", "oversample")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        if not self._features(schema, values):
            raise ParameterError(
                "target_column",
                f"Target column: the table has no column of numbers besides "
                f"{values['target_column']!r}; encode others first, or use Random oversample.",
            )

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        def balanced(*frames: pd.DataFrame) -> pd.DataFrame:
            from bottega.wrangler.transforms.smote import smote

            values = step.values
            try:
                return smote(
                    frames[0],
                    values["target_column"],
                    self._features(step.schema, values),
                    float(values["ratio"]),
                    values["num_neighbors"],
                    values["seed"],
                )
            except ValueError as error:
                raise DataError(str(error)) from error

        return InMemory(balanced)

    def pandas(self, step: Step, code: PandasCode) -> None:
        from bottega.wrangler.transforms.smote import smote

        code.require("import numpy as np")
        function = code.function("smote", inspect.getsource(smote))
        values = step.values
        arguments = (
            f"{code.literal(values['target_column'])}, "
            f"features={code.literal(self._features(step.schema, values))}, "
            f"ratio={float(values['ratio'])}, neighbors={values['num_neighbors']}, "
            f"seed={values['seed']}"
        )
        code.line(f"{code.table} = {function}({code.table}, {arguments})")

    @staticmethod
    def _features(schema: Schema, values: Values) -> list[str]:
        return [c for c in schema.of_type(NUMBERS) if c != values["target_column"]]

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        return frozenset(schema.names)
