"""Answering requests: the vectors of words, or the labels of texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError, RequestError
from bottega.algorithms.blazingtext import fasttext_file, features
from bottega.algorithms.blazingtext.scoring import Scorer
from bottega.algorithms.blazingtext.vectors_file import read_vectors
from bottega.algorithms.records.media_types import JSON, JSONLINES, media_of, wanted_media

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_ACCEPTED = (JSON, JSONLINES)
_VECTORS_BINARY, _VECTORS_TEXT = "vectors.bin", "vectors.txt"
_CLASSIFIER = "model.bin"


class WordVectors:
    """Answers with the vector of a word; of one that is not known, zeros, or with subwords the mean
    of its n-grams.

    Args:
        words: those that are known.
        vectors: (words + buckets) x dimensions.
        subwords: the settings of a model that has them.
    """

    def __init__(
        self, words: list[bytes], vectors: Floats, subwords: fasttext_file.Settings | None = None
    ) -> None:
        self._rows = {word: row for row, word in enumerate(words)}
        self._vectors = vectors
        self._subwords = subwords

    def vector(self, word: bytes) -> list[float]:
        """The vector of a word."""
        row = self._rows.get(word)
        settings = self._subwords
        if settings is None:
            if row is None:
                return [0.0] * int(self._vectors.shape[1])
            known: list[float] = self._vectors[row].tolist()
            return known
        rows = [] if row is None else [row]
        if word != features.END:
            grams = features.character_ngrams(
                word, settings.min_char, settings.max_char, settings.buckets
            )
            rows += [len(self._rows) + gram for gram in grams]
        if not rows:
            return [0.0] * settings.dimensions
        mean: list[float] = self._vectors[rows].mean(axis=0).tolist()
        return mean

    def answer(self, text: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one instance."""
        return {"vector": self.vector(_bytes(text)), "word": text}


class Classifier:
    """Answers with the most likely labels of a text.

    Args:
        model: of fastText's classifier.
    """

    def __init__(self, model: fasttext_file.FastTextModel) -> None:
        self._settings = model.settings
        self._rows = {word: row for row, word in enumerate(model.words)}
        self._labels = [label.decode("utf-8", "replace") for label in model.labels]
        self._label_words = frozenset(model.labels)
        self._input = model.input
        self._scorer = Scorer(model)

    def predict(self, text: bytes, count: int) -> tuple[list[str], list[float]]:
        """The most likely labels of a text and their probabilities, the best first.

        Args:
            text: its words parted by white space.
            count: how many labels, at most.
        """
        rows = self._features(text)
        if not rows:
            hidden = np.zeros(self._settings.dimensions, np.float32)
        else:
            hidden = self._input[rows].mean(axis=0, dtype=np.float32)
        found = self._scorer.probabilities(hidden)
        best = np.argsort(-found, kind="stable")[:count]
        return [self._labels[label] for label in best], found[best].tolist()

    def answer(self, text: str, options: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one instance; ``k`` of the options is how many labels.

        Raises:
            RequestError: ``k`` is no number of labels.
        """
        count = options.get("k", 1)
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise RequestError(400, f"k is {count!r}; it must be a whole number from 1 on.")
        labels, probabilities = self.predict(_bytes(text), count)
        return {"label": labels, "prob": probabilities}

    def _features(self, text: bytes) -> list[int]:
        """As ``text_kernels`` finds them."""
        settings, words = self._settings, len(self._rows)
        words_of_text = text.split()
        if features.END in words_of_text:
            del words_of_text[words_of_text.index(features.END) :]
        tokens = [word for word in (*words_of_text, features.END) if not self._is_label(word)]
        rows = []
        for word in tokens:
            row = self._rows.get(word)
            if row is not None:
                rows.append(row)
            if settings.max_char > 0 and word != features.END:
                grams = features.character_ngrams(
                    word, settings.min_char, settings.max_char, settings.buckets
                )
                rows += [words + gram for gram in grams]
        if settings.word_ngrams > 1 and settings.buckets:
            hashes = [features.word_hash(word) for word in tokens]
            grams = features.word_ngrams(hashes, settings.word_ngrams, settings.buckets)
            rows += [words + gram for gram in grams]
        return rows

    def _is_label(self, word: bytes) -> bool:
        if word.startswith(features.LABEL_PREFIX):
            return word not in self._rows
        return word in self._label_words  # of a model with a prefix of its own


Model = WordVectors | Classifier


def load(folder: Path) -> Model:
    """Load ``model.bin``, ``vectors.bin`` or ``vectors.txt``, whichever there is first.

    Raises:
        CustomerError: there is none, or it cannot be read.
    """
    for name in (_CLASSIFIER, _VECTORS_BINARY):
        if (folder / name).is_file():
            return _from_fasttext(fasttext_file.read(folder / name), name)
    if (folder / _VECTORS_TEXT).is_file():
        return WordVectors(*read_vectors(folder / _VECTORS_TEXT))
    raise CustomerError(
        f"The model has none of {_CLASSIFIER} (a classifier), {_VECTORS_BINARY} and "
        f"{_VECTORS_TEXT} (word vectors)."
    )


def _from_fasttext(model: fasttext_file.FastTextModel, name: str) -> Model:
    settings = model.settings
    if settings.kind == fasttext_file.SUPERVISED:
        if not model.labels:
            raise CustomerError(f"{name} is a classifier without labels.")
        return Classifier(model)
    has_subwords = settings.max_char > 0 and settings.buckets > 0
    return WordVectors(model.words, model.input, settings if has_subwords else None)


def predict(model: Model, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
    """Answer one request; see ``Algorithm.predict``."""
    media = media_of(content_type, _ACCEPTED)
    if wanted_media(accept, media, _ACCEPTED) != media:
        raise RequestError(
            406,
            f"Accept type {accept} is not the content type of the request, {media}; BlazingText "
            "answers in the form of the request.",
        )
    if not body.strip():
        return b"", media
    if media == JSON:
        return _answer_json(model, body), media
    return _answer_lines(model, body), media


def _answer_json(model: Model, body: bytes) -> bytes:
    request = _parsed(body, "The body")
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise RequestError(400, 'The body must be a JSON object with a list of "instances".')
    options = request.get("configuration", {})
    if not isinstance(options, dict):
        raise RequestError(400, 'The "configuration" must be a JSON object, such as {"k": 2}.')
    for place, text in enumerate(request["instances"]):
        if not isinstance(text, str):
            raise RequestError(400, f"Instance {place} must be a text; it is {text!r}.")
    return json.dumps([model.answer(text, options) for text in request["instances"]]).encode()


def _answer_lines(model: Model, body: bytes) -> bytes:
    answers = []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if not line.strip():
            continue
        request = _parsed(line, f"Line {number}")
        if not isinstance(request, dict) or not isinstance(request.get("source"), str):
            raise RequestError(
                400, f'Line {number} must be a JSON object with a text as its "source".'
            )
        answers.append(json.dumps(model.answer(request["source"], request)) + "\n")
    return "".join(answers).encode()


def _parsed(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"{what} is no JSON: {error}.") from error


def _bytes(text: str) -> bytes:
    """A text as the model's words were: UTF-8; half a surrogate stands for no character."""
    return text.encode("utf-8", "replace").replace(b"\0", b" ")
