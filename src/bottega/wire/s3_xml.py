"""S3's XML: reading request bodies and writing responses by the shapes of botocore's model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from bottega.errors import MalformedXML

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LARGEST_DOCUMENT = 8 * 1024 * 1024
"""Bytes. The largest there can be, 10,000 parts with checksums, has about 3 MB."""
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


def parse(document: bytes, shape: Any) -> Any:
    """Read a document of the given shape.

    Entities and document types are refused, so nothing in it is ever expanded or fetched.

    Raises:
        MalformedXML: says what is wrong.
    """
    try:
        root = defusedxml.ElementTree.fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise MalformedXML(
            f"The XML you provided was not well-formed: {type(error).__name__} {error}."
        ) from error
    wanted = shape.serialization.get("name", shape.name)
    if _plain(root) != wanted:
        raise MalformedXML(f"The root of the XML is <{_plain(root)}>; expected <{wanted}>.")
    return _value(root, shape)


def document(root: str, shape: Any, response: Mapping[str, Any]) -> bytes:
    """Write a response's members that belong in the body."""
    inner = "".join(
        text
        for name, member in shape.members.items()
        if "location" not in member.serialization and response.get(name) is not None
        for text in _elements(name, member, response[name])
    )
    return framed(root, inner)


def framed(root: str, inner: str) -> bytes:
    """A whole document around elements that are already written."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{inner}</{root}>'
    ).encode()


def element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"


def legible(text: str) -> str:
    """Text without the characters that no XML can hold, for what is only meant to be read."""
    return _NOT_XML.sub("\ufffd", text)


def escaped(text: str) -> str:
    """Text for an element; control characters become references, as S3 writes them.

    Those that XML does not know make the document unreadable for many parsers, which is why
    listings can be asked for with encoded keys.
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text.replace('"', "&quot;")
    return _UNPRINTABLE.sub(lambda match: f"&#x{ord(match[0]):X};", text)


def _value(node: Element, shape: Any) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(node, shape)
    if kind == "list":
        return [_value(child, shape.member) for child in node]
    text = node.text or ""
    if len(node):
        raise MalformedXML(f"<{_plain(node)}> has elements inside; expected text.")
    try:
        if kind in ("integer", "long"):
            return int(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.strip().lower()]
        if kind == "timestamp":
            return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, KeyError) as error:
        raise MalformedXML(f"<{_plain(node)}> is {text[:100]!r}; expected {kind}.") from error
    return text


def _structure(node: Element, shape: Any) -> dict[str, Any]:
    names = {member.serialization.get("name", name): name for name, member in shape.members.items()}
    found: dict[str, Any] = {}
    for child in node:
        name = names.get(_plain(child))
        if name is None:
            raise MalformedXML(
                f"<{_plain(node)}> has an element <{_plain(child)[:100]}>; known: "
                f"{', '.join(sorted(names))}."
            )
        member = shape.members[name]
        if member.type_name == "list" and member.serialization.get("flattened"):
            found.setdefault(name, []).append(_value(child, member.member))
        elif name in found:
            raise MalformedXML(f"<{_plain(node)}> has <{_plain(child)}> more than once.")
        else:
            found[name] = _value(child, member)
    return found


def _plain(node: Element) -> str:
    """The name without its namespace, which clients leave out as often as not."""
    return str(node.tag).rpartition("}")[2]


def _elements(name: str, shape: Any, value: Any) -> Iterator[str]:
    tag = shape.serialization.get("name", name)
    if shape.type_name == "list":
        item_name = shape.member.serialization.get("name", "member")
        if shape.serialization.get("flattened"):
            for item in value:
                yield from _tagged(tag, shape.member, item)
        else:
            inner = "".join(text for i in value for text in _tagged(item_name, shape.member, i))
            yield f"<{tag}>{inner}</{tag}>"
    else:
        yield from _tagged(tag, shape, value)


def _tagged(tag: str, shape: Any, value: Any) -> Iterator[str]:
    if shape.type_name == "structure":
        inner = "".join(
            text
            for name, member in shape.members.items()
            if value.get(name) is not None
            for text in _elements(name, member, value[name])
        )
        yield f"<{tag}>{inner}</{tag}>"
    elif shape.type_name == "timestamp":
        yield element(tag, iso_date(value))
    elif shape.type_name == "boolean":
        yield element(tag, "true" if value else "false")
    else:
        yield element(tag, str(value))


def iso_date(seconds: float) -> str:
    """S3's dates in XML: ``2026-01-31T12:00:00.000Z``."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
