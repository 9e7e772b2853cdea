"""The answer to an inference request: one or more named outputs for each row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bottega.algorithms.records.media_types import (
    CSV,
    JSON,
    JSONLINES,
    RECORDIO,
    wanted_media,
)


def choose(accept: str, content_type: str, accepted: Sequence[str]) -> str:
    """The media type of the answer: RecordIO to RecordIO and JSON to anything else, unless the
    caller wants another one.

    Args:
        accept: what the caller wants, as an Accept header; may be empty.
        content_type: that of the request.
        accepted: what the algorithm can give.

    Raises:
        RequestError: 406 when none of those wanted can be given.
    """
    asked = content_type.partition(";")[0].strip().lower()
    default = asked if asked == RECORDIO and RECORDIO in accepted else JSON
    return wanted_media(accept, default if default in accepted else accepted[0], accepted)


def encode(columns: Mapping[str, Any], media: str) -> bytes:
    """Write the outputs of some rows.

    Args:
        columns: the name of each output and its values: one for each row, or rows x several.
            Whole numbers are written as such, except in RecordIO, where all are float32.
        media: ``application/json`` (``{"predictions": [...]}``), ``application/jsonlines`` (an
            object for each row), ``text/csv`` (all outputs of a row in a line) or
            ``application/x-recordio-protobuf`` (a Record for each row, with a tensor for each
            output in its ``label``).
    """
    if media == RECORDIO:
        from bottega.algorithms.readers.record_writing import label_records

        return label_records(columns)
    if media == CSV:
        return _csv(columns)
    names = list(columns)
    values = [np.asarray(column).tolist() for column in columns.values()]
    rows = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]
    if media == JSON:
        return json.dumps({"predictions": rows}).encode()
    if media == JSONLINES:
        return "".join(json.dumps(row) + "\n" for row in rows).encode()
    raise ValueError(f"There is no way to write {media}.")


def _csv(columns: Mapping[str, Any]) -> bytes:
    parts: list[list[list[Any]]] = []
    for column in columns.values():
        values = np.asarray(column)
        parts.append((values if values.ndim > 1 else values[:, None]).tolist())
    lines = [
        ",".join(repr(value) for part in row for value in part) for row in zip(*parts, strict=True)
    ]
    return "".join(f"{line}\n" for line in lines).encode()
