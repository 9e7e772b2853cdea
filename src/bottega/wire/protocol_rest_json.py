"""REST-JSON: members travel in the path, the query, the headers and the body, as the shape says."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import OperationModel, Shape

from bottega.errors import SerializationException
from bottega.wire import event_stream
from bottega.wire.json_values import (
    read_base64,
    read_document,
    read_text,
    read_time,
    read_value,
    write_document,
    write_value,
)
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.protocol_json import check_plain

_MOST_PARAMETERS = 1000


def parse(
    request: WireRequest, model: OperationModel, path_parameters: Mapping[str, str]
) -> Mapping[str, Any]:
    """The request's members, from wherever the input shape puts them.

    Args:
        path_parameters: the decoded placeholders of the path.

    Raises:
        SerializationException: a member is not what the shape asks for; the message says which.
    """
    shape = model.input_shape
    if shape is None:
        return {}
    query = _query(request) if request.query else {}
    places = _places(shape)
    found: dict[str, Any] = {}
    for place in places.outside:
        name, member, wire_name = place.name, place.shape, place.wire_name
        if place.location == "uri":
            found[name] = read_scalar(path_parameters[wire_name], member, name)
        elif place.location == "querystring":
            if values := query.get(wire_name):
                found[name] = _from_query(values, member, name)
        elif place.location == "header":
            if (text := request.headers.get(wire_name.lower())) is not None:
                found[name] = _from_header(text, member, name)
        else:
            found[name] = _prefixed(request, wire_name.lower())
    if places.payload is not None:
        value = _payload(request, places.payload.shape, places.payload.name)
        if value is not None:
            found[places.payload.name] = value
    elif places.in_body:
        check_plain(request)
        document = read_document(request.read_body() or b"{}")
        if not isinstance(document, dict):
            raise SerializationException("The body must be a JSON object.")
        body = read_value(document, shape)
        found |= {name: body[name] for name in places.in_body if name in body}
    return found


@dataclass(frozen=True)
class _Place:
    """Where one member of a shape travels."""

    name: str
    shape: Shape
    location: str
    """``uri``, ``querystring``, ``header``, ``headers``, ``statusCode``; empty for the body."""
    wire_name: str


@dataclass(frozen=True)
class _Places:
    """Where the members of a shape travel; asking botocore anew takes longer than the rest."""

    by_name: Mapping[str, _Place]
    outside: Sequence[_Place]
    in_body: Sequence[str]
    payload: _Place | None


@cache
def _places(shape: Shape) -> _Places:
    by_name = {
        name: _Place(
            name,
            member,
            member.serialization.get("location", ""),
            member.serialization.get("name", name),
        )
        for name, member in shape.members.items()
    }
    payload = shape.serialization.get("payload")
    return _Places(
        by_name,
        [place for place in by_name.values() if place.location],
        [place.name for place in by_name.values() if not place.location],
        by_name[payload] if payload is not None else None,
    )


def _payload(request: WireRequest, member: Shape, name: str) -> Any:
    body = request.read_body()
    if member.type_name == "blob":
        return body
    if member.type_name == "string":
        try:
            return read_text(body.decode(), name)
        except UnicodeDecodeError as error:
            raise SerializationException(f"{name} is not UTF-8: {error}.") from error
    return read_value(read_document(body), member, name) if body else None


def _query(request: WireRequest) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(
            request.query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise SerializationException(f"The query cannot be read: {error}.") from error
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _from_query(values: list[str], shape: Shape, name: str) -> Any:
    if shape.type_name == "list":
        return [read_scalar(value, shape.member, name) for value in values]
    if len(values) > 1:
        raise SerializationException(f"{name} is given twice.")
    return read_scalar(values[0], shape, name)


def _from_header(text: str, shape: Shape, name: str) -> Any:
    if shape.type_name == "list":
        return [read_scalar(part.strip(), shape.member, name) for part in text.split(",")]
    if shape.serialization.get("jsonvalue"):
        try:
            return read_base64(text, name).decode()
        except UnicodeDecodeError as error:
            raise SerializationException(f"{name} is not UTF-8: {error}.") from error
    if shape.type_name == "timestamp" and "," in text:
        try:
            return parsedate_to_datetime(text).timestamp()
        except (ValueError, OverflowError) as error:
            raise SerializationException(f"{name} is no time: {text[:100]!r}.") from error
    return read_scalar(text, shape, name)


def _prefixed(request: WireRequest, prefix: str) -> dict[str, str]:
    return {
        name[len(prefix) :]: value
        for name, value in request.headers.items()
        if name.startswith(prefix)
    }


def read_scalar(text: str, shape: Shape, name: str) -> Any:
    """One value that came as text, outside of any JSON.

    Raises:
        SerializationException: the text does not stand for a value of the shape.
    """
    kind = shape.type_name
    if kind in ("string", "character"):
        return read_text(text, name)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind in ("integer", "long", "float", "double") and text.isascii():
        try:
            return int(text) if kind in ("integer", "long") else float(text)
        except ValueError as error:
            raise SerializationException(f"{name} is no number: {text[:100]!r}.") from error
    if kind == "timestamp":
        return read_time(text, name)
    if kind == "blob":
        return read_base64(text, name)
    raise SerializationException(f"{name} cannot be {text[:100]!r}.")


def serialize(answer: Mapping[str, Any], model: OperationModel, request_id: str) -> WireResponse:
    """The answer, its members put where the output shape says."""
    status = int(model.http.get("responseCode", 200))
    headers = [("x-amzn-RequestId", request_id)]
    shape = model.output_shape
    if shape is None:
        return WireResponse(status, headers)
    places = _places(shape)
    in_body: dict[str, Any] = {}
    for name, value in answer.items():
        place = places.by_name.get(name)
        if place is None or value is None or place is places.payload:
            continue
        if place.location == "statusCode":
            status = int(value)
        elif place.location == "header":
            headers.append((place.wire_name, header_text(_header(value, place.shape))))
        elif place.location == "headers":
            headers += [(f"{place.wire_name}{k}", header_text(v)) for k, v in value.items()]
        else:
            in_body[name] = value
    has_type = any(name.lower() == "content-type" for name, _ in headers)
    body: bytes | AsyncGenerator[bytes, None]
    if places.payload is not None and places.payload.shape.serialization.get("eventstream"):
        events = answer[places.payload.name]
        body = event_stream.frames(events, places.payload.shape, request_id)
        kind = event_stream.CONTENT_TYPE
    elif places.payload is None:
        body = write_document(write_value(in_body, shape))
        kind = "application/json"
    else:
        body, kind = _payload_bytes(answer.get(places.payload.name), places.payload.shape)
    if not has_type:
        headers.append(("Content-Type", kind))
    return WireResponse(status, headers, body)


def _payload_bytes(value: Any, shape: Shape) -> tuple[bytes, str]:
    if shape.type_name == "blob":
        return (bytes(value) if value is not None else b""), "application/octet-stream"
    if shape.type_name == "string":
        return (value or "").encode(), "text/plain"
    return write_document(write_value(value or {}, shape)), "application/json"


def _header(value: Any, shape: Shape) -> str:
    if shape.type_name == "timestamp":
        return format_datetime(datetime.fromtimestamp(value, UTC), usegmt=True)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "list":
        return ",".join(_header(item, shape.member) for item in value)
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(str(value).encode()).decode()
    return str(value)


def header_text(value: str) -> str:
    """A value that is safe in a header: what a model server says must not start another header."""
    if value.isascii() and value.isprintable():
        return value
    plain = "".join(c if c.isprintable() or c == "\t" else " " for c in value)
    return plain.encode("latin-1", "replace").decode("latin-1")
