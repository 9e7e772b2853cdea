from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench, assert_same_table, by_pandas
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames, series, values
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transform import InMemory, Step
from bottega.wrangler.transforms.registry import named

GROUP = "Featurize text"
TEXT = ColumnType.STRING
ANIMALS = pd.DataFrame({"x": series(TEXT, ["The cat the dog", "a cat", None, "", "dog dog"])})


def vectors(bench: Bench, frame: pd.DataFrame, **given_values: Any) -> list[Any]:
    found = bench.check(
        named(GROUP, "Vectorize"), {"input_column": "x", "apply_idf": "No", **given_values}, frame
    )
    return list(found[given_values.get("output_column", "x_features")])


def test_character_statistics(bench: Bench) -> None:
    frame = pd.DataFrame({"x": series(TEXT, ["Ab 1!\n_é", "", " \u3000", None, "Ⅳ²"])})
    found = bench.check(named(GROUP, "Character statistics"), {"input_column": "x"}, frame)
    row = dict(found.iloc[0])
    assert row.pop("x") == "Ab 1!\n_é"
    assert row == {
        "x-stats_word_count": 3.0,
        "x-stats_char_count": 8.0,
        "x-stats_special_ratio": 1 / 6,
        "x-stats_digit_ratio": 1 / 6,
        "x-stats_lower_ratio": 2 / 6,
        "x-stats_capital_ratio": 1 / 6,
    }
    assert found.iloc[1, 1:].tolist() == [0.0] * 6
    assert found.iloc[2, 1:].tolist() == [0.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    assert found.iloc[3].isna().all()
    prefix = {"input_column": "x", "output_column_prefix": "{p}"}
    assert "{p}_word_count" in bench.check(named(GROUP, "Character statistics"), prefix, frame)


def test_words_are_counted_most_frequent_first(bench: Bench) -> None:
    # Terms by frequency, then alphabet: dog 3, cat 2, the 2, a 1.
    expected = [[1, 1, 2, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0]]
    assert vectors(bench, ANIMALS) == expected
    assert vectors(bench, ANIMALS, binarize_count=True)[4] == [1, 0, 0, 0]
    assert vectors(bench, ANIMALS, minimum_term_frequency=2)[0] == [0, 0, 2, 0]
    assert vectors(bench, ANIMALS, minimum_term_frequency=0.5)[0] == [0, 0, 2, 0]
    assert vectors(bench, ANIMALS, minimum_document_frequency=2)[0] == [1, 1]
    assert vectors(bench, ANIMALS, maximum_document_frequency=0.3)[0] == [2, 0]
    assert vectors(bench, ANIMALS, maximum_vocabulary_size=1)[4] == [2]


def test_idf(bench: Bench) -> None:
    found = vectors(bench, ANIMALS, apply_idf="Yes", idf_minimum_document_frequency=2)
    assert found[0] == pytest.approx([math.log(6 / 3), math.log(6 / 3), 0, 0])


def test_flattened_columns(bench: Bench) -> None:
    values_ = {"input_column": "x", "apply_idf": "No", "output_format": "Flattened"}
    found = bench.check(named(GROUP, "Vectorize"), values_, ANIMALS)
    assert list(found) == ["x", *(f"x_features_{word}" for word in ("dog", "cat", "the", "a"))]
    assert found["x_features_dog"].tolist() == [1, 0, 0, 0, 2]


def test_tokenizers(bench: Bench) -> None:
    frame = pd.DataFrame({"x": ["B-a, b; it's", "a"]})
    custom = {"tokenizer": "Custom", "maximum_document_frequency": 5}
    # By frequency, then alphabet. Between what is no word: a 2, b 2, it 1, s 1.
    assert vectors(bench, frame, pattern=r"\W+", **custom) == [[1, 2, 1, 1], [1, 0, 0, 0]]
    words = vectors(bench, frame, pattern=r"[\w']+", gaps=False, **custom)
    assert words == [[1, 2, 1], [1, 0, 0]]
    long = vectors(
        bench,
        frame,
        pattern=r"\W+",
        minimum_token_length=2,
        lowercase_before_tokenization=False,
        **custom,
    )
    assert long == [[1], [0]]  # it


def test_hashing_needs_no_vocabulary(bench: Bench) -> None:
    hashed = {"vectorizer": "Hashing", "number_of_features": 16}
    found = vectors(bench, ANIMALS, **hashed)
    assert [sum(vector) for vector in found] == [4, 2, 0, 0, 2]
    weighed = vectors(bench, ANIMALS, apply_idf="Yes", idf_minimum_document_frequency=0, **hashed)
    assert max(weighed[4]) == pytest.approx(2 * math.log(6 / 3))


@pytest.mark.parametrize("vectorizer", ["Count Vectorizer", "Hashing"])
def test_what_was_not_learnt(bench: Bench, vectorizer: str) -> None:
    transform = named(GROUP, "Vectorize")
    new = pd.DataFrame({"x": series(TEXT, ["bird dog", None])})
    table, other = bench.relation(ANIMALS), bench.relation(new)
    checked = transform.parameter_set().check(
        {
            "input_column": "x",
            "vectorizer": vectorizer,
            "number_of_features": 64,
            "idf_minimum_document_frequency": 0,
        },
        table.schema,
    )
    step = Step(other.schema, checked, transform.fit(table, checked))
    rendering = transform.sql(step)
    assert not isinstance(rendering, InMemory)
    found = other.then(rendering, transform.columns(step)).frame()
    assert_same_table(found, by_pandas(transform, step, [new]), transform.columns(step))
    weights = sorted(filter(None, found["x_features"][0]))
    dog, unseen = math.log(6 / 3), math.log(6 / 1)
    assert weights == pytest.approx([dog] if vectorizer == "Count Vectorizer" else [dog, unseen])


@pytest.mark.parametrize("vectorizer", ["Count Vectorizer", "Hashing"])
@pytest.mark.parametrize("idf", ["Yes", "No"])
def test_more_terms_than_are_searched_for(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, vectorizer: str, idf: str
) -> None:
    given_values: dict[str, Any] = {"vectorizer": vectorizer, "apply_idf": idf}
    given_values["number_of_features"] = 5
    given_values["idf_minimum_document_frequency"] = 0
    searched = vectors(bench, ANIMALS, **given_values)
    monkeypatch.setattr("bottega.wrangler.transforms.featurize_text.vectorize._SEARCHED", 0)
    for joined, one in zip(vectors(bench, ANIMALS, **given_values), searched, strict=True):
        assert joined == pytest.approx(one)
    words = vectors(bench, ANIMALS, minimum_term_frequency=0.5, binarize_count=True)
    assert words[0] == [0, 0, 1, 0]


def test_refusals(bench: Bench) -> None:
    with pytest.raises(DataError, match="No word of column 'x'"):
        vectors(bench, pd.DataFrame({"x": ["a", "a"]}))
    many = pd.DataFrame({"x": [" ".join(f"w{i}" for i in range(1001)), ""]})
    with pytest.raises(DataError, match="1,001 words"):
        vectors(bench, many, output_format="Columns")
    schema, transform = Schema.of(x="string"), named(GROUP, "Vectorize")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"tokenizer": "Custom", "pattern": "a*"}, "pattern"),
        ({"tokenizer": "Custom", "pattern": "(a)"}, "pattern"),
        (
            {"vectorizer": "Hashing", "output_format": "Flattened", "number_of_features": 1001},
            "number_of_features",
        ),
    ]
    for bad, parameter in cases:
        checked = transform.parameter_set().check({"input_column": "x", **bad}, schema)
        with pytest.raises(ParameterError) as caught:
            transform.check(schema, checked)
        assert caught.value.parameter == parameter


