"""What all ways of splitting a table have in common."""

from __future__ import annotations

import math
from abc import abstractmethod

from bottega.wrangler.columns import ROW, Schema
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transform import Query, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.query_sql import quoted_names

_CLOSE = 1e-3
"""SageMaker's tolerance: 0.333, 0.333 and 0.333 pass."""


class SplitTransform(Transform):
    """Base of such transforms.

    They give each row a place from 0 among a number of rows; a split is the places from one share
    of that number to the next.
    """

    operator = "sagemaker.spark.split_0.1"
    group = "Split data"
    serving = "skip"
    words = ("train", "test", "validation", "holdout")
    shared = (
        Parameter(
            "splits",
            "records",
            "Splits",
            "Their names and percentages; these are shares of 1 that add up to 1.",
            required=True,
            fields=(
                Parameter("name", "text", "Name", "Of the output.", required=True),
                Parameter(
                    "percentage",
                    "number",
                    "Percentage",
                    "Which share of the rows it gets: 0.8 for 80%.",
                    required=True,
                    minimum=0,
                    maximum=1,
                ),
            ),
        ),
        Parameter(
            "error",
            "number",
            "Error",
            "How far a share may be off; splits are exact, so that it is only kept for SageMaker.",
            default=0,
            minimum=0,
            maximum=1,
        ),
    )

    @abstractmethod
    def places_sql(self, step: Step) -> tuple[str, str, str]:
        """A query over ``{input}`` with all its columns, each row's place in it, and out of how
        many rows; the last two as expressions of window functions."""

    @abstractmethod
    def places_pandas(self, step: Step, code: PandasCode) -> tuple[str, str]:
        """Write what gives the places; returns the expressions of place and number of rows."""

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        splits = values["splits"]
        names = [split["name"] for split in splits]
        if len(splits) < 2:
            raise ParameterError("splits", "Splits: a table is split into two or more.")
        for name in names:
            if not name.strip() or name == "default":
                raise ParameterError(
                    "splits", f"Splits: {name!r} cannot name an output; choose another name."
                )
            if names.count(name) > 1:
                raise ParameterError("splits", f"Splits: two are called {name!r}; rename one.")
        zero = next((split["name"] for split in splits if split["percentage"] == 0), None)
        if zero is not None:
            raise ParameterError(
                "splits", f"Splits: {zero!r} gets 0 of the rows; give it a share, or leave it out."
            )
        total = math.fsum(split["percentage"] for split in splits)
        if abs(total - 1) > _CLOSE:
            listed = " + ".join(f"{split['percentage']:g}" for split in splits)
            raise ParameterError(
                "splits", f"Splits: the percentages {listed} add up to {total:g}, not to 1."
            )

    def outputs(self, values: Values) -> tuple[str, ...]:
        return tuple(split["name"] for split in values["splits"])

    def columns(self, step: Step) -> Schema:
        return step.schema

    def sql(self, step: Step) -> Rendering:
        table, place, rows = self.places_sql(step)
        low, high = self._share(step)
        tests = []
        if low is not None:
            tests.append(f"{place} >= floor({rows} * {literal(low)} + 0.5)")
        if high is not None:
            tests.append(f"{place} < floor({rows} * {literal(high)} + 0.5)")
        shown = quoted_names([ROW, *step.schema.names])
        return Query(f"SELECT {shown} FROM ({table}) QUALIFY {' AND '.join(tests)}", subset=True)

    def pandas(self, step: Step, code: PandasCode) -> None:
        code.require("import numpy as np")
        low, high = self._share(step)
        place, rows = self.places_pandas(step, code)
        tests = []
        if low is not None:
            tests.append(f"({place} >= np.floor({rows} * {low!r} + 0.5))")
        if high is not None:
            tests.append(f"({place} < np.floor({rows} * {high!r} + 0.5))")
        code.line(f"{code.table} = {code.table}[{' & '.join(tests)}]")

    def _share(self, step: Step) -> tuple[float | None, float | None]:
        """Where the wanted output begins and ends; None at the table's own ends."""
        names = self.outputs(step.values)
        output = names[0] if step.output == "default" else step.output
        if output not in names:
            raise FlowError(f"{self.name} has no output {output!r}; it has {', '.join(names)}.")
        place = names.index(output)
        shares = [split["percentage"] for split in step.values["splits"]]
        low = math.fsum(shares[:place]) if place else None
        high = math.fsum(shares[: place + 1]) if place < len(names) - 1 else None
        return low, high
