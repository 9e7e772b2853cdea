"""BLEU, against numbers of sacreBLEU 2.6 with tokenize=none, and against itself where installed."""

from __future__ import annotations

import importlib.util
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.seq2seq.bleu import corpus_bleu

CASES = [
    (["the cat sat on the mat"], ["the cat sat on the mat"], 100.0),
    (["the the the the"], ["the cat sat on the mat"], 11.521590992286539),
    (
        ["a man is riding a red bicycle .", "two dogs play in the snow"],
        ["a man rides a red bicycle .", "two dogs are playing in the snow ."],
        33.711815650101606,
    ),
    (["a b c d e f g"], ["a b c d x e f g h i j k"], 29.10832123176842),
    (["a x b y"], ["a b c d"], 18.99589214128981),
    (["x y z w"], ["a b c d"], 0.0),
    (["a b c"], ["a b c"], 0.0),
    ([""], ["a b c d"], 0.0),
]
SENTENCES = st.lists(st.sampled_from("abcde"), min_size=1, max_size=9)


def tokens(lines: list[str]) -> list[list[str]]:
    return [line.split() for line in lines]


@pytest.mark.parametrize(("hypotheses", "references", "score"), CASES)
def test_scores_are_those_of_sacrebleu(hypotheses: list[str], references: list[str], score: float):
    assert 100 * corpus_bleu(tokens(hypotheses), tokens(references)) == pytest.approx(score)


@pytest.mark.skipif(
    importlib.util.find_spec("sacrebleu") is None, reason="sacreBLEU is not installed"
)
def test_random_corpora_score_as_with_sacrebleu():
    import sacrebleu

    draw = random.Random(0)
    for _ in range(50):
        sides = [
            [" ".join(draw.choices("abcdef", k=draw.randint(1, 12))) for _ in range(20)]
            for _ in range(2)
        ]
        score = sacrebleu.corpus_bleu(sides[0], [sides[1]], tokenize="none", force=True).score
        assert 100 * corpus_bleu(*map(tokens, sides)) == pytest.approx(score)


@given(st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1, max_size=5))
def test_a_score_is_a_share_and_the_order_of_sentences_is_nothing(
    pairs: list[tuple[list[str], list[str]]],
):
    score = corpus_bleu([a for a, _ in pairs], [b for _, b in pairs])
    assert 0 <= score <= 1
    turned = pairs[::-1]
    assert corpus_bleu([a for a, _ in turned], [b for _, b in turned]) == pytest.approx(score)


@given(st.lists(SENTENCES, min_size=1, max_size=5).filter(lambda s: any(len(x) > 3 for x in s)))
def test_what_is_right_scores_one(sentences: list[list[str]]):
    assert corpus_bleu(sentences, sentences) == pytest.approx(1)


def test_shorter_is_worse():
    """All its n-grams are right; the brevity penalty tells."""
    reference = [list("abcdefgh")]
    scores = [corpus_bleu([list("abcdefgh")[:length]], reference) for length in (8, 7, 6, 5)]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == 4


def test_both_sides_have_as_many_sentences():
    with pytest.raises(ValueError, match="longer"):
        corpus_bleu([["a"]], [["a"], ["b"]])