def test_reads_the_file_of_sagemaker() -> None:
    node = {
        "operator": "Vectorize",
        "vectorize_parameters": {
            "tokenizer": "Custom",
            "tokenizer_custom_parameters": {"minimum_token_length": 2, "pattern": r"\s+"},
            "vectorizer": "Count Vectorizer",
            "vectorizer_count_vectorizer_parameters": {"minimum_term_frequency": 1},
            "apply_idf": "Yes",
            "apply_idf_yes_parameters": {"minimum_document_frequency": 5},
            "output_format": "Vector",
            "input_column": "x",
        },
    }
    parameters = named(GROUP, "Vectorize").parameter_set()
    checked = parameters.check(parameters.read(node), Schema.of(x="string"))
    assert checked["minimum_token_length"] == 2
    assert checked["idf_minimum_document_frequency"] == 5
    assert checked["gaps"] is True


WORDS = st.lists(st.sampled_from(["a", "B", "b", "é", "it's", "{x}", "ab", ",", "🐈"]), max_size=6)
TEXTS = st.one_of(
    values(TEXT),
    st.tuples(WORDS, st.sampled_from([" ", "  ", "\n"])).map(lambda two: two[1].join(two[0])),
)
CHOICES = st.fixed_dictionaries(
    {
        "tokenizer": st.sampled_from(["Standard", "Custom"]),
        "pattern": st.sampled_from([r"\s+", r"\w+", "[ab]"]),
        "gaps": st.booleans(),
        "lowercase_before_tokenization": st.booleans(),
        "minimum_token_length": st.integers(1, 2),
        "vectorizer": st.sampled_from(["Count Vectorizer", "Hashing"]),
        "minimum_term_frequency": st.sampled_from([0, 0.4, 1, 2]),
        "maximum_document_frequency": st.sampled_from([0.999, 3]),
        "binarize_count": st.booleans(),
        "number_of_features": st.integers(1, 9),
        "apply_idf": st.sampled_from(["Yes", "No"]),
        "idf_minimum_document_frequency": st.integers(0, 2),
        "output_format": st.sampled_from(["Vector", "Flattened"]),
    }
)


@settings(max_examples=25, deadline=None)
@given(frames({"{x}": TEXT}, cells={"{x}": TEXTS}), CHOICES)
def test_random_texts(bench: Bench, frame: pd.DataFrame, chosen: dict[str, Any]) -> None:
    types = {"{x}": TEXT}
    statistics = {"input_column": ["{x}"]}
    bench.check(named(GROUP, "Character statistics"), statistics, frame, types=types)
    try:
        bench.check(
            named(GROUP, "Vectorize"), {"input_column": "{x}", **chosen}, frame, types=types
        )
    except DataError as error:
        if "No word of column" not in error.message:
            raise


@pytest.mark.parametrize("column", ODD_NAMES)
def test_odd_names(bench: Bench, column: str) -> None:
    frame = pd.DataFrame({column: series(TEXT, [*ODD_TEXTS, None])})
    bench.check(named(GROUP, "Character statistics"), {"input_column": column}, frame)
    for output in ("Vector", "Flattened"):
        given_values = {"input_column": column, "output_format": output, "output_column": "o{}'"}
        bench.check(named(GROUP, "Vectorize"), given_values, frame)
