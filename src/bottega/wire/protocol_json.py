"""AWS JSON 1.0 and 1.1: one POST to ``/``, the operation in a header, one JSON object each way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.model import OperationModel

from bottega.errors import SerializationException
from bottega.wire.compression import decompressed, is_gzip, may_be_compressed
from bottega.wire.json_values import read_document, read_value, write_document, write_value
from bottega.wire.message import WireRequest, WireResponse

_CONTENT_TYPES = frozenset(
    {"application/x-amz-json-1.1", "application/x-amz-json-1.0", "application/json"}
)


def parse(request: WireRequest, model: OperationModel) -> Mapping[str, Any]:
    """The request's members, by the operation's input shape.

    Raises:
        SerializationException: the body is not what the shape asks for; the message says where.
    """
    kind = _content_type(request)
    if kind not in _CONTENT_TYPES:
        raise SerializationException(
            f"The Content-Type must be application/x-amz-json-1.1, not {kind[:100]!r}."
        )
    body = request.read_body()
    if is_gzip(request) and may_be_compressed(model):
        body = decompressed(body)
    else:
        check_plain(request)
    document = read_document(body or b"{}")
    if not isinstance(document, dict):
        raise SerializationException("The body must be a JSON object.")
    if model.input_shape is None:
        return {}
    parsed: Mapping[str, Any] = read_value(document, model.input_shape)
    return parsed


def check_plain(request: WireRequest) -> None:
    """Refuse a compressed body.

    Raises:
        SerializationException: the request has a Content-Encoding.
    """
    coding = request.headers.get("content-encoding", "identity")
    if coding.lower() != "identity":
        raise SerializationException(
            f"The Content-Encoding {coding[:100]!r} is not supported; send the body as it is."
        )


def serialize(
    answer: Mapping[str, Any], model: OperationModel, request: WireRequest, request_id: str
) -> WireResponse:
    """The answer as JSON; an operation without an output shape answers with an empty body."""
    body = b""
    if model.output_shape is not None:
        body = write_document(write_value(answer, model.output_shape))
    headers = (("x-amzn-RequestId", request_id), ("Content-Type", answer_type(request)))
    return WireResponse(200, headers, body)


def answer_type(request: WireRequest) -> str:
    """The content type of an answer: the version of the protocol that was asked in."""
    old = _content_type(request) == "application/x-amz-json-1.0"
    return "application/x-amz-json-1.0" if old else "application/x-amz-json-1.1"


def _content_type(request: WireRequest) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
