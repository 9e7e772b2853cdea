"""S3 requests made by hand and signed by botocore: what no well-behaved client would send."""

from __future__ import annotations

import hashlib
import hmac
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bottega.testing.object_bench import ObjectBench
from bottega.wire.message import WireRequest

HOST = "127.0.0.1:9999"
_EMPTY = hashlib.sha256(b"").hexdigest()


def signed(
    bench: ObjectBench,
    method: str,
    target: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    payload: str = "",
) -> WireRequest:
    """A signed request.

    Args:
        target: path and query exactly as they go over the wire.
        payload: stands in ``x-amz-content-sha256`` instead of the body's hash.
    """
    request = AWSRequest(
        method, f"http://{HOST}{target}", headers={"Host": HOST, **(headers or {})}, data=body
    )
    keys = Credentials(bench.ports.credentials.access_key, bench.ports.credentials.secret_key)
    _Auth(keys, bench.ports.config.region, payload).add_auth(request)
    parts = urlsplit(f"http://{HOST}{target}")
    found = {
        name.lower(): value.decode("latin-1") if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    return with_body(WireRequest(method, parts.path, parts.query, found, source="127.0.0.1"), body)


def with_body(request: WireRequest, body: bytes) -> WireRequest:
    """The same request with other bytes."""
    return replace(
        request,
        body=io.BytesIO(body),
        body_size=len(body),
        body_sha256=hashlib.sha256(body).hexdigest(),
    )


def signed_chunks(
    chunks: Sequence[bytes],
    *,
    key: bytes,
    amz_date: str,
    scope: str,
    seed: str,
    trailers: Mapping[str, str] | None = None,
) -> bytes:
    """An aws-chunked body with signatures, as AWS's documentation describes it.

    Args:
        chunks: without the empty one at the end.
        key: the signing key for ``scope``.
        seed: the signature of the request.
        trailers: signed as well; None for the form without trailers.
    """
    body, previous = b"", seed
    for chunk in (*chunks, b""):
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                amz_date,
                scope,
                previous,
                _EMPTY,
                hashlib.sha256(chunk).hexdigest(),
            )
        )
        previous = hmac.digest(key, text.encode(), "sha256").hex()
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode()
        body += chunk + b"\r\n" if chunk else b""
    if trailers is not None:
        block = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        digest = hashlib.sha256(block.encode()).hexdigest()
        text = "\n".join(("AWS4-HMAC-SHA256-TRAILER", amz_date, scope, previous, digest))
        signature = hmac.digest(key, text.encode(), "sha256").hex()
        body += block.replace("\n", "\r\n").encode()
        body += f"x-amz-trailer-signature:{signature}\r\n".encode()
    return body + b"\r\n"


def plain_chunks(chunks: Sequence[bytes], trailers: Mapping[str, str]) -> bytes:
    """An aws-chunked body without signatures."""
    body = b"".join(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n" for chunk in chunks)
    end = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
    return body + b"0\r\n" + end.encode() + b"\r\n"


def signing_key(secret: str, scope: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def chunk_signing(bench: ObjectBench, request: WireRequest) -> dict[str, Any]:
    """What :func:`signed_chunks` needs to go on from a signed request."""
    authorization = request.headers["authorization"]
    scope = authorization.partition("Credential=")[2].partition(",")[0].partition("/")[2]
    return {
        "key": signing_key(bench.ports.credentials.secret_key, scope),
        "amz_date": request.headers["x-amz-date"],
        "scope": scope,
        "seed": authorization.rpartition("Signature=")[2],
    }


class _Auth(S3SigV4Auth):  # type: ignore[misc]
    def __init__(self, keys: Credentials, region: str, payload: str) -> None:
        super().__init__(keys, "s3", region)
        self._payload = payload

    def payload(self, request: AWSRequest) -> str:
        return self._payload or str(super().payload(request))
