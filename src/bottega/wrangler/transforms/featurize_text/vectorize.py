"""Vectorize: the words of a text as numbers, by a vocabulary or by a hash.

Vectors hold a number for every term, so that one takes 8 bytes for each. The hash of a term is the
second half of its MD5, read with the lowest byte first, modulo the number of features.
"""

from __future__ import annotations

import json
import math
from typing import Any

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.sql_text import escaped, literal, name
from bottega.wrangler.transform import (
    Columns,
    Query,
    Rendering,
    State,
    Step,
    Table,
    Transform,
    Values,
)
from bottega.wrangler.transforms.featurize_text.tokens import (
    PARAMETERS,
    check_tokenizer,
    tokens_pandas,
    tokens_sql,
)

_MOST_COLUMNS = 1000
_LARGEST = 262_144
_SEARCHED = 2_000
"""Up to so many terms a row's are searched for one by one; more are joined, all rows at once."""
_COUNT = ("vectorizer", ("Count Vectorizer",))
_VECTOR = '''
def term_vector(tokens, places, weights, least=1, binary=False):
    """How often each term is among the tokens, times its weight; 0 when less often than least."""
    if least < 1:
        least *= len(tokens)
    vector = [0.0] * len(weights)
    for term, count in Counter(token for token in tokens if token in places).items():
        if count >= least:
            vector[places[term]] = (1 if binary else count) * weights[places[term]]
    return vector
'''
_HASHED = '''
def hashed_vector(tokens, features, weights, other):
    """How many tokens fall into each of so many places, times the place's weight."""
    vector = [0.0] * features
    for token in tokens:
        digest = hashlib.md5(token.encode(), usedforsecurity=False).digest()
        vector[int.from_bytes(digest[8:], "little") % features] += 1.0
    return [count * weights.get(place, other) for place, count in enumerate(vector)]
'''


def _count(parameter: str, kind: Any, label: str, sentence: str, **more: Any) -> Parameter:
    path = f"vectorizer_count_vectorizer_parameters.{parameter}"
    return Parameter(parameter, kind, label, sentence, path=path, when=_COUNT, **more)


