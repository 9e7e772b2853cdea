"""fastText's own model file, ``.bin`` of version 12, written and read.

After two numbers that tell the format come the settings, the vocabulary and two dense matrices of
``float32``: the input matrix (words, then the buckets of n-grams) and the output matrix. All is
little-endian and nothing is aligned.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

CBOW, SKIPGRAM, SUPERVISED = 1, 2, 3
HIERARCHICAL_SOFTMAX, NEGATIVE_SAMPLING, SOFTMAX, ONE_VS_ALL = 1, 2, 3, 4

_MAGIC, _VERSION = 793712314, 12
_START = struct.Struct("<2i")
_SETTINGS = struct.Struct("<12id")
_SIZES = struct.Struct("<3i2q")
_ENTRY = struct.Struct("<qb")
_MATRIX = struct.Struct("<?2q")
_NO_PRUNING = -1
_LEARNING_RATE_UPDATES = 100
_WORD, _LABEL = 0, 1
_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Settings:
    """What a model was trained with, as far as the file keeps it."""

    dimensions: int
    window: int
    epochs: int
    min_count: int
    negatives: int
    word_ngrams: int
    loss: int
    kind: int
    """``CBOW``, ``SKIPGRAM`` or ``SUPERVISED``."""
    buckets: int
    min_char: int
    max_char: int
    threshold: float


@dataclass(frozen=True)
class FastTextModel:
    """The content of a file."""

    settings: Settings
    words: list[bytes]
    word_counts: Any
    labels: list[bytes]
    label_counts: Any
    tokens: int
    input: Floats
    """(words + buckets) x dimensions, mapped into memory; of a model that is to be written, only
    the rows that are used."""
    output: Floats
    """Labels x dimensions, or words x dimensions for word vectors."""


def write(path: Path, model: FastTextModel, used: NDArray[np.int64]) -> None:
    """Write a model; rows of its input matrix that are not used are 0, large parts of them holes.

    Args:
        path: the file.
        model: what to write; its ``input`` has the rows that are used only.
        used: which rows those are, in order.
    """
    settings, dimensions = model.settings, model.settings.dimensions
    with path.open("wb") as file:
        file.write(_START.pack(_MAGIC, _VERSION))
        file.write(
            _SETTINGS.pack(
                dimensions,
                settings.window,
                settings.epochs,
                settings.min_count,
                settings.negatives,
                settings.word_ngrams,
                settings.loss,
                settings.kind,
                settings.buckets,
                settings.min_char,
                settings.max_char,
                _LEARNING_RATE_UPDATES,
                settings.threshold,
            )
        )
        words, labels = len(model.words), len(model.labels)
        file.write(_SIZES.pack(words + labels, words, labels, model.tokens, _NO_PRUNING))
        for names, counts, kind in (
            (model.words, model.word_counts, _WORD),
            (model.labels, model.label_counts, _LABEL),
        ):
            for name, count in zip(names, counts.tolist(), strict=True):
                file.write(name + b"\0" + _ENTRY.pack(count, kind))
        file.write(_MATRIX.pack(False, words + settings.buckets, dimensions))
        _write_rows(file, model.input, used, words + settings.buckets)
        file.write(_MATRIX.pack(False, len(model.output), dimensions))
        file.write(np.ascontiguousarray(model.output, "<f4").tobytes())


def _write_rows(file: Any, matrix: Floats, places: NDArray[np.int64], total: int) -> None:
    """Write a matrix of ``total`` rows, of which those at ``places`` are given and others are 0.

    A block without any is a hole; smaller holes would be so many that the file system takes long to
    free them.
    """
    columns = matrix.shape[1]
    rows = max(1, _BLOCK_BYTES // (4 * columns))
    begin, first = file.tell(), 0
    for start in range(0, total, rows):
        last = int(np.searchsorted(places, start + rows))
        if last > first:
            block = np.zeros((min(rows, total - start), columns), "<f4")
            block[places[first:last] - start] = matrix[first:last]
            file.seek(begin + 4 * columns * start)
            file.write(block.tobytes())
        first = last
    file.seek(begin + 4 * columns * total)


def read(path: Path) -> FastTextModel:
    """Read a model; its matrices stay in the file, mapped into memory.

    Raises:
        CustomerError: it is no such file, it is not whole, or it is quantized.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return _Reader(data, path.name).model()
    except (struct.error, ValueError, OSError) as error:
        raise CustomerError(f"{path.name} is no whole fastText model: {error}.") from error


class _Reader:
    def __init__(self, data: mmap.mmap, name: str) -> None:
        self._data = data
        self._name = name
        self._place = 0

    def model(self) -> FastTextModel:
        magic, version = self._take(_START)
        if magic != _MAGIC or version not in (11, _VERSION):
            raise CustomerError(
                f"{self._name} is no fastText model of version {_VERSION} (a .bin file of fastText "
                "0.1 or later)."
            )
        *numbers, threshold = self._take(_SETTINGS)
        if version == 11 and numbers[7] == SUPERVISED:
            numbers[10] = 0  # Classifiers had no character n-grams then, whatever it says.
        settings = Settings(*(*numbers[:11], threshold))
        size, words, labels, tokens, pruned = self._take(_SIZES)
        if settings.dimensions < 1:
            raise ValueError(f"it says that vectors have {settings.dimensions} dimensions")
        if min(size, words, labels) < 0 or size != words + labels:
            raise ValueError("its vocabulary has sizes that do not go together")
        entries = [self._entry() for _ in range(size)]
        if pruned >= 0:
            raise CustomerError(
                f"{self._name} has a pruned vocabulary, as quantized models do; these are not read."
            )
        input = self._matrix(settings.dimensions)
        output = self._matrix(settings.dimensions)
        rows = labels if settings.kind == SUPERVISED else words
        if len(input) != words + settings.buckets or len(output) != rows:
            raise ValueError("its matrices do not fit its vocabulary")
        names = [name for name, _, _ in entries]
        counts = np.array([count for _, count, _ in entries], np.int64)
        kinds = [kind for _, _, kind in entries]
        if kinds != [_WORD] * words + [_LABEL] * labels:
            raise ValueError("its vocabulary is not in order")
        return FastTextModel(
            settings, names[:words], counts[:words], names[words:], counts[words:], tokens, input,
            output,
        )  # fmt: skip

    def _take(self, form: struct.Struct) -> tuple[Any, ...]:
        found = form.unpack_from(self._data, self._place)
        self._place += form.size
        return found

    def _entry(self) -> tuple[bytes, int, int]:
        end = self._data.find(b"\0", self._place)
        if end < 0:
            raise ValueError("it ends within its vocabulary")
        name = self._data[self._place : end]
        self._place = end + 1
        count, kind = self._take(_ENTRY)
        return name, count, kind

    def _matrix(self, dimensions: int) -> Floats:
        quantized, rows, columns = self._take(_MATRIX)
        if quantized:
            raise CustomerError(
                f"{self._name} is a quantized model, which is not read; use the .bin it was made "
                "of."
            )
        if columns != dimensions or rows < 0:
            raise ValueError(f"a matrix has {columns} columns where {dimensions} are right")
        matrix = np.frombuffer(self._data, "<f4", rows * columns, self._place)
        self._place += matrix.nbytes
        return matrix.reshape(rows, columns)
