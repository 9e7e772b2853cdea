"""How a text file of rows is written: delimiter, quotes, ends of lines, header, lines to skip."""

from __future__ import annotations

import csv
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from bottega.wrangler.columns import ROW
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.column_types import MISSING

DELIMITERS = (",", ";", "\t", "|")
_ROWS = 500
_PREAMBLE = 20
_NUMBER = re.compile(r"\s*[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?\s*")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}.*)?")
_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")
_POINT = re.compile(r"\s*[+-]?\d*\.\d+\s*")
_LARGEST_FIELD = 1 << 30
_COUNTING = threading.Lock()
_READING = [0]
_USUAL_LIMIT = csv.field_size_limit()


@dataclass(frozen=True)
class Dialect:
    """How rows are written."""

    delimiter: str = ","
    quote: str = '"'
    """Empty for none."""
    newline: str = "\n"
    has_header: bool = True
    skip_lines: int = 0
    """Physical lines before the header, or before the first row."""
    decimal_comma: bool = False


@dataclass(frozen=True)
class Layout:
    """What a file's beginning says about it."""

    dialect: Dialect
    names: tuple[str, ...]
    """Of the columns, unique."""
    findings: tuple[str, ...] = ()


@contextmanager
def large_fields() -> Iterator[None]:
    """Let the csv module read fields of any size meanwhile. Its limit is of the whole process, and
    others rely on it."""
    with _COUNTING:
        _READING[0] += 1
        csv.field_size_limit(_LARGEST_FIELD)
    try:
        yield
    finally:
        with _COUNTING:
            _READING[0] -= 1
            if not _READING[0]:
                csv.field_size_limit(_USUAL_LIMIT)


def records(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    """The records of lines, an empty one for a blank line."""
    if dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)
    return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE)


@large_fields()
def layout_of(
    head: Path,
    *,
    delimiter: str = "",
    quote: str | None = None,
    has_header: bool | None = None,
    skip_lines: int | None = None,
    decimal_comma: bool | None = None,
) -> Layout:
    """Find out how a file is written; what is given is taken as it is.

    Args:
        head: the beginning of the file, plain UTF-8.
        delimiter: one character.
        quote: one character, or empty for none.
        has_header: whether the first row names the columns.
        skip_lines: how many lines come before the table.
        decimal_comma: whether decimals have a comma.

    Raises:
        DataError: the file has no rows, or a given value cannot be used.
    """
    if len(delimiter) > 1 or (quote is not None and len(quote) > 1):
        raise DataError(f"A delimiter and a quote have one character, not {delimiter or quote!r}.")
    lines = _first_lines(head)
    if not any(line.strip() for line in lines):
        raise DataError(f"{head.name} is empty.")
    dialect = Dialect(newline=_newline(lines))
    dialect = replace(dialect, quote=_quote(lines) if quote is None else quote)
    start = min(skip_lines or 0, len(lines))
    dialect = replace(dialect, delimiter=delimiter or _delimiter(lines[start:], dialect))
    if skip_lines is None:
        skip_lines = _preamble(lines, dialect)
    rows = list(islice(filter(None, records(iter(lines[skip_lines:]), dialect)), _ROWS))
    if not rows:
        raise DataError(f"{head.name} has no rows behind the {skip_lines} lines that are skipped.")
    if decimal_comma is None:
        decimal_comma = dialect.delimiter != "," and _has_decimal_comma(rows[1:] or rows)
    if has_header is None:
        has_header = looks_like_header(rows)
    dialect = replace(
        dialect, skip_lines=skip_lines, has_header=has_header, decimal_comma=decimal_comma
    )
    names, findings = _names(rows, has_header=has_header)
    if skip_lines:
        findings = (f"{skip_lines} lines before the table are skipped.", *findings)
    return Layout(dialect, names, findings)


