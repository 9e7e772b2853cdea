"""Vocabulary files, good and bad."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.seq2seq.vocabulary import SYMBOLS, UNKNOWN, Vocabulary

START = {symbol: number for number, symbol in enumerate(SYMBOLS)}


def read(folder: Path, content: object) -> Vocabulary:
    path = folder / "vocab.src.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return Vocabulary.read(path)


def test_ids_go_from_the_most_to_the_least_frequent():
    sentences = [["b", "a", "b"], ["c", "a", "b", "<unk>"]]
    assert Vocabulary.build(sentences).tokens == (*SYMBOLS, "b", "a", "c")


def test_equally_frequent_tokens_are_in_the_order_of_sagemakers_preparation():
    assert Vocabulary.build([["a", "b", "c"]]).tokens[4:] == ("c", "b", "a")


def test_rare_tokens_and_those_beyond_the_limit_are_left_out():
    sentences = [["a"] * 3, ["b"] * 2, ["c"]]
    assert Vocabulary.build(sentences, min_count=2).tokens[4:] == ("a", "b")
    assert Vocabulary.build(sentences, limit=1).tokens[4:] == ("a",)


@given(st.lists(st.lists(st.text(min_size=1, max_size=3), max_size=5), max_size=5))
def test_known_tokens_come_back(sentences: list[list[str]]):
    vocabulary = Vocabulary.build(sentences)
    for sentence in sentences:
        known = [token for token in sentence if token not in SYMBOLS]
        assert vocabulary.decode(vocabulary.encode(known)) == known
    assert vocabulary.encode(["this is no token"]) == [UNKNOWN]


def test_a_vocabulary_survives_its_file(tmp_path: Path):
    vocabulary = Vocabulary.build([["Männer", "日本", '"']])
    path = tmp_path / "vocab.trg.json"
    path.write_text(vocabulary.to_json(), encoding="utf-8")
    assert Vocabulary.read(path) == vocabulary


def test_ids_without_a_token_are_allowed(tmp_path: Path):
    vocabulary = read(tmp_path, {**START, "a": 4, "b": 6})
    assert len(vocabulary) == 7
    assert vocabulary.encode(["b", ""]) == [6, UNKNOWN]
    assert json.loads(vocabulary.to_json()) == {**START, "a": 4, "b": 6}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "no JSON"),
        ([1, 2], "no vocabulary"),
        ({**START, "a": "4"}, "no vocabulary"),
        ({**START, "a": -4}, "no vocabulary"),
        ({**START, "a": True}, "no vocabulary"),
        ({**START, "a": 10**9}, "no vocabulary"),
        ({"a": 0}, "<pad> must have the id 0, and has none"),
        ({**START, "<s>": 9}, "<s> must have the id 2, and has 9"),
        ({**START, "a": 4, "b": 4}, "'a' and 'b' have the same id 4"),
    ],
)
def test_what_is_no_vocabulary_is_refused(tmp_path: Path, content: object, words: str):
    with pytest.raises(CustomerError, match=r"vocab\.src\.json") as raised:
        read(tmp_path, content)
    assert words in str(raised.value)
