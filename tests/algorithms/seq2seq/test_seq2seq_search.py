"""Beam search, against all translations there can be."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from bottega.algorithms.seq2seq import settings
from bottega.algorithms.seq2seq.corpus import corpus_of
from bottega.algorithms.seq2seq.network import Network, initialize
from bottega.algorithms.seq2seq.search import Translation, translate
from bottega.algorithms.seq2seq.vocabulary import END, UNKNOWN

WORDS, LONGEST = 6, 4
SOURCES = [[4, 5, 4], [5], [5, 5, 4, 4, 5]]


def made(seed: int, words: int = WORDS, **given: str) -> tuple[Network, settings.ModelSettings]:
    """Large weights, so that the network has opinions."""
    sizes = {
        "rnn_num_hidden": "8",
        "num_embed_source": "6",
        "num_embed_target": "6",
        "max_seq_len_target": str(LONGEST),
        "weight_init_type": "uniform",
        "weight_init_scale": "0.5" if given.get("decoder_type") == "cnn" else "1.5",
        **given,
    }
    network, course = settings.read(sizes)
    model = settings.ModelSettings(network, WORDS, words, course.beam_size, 2.0, 1.0)
    torch.manual_seed(seed)
    found = Network(model)
    initialize(found, course)
    return found.eval(), model


def search(
    found: tuple[Network, settings.ModelSettings],
    sources: list[list[int]],
    beam_size: int,
    attention: bool = False,
) -> list[Translation]:
    batch = corpus_of([(source, [4]) for source in sources]).batch(np.arange(len(sources)))
    return translate(
        *found, batch.source, batch.source_lengths, beam_size=beam_size, attention=attention
    )


@torch.no_grad()
def logits(network: Network, source: list[int], targets: list[list[int]]) -> torch.Tensor:
    """Of every token of targets of the same length, and of what comes after: targets x tokens x
    words."""
    batch = corpus_of([(source, target) for target in targets]).batch(np.arange(len(targets)))
    encoded = network.encode(torch.tensor(batch.source), torch.tensor(batch.source_lengths))
    states = network.decoder(
        network.embed_target(torch.tensor(batch.target_input)),
        network.decoder.memory(encoded),
        network.begin(encoded),
    )[0]
    return network.output(states)


def all_scores(network: Network, source: list[int], words: int) -> dict[tuple[int, ...], float]:
    """The mean log probability of every target of one or two tokens and its end."""
    scores = {}
    for length in (1, 2):
        targets = list(itertools.product((UNKNOWN, *range(4, words)), repeat=length))
        found = logits(network, source, [list(target) for target in targets])
        # <pad> and <s> are never told, nor an end at once.
        found[:, :, [0, 2]] = -torch.inf
        found[:, 0, END] = -torch.inf
        ended = torch.tensor([[*target, END] for target in targets])
        logs = found.log_softmax(dim=2).gather(2, ended[:, :, None])[:, :, 0].mean(dim=1)
        scores |= dict(zip(targets, logs.tolist(), strict=True))
    return scores


@pytest.mark.parametrize("kind", ["rnn", "cnn"])
def test_wider_beams_come_closer_to_the_best_there_is(kind: str):
    """Few words and a short limit leave few enough translations to try all of them."""
    missed = {1: 0.0, 11: 0.0}
    for seed in range(6):
        found = made(seed, words=14, decoder_type=kind, max_seq_len_target="2")
        for source in SOURCES:
            scores = all_scores(found[0], source, 14)
            for width in missed:
                answer = search(found, [source], width)[0]
                assert answer.score == pytest.approx(scores[tuple(answer.ids)], abs=1e-4)
                missed[width] += max(scores.values()) - answer.score
    assert missed[11] < missed[1] / 4


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_of_one_takes_the_likeliest_token_each_time(seed: int):
    found = made(seed)
    network = found[0]
    for source, answer in zip(SOURCES, search(found, SOURCES, 1), strict=True):
        expected: list[int] = []
        while len(expected) < LONGEST:
            told = logits(network, source, [[*expected, 4]])[0, len(expected)]
            allowed = (UNKNOWN, 4, 5, *([END] if expected else []))
            best = max(allowed, key=lambda token: float(told[token]))
            if best == END:
                break
            expected.append(best)
        assert answer.ids == expected


@pytest.mark.parametrize("kind", ["rnn", "cnn"])
@pytest.mark.parametrize("beam_size", [1, 3])
def test_a_translation_does_not_depend_on_its_neighbours(kind: str, beam_size: int):
    for seed in range(5):
        found = made(seed, encoder_type=kind, decoder_type=kind)
        together = search(found, SOURCES, beam_size, attention=True)
        alone = [search(found, [source], beam_size, attention=True)[0] for source in SOURCES]
        assert [answer.ids for answer in together] == [answer.ids for answer in alone]
        for one, other in zip(together, alone, strict=True):
            np.testing.assert_allclose(one.attention, other.attention, atol=1e-5)


def test_attention_has_a_row_for_each_target_and_a_column_for_each_source_token():
    for answer, source in zip(search(made(3), SOURCES, 3, attention=True), SOURCES, strict=True):
        matrix = np.array(answer.attention)
        assert matrix.shape == (len(answer.ids), len(source))
        np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-5)
    assert all(answer.attention == [] for answer in search(made(3), SOURCES, 3))


def test_a_translation_is_never_longer_than_allowed_and_never_empty():
    lengths = set()
    for seed in range(30):
        for answer in search(made(seed), SOURCES, 2):
            lengths.add(len(answer.ids))
            assert set(answer.ids) <= {UNKNOWN, 4, 5}
    assert min(lengths) >= 1
    assert max(lengths) == LONGEST


def test_a_network_that_has_diverged_translates_to_nothing():
    found = made(0)
    with torch.no_grad():
        found[0].output.bias.fill_(torch.nan)
    assert [answer.ids for answer in search(found, SOURCES, 3)] == [[], [], []]
