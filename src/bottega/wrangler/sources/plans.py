"""How a file, or several, are read: found out once, then done for the first rows and for all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.engine.database import Database
from bottega.wrangler.errors import DataError
from bottega.wrangler.sources import delimited, json_files, typed_files
from bottega.wrangler.sources.column_types import Found, types_of
from bottega.wrangler.sources.dialect import Layout, layout_of
from bottega.wrangler.sources.loading import Loaded, load_texts
from bottega.wrangler.sources.text_files import TextFile, compression_of, opened
from bottega.wrangler.sources.workbooks import read_sheet

FILENAME = "filename"
"""The column that says which file a row is from."""
SAMPLE = 100_000
_FURTHER_HEADS = 4
_SMALL = 1 << 18
_IN_HEAD = 1_000
_SAMPLE_BYTES = 32 << 20


@dataclass
class Plan:
    """How files are read."""

    format: str
    options: dict[str, Any]
    """What was found out or given."""
    types: dict[str, ColumnType]
    """Of the columns, in their order."""
    load: Callable[[int | None], Loaded]
    """Reads so many rows, or all."""
    findings: tuple[str, ...] = ()
    choices: dict[str, Any] = field(default_factory=dict)


def plan(
    database: Database, paths: Sequence[Path], options: Mapping[str, Any], *, filename: bool = False
) -> Plan:
    """Find out how files are read.

    Args:
        database: works in its folder.
        paths: of one format, in their order.
        options: what is known, as ``sources.nodes.OPTIONS``.
        filename: whether a column says which file a row is from.

    Raises:
        DataError: there is nothing to read, or it cannot be read; says why.
    """
    if not paths:
        raise DataError("There are no files to read.")
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path.name} is not there, or is no file.")
    filled = [path for path in paths if path.stat().st_size]
    if not filled:
        raise DataError(f"{paths[0].name} is empty.")
    kind = options.get("ContentType") or format_of(filled[0])
    match kind:
        case "parquet":
            return _parquet(database, filled, options)
        case "orc":
            return _orc(database, filled, options)
        case "xlsx":
            return _workbook(database, filled, options)
        case "json" | "jsonl":
            return _json(database, filled, kind, options)
    return _delimited(database, filled, kind, options, filename)


def format_of(path: Path) -> str:
    """The format of a file, by its content and then its name.

    Raises:
        DataError: it is binary and of no known format.
    """
    with path.open("rb") as stream:
        start = stream.read(8)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"ORC"):
        return "orc"
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if start.startswith(b"\xd0\xcf\x11\xe0") or (
        start.startswith(b"PK") and not compression_of(path)
    ):
        return "xlsx"
    file = opened(path)
    with file.text() as stream:
        text = stream.read(4096).lstrip("\ufeff \t\r\n")
    if any(suffix in (".jsonl", ".ndjson") for suffix in suffixes):
        return "jsonl"
    if ".json" in suffixes and text[:1] in ("{", "["):
        return "json"
    if text.startswith(("{", "[{")) and not {".csv", ".tsv", ".txt"} & set(suffixes):
        return "json"
    return "tsv" if ".tsv" in suffixes else "csv"


def _delimited(
    database: Database, paths: Sequence[Path], kind: str, options: Mapping[str, Any], filename: bool
) -> Plan:
    files = [opened(path, options.get("Encoding", "")) for path in paths]
    first, findings = files[0], [note for file in files for note in file.findings]
    heads = [_head(database, file) for file in files[:_FURTHER_HEADS]]
    given: dict[str, Any] = {
        "delimiter": options.get("Delimiter") or ("\t" if kind == "tsv" else ""),
        "quote": options.get("Quote"),
        "has_header": options.get("HasHeader"),
        "skip_lines": options.get("SkipLines"),
        "decimal_comma": options.get("DecimalComma"),
    }
    layout = _named(first.path, lambda: layout_of(heads[0][0], **given))
    findings += layout.findings
    layouts = [layout, *(_alike(database, file, layout) for file in files[1:])]
    columns = _all_columns(layouts, findings)
    added = [{FILENAME: file.path.name} if filename else {} for file in files]
    if filename and FILENAME in columns:
        raise DataError(f"The files have a column {FILENAME!r} themselves.")
    tables = [
        delimited.Table(head, one.dialect, one.names, extra)
        for (head, _), one, extra in zip(heads, layouts, added, strict=False)
    ]
    tables = tables[: 1 + next((n for n, (_, whole) in enumerate(heads) if not whole), len(heads))]
    names = (*columns, FILENAME) if filename else columns
    texts = delimited.load(database, tables, dict.fromkeys(names, ColumnType.STRING), limit=SAMPLE)
    found = types_of(texts.relation, columns, comma=layout.dialect.decimal_comma)
    findings += [*texts.findings, *_told(found)]
    texts.discard()
    types = {column: found[column].type for column in columns}
    if filename:
        types[FILENAME] = ColumnType.STRING
    types = _overridden(types, options, findings)

    def load(limit: int | None) -> Loaded:
        if limit is not None and limit <= _IN_HEAD:
            return delimited.load(database, tables, types, limit=limit)
        written: list[Path] = []
        part = None if limit is None else _SAMPLE_BYTES
        some = files if limit is None else files[: len(tables)]
        try:
            whole = [
                delimited.Table(
                    _plain(database, file, written, part), one.dialect, one.names, extra
                )
                for file, one, extra in zip(some, layouts, added, strict=False)
            ]
            return delimited.load(database, whole, types, limit=limit)
        finally:
            for path in written:
                path.unlink(missing_ok=True)

    dialect = layout.dialect
    known: dict[str, Any] = {
        "ContentType": "tsv" if dialect.delimiter == "\t" else "csv",
        "Encoding": first.encoding.removesuffix("-sig"),
        "Delimiter": dialect.delimiter,
        "Quote": dialect.quote,
        "HasHeader": dialect.has_header,
        "SkipLines": dialect.skip_lines,
        "DecimalComma": dialect.decimal_comma,
    }
    return Plan(
        known["ContentType"], _with_types(known, types), types, load, tuple(findings),
        {"Delimiter": [",", ";", "\t", "|"], "Encoding": ["utf-8", "cp1252", "latin-1", "utf-16"]},
    )  # fmt: skip


def _head(database: Database, file: TextFile) -> tuple[Path, bool]:
    return file.head(database.folder / f"{database.free_name('head')}.csv")


def _plain(
    database: Database, file: TextFile, written: list[Path], part: int | None = None
) -> Path:
    """A file as plain UTF-8, or so many characters of it where it is not."""
    if file.is_plain and file.errors == "strict":
        return file.path
    target = database.folder / f"{database.free_name('plain')}.txt"
    written.append(target)
    return file.written(target) if part is None else file.head(target, part)[0]


def _named(path: Path, make: Callable[[], Layout]) -> Layout:
    """Errors about the beginning of a file are about the file."""
    try:
        return make()
    except DataError as error:
        words = error.message.split(" ", 1)
        raise DataError(f"{path.name} {words[1]}" if len(words) > 1 else error.message) from error


def _alike(database: Database, file: TextFile, first: Layout) -> Layout:
    """The layout of a further file, which is written as the first one is."""
    target = database.folder / f"{database.free_name('start')}.csv"
    try:
        with file.text() as stream:
            target.write_text(stream.read(_SMALL), encoding="utf-8", newline="")
        dialect = first.dialect
        return _named(
            file.path,
            lambda: layout_of(
                target, delimiter=dialect.delimiter, quote=dialect.quote,
                has_header=dialect.has_header, skip_lines=dialect.skip_lines,
                decimal_comma=dialect.decimal_comma,
            ),
        )  # fmt: skip
    finally:
        target.unlink(missing_ok=True)


def _all_columns(layouts: Sequence[Layout], findings: list[str]) -> tuple[str, ...]:
    first = layouts[0].names
    columns = dict.fromkeys(column for layout in layouts for column in layout.names)
    more = [column for column in columns if column not in first]
    if more:
        findings.append(f"Some files have further columns: {', '.join(map(repr, more[:5]))}.")
    lacking = {c for layout in layouts for c in first if c not in layout.names}
    if lacking:
        shown = ", ".join(map(repr, sorted(lacking)[:5]))
        findings.append(f"Some files lack columns, which are missing there: {shown}.")
    return tuple(columns)


def _told(found: Mapping[str, Found]) -> list[str]:
    zeros = [repr(column) for column, one in found.items() if one.zeros]
    zoned = [repr(column) for column, one in found.items() if one.zoned]
    told = []
    if zeros:
        told.append(f"Numbers with leading zeros stay text: {', '.join(zeros[:5])}.")
    if zoned:
        told.append(f"Moments with a time zone are read as UTC: {', '.join(zoned[:5])}.")
    return told


def _overridden(
    types: Mapping[str, ColumnType], options: Mapping[str, Any], findings: list[str]
) -> dict[str, ColumnType]:
    wanted = options.get("Types") or {}
    unknown = [column for column in wanted if column not in types]
    if unknown:
        shown = ", ".join(map(repr, unknown[:5]))
        findings.append(f"Types are told of columns that are not there: {shown}.")
    result = {column: ColumnType(wanted.get(column, kind)) for column, kind in types.items()}
    for column, kind in result.items():
        if kind is not types[column] and kind not in SCALARS:
            raise DataError(f"Column {column!r} is {types[column]} and cannot be read as {kind}.")
    return result


def _with_types(options: dict[str, Any], types: Mapping[str, ColumnType]) -> dict[str, Any]:
    return {**options, "Types": {column: str(kind) for column, kind in types.items()}}


def _json(database: Database, paths: Sequence[Path], kind: str, options: Mapping[str, Any]) -> Plan:
    files = [opened(path, options.get("Encoding", "")) for path in paths]
    findings = [note for file in files for note in file.findings]
    kept: list[Path] = []  # as long as the plan: the engine reads them again
    plain = [_plain(database, file, kept) for file in files]
    for number, path in enumerate(plain):
        target = database.folder / f"{database.free_name('lines')}.jsonl"
        lines = json_files.as_lines(path, target)
        plain[number] = lines or path
    scan = json_files.scan_of(plain)
    head = f"SELECT * FROM ({scan}) LIMIT {SAMPLE}"
    columns, renamed = json_files.columns_of(json_files.keys_of(database, head))
    types, notes = json_files.detected(database, head, columns)
    findings += [*renamed, *notes]
    types = _overridden(types, options, findings)

    def load(limit: int | None) -> Loaded:
        if limit is not None:
            some = f"SELECT * FROM ({scan}) LIMIT {limit}"
            return load_texts(database, json_files.texts(some, columns), types)
        every = {key: column for column, key in columns.items()}
        late = [key for key in json_files.keys_of(database, scan) if key not in every]
        names, _ = json_files.columns_of([*columns.values(), *late])
        wanted = {c: types.get(c, ColumnType.STRING) for c in names}
        loaded = load_texts(database, json_files.texts(scan, names), wanted)
        if not late:
            return loaded
        shown = ", ".join(map(repr, late[:5]))
        told = f"Later records have further keys, which are columns of text: {shown}."
        return replace(loaded, findings=(*loaded.findings, told))

    known = {"ContentType": kind, "Encoding": files[0].encoding.removesuffix("-sig")}
    return Plan(kind, _with_types(known, types), types, load, tuple(findings))


def _parquet(database: Database, paths: Sequence[Path], options: Mapping[str, Any]) -> Plan:
    schema, _, notes = typed_files.natural(database.described(typed_files.parquet(paths)))
    findings = list(notes)
    types = _overridden({c.name: c.type for c in schema}, options, findings)
    return Plan(
        "parquet",
        _with_types({"ContentType": "parquet"}, types),
        types,
        lambda limit: typed_files.load_parquet(database, paths, types, limit=limit),
        tuple(findings),
    )


def _orc(database: Database, paths: Sequence[Path], options: Mapping[str, Any]) -> Plan:
    with typed_files.arriving(database, paths, 1) as scan:
        schema, _, notes = typed_files.natural(database.described(scan))
    findings = list(notes)
    types = _overridden({c.name: c.type for c in schema}, options, findings)

    def load(limit: int | None) -> Loaded:
        with typed_files.arriving(database, paths, limit) as scan:
            return typed_files.load_scan(database, scan, types)

    return Plan("orc", _with_types({"ContentType": "orc"}, types), types, load, tuple(findings))


def _workbook(database: Database, paths: Sequence[Path], options: Mapping[str, Any]) -> Plan:
    if len(paths) > 1:
        raise DataError(f"{len(paths)} workbooks cannot be read as one table; choose one of them.")
    sheet = read_sheet(
        paths[0],
        sheet=options.get("Sheet", ""),
        has_header=options.get("HasHeader"),
        skip_lines=options.get("SkipLines"),
    )
    findings = list(sheet.findings)
    types = _overridden({c.name: c.type for c in sheet.schema}, options, findings)
    known = {
        "ContentType": "xlsx",
        "Sheet": sheet.sheet,
        "HasHeader": sheet.has_header,
        "SkipLines": sheet.skip_lines,
    }

    def load(limit: int | None) -> Loaded:
        table = sheet.table if limit is None else sheet.table.slice(0, limit)
        return typed_files.load_table(database, table, types)

    return Plan(
        "xlsx", _with_types(known, types), types, load, tuple(findings),
        {"Sheet": list(sheet.sheets)},
    )  # fmt: skip
