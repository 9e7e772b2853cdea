"""Learning to classify texts as fastText does: the mean of the vectors of a text's words and word
n-grams, and a softmax over the labels."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.blazingtext import fasttext_file, text_kernels
from bottega.algorithms.blazingtext.pace import Pace, cut_into_pieces
from bottega.algorithms.blazingtext.text import text_blocks
from bottega.algorithms.blazingtext.vocabulary import Numbers, Tokens, Vocabulary, joined_text
from bottega.algorithms.blazingtext.word_vectors import random_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bottega.container.environment import TrainingEnvironment

    Floats = NDArray[np.float32]

_TRAIN, _VALIDATION = "train", "validation"


@dataclass(frozen=True)
class Texts:
    """The texts of a channel."""

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]
    """Where each text begins in the tokens, and where the last one ends."""


@dataclass(frozen=True)
class Features:
    """What kernels need to find the features and labels of a text."""

    rows: NDArray[np.int32]
    """For each token its word's place in the vocabulary, or what ``text_kernels`` says of it."""
    hashes: NDArray[np.uint32]
    first_row: int
    """Of the buckets."""
    buckets: int
    ngrams: int

    def arguments(self, texts: Texts, first: int, last: int) -> tuple[Any, ...]:
        """The leading arguments of the kernels."""
        return (
            texts.tokens, texts.offsets, first, last, self.rows, self.hashes, self.first_row,
            self.buckets, self.ngrams,
        )  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """How many texts got one of their own labels."""

    right: int
    judged: int
    """Those with a label and a known word or n-gram."""
    left_out: int
    """The others that are not empty."""

    @property
    def accuracy(self) -> float:
        return self.right / max(1, self.judged)


