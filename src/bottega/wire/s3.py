"""The S3 face: rest-xml, addressed by path or by virtual host, on the operations of ``objects``."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from bottega import specs
from bottega.context import Context
from bottega.errors import BadDigest, BottegaError, InvalidRequest, MalformedXML
from bottega.ports import Ports
from bottega.registry import Registry, Response
from bottega.storage.checksums import COMPUTABLE, Digests
from bottega.storage.objects import ChecksumMismatch
from bottega.wire import s3_xml
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.s3_chunks import ChunkedBody, IncompleteBody, frame_of
from bottega.wire.s3_members import headers_of, members_of, safe
from bottega.wire.s3_routes import S3Address, address_of, operation_of
from bottega.wire.sigv4 import VerifiedSignature

_CHECKSUM_HEADER = "x-amz-checksum-"

_ROOTS = MappingProxyType(
    {
        "CompleteMultipartUpload": "CompleteMultipartUploadResult",
        "CopyObject": "CopyObjectResult",
        "CreateMultipartUpload": "InitiateMultipartUploadResult",
        "DeleteObjects": "DeleteResult",
        "ListBuckets": "ListAllMyBucketsResult",
        "ListObjects": "ListBucketResult",
        "ListObjectsV2": "ListBucketResult",
        "ListParts": "ListPartsResult",
        "UploadPartCopy": "CopyPartResult",
    }
)
"""The roots of response documents, which the model does not name."""

_CODES = MappingProxyType(
    {
        "AccessDeniedException": ("AccessDenied", 403),
        "IncompleteSignatureException": ("AuthorizationHeaderMalformed", 400),
        "InternalFailure": ("InternalError", 500),
        "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
        "MissingAuthenticationTokenException": ("AccessDenied", 403),
        "RequestEntityTooLargeException": ("EntityTooLarge", 400),
        "SerializationException": ("InvalidArgument", 400),
        # S3 answers 501, which clients would send again.
        "UnknownOperationException": ("NotImplemented", 400),
        "UnrecognizedClientException": ("InvalidAccessKeyId", 403),
        "ValidationException": ("InvalidArgument", 400),
    }
)
"""S3's words and statuses for what all services share."""


class S3Face:
    """Answers S3 requests whose signature has been verified. Safe to use from any thread."""

    def __init__(self, registry: Registry, ports: Ports) -> None:
        self._registry = registry
        self._ports = ports

    def handle(
        self, request: WireRequest, signature: VerifiedSignature, context: Context
    ) -> WireResponse:
        """Answer a request.

        Raises:
            BottegaError: the refusal, for :meth:`refuse` to render.
        """
        address = address_of(request)
        headers = _hoisted(request, address) if signature.presigned else dict(request.headers)
        operation = operation_of(request.method, address, headers)
        self._registry.find("s3", operation)
        model = specs.operation_model("s3", operation)
        body = _plain_body(request, headers, signature)
        members = members_of(model.input_shape, address, headers)
        self._add_payload(members, model.input_shape, body, headers)
        answer = self._registry.call("s3", operation, members, context)
        return _written(operation, model, answer, context.request_id)

    def refuse(self, error: BottegaError, request_id: str, *, head: bool) -> WireResponse:
        """The response for a refused request; one to HEAD, and 304, have no body."""
        code, status = _CODES.get(error.code, (error.code, error.status))
        headers = [*_standard_headers(request_id)]
        if etag := error.members.get("ETag"):
            headers.append(("ETag", safe(etag)))
        if head or status == 304:
            return WireResponse(status, headers)
        inner = {"Code": code, "Message": error.message, **error.members, "RequestId": request_id}
        text = "".join(
            s3_xml.element(name, s3_xml.legible(str(value))) for name, value in inner.items()
        )
        document = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{text}</Error>'
        return WireResponse(
            status, [*headers, ("Content-Type", "application/xml")], document.encode()
        )

    def _add_payload(
        self, members: dict[str, Any], shape: Any, body: BinaryIO, headers: Mapping[str, str]
    ) -> None:
        payload = shape.serialization.get("payload") if shape else None
        if payload is None:
            return
        member = shape.members[payload]
        if member.type_name == "blob":
            members[payload] = body
            return
        limit = min(s3_xml.LARGEST_DOCUMENT, self._ports.config.max_body_bytes)
        document = body.read(limit + 1)
        if len(document) > limit:
            raise MalformedXML(f"The XML you provided is larger than {limit} bytes.")
        _check_document(document, headers, shape)
        if document:
            members[payload] = s3_xml.parse(document, member)
        elif payload in shape.required_members:
            raise MalformedXML(f"The request has no body; expected XML of <{payload}>.")


