"""Similarity encode: texts that look alike get numbers that are alike.

The hash is this, in both languages. A text gets a space on either side, and an empty text one more.
Each three characters that follow each other, with code points a, b and c, give the number
g = (a·2,654,435 + b·40,503 + c·69,069) mod p, with p = 2³¹ - 1. Of the k-th of the numbers that
come out the value is the least (g·A + B) mod p of all those g, divided by p: from 0 to 1. A and B
are the next two of the numbers 48,271ⁿ mod p.

Two texts agree in a number with the probability of the share that they have of their threes.
"""

from __future__ import annotations

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import name
from bottega.wrangler.transform import Columns, Rendering, Step, Transform, Values
from bottega.wrangler.transforms.encode_categorical.lookup import (
    INPUT,
    OUTPUT,
    refuse_one_output_for_many,
)

_PRIME = 2**31 - 1
_FACTORS = (2_654_435, 40_503, 69_069)
_GENERATOR = 48_271
_PYTHON = '''
def min_hashes(text, dimension):
    """Numbers from 0 to 1 of a text's threes of characters; alike for texts that look alike."""
    prime = 2**31 - 1
    padded = f" {text} " if text else "   "
    points = [ord(character) for character in padded]
    grams = {
        (a * 2654435 + b * 40503 + c * 69069) % prime
        for a, b, c in zip(points, points[1:], points[2:])
    }
    hashes, seed = [], 1
    for _ in range(dimension):
        factor = seed * 48271 % prime
        seed = factor * 48271 % prime
        hashes.append(min((gram * factor + seed) % prime for gram in grams) / prime)
    return hashes
'''


class SimilarityEncode(Transform):
    operator = "sagemaker.spark.encode_categorical_0.1"
    name = "Similarity encode"
    group = "Encode categorical"
    sentence = "Gives texts numbers that are alike where the texts share parts, as with typos."
    edge_cases = (
        "Missing text stays missing. Nothing is learnt, so text that was not there before is "
        "encoded like any other. Case matters: make it lower case first where it should not."
    )
    parameter_group = "similarity_encode_parameters"
    parameters = (
        Parameter(
            INPUT.name,
            "columns",
            INPUT.label,
            "The columns of text.",
            required=True,
            types=frozenset({ColumnType.STRING}),
        ),
        Parameter(
            "target_dimension",
            "integer",
            "Target dimension",
            "How many numbers a text gets.",
            default=30,
            minimum=1,
            maximum=1000,
        ),
        Parameter(
            "output_style",
            "choice",
            "Output style",
            "A column for each number, or one column of vectors.",
            default="Vector",
            choices=("Vector", "Columns"),
        ),
        OUTPUT,
    )
    words = ("min hash", "n-gram", "fuzzy", "dirty")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        refuse_one_output_for_many(values)

    def columns(self, step: Step) -> Schema:
        output = step.values["output_column"]
        if step.values["output_style"] == "Vector":
            return step.schema.with_columns(
                Column(output or c, ColumnType.VECTOR) for c in step.values["input_column"]
            )
        kept = step.schema.without([] if output else step.values["input_column"])
        return kept.with_columns(
            Column(new, ColumnType.FLOAT)
            for column in step.values["input_column"]
            for new in self._names(step, column)
        )

    def sql(self, step: Step) -> Rendering:
        output, dimension = step.values["output_column"], step.values["target_dimension"]
        found, drop = {}, []
        for column in step.values["input_column"]:
            hashes = _sql(name(column), dimension)
            if step.values["output_style"] == "Vector":
                found[output or column] = hashes
                continue
            for place, new in enumerate(self._names(step, column), 1):
                found[new] = f"({hashes})[{place}]"
            if not output:
                drop.append(column)
        return Columns(found, drop=drop)

    def pandas(self, step: Step, code: PandasCode) -> None:
        output, dimension = step.values["output_column"], step.values["target_dimension"]
        code.function("min_hashes", _PYTHON)
        for column in step.values["input_column"]:
            place = code.column(column)
            texts = f"{{text: min_hashes(text, {dimension}) for text in {place}.dropna().unique()}}"
            if step.values["output_style"] == "Vector":
                code.line(
                    f"hashes = {texts}\n"
                    f"{code.column(output or column)} = pd.Series(\n"
                    f"    [hashes.get(text) for text in {place}], index={code.table}.index, "
                    "dtype=object\n"
                    ")"
                )
                continue
            dropped = "" if output else f".drop(columns={code.literal(column)})"
            names = code.literal(self._names(step, column))
            code.line(
                f"hashes = {texts}\n"
                f"encoded = pd.DataFrame(\n"
                f"    [hashes.get(text, [float('nan')] * {dimension}) for text in {place}],\n"
                f"    index={code.table}.index,\n"
                f"    columns={names},\n"
                '    dtype="float64",\n'
                ")\n"
                f"{code.table} = pd.concat([{code.table}{dropped}, encoded], axis=1)"
            )

    def _names(self, step: Step, column: str) -> list[str]:
        output, schema = step.values["output_column"], step.schema
        count: int = step.values["target_dimension"]
        return [schema.free_name(f"{output or column}_{i}") for i in range(count)]


def _sql(x: str, dimension: int) -> str:
    padded = f"(' ' || {x} || CASE WHEN {x} = '' THEN '  ' ELSE ' ' END)"
    points = f"list_transform(string_split({padded}, ''), lambda c: unicode(c)::BIGINT)"
    first, second, third = _FACTORS
    gram = f"(p[i] * {first} + p[i + 1] * {second} + p[i + 2] * {third}) % {_PRIME}"
    grams = (
        f"list_transform([{points}], lambda p: "
        f"list_transform(range(1, len(p) - 1), lambda i: {gram}))[1]"
    )
    seed, hashes = 1, []
    for _ in range(dimension):
        factor = seed * _GENERATOR % _PRIME
        seed = factor * _GENERATOR % _PRIME
        least = f"list_min(list_transform(gs, lambda g: (g * {factor} + {seed}) % {_PRIME}))"
        hashes.append(f"{least} / {_PRIME}.0::DOUBLE")
    listed = f"list_transform([{grams}], lambda gs: [{', '.join(hashes)}])[1]"
    return f"CASE WHEN {x} IS NOT NULL THEN {listed} END"