class Classifier:
    """A model in training.

    Args:
        vocabulary: its words and labels.
        features: how texts become features.
        used: the words and, numbered on behind them, the buckets that the texts to learn from use,
            in order; the others have no vector.
        dimensions: of the vectors.
        threads: how many may work at a time.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        features: Features,
        used: NDArray[np.int64],
        dimensions: int,
        threads: int,
    ) -> None:
        self.vocabulary = vocabulary
        self.features = features
        self.used = used
        self.input = random_rows(len(used), dimensions)
        self.output = np.zeros((len(vocabulary.labels), dimensions), np.float32)
        self._places = np.full(features.first_row + features.buckets, -1, np.int32)
        self._places[used] = np.arange(len(used))
        self._threads = threads

    def learn(self, texts: Texts, pace: Pace) -> None:
        """Go through the texts once."""

        def work(first: int, last: int, rate: np.float32, state: np.uint64) -> None:
            known = self.features.arguments(texts, first, last)
            text_kernels.classify(*(*known, self._places, self.input, self.output, rate, state))

        pace.run(cut_into_pieces(texts.offsets), self._threads, work)

    def judge(self, texts: Texts) -> Verdict:
        """Predict every text."""
        verdicts = np.empty(len(texts.offsets) - 1, np.int8)

        def work(first: int, last: int) -> None:
            known = self.features.arguments(texts, first, last)
            text_kernels.judge(*(*known, self._places, self.input, self.output, verdicts))

        cuts = np.linspace(0, len(verdicts), self._threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(self._threads) as pool:
            list(pool.map(work, cuts[:-1], cuts[1:]))
        judged = int((verdicts != text_kernels.NOTHING).sum())
        empty = int((np.diff(texts.offsets) <= 1).sum())
        right = int((verdicts == text_kernels.RIGHT).sum())
        return Verdict(right, judged, len(verdicts) - judged - empty)

    def weights(self) -> tuple[Floats, Floats]:
        """A copy of what was learned."""
        return self.input.copy(), self.output.copy()

    def restore(self, weights: tuple[Floats, Floats]) -> None:
        """Go back to what :meth:`weights` gave."""
        self.input[:], self.output[:] = weights

    @property
    def finite(self) -> bool:
        """Whether all numbers are; with a large learning rate they may not be."""
        return bool(np.isfinite(self.input).all() and np.isfinite(self.output).all())


def train(environment: TrainingEnvironment, settings: Mapping[str, Any]) -> None:
    """Train on ``train``, measure on ``validation``, and save ``model.bin``.

    Raises:
        CustomerError: the data are at fault.
    """
    validated = _VALIDATION in environment.input_data_config
    if settings["early_stopping"] and not validated:
        raise CustomerError(
            "Hyperparameter early_stopping: True needs a channel 'validation'; add it, or set "
            "early_stopping to False."
        )
    numbers = Numbers()
    texts = _read(environment, _TRAIN, numbers)
    counts = Tokens(texts.tokens).counts(len(numbers))
    vocabulary = Vocabulary.of(list(numbers), counts, settings["min_count"], labelled=True)
    _check(vocabulary, settings)
    validation = _read(environment, _VALIDATION, numbers) if validated else None
    print(f"Number of words:  {len(vocabulary.words)}")
    print(f"Number of labels:  {len(vocabulary.labels)}", flush=True)
    model = _start(environment, settings, numbers, vocabulary, texts)
    for channel, given in ((_TRAIN, texts), (_VALIDATION, validation)):
        if given is not None and not model.judge(given).judged:
            raise CustomerError(f"No text of the channel {channel} has a label and a known word.")
    _learn(model, texts, validation, settings)
    if not model.finite:
        raise CustomerError(
            f"The model became infinite with learning_rate {settings['learning_rate']:g}; use a "
            "smaller one, such as 0.05."
        )
    _tell(_TRAIN, model.judge(texts))
    if validation is not None:
        _tell(_VALIDATION, model.judge(validation))
    _save(environment, settings, model)


def _read(environment: TrainingEnvironment, channel: str, numbers: Numbers) -> Texts:
    tokens = numbers.encode(text_blocks(environment, channel, labelled=True))
    if not len(tokens.values):
        raise CustomerError(f"The channel {channel} has no words; it needs a text a line.")
    return Texts(tokens.values, tokens.texts())


def _check(vocabulary: Vocabulary, settings: Mapping[str, Any]) -> None:
    if not vocabulary.labels:
        raise CustomerError(
            "No text of the channel train has a label. Each line must begin with its labels, such "
            "as: __label__4 linux ready for prime time"
        )
    if len(vocabulary.labels) < 2:
        label = vocabulary.labels[0].decode("utf-8", "replace")
        raise CustomerError(
            f"All texts of the channel train have the label {label}; a classifier needs at least "
            "two labels."
        )
    if not vocabulary.words:
        raise CustomerError(
            f"No word of the channel train occurs min_count ({settings['min_count']}) times or "
            "more; use a smaller min_count, or more text."
        )


def _start(
    environment: TrainingEnvironment,
    settings: Mapping[str, Any],
    numbers: Numbers,
    vocabulary: Vocabulary,
    texts: Texts,
) -> Classifier:
    rows = vocabulary.ranks(numbers)
    is_label = vocabulary.is_label(list(numbers))
    rows[is_label] = -2 - len(vocabulary.labels)
    for number, label in enumerate(vocabulary.labels):
        rows[numbers[label]] = -2 - number
    hashes = np.empty(len(rows), np.uint32)
    text_kernels.hash_words(*joined_text(list(numbers)), hashes)
    ngrams, words = settings["word_ngrams"], len(vocabulary.words)
    buckets = settings["buckets"] if ngrams > 1 else 0
    features = Features(rows, hashes, words, buckets, ngrams)
    used = np.zeros(words + buckets, np.uint8)
    text_kernels.mark_features(*(*features.arguments(texts, 0, len(texts.offsets) - 1), used))
    return Classifier(
        vocabulary, features, np.flatnonzero(used), settings["vector_dim"], environment.cpus
    )


def _learn(
    model: Classifier, texts: Texts, validation: Texts | None, settings: Mapping[str, Any]
) -> None:
    epochs = settings["epochs"]
    pace = Pace(epochs * len(texts.tokens), settings["learning_rate"])
    best, weights, waited = -1.0, model.weights() if settings["early_stopping"] else None, 0
    for epoch in range(1, epochs + 1):
        with pace.clock():
            model.learn(texts, pace)
        if validation is None or weights is None:
            continue
        accuracy = model.judge(validation).accuracy
        print(f"-------------- End of epoch: {epoch}")
        print(f"Validation accuracy: {accuracy:.6f}", flush=True)
        if accuracy > best:
            print("Validation accuracy improved! Storing best weights...", flush=True)
            best, weights, waited = accuracy, model.weights(), 0
            continue
        waited += 1
        print(f"Validation accuracy has not improved for {waited} epochs.", flush=True)
        if waited >= settings["patience"] and epoch >= settings["min_epochs"]:
            print(f"Stopping early after {epoch} epochs.", flush=True)
            break
    if weights is not None:
        model.restore(weights)
    pace.finish("Training finished.")


def _tell(channel: str, verdict: Verdict) -> None:
    print(f"#{channel}_accuracy: {verdict.accuracy:.4f}")
    print(f"Number of {channel} examples: {verdict.judged}\n", flush=True)
    if verdict.left_out:
        print(
            f"{verdict.left_out} lines of the channel {channel} have no label or no known word; "
            "they are left out.",
            flush=True,
        )


def _save(environment: TrainingEnvironment, settings: Mapping[str, Any], model: Classifier) -> None:
    vocabulary = model.vocabulary
    content = fasttext_file.FastTextModel(
        settings=fasttext_file.Settings(
            dimensions=settings["vector_dim"],
            window=settings["window_size"],
            epochs=settings["epochs"],
            min_count=settings["min_count"],
            negatives=settings["negative_samples"],
            word_ngrams=settings["word_ngrams"],
            loss=fasttext_file.SOFTMAX,
            kind=fasttext_file.SUPERVISED,
            buckets=model.features.buckets,
            min_char=0,
            max_char=0,
            threshold=settings["sampling_threshold"],
        ),
        words=vocabulary.words,
        word_counts=vocabulary.counts,
        labels=vocabulary.labels,
        label_counts=vocabulary.label_counts,
        tokens=vocabulary.tokens,
        input=model.input,
        output=model.output,
    )
    fasttext_file.write(environment.paths.model / "model.bin", content, model.used)
