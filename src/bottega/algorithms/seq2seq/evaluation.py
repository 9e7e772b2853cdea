"""How good a network is on pairs that it was not trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from bottega.algorithms.seq2seq.bleu import corpus_bleu
from bottega.algorithms.seq2seq.corpus import Corpus
from bottega.algorithms.seq2seq.network import Network
from bottega.algorithms.seq2seq.search import translate
from bottega.algorithms.seq2seq.settings import ModelSettings
from bottega.algorithms.seq2seq.vocabulary import UNKNOWN

_AT_ONCE = 128


@dataclass(frozen=True)
class Quality:
    """What a checkpoint is judged by."""

    perplexity: float
    accuracy: float
    """The share of target tokens that are the likeliest when those before are given."""
    bleu: float | None
    """From 0 to 1; None when it was not asked for."""

    def better_than(self, other: Quality | None, metric: str) -> bool:
        """Whether it is the better one of the two by a metric."""
        if other is None:
            return True
        mine, theirs = getattr(self, metric), getattr(other, metric)
        return bool(mine < theirs if metric == "perplexity" else mine > theirs)


def perplexity(loss: float, tokens: int) -> float:
    """From a sum of cross-entropy; infinity where that is no number, or beyond all measure."""
    mean = loss / tokens
    return math.exp(mean) if mean < 700 else math.inf


@torch.inference_mode()
def evaluate(
    network: Network,
    settings: ModelSettings,
    corpus: Corpus,
    *,
    batch_size: int,
    to_translate: Corpus | None,
) -> Quality:
    """Judge a network on a corpus, and its translations of another one; leaves its mode alone."""
    training = network.training
    network.eval()
    loss, right, tokens = 0.0, 0, 0
    for batch, _ in corpus.in_order_of_length(batch_size):
        found = network(batch)
        loss += float(found.loss)
        right += int(found.right)
        tokens += found.tokens
    bleu = None
    if to_translate is not None:
        hypotheses = translate_all(network, settings, to_translate)
        # What is unknown is no word that a translation could get right.
        references = [
            [number if number != UNKNOWN else -1 for number in to_translate.target.sequence(n)]
            for n in range(to_translate.pairs)
        ]
        bleu = corpus_bleu(hypotheses, references)
    network.train(training)
    return Quality(perplexity(loss, tokens), right / tokens, bleu)


def translate_all(
    network: Network, settings: ModelSettings, corpus: Corpus, beam_size: int | None = None
) -> list[list[int]]:
    """The translation of every source of a corpus, in its order; the network is in evaluation
    mode."""
    found: list[Any] = [[]] * corpus.pairs
    for batch, which in corpus.in_order_of_length(_AT_ONCE):
        answers = translate(
            network,
            settings,
            batch.source,
            batch.source_lengths,
            beam_size=beam_size or settings.beam_size,
        )
        for place, answer in zip(which, answers, strict=True):
            found[place] = answer.ids
    return found
