"""CSV without a header: numbers only, an empty field is a missing value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.blocks import Block, Layout, rows_of
from bottega.algorithms.readers.sources import Stream, line_of_row

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Floats

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_DELIMITERS = (",", "\t", ";", "|", " ")
_SAMPLE = 1 << 16
_BLOCK = 1 << 20
_WIDE = 4096


class MalformedCsv(ValueError):
    """A cell is no number or a row has another length; the message says where."""


def find_delimiter(sample: bytes) -> str:
    """The delimiter of a table, from its first line."""
    line = sample.lstrip().partition(b"\n")[0].decode("utf-8", "replace").strip()
    return next((mark for mark in _DELIMITERS if mark in line), ",")


def table(text: bytes) -> Floats:
    """Some lines as a ``float32`` array, rows x columns; missing values are NaN.

    Raises:
        MalformedCsv: something is no number, or rows differ in length.
    """
    import numpy as np

    head = text.lstrip(b"\r\n")
    if not head:
        return np.empty((0, 0), dtype=np.float32)
    delimiter = find_delimiter(head[:_SAMPLE])
    return parse(text, delimiter, _width(head, delimiter))


def blocks(stream: Stream, layout: Layout) -> Iterator[Block]:
    """The rows of a stream by the block.

    Raises:
        CustomerError: something is no number, or rows differ in length.
    """
    delimiter, width = "", 0
    for text, line in stream.text():
        if not text.strip():
            continue
        if not width:
            head = text.lstrip(b"\r\n")
            delimiter = find_delimiter(head[:_SAMPLE])
            width = _width(head, delimiter)
        try:
            found = parse(text, delimiter, width, first_line=line)
        except MalformedCsv as error:
            raise CustomerError(f"{stream.name}: {error}") from error
        yield rows_of(found, layout, line_of_row(text, line, stream.name), stream.name)


def parse(text: bytes, delimiter: str, width: int, *, first_line: int = 1) -> Floats:
    """Whole lines as a ``float32`` array, rows x columns; missing values are NaN.

    Raises:
        MalformedCsv: something is no number, or a row has not ``width`` columns; it says in which
            line, counted from ``first_line``.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    names = [str(i) for i in range(width)]
    try:
        # One type for all columns: inference from the first rows would refuse what comes later.
        rows = csv.read_csv(
            pa.BufferReader(text),
            read_options=csv.ReadOptions(
                column_names=names,
                # A row has to fit in a block; blocks are what its threads share out.
                block_size=_BLOCK if width < _WIDE else len(text) + 1,
            ),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.float32()),
                null_values=MISSING,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        reason = explain(text, delimiter, first_line=first_line, width=width)
        raise MalformedCsv(reason or str(error)) from error
    found = np.empty((rows.num_rows, width), dtype=np.float32)
    for index in range(width):
        start = 0
        for chunk in rows.column(index).chunks:
            found[start : start + len(chunk), index] = chunk.to_numpy(zero_copy_only=False)
            start += len(chunk)
    return found


def explain(body: bytes, delimiter: str = ",", *, first_line: int = 1, width: int = 0) -> str:
    """Say which cell of some lines is no number; empty when all are.

    Args:
        body: whole lines.
        delimiter: what is between cells.
        first_line: the number of the first of them.
        width: how many columns each must have; as many as the first one when 0.
    """
    for number, raw in enumerate(body.split(b"\n"), start=first_line):
        line = raw.decode("utf-8", "replace").strip("\r\n")
        if not line.strip():
            continue
        cells = line.split(delimiter)
        width = width or len(cells)
        wrong = [(index, cell) for index, cell in enumerate(cells, start=1) if not _number(cell)]
        if wrong:
            index, cell = wrong[0]
            hint = ""
            if number == 1 and len(wrong) > len(cells) // 2:
                hint = " This looks like a header; the input must have none."
            return f"{cell.strip()!r} in column {index} of line {number} is not a number.{hint}"
        if len(cells) != width:
            return f"line {number} has {len(cells)} columns, the first line has {width}."
    return ""


def parse_cell(text: str) -> float:
    """One cell as a number; NaN for a missing one. Raises: ValueError."""
    text = text.strip().strip('"').strip()
    if text in MISSING:
        return float("nan")
    if "_" in text:
        raise ValueError(text)
    return float(text)


def _width(sample: bytes, delimiter: str) -> int:
    line = sample.lstrip(b"\r\n").partition(b"\n")[0]
    return line.count(delimiter.encode()) + 1


def _number(cell: str) -> bool:
    try:
        parse_cell(cell)
    except ValueError:
        return False
    return True
