"""Which S3 operation a request is for: by host, method, path, query and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

from bottega import specs
from bottega.errors import ClientFault
from bottega.wire.message import WireRequest

_VIRTUAL_HOST = re.compile(r"(?P<bucket>[a-z0-9][a-z0-9.-]*?)(?:\.s3)?\.localhost(?::\d+)?")
_TEMPLATES = ("/", "/{Bucket}", "/{Bucket}/{Key+}")
_MOST_PARAMETERS = 100


class InvalidURI(ClientFault):
    """The path or query is not what S3 takes."""

    code = "InvalidURI"


class MethodNotAllowed(ClientFault):
    """S3 has nothing that answers this method at this kind of address."""

    code = "MethodNotAllowed"
    status = 405


class NotImplementedOnWire(ClientFault):
    """A way of using S3 that is out of scope; not a 5xx, which clients would send again."""

    code = "NotImplemented"


@dataclass(frozen=True)
class S3Address:
    """What a request points at. An empty bucket is the service, an empty key the bucket."""

    bucket: str
    key: str
    query: Mapping[str, str]
    """Decoded. Of a parameter that comes several times the first counts, as on S3."""

    @property
    def level(self) -> int:
        return (1 if self.bucket else 0) + (1 if self.key else 0)


@dataclass(frozen=True)
class _Candidate:
    operation: str
    literals: tuple[tuple[str, str], ...]
    """Query parameters that stand in the template, ``list-type=2`` or ``uploads``."""
    parameters: tuple[str, ...]
    """Query parameters that the operation requires."""
    headers: tuple[str, ...]

    def fits(self, address: S3Address, headers: Mapping[str, str]) -> bool:
        return (
            all(
                name in address.query and (not value or address.query[name] == value)
                for name, value in self.literals
            )
            and all(name in address.query for name in self.parameters)
            and all(name in headers for name in self.headers)
        )

    @property
    def weight(self) -> int:
        """How much it asks for; the candidate that fits and asks for most is the one meant."""
        return 2 * len(self.literals) + len(self.parameters) + len(self.headers)


def address_of(request: WireRequest) -> S3Address:
    """Take host, path and query apart.

    Raises:
        InvalidURI: something in it is no UTF-8.
    """
    try:
        pairs = parse_qsl(
            request.query,
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
        host = _VIRTUAL_HOST.fullmatch(request.headers.get("host", "").lower())
        path = request.path.removeprefix("/")
        if host and host["bucket"] != "s3":
            bucket, key = host["bucket"], _decoded(path)
        else:
            first, _, rest = path.partition("/")
            bucket, key = _decoded(first), _decoded(rest)
    except ValueError as error:
        raise InvalidURI(
            f"Couldn't parse the specified URI: it must be percent-encoded UTF-8 with at most "
            f"{_MOST_PARAMETERS} query parameters."
        ) from error
    query: dict[str, str] = {}
    for name, value in pairs:
        query.setdefault(name, value)
    return S3Address(bucket, key, query)


def operation_of(method: str, address: S3Address, headers: Mapping[str, str]) -> str:
    """The name of the operation, which need not be implemented.

    Raises:
        MethodNotAllowed: S3 has no such operation.
        NotImplementedOnWire: cross-origin requests and form uploads.
    """
    if method == "OPTIONS" or (method == "POST" and address.level == 1 and not address.query):
        what = "A cross-origin preflight" if method == "OPTIONS" else "A form upload"
        raise NotImplementedOnWire(
            f"{what} is not implemented by this bottega. docs/coverage.md lists what is."
        )
    fitting = [
        candidate
        for candidate in _table().get((method, address.level), ())
        if candidate.fits(address, headers)
    ]
    if not fitting:
        raise MethodNotAllowed(
            "The specified method is not allowed against this resource.",
            members={
                "Method": method,
                "ResourceType": ("SERVICE", "BUCKET", "OBJECT")[address.level],
            },
        )
    return max(fitting, key=lambda candidate: candidate.weight).operation


@cache
def _table() -> Mapping[tuple[str, int], tuple[_Candidate, ...]]:
    """Every operation of S3's model by method and level."""
    found: dict[tuple[str, int], tuple[_Candidate, ...]] = {}
    for name in specs.service_model("s3").operation_names:
        model = specs.operation_model("s3", name)
        template, _, literal_query = model.http["requestUri"].partition("?")
        if template not in _TEMPLATES:
            continue
        literals = tuple(parse_qsl(literal_query, keep_blank_values=True))
        # Where the template itself has a parameter, a required header that is missing is a fault of
        # the request rather than a sign of another operation.
        headers = () if literals else _required(model, "header")
        candidate = _Candidate(name, literals, _required(model, "querystring"), headers)
        key = (model.http["method"], _TEMPLATES.index(template))
        found[key] = (*found.get(key, ()), candidate)
    return found


def _required(model: Any, location: str) -> tuple[str, ...]:
    """The wire names of an operation's required members in the query or the headers."""
    shape = model.input_shape
    places = [shape.members[name].serialization for name in shape.required_members] if shape else []
    found = [place["name"] for place in places if place.get("location") == location]
    return tuple(name.lower() if location == "header" else name for name in found)


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode()