class Vectorize(Transform):
    operator = "sagemaker.spark.featurize_text_0.1"
    name = "Vectorize"
    group = "Featurize text"
    sentence = (
        "Counts the words of text, by a learnt vocabulary or by a hash, and weighs rare ones more."
    )
    edge_cases = (
        "Missing and empty text have no words: all numbers are 0. Words that were not learnt do "
        "not count. A vector takes 8 bytes for every term or feature."
    )
    parameter_group = "vectorize_parameters"
    parameters = (
        Parameter(
            "input_column",
            "column",
            "Input column",
            "The column of text.",
            required=True,
            types=frozenset({ColumnType.STRING}),
        ),
        *PARAMETERS,
        Parameter(
            "vectorizer",
            "choice",
            "Vectorizer",
            "Count the words of a learnt vocabulary, or of a fixed number of hashes.",
            default="Count Vectorizer",
            choices=("Count Vectorizer", "Hashing"),
        ),
        _count(
            "minimum_term_frequency",
            "number",
            "Minimum term frequency",
            "A word counts in a text that has it at least so often; below 1, a share of its words.",
            default=1,
            minimum=0,
        ),
        _count(
            "minimum_document_frequency",
            "number",
            "Minimum document frequency",
            "A word is learnt when at least so many rows have it; below 1, a share of the rows.",
            default=1,
            minimum=0,
        ),
        _count(
            "maximum_document_frequency",
            "number",
            "Maximum document frequency",
            "A word is learnt when at most so many rows have it; below 1, a share of the rows.",
            default=0.999,
            minimum=0,
        ),
        _count(
            "maximum_vocabulary_size",
            "integer",
            "Maximum vocabulary size",
            "Of more words the most frequent are learnt.",
            default=_LARGEST,
            minimum=1,
            maximum=_LARGEST,
        ),
        _count(
            "binarize_count",
            "boolean",
            "Binarize count",
            "Whether a word counts once, however often it is there.",
            default=False,
        ),
        Parameter(
            "number_of_features",
            "integer",
            "Number of features",
            "How many numbers the hash gives.",
            path="vectorizer_hashing_parameters.number_of_features",
            default=1024,
            minimum=1,
            maximum=_LARGEST,
            when=("vectorizer", ("Hashing",)),
        ),
        Parameter(
            "apply_idf",
            "choice",
            "Apply IDF",
            "Whether counts are multiplied by ln((rows + 1) / (rows with the word + 1)).",
            default="Yes",
            choices=("Yes", "No"),
        ),
        Parameter(
            "idf_minimum_document_frequency",
            "integer",
            "Minimum document frequency for IDF",
            "Words that fewer rows have get the weight 0.",
            path="apply_idf_yes_parameters.minimum_document_frequency",
            default=5,
            minimum=0,
            when=("apply_idf", ("Yes",)),
        ),
        Parameter(
            "output_format",
            "choice",
            "Output format",
            "One column of vectors, or a column for each word (Flattened; Columns is the same).",
            default="Vector",
            choices=("Vector", "Flattened", "Columns"),
        ),
        Parameter(
            "output_column",
            "new_column",
            "Output column",
            "The name of the vector, or what the names of columns begin with; the input column's "
            "name and _features when empty.",
        ),
    )
    learns = True
    words = ("tf-idf", "tfidf", "bag of words", "tokens", "terms")

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        check_tokenizer(values)
        features = values["number_of_features"]
        as_columns = values["vectorizer"] == "Hashing" and values["output_format"] != "Vector"
        if as_columns and features > _MOST_COLUMNS:
            raise ParameterError(
                "number_of_features",
                f"Number of features: {features:,} columns are too many; choose Vector, or "
                f"{_MOST_COLUMNS:,} features at most.",
            )

    def fit(self, table: Table, values: Values) -> State:
        hashing, idf = values["vectorizer"] == "Hashing", values["apply_idf"] == "Yes"
        if hashing and not idf:
            return {}
        (rows,) = table.row("SELECT count(*) FROM {table}")
        tokens = tokens_sql(name(values["input_column"]), values)
        term = f"md5_number_lower(t) % {values['number_of_features']}" if hashing else "t"
        counted = (
            escaped(
                f"SELECT {term} AS term, count(*) AS n, count(DISTINCT r) AS df "
                f"FROM (SELECT {ROW} AS r, unnest({tokens}) AS t FROM "
            )
            + "{table}) GROUP BY 1"
        )

        def weight(df: int) -> float:
            if not idf:
                return 1.0
            few = df < values["idf_minimum_document_frequency"]
            return 0.0 if few else math.log((rows + 1) / (df + 1))

        if hashing:
            found = table.rows(f"SELECT term, df FROM ({counted}) ORDER BY 1")
            places, weights = [t for t, _ in found], [weight(df) for _, df in found]
            return {"places": places, "weights": weights, "other": weight(0)}
        least = _rows(values["minimum_document_frequency"], rows)
        most = _rows(values["maximum_document_frequency"], rows)
        limit = values["maximum_vocabulary_size"]
        found = table.rows(
            f"SELECT term, df FROM ({counted}) WHERE df BETWEEN {least!r} AND {most!r} "
            f"ORDER BY n DESC, term LIMIT {limit}"
        )
        column = values["input_column"]
        if not found:
            raise DataError(
                f"No word of column {column!r} is in enough and not too many of the {rows:,} rows; "
                "change Minimum and Maximum document frequency."
            )
        if values["output_format"] != "Vector" and len(found) > _MOST_COLUMNS:
            raise DataError(
                f"Column {column!r} has {len(found):,} words, too many for columns; set Maximum "
                f"vocabulary size to {_MOST_COLUMNS:,} at most, or choose Vector."
            )
        return {"terms": [t for t, _ in found], "weights": [weight(df) for _, df in found]}

    def columns(self, step: Step) -> Schema:
        if step.values["output_format"] == "Vector":
            return step.schema.with_columns([Column(_output(step), ColumnType.VECTOR)])
        return step.schema.with_columns(Column(n, ColumnType.FLOAT) for n in self._names(step))

    def sql(self, step: Step) -> Rendering:
        values = step.values
        tokens = tokens_sql(name(values["input_column"]), values)
        length = self._length(step)
        if length <= _SEARCHED:
            dense = self._by_row(step, tokens)
            if values["output_format"] == "Vector":
                return Columns({_output(step): dense})
            return Columns({new: f"({dense})[{i}]" for i, new in enumerate(self._names(step), 1)})
        if values["vectorizer"] == "Hashing":
            matched, weight, having = self._hashed(step)
        else:
            matched, weight, having = self._counted(step)
        size = "1" if values["binarize_count"] else "count(*)"
        found = (
            f"SELECT r, list({{'c': c, 'v': v}} ORDER BY c) AS f FROM (SELECT r, c, "
            f"({size} * {weight})::DOUBLE AS v FROM (SELECT r, t, size FROM (SELECT {ROW} AS r, "
            f"unnest({tokens}) AS t, len({tokens}) AS size FROM "
        )
        rest = f")) AS words {matched} GROUP BY r, c{having}) GROUP BY r"
        dense = _dense(length)
        if values["output_format"] == "Vector":
            made = {_output(step): "dense"}
        else:
            made = {new: f"dense[{i}]" for i, new in enumerate(self._names(step), 1)}
        shown = "".join(
            f", {made.get(c) or f't.{name(c)}'} AS {name(c)}" for c in self.columns(step).names
        )
        return Query(
            escaped(f"SELECT t.{ROW} AS {ROW}{shown} FROM ")
            + "{input} AS t JOIN "
            + escaped(f"(SELECT {ROW} AS r, {dense} AS dense FROM ")
            + "{input} AS rows LEFT JOIN ("
            + escaped(found)
            + "{input}"
            + escaped(
                f"{rest}) AS found ON found.r = rows.{ROW}) AS vectors ON vectors.r = t.{ROW}"
            )
        )

    def _length(self, step: Step) -> int:
        """How many numbers come out."""
        if step.values["vectorizer"] == "Hashing":
            return int(step.values["number_of_features"])
        return len(step.state["terms"])

    def _by_row(self, step: Step, tokens: str) -> str:
        """The numbers as an expression, so that a page costs its own rows only."""
        length, values = self._length(step), step.values
        if values["vectorizer"] == "Hashing":
            places = f"list_transform(ts, lambda t: (md5_number_lower(t) % {length})::BIGINT)"
            least = "1"
            known = dict(
                zip(step.state.get("places", ()), step.state.get("weights", ()), strict=True)
            )
            other = step.state.get("other", 1.0)
            weights = [known.get(place, other) for place in range(length)]
        else:
            terms = _listed("VARCHAR", step.state["terms"])
            found = f"list_transform(ts, lambda t: nullif(list_position({terms}, t), 0) - 1)"
            places = f"list_filter({found}, lambda c: c IS NOT NULL)::BIGINT[]"
            least = repr(values["minimum_term_frequency"])
            if values["minimum_term_frequency"] < 1:
                least += " * len(ts)"
            weights = step.state["weights"]
        counts = f"list_sort(map_entries(list_aggregate({places}, 'histogram')))"
        often = f"list_filter({counts}, lambda e: e.value >= {least})"
        weight = "" if set(weights) == {1.0} else f" * {_listed('DOUBLE', weights)}[e.key + 1]"
        size = "1" if values["binarize_count"] else "e.value"
        pairs = (
            f"list_transform({often}, "
            f"lambda e: {{'c': e.key::BIGINT, 'v': ({size}{weight})::DOUBLE}})"
        )
        lists = f"list_transform([{tokens}], lambda ts: {pairs})"
        return f"list_transform({lists}, lambda f: {_dense(length)})[1]"

    def _counted(self, step: Step) -> tuple[str, str, str]:
        lookup = _table("VARCHAR", step.state["terms"], step.state["weights"])
        least = step.values["minimum_term_frequency"]
        bound = f"{least!r} * any_value(size)" if least < 1 else repr(least)
        return f"JOIN {lookup} AS terms ON k = t", "any_value(w)", f" HAVING count(*) >= {bound}"

    def _hashed(self, step: Step) -> tuple[str, str, str]:
        features = step.values["number_of_features"]
        code = f"(SELECT (md5_number_lower(t) % {features})::BIGINT AS c)"
        if not step.state:
            return f", LATERAL {code}", "1", ""
        lookup = _table("BIGINT", step.state["places"], step.state["weights"])
        other = literal(float(step.state["other"]))
        return (
            f"LEFT JOIN (SELECT k, w FROM {lookup}) AS places "
            f"ON k = (md5_number_lower(t) % {features})::BIGINT, LATERAL {code}",
            f"coalesce(any_value(w), {other})",
            "",
        )

    def pandas(self, step: Step, code: PandasCode) -> None:
        values, table = step.values, code.table
        tokens = tokens_pandas(code.column(values["input_column"]), values, code)
        if values["vectorizer"] == "Hashing":
            code.require("import hashlib")
            code.function("hashed_vector", _HASHED)
            features = values["number_of_features"]
            known = dict(
                zip(step.state.get("places", ()), step.state.get("weights", ()), strict=True)
            )
            weights = code.constant(f"{values['input_column']} weights", known)
            other = float(step.state.get("other", 1.0))
            call = f"hashed_vector(one, {features}, {weights}, {other!r})"
        else:
            code.require("from collections import Counter")
            code.function("term_vector", _VECTOR)
            terms = code.constant(f"{values['input_column']} terms", step.state["terms"])
            weights = code.constant(f"{values['input_column']} weights", step.state["weights"])
            code.line(f"places = {{term: place for place, term in enumerate({terms})}}")
            more = ""
            if values["minimum_term_frequency"] != 1:
                more += f", least={values['minimum_term_frequency']!r}"
            if values["binarize_count"]:
                more += ", binary=True"
            call = f"term_vector(one, places, {weights}{more})"
        vectors = f"[{call} for one in {tokens}]"
        if values["output_format"] == "Vector":
            code.line(
                f"{code.column(_output(step))} = pd.Series(\n"
                f"    {vectors},\n"
                f"    index={table}.index,\n"
                "    dtype=object,\n"
                ")"
            )
            return
        code.line(
            "vectors = pd.DataFrame(\n"
            f"    {vectors},\n"
            f"    index={table}.index,\n"
            f"    columns={code.literal(self._names(step))},\n"
            '    dtype="float64",\n'
            ")\n"
            f"{table} = pd.concat([{table}, vectors], axis=1)"
        )

    def _names(self, step: Step) -> list[str]:
        if step.values["vectorizer"] == "Hashing":
            labels = [str(i) for i in range(step.values["number_of_features"])]
        else:
            labels = step.state["terms"]
        # The engine takes names for one that differ in case only.
        used, found = {c.lower() for c in step.schema.names}, []
        for label in labels:
            wanted = new = f"{_output(step)}_{label}"
            number = 0
            while new.lower() in used:
                number += 1
                new = f"{wanted}_{number}"
            used.add(new.lower())
            found.append(new)
        return found


