"""JSON to the plain values that operations work with, and back, led by botocore's shapes.

Only the form is read here: timestamps become seconds, base64 becomes bytes, names on the wire
become member names. Whatever has the wrong type goes on as it is, and ``specs.validate`` says so.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NoReturn

from botocore.model import Shape

from bottega.errors import SerializationException

DEEPEST = 64
"""Levels of nesting that are followed, as in ``specs.validate``."""


def read_document(body: bytes) -> Any:
    """Decode one JSON text.

    Raises:
        SerializationException: it is not UTF-8, not JSON, has a name twice, a number that is not
            one, a NUL character, or is nested too deeply.
    """
    try:
        document = _DECODER.decode(body.decode("utf-8"))
        if b"\\u0000" in body:
            _refuse_nul(document)
    except UnicodeDecodeError as error:
        raise SerializationException(f"The body is not UTF-8: {error}.") from error
    except RecursionError as error:
        raise SerializationException("The body is nested too deeply.") from error
    except ValueError as error:
        raise SerializationException(f"The body is not JSON: {error}.") from error
    return document


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise SerializationException(f"The member {twice[:100]!r} is given twice.")
    return found


def _no_constant(text: str) -> NoReturn:
    raise SerializationException(f"{text} is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def _refuse_nul(value: Any) -> None:
    if isinstance(value, str):
        read_text(value, "A string")
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            read_text(name, "A name")
            _refuse_nul(item)


def read_text(value: str, where: str) -> str:
    """Refuse a NUL: no file name, environment variable or database text can hold one.

    Raises:
        SerializationException: there is one.
    """
    if "\0" in value:
        raise SerializationException(f"{where} contains a NUL character.")
    return value


def read_value(value: Any, shape: Shape, where: str = "", depth: int = 0) -> Any:
    """Turn a decoded JSON value into what ``specs.validate`` takes.

    Args:
        value: as :func:`read_document` returns it.
        shape: what it should be.
        where: the path of the value, for errors.
        depth: how many levels down it stands.

    Raises:
        SerializationException: a time or base64 cannot be read, or it is nested too deeply.
    """
    kind = shape.type_name
    if kind == "timestamp":
        return read_time(value, where) if isinstance(value, str) else value
    if kind == "blob":
        return read_base64(value, where) if isinstance(value, str) else value
    if not _is_converted(shape):
        return value
    if depth > DEEPEST:
        raise SerializationException(f"{where} is nested too deeply.")
    if kind == "list" and isinstance(value, list):
        return [
            read_value(item, shape.member, f"{where}[{index}]", depth + 1)
            for index, item in enumerate(value)
        ]
    if kind == "map" and isinstance(value, dict):
        return {
            name: read_value(item, shape.value, f"{where}.{name}", depth + 1)
            for name, item in value.items()
        }
    if kind == "structure" and isinstance(value, dict):
        members = _wire_members(shape)
        return {
            members[name][0]: read_value(
                item, members[name][1], f"{where}.{name}" if where else name, depth + 1
            )
            for name, item in value.items()
            if name in members
        }
    return value


@lru_cache(maxsize=8192)
def _wire_members(shape: Shape) -> Mapping[str, tuple[str, Shape]]:
    """Member name and shape by the name on the wire."""
    return {
        member.serialization.get("name", name): (name, member)
        for name, member in shape.members.items()
    }


@lru_cache(maxsize=8192)
def _is_converted(shape: Shape) -> bool:
    """Whether anything inside this shape looks different on the wire; most requests have
    nothing."""
    seen: set[str] = set()
    waiting = [shape]
    while waiting:
        this = waiting.pop()
        kind = this.type_name
        if kind in ("timestamp", "blob"):
            return True
        if this.name in seen:
            continue
        seen.add(this.name)
        if kind == "structure" and not getattr(this, "is_document_type", False):
            if any(m.serialization.get("name", n) != n for n, m in this.members.items()):
                return True
            waiting += this.members.values()
        elif kind == "list":
            waiting.append(this.member)
        elif kind == "map":
            waiting.append(this.value)
    return False


def read_time(value: str, where: str) -> float:
    """Seconds since the epoch, from a number or an ISO 8601 text (UTC where it names no zone).

    Raises:
        SerializationException: it is neither.
    """
    try:
        return float(value)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise SerializationException(
            f"{where} is no time: {value[:100]!r}. Give seconds since 1970 or ISO 8601."
        ) from error


def read_base64(value: str, where: str) -> bytes:
    """The bytes a base64 text stands for.

    Raises:
        SerializationException: it is not base64.
    """
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise SerializationException(f"{where} is not base64: {error}.") from error


def write_document(value: Any) -> bytes:
    """Encode what :func:`write_value` returned."""
    return _ENCODER.encode(value).encode()


def write_value(value: Any, shape: Shape) -> Any:
    """Turn what an operation answered into JSON values.

    Members that are None, and structures with nothing in them, are left out: clients reject the
    empty structure where AWS would leave the member out. An empty document is a value.
    """
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return value
        written = {}
        members = shape.members
        for name, item in value.items():
            member = members.get(name)
            if item is None or member is None:
                continue
            out = write_value(item, member)
            is_plain = member.type_name == "structure" and not getattr(
                member, "is_document_type", False
            )
            if out == {} and is_plain:
                continue
            written[member.serialization.get("name", name)] = out
        return written
    if kind == "list":
        return [write_value(item, shape.member) for item in value]
    if kind == "map":
        return {k: write_value(v, shape.value) for k, v in value.items() if v is not None}
    if kind == "timestamp":
        return round(float(value), 3)
    if kind == "blob":
        return base64.b64encode(value).decode()
    if kind in ("float", "double"):
        return _float_or_name(float(value))
    return value


def _float_or_name(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
