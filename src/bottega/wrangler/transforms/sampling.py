"""Sampling: some of the rows, the first, random ones, or random ones of every stratum."""

from __future__ import annotations

from typing import Any

from bottega.wrangler.columns import ROW, SCALARS, Schema
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import quoted, quoted_names
from bottega.wrangler.transforms.seeded import pandas_random, random_query, seed_parameter

_LIMIT, _RANDOM, _STRATIFIED = "Limit", "Random", "Stratified"
_SIZE = "How many rows; below 1, which share of them."


class Sampling(Transform):
    operator = "sagemaker.spark.sampling_0.1"
    name = "Sample"
    is_only = True
    group = "Sampling"
    sentence = "Keeps some of the rows, in their order."
    edge_cases = (
        "Values do not matter, but missing values are a stratum of their own. A table with fewer "
        "rows is kept whole. Of every stratum the same share of rows is kept, rounded, and at "
        "least one row."
    )
    parameters = (
        Parameter(
            "sampling_method",
            "choice",
            "Sampling method",
            "Which rows are kept.",
            default=_RANDOM,
            choices=(_LIMIT, _RANDOM, _STRATIFIED),
        ),
        Parameter(
            "limit_sample_size",
            "integer",
            "Sample size",
            "How many rows are kept, from the first.",
            path="limit_parameters.sample_size",
            required=True,
            minimum=0,
            when=("sampling_method", (_LIMIT,)),
        ),
        Parameter(
            "random_sample_size",
            "number",
            "Sample size",
            _SIZE,
            path="random_parameters.sample_size",
            required=True,
            minimum=0,
            when=("sampling_method", (_RANDOM,)),
        ),
        seed_parameter("random_seed", "random_parameters.seed", ("sampling_method", (_RANDOM,))),
        Parameter(
            "stratified_sample_size",
            "number",
            "Sample size",
            _SIZE,
            path="stratified_parameters.sample_size",
            required=True,
            minimum=0,
            when=("sampling_method", (_STRATIFIED,)),
        ),
        Parameter(
            "stratify_column",
            "column",
            "Stratify column",
            "Its values are the strata.",
            path="stratified_parameters.stratify_column",
            required=True,
            types=SCALARS,
            when=("sampling_method", (_STRATIFIED,)),
        ),
        seed_parameter(
            "stratified_seed", "stratified_parameters.seed", ("sampling_method", (_STRATIFIED,))
        ),
    )
    serving = "skip"
    words = ("head", "limit", "subset", "downsample")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        for parameter in ("random_sample_size", "stratified_sample_size"):
            size = values[parameter]
            if size is not None and size >= 1 and not float(size).is_integer():
                raise ParameterError(
                    parameter,
                    f"Sample size: {size!r} is neither a share below 1 nor a number of rows.",
                )

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        shown = quoted_names([ROW, *step.schema.names])
        method, values = step.values["sampling_method"], step.values
        if method == _LIMIT:
            return Query(
                f"SELECT {shown} FROM {{input}} ORDER BY {ROW} LIMIT {values['limit_sample_size']}",
                ordered=True,
                subset=True,
            )
        if method == _RANDOM:
            numbered, number = random_query(step.schema, values["random_seed"])
            size = _share(values["random_sample_size"], "count(*) OVER ()")
            return Query(
                f"SELECT {shown} FROM ({numbered}) "
                f"QUALIFY row_number() OVER (ORDER BY {number}) <= {size}",
                subset=True,
            )
        numbered, number = random_query(step.schema, values["stratified_seed"])
        stratum = f"PARTITION BY {quoted(values['stratify_column'])}"
        size = _share(values["stratified_sample_size"], "count(*) OVER ()")
        # A share of each: floor(share * rows + 0.5), as the pandas code has it.
        kept = f"floor({size} * 1.0::DOUBLE / count(*) OVER () * count(*) OVER ({stratum}) + 0.5)"
        return Query(
            f"SELECT {shown} FROM ({numbered}) "
            f"QUALIFY row_number() OVER ({stratum} ORDER BY {number}) "
            f"<= CASE WHEN {size} > 0 THEN greatest({kept}, 1) ELSE 0 END",
            subset=True,
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, values = code.table, step.values
        method = values["sampling_method"]
        if method == _LIMIT:
            code.line(f"{df} = {df}.head({values['limit_sample_size']})")
        elif method == _RANDOM:
            numbers = pandas_random(code, values["random_seed"])
            code.line(f"size = {_share_pandas(values['random_sample_size'], df)}")
            code.line(f"{df} = {df}.iloc[np.sort(np.argsort({numbers})[:size])]")
        else:
            numbers = pandas_random(code, values["stratified_seed"])
            code.line(f"size = {_share_pandas(values['stratified_sample_size'], df)}")
            function = code.function("stratified_sample", _STRATIFIED_SAMPLE)
            column = code.literal(values["stratify_column"])
            code.line(f"{df} = {function}({df}, {column}, size, {numbers})")


def _share(size: float, rows: str) -> str:
    if size >= 1:
        return f"least({int(size)}, {rows})"
    return f"floor({float(size)!r}::DOUBLE * {rows} + 0.5)"


def _share_pandas(size: Any, df: str) -> str:
    if size >= 1:
        return f"min({int(size)}, len({df}))"
    return f"int({float(size)!r} * len({df}) + 0.5)"


_STRATIFIED_SAMPLE = '''
def stratified_sample(df, column, size, numbers):
    """The same share of the rows of every value of a column, and at least one; in their order."""
    if size == 0:
        return df.head(0)
    strata = df.groupby(column, dropna=False)
    rows = strata[column].transform("size")
    share = np.maximum(np.floor(size / len(df) * rows + 0.5), 1)
    order = pd.Series(numbers, df.index).groupby(strata.ngroup()).rank()
    return df[order <= share]
'''
