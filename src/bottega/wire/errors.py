"""The one place where a refusal becomes a response, in the words and the form of its protocol."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from types import MappingProxyType

from bottega.errors import BottegaError, InternalFailure
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.protocol_json import answer_type
from bottega.wire.protocol_query import xml_headers, xml_text
from bottega.wire.router import Protocol

log = logging.getLogger(__name__)

_QUERY_CODES = MappingProxyType(
    {
        "AccessDeniedException": "AccessDenied",
        "IncompleteSignatureException": "IncompleteSignature",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "MissingAuthenticationTokenException": "MissingAuthenticationToken",
        "SerializationException": "MalformedQueryString",
        "UnknownOperationException": "InvalidAction",
        "UnrecognizedClientException": "InvalidClientTokenId",
        "ValidationException": "ValidationError",
    }
)
"""What the query protocol's services call what the JSON services call otherwise."""

_SERVICE_CODES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "sagemaker-runtime": {"ValidationException": "ValidationError"},
        "logs": {"ValidationException": "InvalidParameterException"},
        "cloudwatch": {"ValidationException": "ValidationError"},
    }
)
"""What one service calls otherwise than all others."""


def as_refusal(raised: Exception, request_id: str) -> BottegaError:
    """The refusal an exception stands for; one that nobody expected is logged with its
    traceback."""
    if isinstance(raised, BottegaError):
        return raised
    log.exception("answering request %s failed", request_id, exc_info=raised)
    return InternalFailure(
        f"bottega failed unexpectedly ({type(raised).__name__}); the traceback is in its log under "
        f"request {request_id}."
    )


def wire_code(error: BottegaError, protocol: Protocol, service: str) -> str:
    """The code of an error as this service spells it."""
    if code := _SERVICE_CODES.get(service, {}).get(error.code):
        return code
    return _QUERY_CODES.get(error.code, error.code) if protocol == "query" else error.code


def render(
    error: BottegaError,
    *,
    protocol: Protocol,
    service: str,
    request: WireRequest,
    request_id: str,
) -> WireResponse:
    """The response for a refused request; S3's are written by its own face.

    Args:
        error: why it was refused.
        protocol: what the request was made in.
        service: boto3's name of the service; empty when the request was for none.
        request: what was asked, for the version of the protocol.
        request_id: goes into every response.
    """
    code = wire_code(error, protocol, service)
    if protocol == "query":
        kind = "Sender" if error.status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{xml_text(code)}</Code><Message>"
            f"{xml_text(error.message)}</Message></Error><RequestId>{request_id}</RequestId>"
            "</ErrorResponse>"
        )
        return WireResponse(error.status, xml_headers(request_id), text.encode())
    # Clients read `message`, the shapes of SageMaker's five modelled errors have `Message`.
    body = {"__type": code, "message": error.message, "Message": error.message} | {
        name: value for name, value in error.members.items() if value is not None
    }
    content_type = answer_type(request) if protocol == "json" else "application/json"
    headers = [
        ("x-amzn-RequestId", request_id),
        ("x-amzn-ErrorType", code),
        ("Content-Type", content_type),
    ]
    if "x-amzn-query-mode" in request.headers:
        # A client of a service that once spoke the query protocol still tells errors by its codes.
        kind = "Sender" if error.status < 500 else "Receiver"
        headers.append(("x-amzn-query-error", f"{code};{kind}"))
    if error.retry_after is not None:
        headers.append(("Retry-After", str(error.retry_after)))
    return WireResponse(error.status, headers, json.dumps(body).encode())
