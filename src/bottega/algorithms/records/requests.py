"""The rows of an inference request: JSON, JSON lines, CSV or RecordIO of protobuf Records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from bottega.algorithms.base import RequestError
from bottega.algorithms.records.instances import MalformedInstance, rows_of
from bottega.algorithms.records.media_types import CSV, JSON, JSONLINES, RECORDIO, media_of

_SMALL = 1 << 16


def parse(
    body: bytes,
    content_type: str,
    *,
    width: int,
    accepted: Sequence[str],
    missing_ok: bool = False,
) -> Any:
    """The rows of a request.

    Args:
        body: the request.
        content_type: its media type; the first of those accepted when it is empty.
        width: how many features the model takes; 0 when any number will do.
        accepted: the media types that the algorithm takes.
        missing_ok: whether a feature may be missing or NaN, or infinite.

    Returns:
        A float32 array (rows x width), or a CSR matrix where the request is sparse.

    Raises:
        RequestError: 415 when the body is not what it says it is, 400 when its rows do not fit.
    """
    media = media_of(content_type, accepted)
    if not body or body.isspace():
        raise RequestError(400, "The request has no rows: its body is empty.")
    try:
        # A number that is too large for float32 becomes infinite, and is refused as such.
        with np.errstate(over="ignore"):
            rows = _PARSERS[media](body, width)
    except MalformedInstance as error:
        raise RequestError(400, str(error)) from error
    if not rows.shape[0]:
        raise RequestError(400, "The request has no rows.")
    if width and rows.shape[1] != width:
        raise RequestError(
            400,
            f"The rows of the request have {rows.shape[1]} features, and the model was trained on "
            f"{width}.",
        )
    if not missing_ok:
        _check_finite(rows)
    return rows


def _check_finite(rows: Any) -> None:
    values = rows if isinstance(rows, np.ndarray) else rows.data
    if np.isfinite(values).all():
        return
    place = int(np.flatnonzero(~np.isfinite(values).ravel())[0])
    if isinstance(rows, np.ndarray):
        row = place // rows.shape[1]
    else:
        row = int(np.searchsorted(rows.indptr, place, side="right")) - 1
    raise RequestError(
        400, f"Row {row + 1} of the request has a feature that is missing, NaN or infinite."
    )


def _parse_json(body: bytes, width: int) -> Any:
    found = _loaded(body, "json")
    instances = found.get("instances") if isinstance(found, dict) else None
    if not isinstance(instances, list):
        raise RequestError(
            400, 'The request has no list of instances; it must be {"instances": [...]}.'
        )
    if not instances:
        raise RequestError(400, "The request has no rows: its list of instances is empty.")
    return rows_of(instances, width)


def _parse_jsonlines(body: bytes, width: int) -> Any:
    lines = [line for line in body.split(b"\n") if line.strip()]
    instances = [
        _loaded(line, f"jsonlines (line {number})") for number, line in enumerate(lines, 1)
    ]
    return rows_of(instances, width, "Line")


def _loaded(text: bytes, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(415, f"Loading {what} data failed: {error}.") from error


def _parse_csv(body: bytes, width: int) -> Any:
    if len(body) <= _SMALL and b"_" not in body:
        lines = body.split(b"\n") if b"\n" in body else [body]
        try:
            return np.array(
                [list(map(float, line.split(b","))) for line in lines if line.strip()],
                dtype=np.float32,
            )
        except (ValueError, OverflowError):
            pass  # Missing values, quotes, another delimiter or nonsense: the careful way tells.
    from bottega.algorithms.readers import csv

    try:
        return csv.table(body)
    except csv.MalformedCsv as error:
        raise RequestError(415, f"Loading csv data failed: {error}") from error


def _parse_recordio(body: bytes, width: int) -> Any:
    from bottega.algorithms.readers.record_blocks import MalformedRecords, rows_of_records

    try:
        return rows_of_records(body, width=width, single=False)
    except MalformedRecords as error:
        raise RequestError(415, f"Loading recordio-protobuf data failed: {error}") from error


_PARSERS = {
    JSON: _parse_json,
    JSONLINES: _parse_jsonlines,
    CSV: _parse_csv,
    RECORDIO: _parse_recordio,
}
