"""Bodies of requests as rows of texts, and features as bodies of answers: CSV, JSON, JSON Lines.

A row has names, or it has the source's columns in their order without the label. With names the
order does not matter, columns that nothing needs may be there or not, and others are refused.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bottega.nearest import ending
from bottega.wrangler.columns import Column, ColumnType
from bottega.wrangler.errors import DataError
from bottega.wrangler.serving.plan import ServingPlan
from bottega.wrangler.serving.rows import Text

CSV, JSON, LINES = "text/csv", "application/json", "application/jsonlines"
READ = (CSV, JSON, LINES, "application/x-jsonlines", "application/jsonl")
_ROWS = ("instances", "rows", "data", "inputs")
"""Members of a JSON object that hold the rows."""
_FEATURES = ("features", "data", "values")
"""Members of one row that hold its cells, as SageMaker's formats have them."""


class UnsupportedType(Exception):
    """No rows of this media type are read, or no answers are given in it."""


def rows_of(plan: ServingPlan, body: bytes, content_type: str) -> list[list[Text]]:
    """The rows of a request, as the texts of ``plan.needed``.

    Raises:
        UnsupportedType: the media type is none that is read.
        DataError: the body is not of its type, or has other columns; says which.
    """
    kind, _, parameters = content_type.partition(";")
    kind = kind.strip().lower() or CSV
    if kind not in READ:
        raise UnsupportedType(
            f"Content type {content_type} is not supported; {CSV}, {JSON} and {LINES} are."
        )
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"The body is not UTF-8: {error}.") from error
    if kind == CSV:
        return _csv_rows(plan, text, parameters)
    if kind == JSON:
        return _json_rows(plan, _parsed(text, "The body"))
    lines = [line for line in text.splitlines() if line.strip()]
    found = [_parsed(line, f"Line {number}") for number, line in enumerate(lines, 1)]
    return [_json_row(plan, row, number) for number, row in enumerate(found, 1)]


def answer_of(plan: ServingPlan, rows: Iterable[Sequence[Any]], accept: str) -> tuple[bytes, str]:
    """Features as a body, and its media type.

    CSV has neither names nor text around numbers, as built-in algorithms read it; JSON has names.

    Args:
        rows: cells as texts for CSV, as values for the others; see :func:`wanted_type`.
    """
    kind = wanted_type(accept)
    if kind == CSV:
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows(
            [["" if cell is None else cell for cell in row] for row in rows]
        )
        return stream.getvalue().encode(), CSV
    names = plan.features.names
    objects = [dict(zip(names, map(_plain, row), strict=True)) for row in rows]
    if kind == LINES:
        return "".join(f"{json.dumps(one)}\n" for one in objects).encode(), LINES
    return json.dumps({"instances": objects}).encode(), JSON


def wanted_type(accept: str) -> str:
    """Which of CSV, JSON and JSON Lines an Accept header asks for; CSV when it does not care.

    Raises:
        UnsupportedType: none of them.
    """
    for part in accept.split(",") if accept.strip() else ["*/*"]:
        kind = part.partition(";")[0].strip().lower()
        if kind in ("*/*", "text/*", "", CSV):
            return CSV
        if kind in (JSON, "application/*"):
            return JSON
        if kind in READ:
            return LINES
    raise UnsupportedType(f"Accept type {accept} is not supported; {CSV}, {JSON} and {LINES} are.")


# -- CSV ------------------------------------------------------------------------------------------


def _csv_rows(plan: ServingPlan, text: str, parameters: str) -> list[list[Text]]:
    try:
        records = [record for record in csv.reader(io.StringIO(text), strict=True) if record]
    except csv.Error as error:
        raise DataError(f"The body is no CSV: {error}.") from error
    if not records:
        return []
    header = _header(plan, records, parameters.replace(" ", "").lower())
    names = records.pop(0) if header else _unnamed(plan, len(records[0]))
    if header:
        _check_names(plan, names)
    places = {column: index for index, column in enumerate(names)}
    rows = []
    for number, record in enumerate(records, 1):
        if len(record) != len(names):
            raise DataError(f"Row {number} has {len(record)} cells, and should have {len(names)}.")
        rows.append(
            [
                (record[places[c]] or None) if c in places and c not in plan.label else None
                for c in plan.needed.names
            ]
        )
    return rows


