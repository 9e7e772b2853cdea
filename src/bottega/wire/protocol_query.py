"""The query protocol: a form in, XML out (STS, IAM, and CloudWatch for older clients)."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import OperationModel, Shape

from bottega.errors import SerializationException
from bottega.wire.compression import decompressed, is_gzip
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.protocol_rest_json import read_scalar

_MOST_FIELDS = 10_000
_DEEPEST = 32
"""Dots in a parameter name."""
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_NUMBER = re.compile("[0-9]{1,5}")

Tree = dict[str, Any]
"""Parameter names taken apart at their dots: a leaf is a string, everything else another tree."""


def read_form(request: WireRequest) -> Tree:
    """Every parameter of the form, or of the query of a GET, without the signature's own.

    Raises:
        SerializationException: it is not a form, or a name is given twice or in two ways.
    """
    if request.method == "GET":
        text = request.query
    else:
        try:
            # The body is what names the operation, so any may come compressed.
            body = request.read_body()
            text = (decompressed(body) if is_gzip(request) else body).decode("ascii")
        except UnicodeDecodeError as error:
            raise SerializationException("The form is not percent-encoded.") from error
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError as error:
        raise SerializationException(f"The form cannot be read: {error}.") from error
    tree: Tree = {}
    for name, value in pairs:
        if not name.startswith("X-Amz-"):
            _plant(tree, name, value)
    return tree


def _plant(tree: Tree, name: str, value: str) -> None:
    *branches, leaf = name.split(".")
    if len(branches) > _DEEPEST:
        raise SerializationException(f"The parameter {name[:100]!r} is nested too deeply.")
    for branch in branches:
        child = tree.setdefault(branch, {})
        if not isinstance(child, dict):
            raise SerializationException(f"The parameter {name[:100]!r} is given in two ways.")
        tree = child
    if leaf in tree:
        raise SerializationException(f"The parameter {name[:100]!r} is given twice.")
    tree[leaf] = value


def operation_name(tree: Tree) -> str:
    """What ``Action`` says.

    Raises:
        SerializationException: it is missing.
    """
    action = tree.get("Action")
    if not isinstance(action, str) or not action:
        raise SerializationException("The form has no parameter Action.")
    return action


def check_version(tree: Tree, model: OperationModel) -> None:
    """Refuse a request for another version of the API.

    Raises:
        SerializationException: ``Version`` is missing or not the one there is.
    """
    version = model.service_model.api_version
    if tree.get("Version") != version:
        raise SerializationException(f"The parameter Version must be {version}.")


def parse(tree: Tree, model: OperationModel) -> Mapping[str, Any]:
    """The request's members, by the operation's input shape.

    Raises:
        SerializationException: a parameter is not what the shape asks for; the message says which.
    """
    if model.input_shape is None:
        return {}
    return cast(Mapping[str, Any], _read(tree, model.input_shape, ""))


def _read(node: Any, shape: Shape, where: str) -> Any:
    kind = shape.type_name
    if kind not in ("structure", "list", "map"):
        if not isinstance(node, str):
            raise SerializationException(f"The parameter {where!r} must be a single value.")
        return read_scalar(node, shape, where)
    if isinstance(node, str):
        if node == "":
            return {} if kind != "list" else []
        raise SerializationException(f"The parameter {where!r} must have members.")
    if kind == "structure":
        return {
            name: _read(node[wire], member, _under(where, wire))
            for name, member in shape.members.items()
            if (wire := _wire_name(name, member)) in node
        }
    if kind == "list":
        return [_read(item, shape.member, at) for at, item in _elements(node, shape, where)]
    key_name = shape.key.serialization.get("name", "key")
    value_name = shape.value.serialization.get("name", "value")
    found: dict[str, Any] = {}
    for at, entry in _elements(node, shape, where):
        if not isinstance(entry, dict) or not {key_name, value_name} <= entry.keys():
            raise SerializationException(f"The parameter {at!r} needs {key_name} and {value_name}.")
        key = _read(entry[key_name], shape.key, at)
        found[key] = _read(entry[value_name], shape.value, at)
    return found


def _elements(node: Tree, shape: Shape, where: str) -> list[tuple[str, Any]]:
    """The numbered children in the order of their numbers."""
    children: Any = node
    if not shape.serialization.get("flattened"):
        word = "entry"
        if shape.type_name == "list":
            word = shape.member.serialization.get("name", "member")
        children = node.get(word, {})
        where = f"{where}.{word}"
    if not isinstance(children, dict) or not all(_NUMBER.fullmatch(key) for key in children):
        raise SerializationException(f"The parameter {where!r} must be numbered: {where}.1, ...")
    return [(f"{where}.{key}", children[key]) for key in sorted(children, key=int)]


def _wire_name(name: str, member: Shape) -> str:
    if member.type_name == "list" and member.serialization.get("flattened"):
        # A flattened list goes by the name of its elements where they have one.
        return str(member.member.serialization.get("name", member.serialization.get("name", name)))
    return str(member.serialization.get("name", name))


def _under(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def serialize(answer: Mapping[str, Any], model: OperationModel, request_id: str) -> WireResponse:
    """The answer as the XML document of its operation."""
    shape = model.output_shape
    inner = ""
    if shape is not None:
        inner = _members(answer, shape)
        if wrapper := shape.serialization.get("resultWrapper"):
            inner = f"<{wrapper}>{inner}</{wrapper}>"
    space = model.service_model.metadata.get("xmlNamespace", "")
    name = model.name
    text = (
        f'<{name}Response xmlns="{space}">{inner}<ResponseMetadata><RequestId>{request_id}'
        f"</RequestId></ResponseMetadata></{name}Response>"
    )
    return WireResponse(200, xml_headers(request_id), text.encode())


def xml_headers(request_id: str) -> tuple[tuple[str, str], ...]:
    """The headers of every XML answer."""
    return (("x-amzn-RequestId", request_id), ("Content-Type", "text/xml"))


def xml_text(value: str) -> str:
    """Text for inside an element: characters that XML does not have become a replacement mark."""
    return escape(_NOT_XML.sub("\ufffd", value))


def _members(value: Mapping[str, Any], shape: Shape) -> str:
    return "".join(
        _element(str(member.serialization.get("name", name)), value[name], member)
        for name, member in shape.members.items()
        if value.get(name) is not None
    )


def _element(name: str, value: Any, shape: Shape) -> str:
    kind = shape.type_name
    flat = shape.serialization.get("flattened")
    if kind == "list":
        inner_name = shape.member.serialization.get("name", name if flat else "member")
        inner = "".join(_element(inner_name, item, shape.member) for item in value)
        return inner if flat else f"<{name}>{inner}</{name}>"
    if kind == "map":
        entry = name if flat else "entry"
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        inner = "".join(
            f"<{entry}><{key_name}>{xml_text(k)}</{key_name}>"
            f"{_element(value_name, v, shape.value)}</{entry}>"
            for k, v in value.items()
        )
        return inner if flat else f"<{name}>{inner}</{name}>"
    text = _members(value, shape) if kind == "structure" else xml_text(_scalar(value, shape))
    return f"<{name}>{text}</{name}>"


def _scalar(value: Any, shape: Shape) -> str:
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        moment = datetime.fromtimestamp(value, UTC)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    return str(value)
