"""Rows on their way to an endpoint, and predictions on their way back."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bottega.sdk.data import DataError, booleans_as_numbers

if TYPE_CHECKING:
    import pandas

CSV = "text/csv"


@dataclass(frozen=True)
class Payload:
    """The body of an invocation."""

    body: bytes
    content_type: str


def encode_rows(rows: Any, columns: Sequence[str] = ()) -> Payload:
    """Rows as a request body.

    Args:
        rows: a DataFrame or a Series, an array, a list of rows, of dicts or of numbers (one row), a
            dict
            (JSON), text (CSV) or bytes (CSV).
        columns: the model's feature columns. What has names is brought into their order, and other
            columns are left out.

    Raises:
        DataError: the rows lack a column of the model, or are nothing that can be sent.
    """
    if isinstance(rows, bytes):
        return Payload(rows, CSV)
    if isinstance(rows, str):
        return Payload(rows.encode(), CSV)
    if isinstance(rows, Mapping):
        return Payload(json.dumps(rows).encode(), "application/json")
    if is_named(rows):
        frame = _ordered(_as_frame(rows), columns)
        text = booleans_as_numbers(frame).to_csv(index=False, header=False)
        return Payload(text.encode(), CSV)
    return Payload(_table(rows).encode(), CSV)


def is_named(rows: Any) -> bool:
    """Whether the rows say which column each value belongs to."""
    if isinstance(rows, (list, tuple)):
        return bool(rows) and all(isinstance(row, Mapping) for row in rows)
    return hasattr(rows, "to_csv")


def _as_frame(rows: Any) -> pandas.DataFrame:
    import pandas

    if isinstance(rows, pandas.DataFrame):
        return rows
    if isinstance(rows, pandas.Series):
        return rows.to_frame().T.infer_objects()
    return pandas.DataFrame(list(rows))


def _ordered(frame: pandas.DataFrame, columns: Sequence[str]) -> pandas.DataFrame:
    import pandas

    if not columns or isinstance(frame.columns, pandas.RangeIndex):
        return frame  # without names only the positions tell
    names = [str(column) for column in frame.columns]
    if missing := [column for column in columns if column not in names]:
        raise DataError(
            f"the rows lack columns of the model: {', '.join(missing)}. Without names (an array or "
            "a list), the values are taken in the model's order"
        )
    return frame.iloc[:, [names.index(column) for column in columns]]


def _table(rows: Any) -> str:
    if hasattr(rows, "tolist"):
        rows = rows.tolist()
    if not isinstance(rows, Iterable):
        raise DataError(f"cannot send {rows!r}: give a DataFrame, an array, a list of rows or text")
    table = list(rows)
    if table and not isinstance(table[0], (list, tuple)):
        table = [table[0].tolist()] if hasattr(table[0], "tolist") and len(table) == 1 else [table]
    if any(isinstance(cell, (list, tuple, Mapping)) for row in table for cell in row):
        raise DataError("cannot send rows of more than two dimensions as CSV; send a dict as JSON")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in table)
    return text.getvalue()


def _cell(value: Any) -> Any:
    if value is None or value != value:
        return ""
    return int(value) if isinstance(value, bool) else value


def decode_predictions(body: bytes, content_type: str) -> Any:
    """An answer as Python values.

    Returns:
        For CSV an array: one number a row, or one row of numbers a row, or a list of lines where
        they are no numbers. For JSON the parsed document. Otherwise the bytes.
    """
    kind = content_type.partition(";")[0].strip()
    if kind == "application/json":
        return json.loads(body)
    if kind in ("application/jsonlines", "application/x-jsonlines"):
        return [json.loads(line) for line in body.splitlines() if line.strip()]
    if kind == CSV or not body:
        import numpy

        if not body.strip():
            return numpy.array([])
        try:
            table = numpy.loadtxt(io.BytesIO(body), delimiter=",", ndmin=2)
        except ValueError:
            return body.decode().splitlines()
        return table[:, 0] if table.shape[1] == 1 else table
    return body
