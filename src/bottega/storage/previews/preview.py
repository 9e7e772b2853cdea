"""Makes a preview: finds out the format, and reads a few rows of it."""

from __future__ import annotations

import codecs
import json
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bottega.storage.previews import parquet
from bottega.storage.previews.columns import Column, describe
from bottega.storage.previews.delimited import TAB, find_delimiter, read_table
from bottega.storage.previews.source import FileSource, PreviewFailed, Source

__all__ = ["Column", "Head", "Preview", "PreviewFailed", "preview", "preview_file", "read_head"]

Format = Literal["csv", "parquet", "jsonlines", "libsvm", "text", "binary"]

HEAD_BYTES = 256 * 1024
"""What is read of a text, and what is unpacked of a compressed one."""
LONGEST_CELL = 1000
"""Characters of a cell that are shown."""
MOST_CELLS = 200_000
"""Of one preview: a short text can be a table of very many columns, whose rows are fewer then."""
_WIDEST_LIBSVM = 200
"""Columns; a row of more features is shown as it stands in the file."""

_BY_TYPE: dict[str, Format] = {
    "text/csv": "csv",
    "csv": "csv",
    "text/tab-separated-values": "csv",
    "text/libsvm": "libsvm",
    "text/x-libsvm": "libsvm",
    "libsvm": "libsvm",
    "application/jsonlines": "jsonlines",
    "application/x-parquet": "parquet",
    "application/vnd.apache.parquet": "parquet",
    "parquet": "parquet",
}
_BY_ENDING: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".libsvm": "libsvm",
    ".svm": "libsvm",
    ".jsonl": "jsonlines",
    ".ndjson": "jsonlines",
    ".parquet": "parquet",
}
_PARQUET, _GZIP = b"PAR1", b"\x1f\x8b"
# Each part can match in one way only: a line that fails must not be tried in every combination.
_LIBSVM = re.compile(r"[\d.eE+-]+(?::[\d.]+)?(?:\s+(?:qid:\d+|\d+:[\d.eE+-]+))+\s*")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(frozen=True)
class Preview:
    """The beginning of a file."""

    format: Format
    """``binary`` where no rows can be shown."""
    has_header: bool
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    """Texts in the order of the columns."""
    truncated: bool
    """Whether there are more rows."""

    def as_answer(self) -> dict[str, Any]:
        """The members of PreviewData's answer that tell the content."""
        answer = {
            "Format": self.format,
            "Columns": [
                {"Name": column.name, "Type": column.type, "Missing": column.missing}
                for column in self.columns
            ],
            "Rows": [list(row) for row in self.rows],
            "Truncated": self.truncated,
        }
        return answer | ({"HasHeader": self.has_header} if self.columns else {})


@dataclass(frozen=True)
class Head:
    """The first bytes of something, unpacked, and what they are."""

    format: Format
    text: str
    """Empty for Parquet and binary content."""
    whole: bool
    """Whether the text is all there is."""
    delimiter: str
    """For csv: what stands between cells; empty where only the cells can tell."""


def preview_file(path: Path, *, content_type: str = "", max_rows: int = 20) -> Preview:
    """The first rows of a file of this machine. See :func:`preview`.

    Raises:
        OSError: the file cannot be read.
        PreviewFailed: its content is not what its name or type says.
    """
    return preview(FileSource(path), content_type=content_type, max_rows=max_rows)


def preview(source: Source, *, content_type: str = "", max_rows: int = 20) -> Preview:
    """The first rows of something.

    Args:
        content_type: its media type; where that says nothing, the name's ending and then the
            content itself tell.
        max_rows: at most so many.

    Raises:
        PreviewFailed: the content is not what its name or type says.
    """
    head = read_head(source, content_type)
    if head.format == "binary":
        return Preview("binary", False, (), (), False)
    if head.format == "parquet":
        with source.file() as file:
            found = parquet.read(file, max_rows)
        return Preview("parquet", True, found.columns, found.rows, found.truncated)
    if head.format == "csv":
        table = read_table(head.text, whole=head.whole, delimiter=head.delimiter)
        named = table.header is not None
        return _preview(head, table.names, table.rows, max_rows, has_header=named)
    lines = head.text.splitlines()
    if not head.whole and len(lines) > 1:
        lines.pop()
    if head.format == "libsvm":
        return _preview(
            head, *_libsvm([line for line in lines if line.strip()][: max_rows + 1]), max_rows
        )
    if head.format == "jsonlines":
        return _preview(
            head, *_json([line for line in lines if line.strip()][: max_rows + 1]), max_rows
        )
    return _preview(head, ("Text",), [[line] for line in lines], max_rows)


