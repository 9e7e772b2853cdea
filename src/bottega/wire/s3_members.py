"""From a request's parts to the members of an operation's input, and back to headers."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

from bottega.errors import InvalidArgument
from bottega.wire.s3_routes import S3Address

_UNFIT = re.compile(r"[^\t\x20-\x7e\x80-\xff]")
"""What must not stand in a header as it is."""


def members_of(shape: Any, address: S3Address, headers: Mapping[str, str]) -> dict[str, Any]:
    """The members that stand in path, query and headers.

    Args:
        shape: the operation's input.
        address: where the request points.
        headers: names in lower case.

    Raises:
        InvalidArgument: a value has the wrong form; the text names the parameter.
    """
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        place = member.serialization
        location, wire_name = place.get("location"), place.get("name", name)
        if location == "uri":
            found[name] = address.bucket if wire_name == "Bucket" else address.key
        elif location == "querystring" and wire_name in address.query:
            found[name] = _converted(wire_name, address.query[wire_name], member)
        elif location == "header":
            text = headers.get(wire_name.lower(), "")
            if text != "":
                found[name] = _converted(wire_name, text, member)
        elif location == "headers":
            prefix = wire_name.lower()
            matching = {n[len(prefix) :]: v for n, v in headers.items() if n.startswith(prefix)}
            if matching:
                found[name] = matching
    return found


def headers_of(shape: Any, response: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The response headers that an output's members become."""
    for name, member in shape.members.items():
        value = response.get(name)
        if value is None:
            continue
        place = member.serialization
        wire_name = place.get("name", name)
        if place.get("location") == "header":
            yield wire_name, safe(_text(value, member))
        elif place.get("location") == "headers":
            for key, text in value.items():
                yield f"{wire_name}{key}", safe(text)


def safe(text: str) -> str:
    """Text that can stand in a header: others could end it and begin one of their own."""
    if not _UNFIT.search(text):
        return text
    return f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


def http_date(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(int(seconds), UTC), usegmt=True)


def _converted(wire_name: str, text: str, shape: Any) -> Any:
    kind = shape.type_name
    try:
        if kind in ("integer", "long"):
            if not re.fullmatch(r"[+-]?\d{1,19}", text, re.ASCII):
                raise ValueError(text)
            return int(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
        if kind == "timestamp":
            return _seconds(text)
        if kind == "list":
            return [each.strip() for each in text.split(",")]
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise InvalidArgument(
            f"Provided {wire_name} is {text[:100]!r}; expected {kind}.",
            members={"ArgumentName": wire_name, "ArgumentValue": text[:100]},
        ) from error
    return text


def _seconds(text: str) -> float:
    if "T" in text and text[:1].isdigit():
        moment = datetime.fromisoformat(text)
    else:
        moment = parsedate_to_datetime(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _text(value: Any, shape: Any) -> str:
    if shape.type_name == "timestamp":
        return http_date(value)
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "list":
        return ",".join(value)
    return str(value)