def _rows(frequency: float, rows: int) -> float:
    return frequency if frequency >= 1 else frequency * rows


def _output(step: Step) -> str:
    return step.values["output_column"] or f"{step.values['input_column']}_features"


def _listed(kind: str, items: list[Any]) -> str:
    """A list that is folded once, quicker to read than as many literals."""
    return f"""from_json({literal(json.dumps(items, ensure_ascii=False))}, '["{kind}"]')"""


def _table(kind: str, keys: list[Any], weights: list[float]) -> str:
    """A table of what was learnt: the key k, its place c from 0, its weight w."""
    listed = literal(json.dumps(keys, ensure_ascii=False))
    given = literal(json.dumps(weights))
    place = ", range(len(x)) AS cs" if kind == "VARCHAR" else ""
    shown = ", unnest(cs) AS c" if kind == "VARCHAR" else ""
    return (
        f"(SELECT unnest(x) AS k, unnest(y) AS w{shown} FROM (SELECT x, y{place} FROM "
        f"""(SELECT from_json({listed}, '["{kind}"]') AS x, """
        f"""from_json({given}, '["DOUBLE"]') AS y)))"""
    )


def _dense(length: int) -> str:
    """All numbers, from the list f of places c with numbers v, in the order of places.

    Each number is followed by as many zeros as there are places before the next one.
    """
    zeros = "list_resize([]::DOUBLE[], {}, 0.0::DOUBLE)"
    pairs = f"list_zip(f, list_append(f[2:], {{'c': {length}::BIGINT, 'v': 0.0::DOUBLE}}))"
    part = "list_resize([e[1].v], e[2].c - e[1].c, 0.0::DOUBLE)"
    parts = f"list_transform({pairs}, lambda e: {part})"
    return (
        f"CASE WHEN f IS NULL OR len(f) = 0 THEN {zeros.format(length)} "
        f"ELSE list_concat({zeros.format('f[1].c')}, flatten({parts})) END"
    )
