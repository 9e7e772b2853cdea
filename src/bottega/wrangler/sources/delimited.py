"""Tables in text files: into the engine fast, and those that are not quite well, too."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path

import duckdb

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.engine.database import Database
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.dialect import Dialect, large_fields, records
from bottega.wrangler.sources.loading import Loaded, load_texts
from bottega.wrangler.sources.text_files import (
    LONGEST_LINE,
    EncodingError,
    TextFile,
    encoding_near,
    first_bad_byte,
    too_long,
)
from bottega.wrangler.sql_text import literal, name


@dataclass(frozen=True)
class Table:
    """A text file of rows, plain UTF-8."""

    path: Path
    dialect: Dialect
    columns: tuple[str, ...]
    added: Mapping[str, str] = field(default_factory=dict)
    """Texts of columns that are no part of the file."""


def load(
    database: Database,
    tables: Sequence[Table],
    types: Mapping[str, ColumnType],
    *,
    limit: int | None = None,
) -> Loaded:
    """Bring text files into one table, in their order.

    A column becomes wider when a text does not fit its type; what is not well-formed is mended.
    Both are told.

    Args:
        database: where the table comes to be.
        tables: the files; columns of the same name belong together.
        types: of all columns, in the order of the table.
        limit: how many rows; all when None.

    Raises:
        DataError: a record is too long, or a quote is never closed.
    """
    comma = tables[0].dialect.decimal_comma
    findings: list[str] = []
    mended: list[Path] = []
    try:
        try:
            if limit is None:
                for table in tables:
                    check_whole(table)
            source = texts(tables, types)
            return load_texts(database, source, types, comma=comma, limit=limit)
        except (DataError, duckdb.NotImplementedException):
            # It is not well-formed; texts that do not fit their types raise nothing.
            tables = [_mended(database, table, mended, findings) for table in tables]
        loaded = load_texts(database, texts(tables, types), types, comma=comma, limit=limit)
    finally:
        for path in mended:
            path.unlink(missing_ok=True)
    return replace(loaded, findings=(*findings, *loaded.findings))


def texts(tables: Sequence[Table], columns: Iterator[str] | Mapping[str, ColumnType]) -> str:
    """SQL that gives the texts of files as one table, NULL where nothing is."""
    wanted, parts = list(columns), []
    for (dialect, has, added), group in groupby(
        tables, lambda one: (one.dialect, one.columns, tuple(one.added.items()))
    ):
        given = dict(added)
        items = [
            f"{literal(given[column])} AS {name(column)}"
            if column in given
            else (name(column) if column in has else f"NULL::VARCHAR AS {name(column)}")
            for column in wanted
        ]
        paths = [str(table.path) for table in group]
        parts.append(f"SELECT {', '.join(items)} FROM {_reader(paths, dialect, has)}")
    return " UNION ALL ".join(parts)


def _reader(paths: Sequence[str], dialect: Dialect, columns: Sequence[str]) -> str:
    ends = {"\n": "\\n", "\r": "\\r", "\r\n": "\\r\\n"}
    types = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in columns)
    return (
        f"read_csv({literal(list(paths))}, auto_detect = false, delim = "
        f"{literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, "
        f"escape = {literal(dialect.quote)}, header = {literal(dialect.has_header)}, "
        f"skip = {dialect.skip_lines}, new_line = '{ends[dialect.newline]}', nullstr = [''], "
        f"columns = {{{types}}}, max_line_size = {2 * LONGEST_LINE}, "
        f"buffer_size = {4 * LONGEST_LINE}, hive_partitioning = false, compression = 'none')"
    )


def _mended(database: Database, table: Table, written: list[Path], findings: list[str]) -> Table:
    target = database.folder / f"{database.free_name('mended')}.csv"
    written.append(target)
    mended, found = mend(table, target)
    findings += found
    return mended


def check_whole(table: Table) -> None:
    """Refuse a file before the engine reads it where the engine would not refuse it itself.

    Raises:
        DataError: a line is too long, or a quote is never closed.
    """
    quote, quotes = table.dialect.quote.encode(), 0
    with table.path.open("rb") as stream:
        while block := stream.read(LONGEST_LINE):
            if quote:
                quotes += block.count(quote)
            if len(block) == LONGEST_LINE and b"\n" not in block and b"\r" not in block:
                raise DataError(f"{table.path.name} has a line longer than it may be.")
    if quotes % 2:
        raise DataError(f"{table.path.name} has a quote too many.")


@large_fields()
def mend(table: Table, target: Path) -> tuple[Table, list[str]]:
    """Write a table anew, each row with as many fields as there are columns.

    Raises:
        DataError: a record is too long, or a quote is never closed.
    """
    file = TextFile(table.path, encoding="utf-8-sig")
    try:
        return _rewritten(file, table, target)
    except EncodingError:
        file, told = _decoded(file)
    mended, findings = _rewritten(file, table, target)
    return mended, [told, *findings]


def _rewritten(file: TextFile, table: Table, target: Path) -> tuple[Table, list[str]]:
    width, dialect, findings = len(table.columns), table.dialect, []
    longer, shorter = [0, 0], [0, 0]
    with file.text() as stream, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        lines = _Lines(stream, table.path)
        for _ in range(dialect.skip_lines):
            next(lines, None)
        lines.ended()
        rows = records(lines, dialect)
        if dialect.has_header:
            next(rows, None)
            lines.ended()
        for row in rows:
            line = lines.ended()
            if not row and width > 1:
                continue
            if any(row[width:]):
                longer = [longer[0] + 1, longer[1] or line]
            elif len(row) < width:
                shorter = [shorter[0] + 1, shorter[1] or line]
            writer.writerow([*row[:width], *[""] * (width - len(row))])
    if lines.left_open:
        raise DataError(
            f"{table.path.name}: a quote ({dialect.quote}) of the record at line {line} is never "
            "closed. Close it, or choose that the file has no quotes."
        )
    if longer[0]:
        findings.append(
            f"{longer[0]} rows have more than {width} fields, the first at line {longer[1]}; what "
            "is too much is left out."
        )
    if shorter[0]:
        findings.append(
            f"{shorter[0]} rows have fewer than {width} fields, the first at line {shorter[1]}; "
            "their last columns are missing."
        )
    written = Dialect(has_header=False, decimal_comma=dialect.decimal_comma)
    return Table(target, written, table.columns, table.added), findings


class _Lines:
    """The lines of a text, in records that are not too long; and where each record began."""

    def __init__(self, stream: io.TextIOWrapper, path: Path) -> None:
        self._stream, self._path = stream, path
        self._number = self._pending = self._size = 0
        self.left_open = False
        """Whether the text ended inside of a record."""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._stream.readline(LONGEST_LINE - self._size + 1)
        if not line:
            self.left_open = self.left_open or self._pending > 0
            raise StopIteration
        self._number += 1
        self._pending += 1
        self._size += len(line)
        if self._size > LONGEST_LINE:
            raise too_long(self._path, self._number - self._pending + 1)
        return line

    def ended(self) -> int:
        """A record is complete; gives the line at which it began."""
        start = self._number - self._pending + 1
        self._pending = self._size = 0
        return start


def _decoded(file: TextFile) -> tuple[TextFile, str]:
    """A file that is not the UTF-8 that it ought to be, read so that all of it can be."""
    position = first_bad_byte(file)
    with file.path.open("rb") as stream:
        before = stream.read(min(position, 1 << 24))
    if not before.isascii():
        return replace(file, errors="replace"), (
            f"{file.path.name} is not valid UTF-8 at byte {position}; what cannot be read is shown "
            "as \N{REPLACEMENT CHARACTER}."
        )
    encoding = encoding_near(file, position)
    return replace(file, encoding=encoding), (
        f"{file.path.name} is not UTF-8 at byte {position}; it is read as {encoding}."
    )
