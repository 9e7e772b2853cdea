"""Workbooks: Excel's old and new formats and OpenDocument's, read with calamine."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pyarrow as pa

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources.column_types import MISSING
from bottega.wrangler.sources.dialect import looks_like_header, unique_names

_EXACT = float(1 << 53)


@dataclass(frozen=True)
class Sheet:
    """A sheet as a table."""

    table: pa.Table
    schema: Schema
    sheet: str
    sheets: tuple[str, ...]
    has_header: bool
    skip_lines: int
    findings: tuple[str, ...]


def read_sheet(
    path: Path, *, sheet: str = "", has_header: bool | None = None, skip_lines: int | None = None
) -> Sheet:
    """Read a sheet of a workbook.

    Args:
        path: the file.
        sheet: its name; the first one with rows when empty.
        has_header: whether the first row names the columns; found out when None.
        skip_lines: rows before the table; found out when None.

    Raises:
        DataError: it is no workbook, is encrypted, has no such sheet, or the sheet has no rows.
    """
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with CalamineWorkbook.from_path(path) as book:
            sheets = tuple(book.sheet_names)
            if sheet and sheet not in sheets:
                shown = ", ".join(map(repr, sheets))
                raise DataError(f"{path.name} has no sheet {sheet!r}; it has {shown}.")
            chosen, rows = sheet or (sheets[0] if sheets else ""), []
            for candidate in [sheet] if sheet else sheets:
                rows = book.get_sheet_by_name(candidate).to_python()
                if rows:
                    chosen = candidate
                    break
    except (CalamineError, OSError, ValueError) as error:
        raise DataError(f"{path.name} cannot be read as a workbook: {error}") from error
    if not any(map(_is_filled, rows)):
        raise DataError(f"{path.name} has no rows in sheet {chosen!r}; choose another sheet.")
    if skip_lines is None:
        skip_lines = _preamble(rows)
    rows = rows[skip_lines:]
    if not rows:
        raise DataError(f"{path.name} has no rows behind the {skip_lines} that are skipped.")
    return _table(rows, chosen, sheets, has_header, skip_lines)


def _table(
    rows: list[list[Any]],
    chosen: str,
    sheets: tuple[str, ...],
    has_header: bool | None,
    skip_lines: int,
) -> Sheet:
    if has_header is None:
        has_header = looks_like_header([list(map(_text, row)) for row in rows[:500]])
    if has_header:
        names, findings = unique_names([_text(cell) for cell in rows[0]])
        rows = rows[1:]
    else:
        names, findings = tuple(f"column_{n}" for n in range(1, len(rows[0]) + 1)), ()
    rows = [row for row in rows if _is_filled(row)]
    columns, arrays = [], []
    for number, column in enumerate(names):
        kind, array = _array([row[number] if number < len(row) else "" for row in rows])
        columns.append(Column(column, kind))
        arrays.append(array)
    if skip_lines:
        findings = (f"{skip_lines} rows before the table are skipped.", *findings)
    table = pa.table(arrays, names=list(names))
    return Sheet(table, Schema(columns), chosen, sheets, has_header, skip_lines, findings)


def _is_filled(row: Sequence[Any]) -> bool:
    return any(cell != "" for cell in row)


def _preamble(rows: Sequence[Sequence[Any]]) -> int:
    filled = [sum(cell != "" for cell in row) for row in rows[:500]]
    usual = Counter(count for count in filled if count).most_common(1)[0][0]
    wide = next(n for n, count in enumerate(filled) if count >= min(usual, max(filled) // 2 + 1))
    return wide if wide <= 20 else next(n for n, count in enumerate(filled) if count)


def _array(cells: Sequence[Any]) -> tuple[ColumnType, pa.Array]:
    present = [cell for cell in cells if cell != "" and cell not in MISSING]
    kinds = {type(cell) for cell in present}
    if kinds and kinds <= {bool}:
        return ColumnType.BOOLEAN, pa.array(_present(cells, bool), pa.bool_())
    if kinds and kinds <= {int, float}:
        if all(math.isfinite(c) and c == int(c) and abs(c) < _EXACT for c in present):
            whole = [int(cell) for cell in present]
            return ColumnType.LONG, pa.array(_filled(cells, whole), pa.int64())
        return ColumnType.FLOAT, pa.array(_filled(cells, list(map(float, present))), pa.float64())
    if kinds and kinds <= {date, datetime}:
        moments = [c if isinstance(c, datetime) else datetime(c.year, c.month, c.day)
                   for c in present]  # fmt: skip
        if all(moment.time() == time() for moment in moments):
            return ColumnType.DATE, pa.array(
                _filled(cells, [moment.date() for moment in moments]), pa.date32()
            )
        return ColumnType.DATETIME, pa.array(_filled(cells, moments), pa.timestamp("us"))
    texts = [None if cell == "" else _text(cell) for cell in cells]
    return ColumnType.STRING, pa.array(texts, pa.string())


def _present(cells: Sequence[Any], kind: type) -> list[Any]:
    return [cell if isinstance(cell, kind) else None for cell in cells]


def _filled(cells: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """The values in the places of the cells that are not missing."""
    rest = iter(values)
    return [None if cell == "" or cell in MISSING else next(rest) for cell in cells]


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
