"""JSON lines: an instance in each line with its label, as {"features": [1, 2], "label": 0}."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, Layout, capital
from bottega.algorithms.readers.sources import Stream, line_of_row
from bottega.algorithms.records.instances import MalformedInstance, label_of, rows_of

_TEXT = 1 << 22
_ROW = "Row"


def blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a stream by the block.

    Raises:
        CustomerError: a line is no instance, or has no label where one is needed.
    """
    for text, first in stream.text(_TEXT):
        if not text.strip():
            continue
        origin = line_of_row(text, first, stream.name)
        # A number that is too large for float32 becomes infinite; who minds that looks for it.
        with np.errstate(over="ignore"):
            found = _plain(text, needs_label=layout.needs_label)
            if found is None:
                found = _carefully(text, first, layout, origin, stream.name)
        yield Block(features=found[0], labels=found[1], origin=origin)


def _plain(text: bytes, *, needs_label: bool) -> tuple[Any, Any] | None:
    """Rows of ``features`` and ``label`` and nothing else, by a parser in C; None for others."""
    import pyarrow as pa
    from pyarrow import json as arrow

    schema = pa.schema([("features", pa.list_(pa.float64())), ("label", pa.float64())])
    try:
        table = arrow.read_json(
            pa.BufferReader(text),
            read_options=arrow.ReadOptions(block_size=max(1 << 20, len(text))),
            parse_options=arrow.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="error"
            ),
        )
    except pa.ArrowInvalid:
        return None
    lists = table.column(0).combine_chunks()
    labels = table.column(1)
    values = lists.flatten()
    if lists.null_count or values.null_count or (needs_label and labels.null_count):
        return None
    rows = len(lists)
    lengths = lists.value_lengths().to_numpy()
    if not rows or not lengths[0] or not (lengths == lengths[0]).all():
        return None
    features = values.to_numpy().astype(np.float32).reshape(rows, int(lengths[0]))
    return features, labels.to_numpy().astype(np.float32) if needs_label else None


def _carefully(
    text: bytes, first: int, layout: Layout, origin: Callable[[int], str], name: str
) -> tuple[Any, Any]:
    instances = list(_instances(text, first, name))
    try:
        features = rows_of(instances, layout.width, _ROW)
        if not layout.needs_label:
            return features, None
        labels = [label_of(found, f"{_ROW} {number}") for number, found in enumerate(instances, 1)]
    except MalformedInstance as error:
        # It says "Row 3", counted in the block; here rows have lines.
        _, number, rest = str(error).split(" ", 2)
        raise CustomerError(f"{capital(origin(int(number) - 1))} {rest}") from error
    return features, np.array(labels, dtype=np.float32)


def _instances(text: bytes, first: int, name: str) -> Iterator[Any]:
    for number, line in enumerate(text.split(b"\n"), start=first):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise CustomerError(f"Line {number} of {name} is no JSON: {error}.") from error
