"""Dimensionality reduction: principal components."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bottega.wrangler.columns import NUMBERS, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import Columns, Rendering, State, Step, Table, Transform, Values
from bottega.wrangler.transforms.query_sql import free_names

if TYPE_CHECKING:
    import numpy as np

_MOST_INPUTS = 500
_DIGITS = 12


class PCA(Transform):
    operator = "sagemaker.spark.dimensionality_reduction_0.1"
    name = "PCA"
    group = "Dimensionality reduction"
    sentence = "Replaces numbers by the few directions in which they vary most."
    edge_cases = (
        "Rows with a missing or infinite value, or with a vector of another length than the "
        "longest, are left out of what is learnt and get missing components. A constant column "
        "adds nothing. Of each direction the largest weight is positive."
    )
    parameter_group = "pca_parameters"
    parameters = (
        Parameter(
            "input_columns",
            "columns",
            "Input columns",
            "Numbers, or vectors of one length.",
            required=True,
            types=NUMBERS | {ColumnType.VECTOR},
        ),
        Parameter(
            "method",
            "choice",
            "Choose by",
            "How it is said how many components come out.",
            default="Variance threshold",
            choices=("Variance threshold", "Number of components"),
        ),
        Parameter(
            "variance_threshold",
            "number",
            "Variance threshold",
            "As many components as explain this percentage of the variance.",
            default=95,
            minimum=0,
            maximum=100,
            when=("method", ("Variance threshold",)),
        ),
        Parameter(
            "number_of_components",
            "integer",
            "Number of components",
            "At most as many as there are numbers.",
            default=2,
            minimum=1,
            when=("method", ("Number of components",)),
        ),
        Parameter(
            "center", "boolean", "Center", "Whether the mean is subtracted first.", default=True
        ),
        Parameter(
            "scale",
            "boolean",
            "Scale",
            "Whether each column is divided by its standard deviation first.",
            default=True,
        ),
        Parameter(
            "output_format",
            "choice",
            "Output format",
            "Whether each component is a column, or all are one vector.",
            default="Columns",
            choices=("Columns", "Vector"),
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "The vector's name, or what the columns' names begin with.",
            default="pca",
        ),
        Parameter(
            "keep_input_columns",
            "boolean",
            "Keep input columns",
            "Whether they stay beside the components.",
            default=False,
        ),
    )
    learns = True
    words = ("principal components", "reduce", "eigenvectors", "decomposition")

    def fit(self, table: Table, values: Values) -> State:
        inputs = _inputs(table, values["input_columns"])
        count, means, covariance = _moments(table, inputs)
        if count < 2:
            raise DataError(
                f"Only {count} rows have a finite number in every input column; PCA needs two. "
                "Fill missing values first, or choose other columns."
            )
        return {
            "inputs": [list(pair) for pair in inputs],
            **_learnt(means, covariance, values),
        }

    def columns(self, step: Step) -> Schema:
        kept = self._kept(step)
        kind = ColumnType.VECTOR if self._is_vector(step) else ColumnType.FLOAT
        return Schema((*kept, *(Column(c, kind) for c in self._names(step))))

    def sql(self, step: Step) -> Rendering:
        state, vectors = step.state, _lengths(step.state)
        terms = [_source(column, index) for column, index in state["inputs"]]
        conditions = [f"isfinite({term})" for term in terms]
        conditions += [f"len({name(column)}) = {length}" for column, length in vectors.items()]
        scores = []
        for component in state["components"]:
            parts = (
                f"({term} - {literal(mean)}) / {literal(scale)} * {literal(weight)}"
                for term, mean, scale, weight in zip(
                    terms, state["means"], state["scales"], component, strict=True
                )
            )
            scores.append(" + ".join(parts))
        condition, outputs = " AND ".join(conditions), self._names(step)
        if self._is_vector(step):
            made = {outputs[0]: f"CASE WHEN {condition} THEN [{', '.join(scores)}] END"}
        else:
            made = {
                output: f"CASE WHEN {condition} THEN {score} END"
                for output, score in zip(outputs, scores, strict=True)
            }
        kept = [column.name for column in self._kept(step)]
        dropped = [column for column in step.schema.names if column not in (*kept, *made)]
        return Columns(made, drop=dropped, order=[*kept, *made])

    def pandas(self, step: Step, code: PandasCode) -> None:
        df, state, vectors = code.table, step.state, _lengths(step.state)
        code.require("import numpy as np")
        numbers = [column for column, index in state["inputs"] if index is None]
        parts = []
        if numbers:
            parts.append(f'{df}[{code.literal(numbers)}].astype("float64")')
        for column, length in vectors.items():
            function = code.function("vector_columns", _VECTOR_COLUMNS)
            parts.append(f"{function}({code.column(column)}, {length})")
        ordered = [(c, i) for c, i in state["inputs"] if i is None]
        ordered += [(c, i) for c, i in state["inputs"] if i is not None]
        places = [state["inputs"].index([column, index]) for column, index in ordered]
        means, scales = ([state[key][p] for p in places] for key in ("means", "scales"))
        weights = [[component[p] for p in places] for component in state["components"]]
        code.line("inputs = np.hstack([")
        for part in parts:
            code.line(f"    {part}.to_numpy(),")
        code.line("])")
        code.line("inputs[~np.isfinite(inputs).all(axis=1)] = np.nan")
        code.line(
            f"scores = (inputs - {code.constant('pca means', means)}) / "
            f"{code.constant('pca scales', scales)} @ "
            f"np.array({code.constant('pca components', weights)}).T"
        )
        outputs, kept = self._names(step), [column.name for column in self._kept(step)]
        if self._is_vector(step):
            (output,) = outputs
            code.line("vectors = [None if np.isnan(row).any() else row.tolist() for row in scores]")
            code.line(f"{code.column(output)} = pd.Series(vectors, {df}.index, dtype=object)")
        else:
            code.line(f"{df}[{code.literal(outputs)}] = scores")
        code.line(f"{df} = {df}[{code.literal([*kept, *outputs])}]")

    def _is_vector(self, step: Step) -> bool:
        return bool(step.values["output_format"] == "Vector")

    def _kept(self, step: Step) -> Schema:
        if step.values["keep_input_columns"]:
            return step.schema
        return step.schema.without(step.values["input_columns"])

    def _names(self, step: Step) -> list[str]:
        # Of the whole table, so that no expression is named like a column that another one reads.
        base, taken = step.values["output_column"], step.schema.names
        if self._is_vector(step):
            return free_names([base], taken)
        count = len(step.state["components"])
        return free_names([f"{base}_{number}" for number in range(1, count + 1)], taken)


_VECTOR_COLUMNS = '''
def vector_columns(vectors, length):
    """A column for each place of vectors; missing where a vector has another length."""
    missing = [np.nan] * length
    rows = [v if isinstance(v, list) and len(v) == length else missing for v in vectors]
    return pd.DataFrame(rows, index=vectors.index, columns=range(length), dtype="float64")
'''


def _inputs(table: Table, columns: Sequence[str]) -> list[tuple[str, int | None]]:
    """(column, place in its vector or None) of every number."""
    vectors = [c for c in columns if table.schema.type(c) is ColumnType.VECTOR]
    lengths: dict[str, int] = {}
    if vectors:
        wanted = ", ".join(f"coalesce(max(len({name(c)})), 0)" for c in vectors)
        found = table.row(f"SELECT {escaped(wanted)} FROM {{table}}")
        lengths = dict(zip(vectors, found, strict=True))
    inputs: list[tuple[str, int | None]] = []
    for column in columns:
        if column in lengths:
            inputs.extend((column, index) for index in range(lengths[column]))
        else:
            inputs.append((column, None))
    if not inputs:
        raise DataError(f"Column {columns[0]!r} has no vector with a number in it.")
    if len(inputs) > _MOST_INPUTS:
        raise DataError(
            f"The input columns hold {len(inputs)} numbers in a row; PCA takes at most "
            f"{_MOST_INPUTS}. Choose fewer."
        )
    return inputs


def _moments(
    table: Table, inputs: Sequence[tuple[str, int | None]]
) -> tuple[int, list[float], np.ndarray[Any, Any]]:
    """Number of complete rows, means and covariances of these, in one pass."""
    import numpy as np

    size = len(inputs)
    named = [f"{_source(column, index)} AS x{i}" for i, (column, index) in enumerate(inputs)]
    lengths = _lengths({"inputs": inputs})
    complete = [f"isfinite(x{i})" for i in range(size)]
    complete += [f"len({name(column)}) = {length}" for column, length in lengths.items()]
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    wanted = ["count(*)", *(f"avg(x{i})" for i in range(size))]
    wanted += [f"covar_samp(x{i}, x{j})" for i, j in pairs]
    text = f"SELECT {', '.join(wanted)} FROM (SELECT *, {', '.join(named)} FROM "
    count, *found = table.row(
        escaped(text) + "{table}" + escaped(f") WHERE {' AND '.join(complete)}")
    )
    covariance = np.zeros((size, size))
    if count >= 2:
        for (i, j), value in zip(pairs, found[size:], strict=True):
            covariance[i, j] = covariance[j, i] = value
    return int(count), [float(mean or 0.0) for mean in found[:size]], covariance


def _learnt(means: list[float], covariance: np.ndarray[Any, Any], values: Values) -> dict[str, Any]:
    import numpy as np

    if not np.isfinite(covariance).all():
        raise DataError(
            "The input columns are too large for their variance to be a number; scale them first."
        )
    deviations = np.sqrt(np.diag(covariance))
    # What is constant but for rounding has no direction.
    deviations = np.where(deviations > 1e-12 * np.abs(means), deviations, 0.0)
    scales = np.where(deviations > 0, deviations, 1.0) if values["scale"] else np.ones(len(means))
    matrix = covariance / np.outer(scales, scales)
    largest = float(np.abs(matrix).max())
    if not deviations.any() or largest == 0:
        raise DataError(
            "The input columns are constant in the rows that have all of them; there is no "
            "direction to find. Choose other columns."
        )
    # Sums over many rows differ in their last digits with the order in which threads add them.
    eigenvalues, vectors = np.linalg.eigh(np.round(matrix / largest, _DIGITS))
    order = np.argsort(-eigenvalues, kind="stable")
    ratios = np.clip(eigenvalues[order], 0, None)
    ratios = ratios / ratios.sum()
    count = _count(ratios.tolist(), values)
    components = [_signed(vectors[:, index]) for index in order[:count]]
    return {
        "means": means if values["center"] else [0.0] * len(means),
        "scales": [float(scale) for scale in scales],
        "components": components,
        "explained": [float(ratio) for ratio in ratios[:count]],
    }


def _count(ratios: Sequence[float], values: Values) -> int:
    if values["method"] == "Number of components":
        return min(int(values["number_of_components"]), len(ratios))
    reached = 0.0
    for number, ratio in enumerate(ratios, 1):
        reached += ratio
        if reached >= values["variance_threshold"] / 100 - 1e-9:
            return number
    return len(ratios)


def _signed(vector: np.ndarray[Any, Any]) -> list[float]:
    largest = max(abs(float(weight)) for weight in vector)
    decisive = next(float(w) for w in vector if abs(float(w)) >= largest - 1e-9)
    return [math.copysign(1, decisive) * float(weight) + 0.0 for weight in vector]


def _source(column: str, index: int | None) -> str:
    if index is None:
        return f"{name(column)}::DOUBLE"
    return f"{name(column)}[{index + 1}]"


def _lengths(state: State) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for column, index in state["inputs"]:
        if index is not None:
            lengths[column] = index + 1
    return lengths
