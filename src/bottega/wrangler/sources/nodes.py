"""What SOURCE nodes say, in SageMaker's operators and ours, and how such nodes are written."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.nearest import ending
from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.errors import FlowError, ParameterError
from bottega.wrangler.flow.document import Node

S3 = "sagemaker.s3_source_0.1"
DATASET = "sagemaker.dataset.identity_0.1"
ATHENA = "sagemaker.athena_source_0.1"
FILE = "bottega.file_source_0.1"
SQL = "bottega.sql_source_0.1"
CONTENT_TYPES = ("csv", "tsv", "json", "jsonl", "parquet", "orc", "xlsx")
OPTIONS = (
    "ContentType", "Encoding", "Delimiter", "Quote", "HasHeader", "SkipLines", "DecimalComma",
    "Sheet", "Types",
)  # fmt: skip
"""What can be told of a file; what is not told is found out."""
_CONTEXT = {
    "ContentType": "s3ContentType",
    "Delimiter": "s3FieldDelimiter",
    "HasHeader": "s3HasHeader",
    "SkipLines": "s3SkipLines",
}
_ENCODINGS = {
    "UTF_8": "utf-8", "UTF_16": "utf-16", "UTF_16LE": "utf-16-le", "UTF_16BE": "utf-16-be",
    "ISO_8859_1": "latin-1", "US_ASCII": "utf-8",
}  # fmt: skip


@dataclass(frozen=True)
class Source:
    """What a source says."""

    kind: str
    """``file``, ``s3`` or ``sql``."""
    uri: str
    query: str = ""
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Some of ``OPTIONS``, checked."""
    nested: bool = True
    """Whether objects in folders below the prefix belong to it."""
    adds_filename: bool = False
    is_manifest: bool = False

    @classmethod
    def of(cls, node: Node) -> Source:
        """Read a node.

        Raises:
            FlowError: the operator cannot be read here, or a parameter is missing or wrong.
        """
        if node.operator in (S3, DATASET):
            return _of_s3(node)
        if node.operator in (FILE, SQL):
            given = node.parameters
            kind, key = ("file", "path") if node.operator == FILE else ("sql", "url")
            return cls.given(
                {
                    "Kind": kind,
                    "Uri": given.get(key),
                    "Query": given.get("query"),
                    "Name": given.get("name"),
                    "Options": given.get("options"),
                }
            )
        if node.operator == ATHENA:
            raise FlowError(
                "Athena cannot be queried from here. Write the result of the query to S3 and use "
                "that, or use a database."
            )
        raise FlowError(
            f"Sources of the operator {node.operator!r} cannot be read here; files, S3 and "
            "databases can."
        )

    @classmethod
    def given(cls, source: Mapping[str, Any]) -> Source:
        """From the shape ``FlowSource``.

        Raises:
            ParameterError: a part is missing or wrong; names it.
        """
        kind, uri, query = source.get("Kind"), source.get("Uri"), source.get("Query") or ""
        if kind not in ("file", "s3", "sql"):
            raise ParameterError("Kind", f"A source is a file, s3 or sql, not {kind!r}.")
        if not isinstance(uri, str) or not uri.strip():
            raise ParameterError("Uri", "The source does not say where its data are.")
        if kind == "s3" and (not uri.startswith("s3://") or len(uri) < 6):
            raise ParameterError("Uri", f"{uri!r} does not begin with s3:// and a bucket.")
        if kind == "sql" and not (isinstance(query, str) and query.strip()):
            raise ParameterError("Query", "The source has no query.")
        name = source.get("Name") or ""
        options = checked_options(source.get("Options") or {})
        return cls(kind, uri, query if kind == "sql" else "", str(name), options)

    def as_answer(self) -> dict[str, Any]:
        """In the shape ``FlowSource``."""
        answer: dict[str, Any] = {"Kind": self.kind, "Uri": self.uri, "Options": dict(self.options)}
        return answer | {
            key: value for key, value in (("Query", self.query), ("Name", self.name)) if value
        }

    @property
    def shown_name(self) -> str:
        """What to call it: its name, or the last part of where it is."""
        if self.name:
            return self.name
        if self.kind == "sql":
            return "query"
        return self.uri.rstrip("/").rsplit("/", 1)[-1] or self.uri

    def node(self, node_id: str, old: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """As a node.

        Args:
            node_id: of the node.
            old: what it was before; what is not understood of it stays.
        """
        raw = copy.deepcopy(dict(old)) if old is not None else {}
        raw |= {"node_id": node_id, "type": "SOURCE"}
        kind = {"file": FILE, "s3": S3, "sql": SQL}[self.kind]
        before = Node(raw).parameters if raw.get("operator") in (kind, DATASET) else {}
        raw["operator"] = kind
        if self.kind == "s3":
            raw["parameters"] = self._s3_parameters(before)
            own = {k: v for k, v in self.options.items() if not _has_place(k, v)}
            if own or "options" in (raw.get("bottega") or {}):
                raw["bottega"] = {**(raw.get("bottega") or {}), "options": own}
        else:
            where = {"path": self.uri} if self.kind == "file" else {
                "url": self.uri, "query": self.query}  # fmt: skip
            raw["parameters"] = {
                **before, "name": self.shown_name, **where, "options": dict(self.options)
            }  # fmt: skip
        raw.setdefault("inputs", [])
        raw.setdefault("outputs", [{"name": "default"}])
        return raw

    def _s3_parameters(self, before: Mapping[str, Any]) -> dict[str, Any]:
        definition = before.get("dataset_definition")
        definition = definition if isinstance(definition, Mapping) else {}
        context = definition.get("s3ExecutionContext")
        given = self.options
        changed = {
            "s3Uri": self.uri,
            **{key: given[name] for name, key in _CONTEXT.items() if name in given},
        }
        if changed.get("s3ContentType") == "tsv":
            changed |= {"s3ContentType": "csv", "s3FieldDelimiter": "\t"}
        if _has_place("Encoding", given.get("Encoding")):
            changed["s3CsvEncodingType"] = _encoding_word(given["Encoding"])
        fresh = {
            "s3ContentType": "csv",
            "s3HasHeader": True,
            "s3FieldDelimiter": ",",
            "s3DirIncludesNested": False,
            "s3AddsFilenameColumn": False,
            "s3RoleArn": None,
        }
        return {
            **before,
            "dataset_definition": {
                "datasetSourceType": "S3",
                "description": None,
                **definition,
                "name": self.shown_name,
                "s3ExecutionContext": {
                    **(context if isinstance(context, Mapping) else fresh), **changed
                },
            },
        }  # fmt: skip


def checked_options(options: Any) -> dict[str, Any]:
    """Options of a file, judged; what is null is left out.

    Raises:
        ParameterError: one is unknown or has a value that it cannot have.
    """
    if not isinstance(options, Mapping):
        raise ParameterError("Options", f"{options!r} is no mapping of options.")
    checked: dict[str, Any] = {}
    for key, value in options.items():
        if key not in OPTIONS:
            raise ParameterError(
                "Options", f"There is no option {key!r}{ending(str(key), OPTIONS)}"
            )
        if value is not None:
            checked[key] = _option(key, value)
    return checked


def _option(key: str, value: Any) -> Any:
    match key:
        case "HasHeader" | "DecimalComma":
            if isinstance(value, bool):
                return value
            raise ParameterError(key, f"{key} is true or false, not {value!r}.")
        case "SkipLines":
            if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1_000_000:
                return value
            raise ParameterError(key, f"{key} is a count of lines, not {value!r}.")
        case "Types":
            return _types(value)
    if not isinstance(value, str) or (not value and key not in ("Quote", "Sheet")):
        raise ParameterError(key, f"{key} is a text, not {value!r}.")
    if key == "ContentType" and value.lower() not in CONTENT_TYPES:
        raise ParameterError(
            key, f"The content type {value!r} is none of {', '.join(CONTENT_TYPES)}."
        )
    if key in ("Delimiter", "Quote"):
        value = "\t" if value == "\\t" else value
        if len(value) > 1 or value in ("\n", "\r", "\0"):
            raise ParameterError(key, f"{key} is one character, not {value!r}.")
    return value.lower() if key == "ContentType" else value


def _types(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise ParameterError("Types", f"Types is a mapping of columns to types, not {value!r}.")
    for column, kind in value.items():
        if kind not in set(ColumnType):
            allowed = ", ".join(sorted(SCALARS))
            raise ParameterError("Types", f"Column {column!r}: {kind!r} is none of {allowed}.")
    return {str(column): str(kind) for column, kind in value.items()}


def notes_on(node: Node) -> list[str]:
    """What a source says that is kept but not heeded, in sentences."""
    found = []
    context = _context(node)
    if context.get("s3RoleArn"):
        found.append(f"The role {context['s3RoleArn']} of a source is kept and not assumed.")
    for output in node.raw.get("outputs") or ():
        sampling = output.get("sampling") if isinstance(output, Mapping) else None
        if isinstance(sampling, Mapping) and sampling.get("sample_ratio", 0) != 1:
            method = sampling.get("sampling_method", "sampling")
            found.append(f"{method} of a source is kept; flows run over all rows.")
    return found


def _context(node: Node) -> Mapping[str, Any]:
    definition = node.parameters.get("dataset_definition")
    context = definition.get("s3ExecutionContext") if isinstance(definition, Mapping) else None
    return context if isinstance(context, Mapping) else {}


def _of_s3(node: Node) -> Source:
    context, definition = _context(node), node.parameters.get("dataset_definition")
    if not context:
        raise ParameterError("s3ExecutionContext", "The source has no s3ExecutionContext.")
    options = {name: context.get(key) for name, key in _CONTEXT.items()}
    kind = str(options["ContentType"] or "").lower()
    if kind == "json" and context.get("s3MultiLine") is False:
        options["ContentType"] = "jsonl"
    if kind not in ("csv", "tsv", ""):
        options |= {"Delimiter": None, "HasHeader": None}
    encoding = context.get("s3CsvEncodingType")
    if encoding:
        options["Encoding"] = _ENCODINGS.get(str(encoding).upper(), str(encoding))
    own = node.raw.get("bottega")
    own = own.get("options") if isinstance(own, Mapping) else None
    given = Source.given(
        {
            "Kind": "s3",
            "Uri": context.get("s3Uri"),
            "Name": definition.get("name") if isinstance(definition, Mapping) else None,
            "Options": {**options, **(own if isinstance(own, Mapping) else {})},
        }
    )
    return Source(
        "s3",
        given.uri,
        "",
        given.name,
        given.options,
        nested=context.get("s3DirIncludesNested") is not False,
        adds_filename=context.get("s3AddsFilenameColumn") is True,
        is_manifest=context.get("s3DataType") == "ManifestFile",
    )


def _encoding_word(encoding: str) -> str:
    return next(word for word, name in _ENCODINGS.items() if name == encoding)


def _has_place(option: str, value: Any) -> bool:
    """Whether SageMaker's form of a source can say it."""
    if option == "Encoding":
        return value in _ENCODINGS.values()
    return option in _CONTEXT and value != "xlsx"