def read_head(source: Source, content_type: str = "") -> Head:
    """Read the first bytes and tell their format."""
    data = source.head(HEAD_BYTES)
    whole = len(data) == source.size
    name = source.name.lower()
    if data.startswith(_GZIP):
        data, whole = _unpacked(data, whole)
        name = name.removesuffix(".gz")
    media = content_type.partition(";")[0].strip().lower()
    ending = re.search(r"\.[a-z]+$", name)
    told = _BY_TYPE.get(media) or _BY_ENDING.get(ending[0] if ending else "")
    if data.startswith(_PARQUET) or told == "parquet":
        return Head("parquet", "", whole, "")
    text = _decoded(data, whole=whole)
    if text is None:
        return Head("binary", "", whole, "")
    tabs = media == "text/tab-separated-values" or (not media and name.endswith(".tsv"))
    kind, delimiter = (told, "") if told else _guess(text, whole=whole)
    return Head(kind, text, whole, TAB if tabs else delimiter)


def _unpacked(data: bytes, whole: bool) -> tuple[bytes, bool]:
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(data, HEAD_BYTES)
    except zlib.error as error:
        raise PreviewFailed(f"it looks like gzip, but cannot be unpacked: {error}") from error
    return unpacked, whole and unpacker.eof and not unpacker.unconsumed_tail


def _decoded(data: bytes, *, whole: bool) -> str | None:
    """The text; None where it is none."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    elif b"\0" in data:
        return None
    else:
        encodings = ("utf-8-sig", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            # What was cut off in the middle of a character is left out.
            text = codecs.getincrementaldecoder(encoding)().decode(data, final=whole)
        except UnicodeDecodeError:
            continue
        return None if len(_CONTROL.findall(text)) * 20 > len(text) else text
    return None


def _guess(text: str, *, whole: bool) -> tuple[Format, str]:
    lines = [line for line in text.splitlines()[:50] if line.strip()]
    if not whole and len(lines) > 1:
        lines = lines[: max(1, len(lines) - 1)]
    if lines and all(_LIBSVM.fullmatch(line.partition("#")[0]) for line in lines):
        return "libsvm", ""
    if lines and all(_is_object(line) for line in lines):
        return "jsonlines", ""
    if delimiter := find_delimiter(text, whole=whole):
        return "csv", delimiter
    return "text", ""


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _libsvm(lines: Sequence[str]) -> tuple[Sequence[str], list[list[str]]]:
    pairs = [[part.partition(":") for part in line.split("#")[0].split()[1:]] for line in lines]
    labels = [line.split()[0] for line in lines]
    indexes = {index for row in pairs for index, _, _ in row}
    if len(indexes) > _WIDEST_LIBSVM or not all(
        index.isdigit() or index == "qid" for index in indexes
    ):
        rest = [line.split(None, 1)[1:] for line in lines]
        return ("label", "features"), [[a, *b] for a, b in zip(labels, rest, strict=True)]
    ordered = sorted(indexes, key=lambda index: -1 if index == "qid" else int(index))
    values = [{index: value for index, _, value in row} for row in pairs]
    return ("label", *ordered), [
        [label, *(row.get(index, "") for index in ordered)]
        for label, row in zip(labels, values, strict=True)
    ]


def _json(lines: Sequence[str]) -> tuple[Sequence[str], list[list[str]]]:
    try:
        values = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise PreviewFailed(f"a line is not JSON: {error}") from error
    records = [value if isinstance(value, dict) else {"value": value} for value in values]
    names = tuple(dict.fromkeys(name for record in records for name in record))
    shown = records[: _most_rows(names) + 1]
    return names, [[_text(record.get(name)) for name in names] for record in shown]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _most_rows(names: Sequence[str]) -> int:
    return max(1, MOST_CELLS // max(1, len(names)))


def _preview(
    head: Head,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    max_rows: int,
    *,
    has_header: bool = False,
) -> Preview:
    most = min(max_rows, _most_rows(names))
    shown = [
        tuple(row[index] if index < len(row) else "" for index in range(len(names)))
        for row in rows[:most]
    ]
    return Preview(
        head.format,
        has_header,
        tuple(describe(name, [row[i] for row in shown]) for i, name in enumerate(names)),
        tuple(tuple(cell[:LONGEST_CELL] for cell in row) for row in shown),
        truncated=len(rows) > most or not head.whole,
    )