def unique_names(wanted: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names as columns can have them, and what was changed, in sentences."""
    names: list[str] = []
    blank, repeated, hidden = 0, [], 0
    taken = {text.strip() for text in wanted}
    seen: set[str] = set()
    for number, text in enumerate(wanted, 1):
        base = text.strip().replace("\0", "")
        if not base:
            blank += 1
            base = f"column_{number}"
        if base.startswith("__"):
            hidden += 1
            base = base.lstrip("_") or f"column_{number}"
        name, count = base, 0
        while name in seen or (count and name in taken):
            count += 1
            name = f"{base}_{count}"
        if count and text.strip():
            repeated.append(base)
        seen.add(name)
        names.append(name)
    findings = []
    if blank:
        findings.append(f"{blank} columns have no name and are called column_ and their number.")
    if repeated:
        shown = ", ".join(map(repr, dict.fromkeys(repeated[:5])))
        findings.append(f"Several columns are called {shown}; they are numbered.")
    if hidden:
        findings.append(f"Names that begin with two underscores, such as {ROW}, lose them.")
    return tuple(names), tuple(findings)


def _first_lines(head: Path) -> list[str]:
    with head.open(encoding="utf-8-sig", newline="") as stream:
        text = stream.read(4 << 20)
    return _lines(text)


def _lines(text: str) -> list[str]:
    # Not splitlines(), for which there are other ends of lines than files have.
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def _newline(lines: Sequence[str]) -> str:
    ends = Counter(
        "\r\n" if line.endswith("\r\n") else "\r" if line.endswith("\r") else "\n"
        for line in lines[:_ROWS]
        if line.endswith(("\r", "\n"))
    )
    # Newlines inside of quotes may be of another kind than those that end a record.
    return next((end for end in ("\r\n", "\r") if ends[end] > ends["\n"]), "\n")


def _quote(lines: Sequence[str]) -> str:
    some = lines[:_ROWS]
    if any('"' in line for line in some):
        return '"'
    pairs = sum(len(re.findall(r"(?:^|[,;\t|])'[^']*'(?=[,;\t|\r\n]|$)", line)) for line in some)
    return "'" if pairs >= max(2, len(some) // 2) else '"'


def _delimiter(lines: Sequence[str], dialect: Dialect) -> str:
    best, best_score = ",", (0.0, 0)
    for candidate in DELIMITERS:
        rows = records(iter(lines), replace(dialect, delimiter=candidate))
        widths = Counter(len(row) for row in islice(filter(None, rows), _ROWS))
        if not widths:
            continue
        width, count = max(widths.items(), key=lambda item: (item[1] * min(item[0], 2), item[0]))
        if width == 1:
            continue
        score = (round(count / widths.total(), 1), width)
        if score > best_score:
            best, best_score = candidate, score
    return best


def _preamble(lines: Sequence[str], dialect: Dialect) -> int:
    """How many lines come before the table: those that are narrower than it."""
    reader = csv.reader(
        iter(lines), delimiter=dialect.delimiter, quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
    )  # fmt: skip
    ends, widths = [], []
    for row in reader:
        ends.append(reader.line_num)
        widths.append(max((n for n, cell in enumerate(row, 1) if cell.strip()), default=0))
        if len(widths) >= _ROWS:
            break
    usual = Counter(width for width in widths if width).most_common(1)[0][0]
    first = next((n for n, width in enumerate(widths) if width >= usual), 0)
    if usual == 1 or first > _PREAMBLE or len(widths) - first < 2:
        first = next(n for n, width in enumerate(widths) if width)
    # A header may lack the name of one column; lines of text before a table are narrower.
    if first and widths[first - 1] > 1 and widths[first - 1] == usual - 1:
        first -= 1
    return ends[first - 1] if first else 0


def _has_decimal_comma(rows: Sequence[Sequence[str]]) -> bool:
    cells = [cell for row in rows for cell in row]
    commas = sum(_COMMA.fullmatch(cell) is not None for cell in cells)
    return commas > 0 and commas > 10 * sum(_POINT.fullmatch(cell) is not None for cell in cells)


def _is_value(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _TIME.fullmatch(cell.strip()))


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    first, *rest = rows
    if not rest:
        return not any(map(_is_value, first))
    named, unnamed = 0, 0
    for number, cell in enumerate(first):
        below = [row[number] for row in rest if number < len(row) and row[number].strip()]
        below = [text for text in below if text not in MISSING]
        if below and all(map(_is_value, below)):
            if _is_value(cell):
                unnamed += 1
            elif cell.strip() and cell not in MISSING:
                named += 1
        elif _is_value(cell) or cell.lower() in ("true", "false") or cell in below:
            unnamed += 1
    if named or unnamed:
        return named > unnamed
    texts = [cell.strip() for cell in first if cell.strip()]
    return len(set(texts)) == len(texts) and all(len(text) <= 100 for text in texts)


def _names(
    rows: Sequence[Sequence[str]], *, has_header: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    body = rows[1:] if has_header else rows
    width = Counter(map(len, body)).most_common(1)[0][0] if body else 0
    if not has_header:
        return tuple(f"column_{number}" for number in range(1, width + 1)), ()
    header = list(rows[0])
    while len(header) > max(width, 1) and not header[-1].strip():
        header.pop()
    header += [""] * (width - len(header))
    return unique_names(header)