def _header(plan: ServingPlan, records: Sequence[Sequence[str]], parameters: str) -> bool:
    if "header=present" in parameters:
        return True
    if "header=absent" in parameters:
        return False
    first = records[0]
    return len(set(first)) == len(first) and all(cell in plan.source for cell in first)


def _unnamed(plan: ServingPlan, count: int) -> list[str]:
    if count == len(plan.asked):
        return plan.asked
    if count == len(plan.source):
        return plan.source.names
    shown = ", ".join(plan.asked[:12]) + (", …" if len(plan.asked) > 12 else "")
    raise DataError(
        f"A row has {count} cells; without names it has {len(plan.asked)}: {shown}. Send them all, "
        "or give names."
    )


def _check_names(plan: ServingPlan, names: Iterable[str]) -> None:
    given = set(names)
    for column in given:
        if column not in plan.source:
            hint = ending(str(column), plan.source.names)
            raise DataError(f"There is no column {column!r}{hint}")
    missing = [c for c in plan.needed.names if c not in given and c not in plan.label]
    if missing:
        raise DataError(f"Columns are missing: {', '.join(map(repr, missing))}.")


# -- JSON -----------------------------------------------------------------------------------------


def _parsed(text: str, what: str) -> Any:
    try:
        # Numbers stay as they are written, so that they are read as those of a file are.
        return json.loads(text, parse_float=_Number, parse_int=_Number, parse_constant=_constant)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{what} is no JSON: {error}.") from error


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


def _constant(text: str) -> Any:
    return None if text == "NaN" else _Number(text.replace("Infinity", "inf"))


def _json_rows(plan: ServingPlan, body: Any) -> list[list[Text]]:
    if isinstance(body, Mapping):
        if isinstance(body.get("columns"), list) and isinstance(body.get("data"), list):
            names = [str(column) for column in body["columns"]]
            body = [
                dict(zip(names, row, strict=True))
                if isinstance(row, list) and len(row) == len(names)
                else row
                for row in body["data"]
            ]
        else:
            found = next((body[key] for key in _ROWS if isinstance(body.get(key), list)), None)
            unknown = found is not None and not all(key in plan.source for key in body)
            body = found if found is not None and unknown else [body]
    if not isinstance(body, list):
        raise DataError("The body is neither a row nor a list of rows.")
    if body and not any(isinstance(row, list | Mapping) for row in body):
        body = [body]  # one row without names
    return [_json_row(plan, row, number) for number, row in enumerate(body, 1)]


def _json_row(plan: ServingPlan, row: Any, number: int) -> list[Text]:
    if isinstance(row, Mapping) and not any(key in plan.source for key in row):
        row = next((row[key] for key in _FEATURES if isinstance(row.get(key), list | Mapping)), row)
    if isinstance(row, list):
        row = dict(zip(_unnamed(plan, len(row)), row, strict=True))
    if not isinstance(row, Mapping):
        raise DataError(f"Row {number} is neither an object nor a list of cells.")
    _check_names(plan, row)
    return [
        None if column.name in plan.label else _cell(row.get(column.name), column, number)
        for column in plan.needed
    ]


def _cell(value: Any, column: Column, number: int) -> Text:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case _Number():
            if column.type is ColumnType.LONG and not value.lstrip("+-").isdigit():
                with_point = float(value)
                return str(int(with_point)) if with_point.is_integer() else str(value)
            return str(value)
        case str():
            if column.type is ColumnType.STRING:
                return value
            return value or None
    raise DataError(
        f"Row {number}, column {column.name!r}: {value!r} is no text, number or boolean."
    )


def _plain(value: Any) -> Any:
    """A value of the engine as JSON holds it."""
    match value:
        case float():
            if math.isnan(value):
                return None
            return value if math.isfinite(value) else ("inf" if value > 0 else "-inf")
        case None | bool() | int() | str():
            return value
        case list() | tuple():
            return [_plain(part) for part in value]
    return value.isoformat(sep=" ") if hasattr(value, "hour") else str(value)
