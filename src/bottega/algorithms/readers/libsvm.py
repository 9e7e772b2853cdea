"""libsvm: ``label[:weight] [qid:n] index:value ...`` on each line, indexes from zero.

The text is parsed in blocks with numpy alone: every number of a block is converted in one call, and
the places of colons and spaces say what each of them is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, Layout
from bottega.algorithms.readers.sources import Stream, line_of_row

_COMMENT = re.compile(rb"#[^\n]*")
_ALLOWED = re.compile(rb"[0-9eE+\-.:\sNnaAiIfF]*")
_SMALL = 1 << 14
_TO_LINES = bytes.maketrans(b": \t\r", b"\n\n\n\n")
_GROUP = -1.0
_MAX_INDEX = 2**31 - 2


class MalformedLibsvm(ValueError):
    """A line is not libsvm; the message says which and why."""


def parse(text: bytes, *, first_line: int = 1) -> tuple[Any, Any, Any, Any]:
    """Whole lines as (CSR features, labels, weights or None, groups or None).

    Features are as wide as the largest index asks for. The weight is 1 where a line has none, and
    the group is -1.

    Raises:
        MalformedLibsvm: a line is not libsvm; it says which, counted from ``first_line``.
    """
    import numpy as np
    from scipy import sparse

    if not text.strip():
        nothing = np.empty(0, dtype=np.float32)
        return sparse.csr_matrix((0, 0), dtype=np.float32), nothing, None, None
    labels, weights, groups, counts, indexes, values = _parse(text, first_line)
    pointers = np.zeros(counts.size + 1, dtype=np.int64)
    np.cumsum(counts, out=pointers[1:])
    width = int(indexes.max()) + 1 if indexes.size else 0
    features = sparse.csr_matrix((values, indexes, pointers), shape=(counts.size, width))
    features.sort_indices()
    return (
        features,
        labels,
        None if np.isnan(weights).all() else np.nan_to_num(weights, nan=1.0),
        None if (groups < 0).all() else groups,
    )


def blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a stream by the block, each as wide as its largest index asks for.

    Raises:
        CustomerError: a line is not libsvm.
    """
    for text, line in stream.text():
        try:
            features, labels, weights, groups = parse(text, first_line=line)
        except MalformedLibsvm as error:
            raise CustomerError(f"{stream.name}: {error}") from error
        if labels.size:
            yield Block(
                features=features,
                labels=labels if layout.needs_label else None,
                origin=line_of_row(text, line, stream.name),
                weights=weights,
                groups=groups,
            )


def _parse(text: bytes, first_line: int) -> tuple[Any, ...]:
    """Parse lines into labels, weights (NaN: none), groups (-1: none), counts, indexes, values."""
    import numpy as np

    if b"#" in text:
        text = _COMMENT.sub(b"", text)
    text = text.replace(b"qid:", b"%d:" % _GROUP)
    if not (match := _ALLOWED.match(text)) or match.end() != len(text):
        raise MalformedLibsvm(_explain(text, first_line))
    data = np.frombuffer(text + b"\n", dtype=np.uint8)
    colon, newline = data == 0x3A, data == 0x0A
    space = (data == 0x20) | newline | (data == 0x09) | (data == 0x0D)
    starts = ~space
    starts[1:] &= space[:-1]
    token_of = np.cumsum(starts) - 1
    colons = np.bincount(token_of[colon], minlength=int(starts.sum()))
    ends = np.cumsum(np.add.reduceat(starts, np.r_[0, np.flatnonzero(newline)[:-1] + 1]))
    begins = np.r_[0, ends[:-1]]
    begins = begins[begins < ends]
    is_label = np.zeros(colons.size, dtype=bool)
    is_label[begins] = True
    numbers = _numbers(text, int(starts.sum() + colons.sum()))
    if numbers is None or (colons[~is_label] != 1).any() or (colons > 1).any():
        raise MalformedLibsvm(_explain(text, first_line))
    offsets = np.r_[0, np.cumsum(colons + 1)]
    labels = numbers[offsets[:-1][is_label]]
    weighted = is_label & (colons == 1)
    weights = np.full(colons.size, np.nan)
    weights[weighted] = numbers[offsets[:-1][weighted] + 1]
    row = np.cumsum(is_label) - 1
    pair = offsets[:-1][~is_label]
    indexes, values, rows = numbers[pair], numbers[pair + 1], row[~is_label]
    groups = np.full(labels.size, -1, dtype=np.int64)
    marks = indexes == _GROUP
    groups[rows[marks]] = values[marks].astype(np.int64)
    indexes, values, rows = indexes[~marks], values[~marks], rows[~marks]
    if ((indexes < 0) | (indexes > _MAX_INDEX) | (indexes != np.floor(indexes))).any():
        raise MalformedLibsvm(_explain(text, first_line))
    return (
        labels.astype(np.float32),
        weights[is_label].astype(np.float32),
        groups,
        np.bincount(rows, minlength=labels.size),
        indexes.astype(np.int32),
        values.astype(np.float32),
    )


def _numbers(text: bytes, expected: int) -> Any:
    """All numbers of a text without anything else in it; None when something is no number."""
    import numpy as np

    if len(text) < _SMALL:
        pieces = text.replace(b":", b" ").split()
        try:
            return np.array([float(piece) for piece in pieces]) if len(pieces) == expected else None
        except ValueError:
            return None
    import pyarrow as pa
    from pyarrow import csv

    # One number a line is the fastest thing there is to parse: a CSV of one column.
    try:
        table = csv.read_csv(
            pa.BufferReader(text.translate(_TO_LINES)),
            read_options=csv.ReadOptions(column_names=["number"], block_size=1 << 20),
            convert_options=csv.ConvertOptions(
                column_types={"number": pa.float64()}, null_values=["nan", "NaN", "NAN"]
            ),
        )
    except pa.ArrowInvalid:
        return None
    numbers = table.column(0).to_numpy()
    return numbers if numbers.size == expected else None


def explain(text: bytes, first_line: int = 1) -> str:
    """Say what in a small text is not libsvm; empty when all is."""
    for number, line in enumerate(text.split(b"\n"), start=first_line):
        tokens = line.decode("utf-8", "replace").split()
        for position, token in enumerate(tokens):
            if not _good(token, label=position == 0):
                shown = token.replace("-1:", "qid:", 1) if token.startswith("-1:") else token
                kind = "a label" if position == 0 else "index:value with an index from 0"
                return (
                    f"{shown!r} in line {number} is not {kind}. "
                    "Each line must be 'label index:value index:value ...'. "
                    "If this is CSV, say so by the content type text/csv."
                )
    return ""


def _explain(text: bytes, first_line: int) -> str:
    return explain(text, first_line) or "the text is not libsvm."


def _good(token: str, *, label: bool) -> bool:
    left, colon, right = token.partition(":")
    try:
        if label:
            float(left)
            return not colon or float(right) >= 0
        index = float(left)
        float(right)
    except ValueError:
        return False
    return (index >= 0 or left == "-1") and index == int(index) and index <= _MAX_INDEX
