"""Word vectors as text, in the format of word2vec: a line with how many words and dimensions there
are, then a line for each word with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_ROWS_AT_ONCE = 1 << 13


def write_vectors(path: Path, words: Sequence[bytes], vectors: Floats) -> None:
    """Write words and their vectors, in this order, with all digits that tell numbers apart."""
    import pyarrow as pa
    from pyarrow import csv

    columns = vectors.shape[1]
    options = csv.WriteOptions(include_header=False, delimiter=" ")
    with path.open("wb") as file:
        file.write(b"%d %d\n" % vectors.shape)
        for begin in range(0, len(words), _ROWS_AT_ONCE):
            rows = vectors[begin : begin + _ROWS_AT_ONCE]
            # From their bytes: any other way imports pandas.
            buffers = [pa.py_buffer(column.tobytes()) for column in np.asarray(rows, "<f4").T]
            arrays = [
                pa.Array.from_buffers(pa.float32(), len(rows), [None, buffer]) for buffer in buffers
            ]
            buffer = BytesIO()
            csv.write_csv(pa.table(arrays, [str(d) for d in range(columns)]), buffer, options)
            lines = buffer.getvalue().splitlines(keepends=True)
            for word, line in zip(words[begin : begin + _ROWS_AT_ONCE], lines, strict=True):
                file.write(word + b" " + line)


def read_vectors(path: Path) -> tuple[list[bytes], Floats]:
    """Read words and their vectors.

    Raises:
        CustomerError: it has no such form; the message says in which line.
    """
    with path.open("rb") as file:
        try:
            count, columns = map(int, file.readline().split())
            vectors = np.empty((count, columns), np.float32)
        except ValueError as error:
            raise CustomerError(
                f"Line 1 of {path.name} must be how many words and dimensions there are."
            ) from error
        words: list[bytes] = []
        for number, line in enumerate(file, start=2):
            fields = line.split()
            if not fields:
                continue
            try:
                if len(fields) != columns + 1:
                    raise ValueError(f"it has {len(fields) - 1} numbers")
                vectors[len(words)] = np.array(fields[1:], np.float32)
            except (ValueError, IndexError) as error:
                raise CustomerError(
                    f"Line {number} of {path.name} must be a word and {columns} numbers, of "
                    f"{count} words."
                ) from error
            words.append(fields[0])
    if len(words) != count:
        raise CustomerError(f"{path.name} has {len(words)} words where {count} are announced.")
    return words, vectors