def _hoisted(request: WireRequest, address: S3Address) -> dict[str, str]:
    """The headers, with those that a presigned URL carries in its query."""
    headers = {n.lower(): v for n, v in address.query.items() if n.lower().startswith("x-amz-")}
    return {**headers, **request.headers}


def _plain_body(
    request: WireRequest, headers: dict[str, str], signature: VerifiedSignature
) -> BinaryIO:
    """The body without aws-chunked; ``headers`` then speak of that."""
    codings = [each.strip() for each in headers.get("content-encoding", "").split(",")]
    if not signature.payload_form.chunked:
        if "aws-chunked" in codings:
            raise InvalidRequest(
                "Content-Encoding is aws-chunked, but x-amz-content-sha256 does not say so."
            )
        request.body.seek(0)
        return request.body
    frame = frame_of(request.body, signature, announced=headers.get("x-amz-trailer", ""))
    declared = headers.get("x-amz-decoded-content-length", "")
    if declared != str(frame.size):
        raise IncompleteBody(
            "You did not provide the number of bytes specified by the "
            f"x-amz-decoded-content-length HTTP header: it says {declared[:40] or 'nothing'}, and "
            f"{frame.size} came."
        )
    headers["content-length"] = declared
    headers["content-encoding"] = ",".join(c for c in codings if c not in ("", "aws-chunked"))
    headers |= {n: v for n, v in frame.trailers.items() if n.startswith(_CHECKSUM_HEADER)}
    return cast(BinaryIO, ChunkedBody(request.body, signature))


def _check_document(document: bytes, headers: Mapping[str, str], shape: Any) -> None:
    """Check the checksums of a body that is XML. Raises: BadDigest, InvalidRequest."""
    # Those that are members of the input are of the object that the document speaks about.
    of_object = {m.serialization.get("name", "").lower() for m in shape.members.values()}
    expected = {
        algorithm: headers[name]
        for algorithm in COMPUTABLE
        if (name := _checksum_header(algorithm)) in headers and name not in of_object
    }
    try:
        for value in expected.values():
            base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("A checksum header of the request is not base64.") from error
    digests = Digests(expected)
    digests.update(document)
    try:
        digests.check()
    except ChecksumMismatch as error:
        raise BadDigest(
            f"The checksum you specified did not match what we received: {error}."
        ) from error


def _checksum_header(algorithm: str) -> str:
    return "content-md5" if algorithm == "md5" else _CHECKSUM_HEADER + algorithm


def _written(operation: str, model: Any, answer: Response, request_id: str) -> WireResponse:
    headers = [*_standard_headers(request_id)]
    shape = model.output_shape
    status = int(model.http.get("responseCode", 200))
    if operation == "GetBucketLocation":
        text = s3_xml.escaped(answer.get("LocationConstraint", ""))
        return _xml(status, headers, s3_xml.framed("LocationConstraint", text))
    if shape is None:
        return WireResponse(status, headers)
    headers += headers_of(shape, answer)
    if answer.get("ContentRange") is not None:
        status = 206
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].type_name == "blob":
        body = answer.get(payload, b"")
        length = None if isinstance(body, bytes) else answer["ContentLength"]
        return WireResponse(status, headers, body, length)
    if payload:
        shape, answer = shape.members[payload], answer.get(payload, {})
    if operation in _ROOTS:
        return _xml(status, headers, s3_xml.document(_ROOTS[operation], shape, answer))
    return WireResponse(status, headers)


def _xml(status: int, headers: list[tuple[str, str]], document: bytes) -> WireResponse:
    return WireResponse(status, [*headers, ("Content-Type", "application/xml")], document)


def _standard_headers(request_id: str) -> tuple[tuple[str, str], ...]:
    # Clients show both; the second is AWS's name of the machine that answered.
    return (("x-amz-request-id", request_id), ("x-amz-id-2", request_id))
