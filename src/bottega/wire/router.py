"""Which service and operation a request is for, from its head alone.

In this order: the ``X-Amz-Target`` header; else the service it is signed for; else a form body,
which only the query protocol has; else the path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote

from bottega import specs
from bottega.errors import BottegaError, SerializationException, UnknownOperationException
from bottega.specs.models import UnknownService, service_for_target
from bottega.wire.message import WireRequest
from bottega.wire.sigv4_claim import scope_service

Protocol = Literal["json", "rest-json", "query", "s3"]

_REST_SERVICES = (
    "sagemaker-runtime",
    "sagemaker-featurestore-runtime",
    "sagemaker-metrics",
    "sagemaker-a2i-runtime",
    "sagemaker-inference-router-runtime",
)
"""All signed as ``sagemaker``, so that only the path tells them apart."""

_QUERY_SERVICES = MappingProxyType({"sts": "sts", "iam": "iam", "monitoring": "cloudwatch"})
"""Signing name to service."""

_FORM = "application/x-www-form-urlencoded"
_COVERAGE = "docs/coverage.md lists what this bottega implements."


@dataclass(frozen=True)
class Route:
    """Where a request goes, and in which protocol it is answered."""

    protocol: Protocol
    service: str = ""
    """boto3's name; empty when the request is for nothing we know."""
    operation: str = ""
    """Empty for S3, whose face finds it, and for the query protocol, where the body names it."""
    signing_name: str = ""
    path_parameters: Mapping[str, str] = field(default_factory=dict)
    """Decoded values of the placeholders in the path."""
    refusal: BottegaError | None = None
    """Why this request cannot be routed; the caller is told so before any signature is looked
    at."""


def route(request: WireRequest) -> Route:
    """Find the service and operation; never raises, a request for nothing carries its refusal."""
    if target := request.headers.get("x-amz-target", ""):
        return _by_target(request, target)
    scope = scope_service(request.headers.get("authorization", ""), request.query)
    content_type = request.headers.get("content-type", "").lower()
    if scope:
        return _by_scope(request, scope, content_type)
    if request.path == "/" and request.method == "POST":
        # Unsigned, so whatever comes of it is a refusal, which should be in the caller's protocol.
        if content_type.startswith(_FORM):
            return Route("query", "sts", signing_name="sts")
        if "json" in content_type:
            return _lost("json", "A request to / needs the header X-Amz-Target.")
    return _by_path(request) or Route("s3", "s3", signing_name="s3")


def _by_target(request: WireRequest, target: str) -> Route:
    prefix, _, operation = target.rpartition(".")
    service = service_for_target(prefix)
    if service is None:
        return _lost("json", f"X-Amz-Target {target[:200]!r} is no operation of a known service.")
    if request.method != "POST" or request.path != "/":
        return _lost("json", "Requests with X-Amz-Target are sent as POST to the path /.", service)
    return Route("json", service, operation, specs.signing_name(service))


def _by_scope(request: WireRequest, scope: str, content_type: str) -> Route:
    if scope == "s3":
        return Route("s3", "s3", signing_name="s3")
    if service := _QUERY_SERVICES.get(scope):
        if request.path != "/" or request.method not in ("GET", "POST"):
            return _lost("query", "Requests are sent as POST to the path /.", service)
        return Route("query", service, signing_name=scope)
    if scope == "sagemaker":
        return _by_path(request) or _lost(
            "json",
            f"{request.method} {request.path[:200]} is no operation of SageMaker, and the header "
            "X-Amz-Target is missing.",
        )
    protocol: Protocol = "query" if content_type.startswith(_FORM) else "rest-json"
    return _lost(protocol, f"The service {scope[:100]!r} is not implemented. {_COVERAGE}")


def _by_path(request: WireRequest) -> Route | None:
    first = request.path.split("/", 2)[1] if request.path.startswith("/") else ""
    for candidate in _path_table().get(first, ()):
        found = candidate.pattern.fullmatch(request.path)
        if found is None or candidate.method != request.method:
            continue
        refusal: BottegaError | None = None
        parameters: dict[str, str] = {}
        try:
            parameters = {k: unquote(v, errors="strict") for k, v in found.groupdict().items()}
        except UnicodeDecodeError:
            refusal = SerializationException("The path is not percent-encoded UTF-8.")
        return Route(
            "rest-json",
            candidate.service,
            candidate.operation,
            specs.signing_name(candidate.service),
            parameters,
            refusal,
        )
    return None


def _lost(protocol: Protocol, message: str, service: str = "") -> Route:
    return Route(protocol, service, refusal=UnknownOperationException(message))


@dataclass(frozen=True)
class _PathPattern:
    method: str
    pattern: re.Pattern[str]
    service: str
    operation: str


@cache
def _path_table() -> Mapping[str, Sequence[_PathPattern]]:
    """The REST operations by the first segment of their path; exact segments before
    placeholders."""
    table: dict[str, list[_PathPattern]] = {}
    for service in _REST_SERVICES:
        try:
            model = specs.service_model(service)
        except UnknownService:  # a service that the installed botocore does not have yet
            continue
        for name in model.operation_names:
            http = model.operation_model(name).http
            template = http["requestUri"].partition("?")[0]
            first = template.split("/", 2)[1]
            pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
            entry = _PathPattern(http["method"], re.compile(pattern), service, name)
            table.setdefault(first, []).append(entry)
    for entries in table.values():
        entries.sort(key=lambda entry: entry.pattern.groups)
    return table
