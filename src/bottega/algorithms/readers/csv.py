"""CSV without a header: numbers only, an empty field is a missing value."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.rows import Part, open_data

if TYPE_CHECKING:
    from bottega.algorithms.readers.rows import Floats

MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")
_DELIMITERS = (",", "\t", ";", "|", " ")
_SAMPLE = 1 << 16


class MalformedCsv(ValueError):
    """A cell is no number or a row has another length; the message says where."""


def read_file(path: Path, *, label: bool = True, weights: bool = False) -> Part:
    """Read one file whose first column is the label and, when asked, whose second is the weight.

    Raises:
        CustomerError: it is no table of numbers, or has too few columns.
    """
    import numpy as np

    with open_data(path) as file:
        delimiter = find_delimiter(file.read(_SAMPLE))
    try:
        with open_data(path) as file:
            table = read_table(file, delimiter)
    except MalformedCsv as error:
        with open_data(path) as file:
            raise CustomerError(f"{path.name}: {_locate(file, delimiter) or error}") from error
    leading = int(label) + int(weights)
    if table.shape[1] <= leading:
        raise CustomerError(
            f"{path.name} has {table.shape[1]} column(s); it needs "
            f"{'a label, a weight' if weights else 'a label'} and at least one feature."
        )
    return Part(
        path=path,
        features=np.ascontiguousarray(table[:, leading:]) if leading else table,
        labels=table[:, 0].copy() if label else None,
        weights=table[:, 1].copy() if weights else None,
    )


def find_delimiter(sample: bytes) -> str:
    """The delimiter of a table, from its first line."""
    line = sample.lstrip().partition(b"\n")[0].decode("utf-8", "replace").strip()
    return next((mark for mark in _DELIMITERS if mark in line), ",")


def read_table(source: IO[bytes], delimiter: str = ",") -> Floats:
    """Read numbers into a ``float32`` array, rows x columns; missing values are NaN.

    Blocks are converted as they come, so that the text and the numbers are never both in memory
    whole.

    Raises:
        MalformedCsv: something is no number, or rows differ in length.
    """
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    lines: list[Any] = []
    first = source.read(_SAMPLE)
    width = _width(first, delimiter)
    try:
        # One type for all columns: inference from the first block would refuse what comes later.
        reader = csv.open_csv(
            pa.PythonFile(_Prefixed(first, source), mode="r"),
            read_options=csv.ReadOptions(
                block_size=1 << 23, column_names=[str(i) for i in range(width)]
            ),
            parse_options=csv.ParseOptions(delimiter=delimiter),
            convert_options=csv.ConvertOptions(
                column_types={str(i): pa.float32() for i in range(width)},
                null_values=MISSING,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
        for batch in reader:
            block = np.empty((batch.num_rows, width), dtype=np.float32)
            for index in range(width):
                block[:, index] = batch.column(index).to_numpy(zero_copy_only=False)
            lines.append(block)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise MalformedCsv(str(error)) from error
    if not lines:
        return np.empty((0, width), dtype=np.float32)
    return lines[0] if len(lines) == 1 else np.concatenate(lines)


def explain(body: bytes, delimiter: str = ",") -> str:
    """Say which cell of a small table is no number; empty when all are."""
    import io

    return _locate(io.BytesIO(body), delimiter)


def parse_cell(text: str) -> float:
    """One cell as a number; NaN for a missing one. Raises: ValueError."""
    text = text.strip().strip('"').strip()
    if text in MISSING:
        return float("nan")
    if "_" in text:
        raise ValueError(text)
    return float(text)


class _Prefixed:
    """A stream whose beginning was read already, as pyarrow wants one."""

    closed = False

    def __init__(self, first: bytes, rest: IO[bytes]) -> None:
        self._first = first
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if self._first:
            wanted = len(self._first) if size < 0 else size
            head, self._first = self._first[:wanted], self._first[wanted:]
            return head + self._rest.read() if size < 0 else head
        return self._rest.read(size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def _width(sample: bytes, delimiter: str) -> int:
    line = sample.lstrip(b"\r\n").partition(b"\n")[0]
    return line.count(delimiter.encode()) + 1


def _locate(file: IO[bytes], delimiter: str) -> str:
    """The first thing that is wrong, in words; this is the slow path that only a refusal takes."""
    width = 0
    for number, raw in enumerate(file, start=1):
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


def _number(cell: str) -> bool:
    try:
        parse_cell(cell)
    except ValueError:
        return False
    return True
