"""Functions of an exported program that read the sources as the flow does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.columns import Schema
from bottega.wrangler.pandas_code import PandasCode, python_literal
from bottega.wrangler.sources.column_types import MISSING
from bottega.wrangler.sources.nodes import Source

_OTHER_COMPRESSION = (".zst", ".zstd")


@dataclass(frozen=True)
class Reader:
    """How a source is read."""

    source: Source
    format: str
    options: Mapping[str, Any]
    schema: Schema
    variable: str

    @property
    def function(self) -> str:
        """The name of the function that reads it."""
        return f"load_{self.variable}" if self.variable != "df" else "load"


def write(reader: Reader, code: PandasCode) -> list[str]:
    """Add a function that reads a source; gives notes on what it cannot do."""
    kinds = {c.name: c.type.pandas for c in reader.schema}
    types = code.constant(f"{reader.variable} types", kinds)
    notes: list[str] = []
    lines = _LINES.get(reader.format, _csv)(reader, types, code)
    place = "url" if reader.source.kind == "sql" else "path"
    default = python_literal(reader.source.uri)
    if reader.source.kind == "sql":
        code.require("import os")
        default = f'os.environ.get("{reader.variable.upper()}_URL")'
        notes.append(
            f"The URL of the database is read from the variable {reader.variable.upper()}_URL."
        )
    if reader.source.kind == "s3":
        notes.append("pandas reads s3:// with s3fs, and one object; pass a local path otherwise.")
    if reader.format in ("json", "jsonl"):
        notes.append("Objects and lists inside of JSON records come as Python objects, not texts.")
    what = reader.source.shown_name.replace("\\", "/").replace('"', "'")
    body = "\n".join(f"    {line}" if line else "" for line in lines)
    code.function(
        reader.function,
        f'def {reader.function}({place}={default}):\n    """Read {what[:60]}."""\n{body}\n'
        "    return df",
    )
    return notes


def _csv(reader: Reader, types: str, code: PandasCode) -> list[str]:
    options, kinds = reader.options, {c.name: c.type for c in reader.schema}
    times = [column for column, kind in kinds.items() if kind.is_time]
    missing = code.constant("missing", ["", *MISSING])
    dtypes = types
    arguments = [
        f"sep={python_literal(options.get('Delimiter', ','))}",
        f"header={0 if options.get('HasHeader', True) else None}",
        f"names=list({types})",
    ]
    if times:
        dtypes = f'{{**{types}, **dict.fromkeys({python_literal(times)}, "str")}}'
    arguments.append(f"dtype={dtypes}")
    # In columns of text only the empty field is missing: NA may be Namibia.
    texts = f'{{c: [""] if kind == "str" else {missing} for c, kind in {types}.items()}}'
    arguments += ["keep_default_na=False", f"na_values={texts}"]
    encoding = options.get("Encoding", "utf-8")
    if encoding != "utf-8":
        arguments.append(f"encoding={python_literal(encoding)}")
    if options.get("SkipLines"):
        arguments.append(f"skiprows={options['SkipLines']}")
    quote = options.get("Quote", '"')
    if not quote:
        code.require("import csv")
        arguments.append("quoting=csv.QUOTE_NONE")
    elif quote != '"':
        arguments.append(f"quotechar={python_literal(quote)}")
    if options.get("DecimalComma"):
        arguments.append('decimal=","')
    if len(kinds) == 1:
        arguments.append("skip_blank_lines=False")
    lines = [f"df = pd.read_csv(path, {', '.join(arguments)})"]
    return [*lines, *_times(times)]


def _times(times: list[str]) -> list[str]:
    if not times:
        return []
    parsed = 'pd.to_datetime(df[column], format="ISO8601", utc=True)'
    return [
        f"for column in {python_literal(times)}:",
        f'    df[column] = {parsed}.dt.tz_localize(None).astype("datetime64[us]")',
    ]


def _records(reader: Reader, types: str, code: PandasCode) -> list[str]:
    code.require("import json")
    times = [c.name for c in reader.schema if c.type.is_time]
    opened = f"open(path, encoding={python_literal(reader.options.get('Encoding', 'utf-8'))})"
    read = "[json.loads(line) for line in file if line.strip()]"
    if reader.format == "json":
        read = "json.load(file)"
    lines = [
        f"with {opened} as file:",
        f"    records = {read}",
        f"df = pd.DataFrame(records, columns=list({types}), dtype=object)",
    ]
    if times:
        lines += _times(times)
    return [*lines, f"df = df.astype({types})"]


def _typed(call: str, reader: Reader, types: str) -> list[str]:
    scalars = [c.name for c in reader.schema if c.type.pandas != "object"]
    if len(scalars) == len(reader.schema):
        return [f"df = {call}", f"df = df[list({types})].astype({types})"]
    kept = f'{{c: kind for c, kind in {types}.items() if kind != "object"}}'
    return [f"df = {call}", f"df = df[list({types})].astype({kept})"]


def _parquet(reader: Reader, types: str, code: PandasCode) -> list[str]:
    return _typed("pd.read_parquet(path)", reader, types)


def _orc(reader: Reader, types: str, code: PandasCode) -> list[str]:
    return _typed("pd.read_orc(path)", reader, types)


def _workbook(reader: Reader, types: str, code: PandasCode) -> list[str]:
    options = reader.options
    arguments = [
        f"sheet_name={python_literal(options.get('Sheet') or 0)}",
        f"header={0 if options.get('HasHeader', True) else None}",
        f"names=list({types})",
        'engine="calamine"',
    ]
    if options.get("SkipLines"):
        arguments.append(f"skiprows={options['SkipLines']}")
    return _typed(f"pd.read_excel(path, {', '.join(arguments)})", reader, types)


def _query(reader: Reader, types: str, code: PandasCode) -> list[str]:
    code.require("import sqlalchemy")
    query = code.constant(f"{reader.variable} query", reader.source.query)
    call = f"pd.read_sql_query(sqlalchemy.text({query}), connection)"
    first, *rest = _typed(call, reader, types)
    return ["with sqlalchemy.create_engine(url).connect() as connection:", f"    {first}", *rest]


_LINES = {
    "json": _records,
    "jsonl": _records,
    "parquet": _parquet,
    "orc": _orc,
    "xlsx": _workbook,
    "sql": _query,
}
