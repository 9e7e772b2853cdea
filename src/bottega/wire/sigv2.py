"""Presigned S3 URLs in Signature Version 2, which boto3 still makes in some regions."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass

from bottega.wire.auth_refusals import Spelling
from bottega.wire.canonical import query_parameters
from bottega.wire.message import WireRequest

# fmt: off
_SIGNED_PARAMETERS = frozenset({
    "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory",
    "lifecycle", "location", "logging", "metrics", "notification", "object-lock", "partNumber",
    "policy", "replication", "requestPayment", "response-cache-control",
    "response-content-disposition", "response-content-encoding", "response-content-language",
    "response-content-type", "response-expires", "restore", "select", "select-type",
    "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
    "versions", "website",
})
# fmt: on
"""The query parameters that choose what is asked for, and so are part of the signed resource."""


@dataclass(frozen=True)
class SignedUrl:
    """What a Version 2 URL says about its signature."""

    access_key: str
    signature: str
    expires: int
    """Seconds since the epoch."""
    token: str


def is_presigned(query: str) -> bool:
    """Whether a query has the parameters of a Version 2 signature."""
    return "AWSAccessKeyId=" in query and "Signature=" in query


def read(request: WireRequest, spelling: Spelling) -> SignedUrl:
    """Take the signature out of the URL.

    Raises:
        ClientFault: a parameter is missing, given twice, or not what it should be.
    """
    found = query_parameters(request.query)
    values: dict[str, str] = {}
    for name in ("AWSAccessKeyId", "Signature", "Expires"):
        given = found.get(name, [])
        if len(given) != 1 or not given[0]:
            raise spelling.missing(
                "Query-string authentication requires the Signature, Expires and AWSAccessKeyId "
                "parameters, each once."
            )
        values[name] = given[0]
    expires = values["Expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise spelling.missing(f"Invalid date (should be seconds since epoch): {expires[:40]}")
    token = request.headers.get("x-amz-security-token", "")
    token = token or found.get("x-amz-security-token", [""])[0]
    return SignedUrl(values["AWSAccessKeyId"], values["Signature"], int(expires), token)


def check(
    request: WireRequest, url: SignedUrl, secret_key: str, now: float, spelling: Spelling
) -> None:
    """Compare the signature of a Version 2 URL.

    Raises:
        ClientFault: the URL has expired, or the signature is wrong.
    """
    if now > url.expires:
        raise spelling.expired(f"Request has expired: it was valid until {url.expires}.")
    text = _string_to_sign(request, url.expires)
    digest = hmac.digest(secret_key.encode(), text.encode(), "sha1")
    expected = base64.b64encode(digest)
    if not hmac.compare_digest(expected, url.signature.encode()):
        raise spelling.mismatch(
            "The request signature we calculated does not match the signature you provided. Check "
            "your key and signing method."
        )


def _string_to_sign(request: WireRequest, expires: int) -> str:
    parameters = query_parameters(request.query)
    # The signer moves the headers it signed into the query; a header that really came takes
    # precedence.
    headers = {
        name: values[0]
        for name, values in parameters.items()
        if name.startswith("x-amz-") or name in ("content-md5", "content-type")
    }
    headers |= {
        # As the signer saw it: headers arrive as latin-1, and the signed text is UTF-8.
        name: value.encode("latin-1", "replace").decode("utf-8", "replace")
        for name, value in request.headers.items()
        if name.startswith("x-amz-") or name in ("content-md5", "content-type")
    }
    amz = [f"{n}:{headers[n].strip()}" for n in sorted(headers) if n.startswith("x-amz-")]
    resource = request.path
    chosen = sorted(
        (key, "=" in part, value)
        for part, key, value in _parts(request.query)
        if key in _SIGNED_PARAMETERS
    )
    if chosen:
        resource += "?" + "&".join(f"{k}={v}" if equals else k for k, equals, v in chosen)
    lines = [
        request.method,
        headers.get("content-md5", "").strip(),
        headers.get("content-type", "").strip(),
        str(expires),
        *amz,
        resource,
    ]
    return "\n".join(lines)


def _parts(query: str) -> list[tuple[str, str, str]]:
    found = []
    for part in query.split("&"):
        for key, values in query_parameters(part).items():
            found.append((part, key, values[0]))
    return found
