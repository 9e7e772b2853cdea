"""What checkpoints are judged by."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bottega.algorithms.seq2seq import evaluation, settings
from bottega.algorithms.seq2seq.corpus import Corpus, corpus_of
from bottega.algorithms.seq2seq.network import Network, initialize

PAIRS = [([4, 5], [6, 7, 8, 9]), ([5], [1, 6, 7, 8, 9]), ([9, 4, 4, 4], [4])]


@pytest.fixture
def network() -> tuple[Network, settings.ModelSettings]:
    sizes = {"rnn_num_hidden": "8", "num_embed_source": "6", "num_embed_target": "6"}
    shape, course = settings.read({**sizes, "embed_dropout_source": "0.5"})
    model = settings.ModelSettings(shape, 10, 10, course.beam_size, 1.5, 0.5)
    torch.manual_seed(1)
    found = Network(model)
    initialize(found, course)
    return found, model


@pytest.mark.parametrize("size", [1, 2, 3])
def test_numbers_are_of_all_tokens_whatever_the_batches(
    network: tuple[Network, settings.ModelSettings], size: int
):
    found, model = network
    found.train()
    quality = evaluation.evaluate(
        found, model, corpus_of(PAIRS), batch_size=size, to_translate=None
    )
    assert found.training
    with torch.no_grad():
        whole = found.eval()(corpus_of(PAIRS).batch(np.arange(3)))
    assert whole.tokens == 5 + 6 + 2
    assert quality.perplexity == pytest.approx(math.exp(float(whole.loss) / 13), rel=1e-5)
    assert quality.accuracy == int(whole.right) / 13
    assert quality.bleu is None


def test_what_is_unknown_cannot_be_translated_right(
    network: tuple[Network, settings.ModelSettings], monkeypatch: pytest.MonkeyPatch
):
    """Both translations are the very ids of their targets, one of which is <unk>."""

    def perfect(_: Network, __: settings.ModelSettings, corpus: Corpus) -> list[list[int]]:
        return [corpus.target.sequence(number) for number in range(corpus.pairs)]

    monkeypatch.setattr(evaluation, "translate_all", perfect)
    scores = [
        evaluation.evaluate(
            *network, corpus_of(pairs), batch_size=2, to_translate=corpus_of(pairs)
        ).bleu
        for pairs in (PAIRS[:1], PAIRS[:2])
    ]
    assert scores[0] == pytest.approx(1)
    assert scores[1] is not None
    assert 0.5 < scores[1] < 0.95


def test_translations_are_in_the_order_of_the_corpus(
    network: tuple[Network, settings.ModelSettings],
):
    found, model = network
    found.eval()
    pairs = [([4 + n % 6] * (1 + (n * 7) % 9), [4]) for n in range(300)]
    together = evaluation.translate_all(found, model, corpus_of(pairs), 1)
    for place in (0, 1, 150, 299):
        alone = evaluation.translate_all(found, model, corpus_of([pairs[place]]), 1)
        assert together[place] == alone[0]


def test_perplexity_beyond_measure_is_infinite():
    assert evaluation.perplexity(1e9, 2) == math.inf
    assert evaluation.perplexity(math.nan, 2) == math.inf
    assert evaluation.perplexity(0, 5) == 1
