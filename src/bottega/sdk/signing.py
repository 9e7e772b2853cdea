"""Requests to a daemon, signed: what every client of ours puts on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Protocol

TARGETS: Mapping[str, str] = {
    "sagemaker": "SageMaker",
    "logs": "Logs_20140328",
    "bottega": "Bottega",
    "application-autoscaling": "AnyScaleFrontendService",
    "cloudwatch": "GraniteServiceVersion20100801",
}
"""The services that speak JSON, and how they name their operations on the wire."""

_SCOPES: Mapping[str, str] = {
    "logs": "logs",
    "application-autoscaling": "application-autoscaling",
    "cloudwatch": "monitoring",
}

REPEATABLE = ("Check", "Describe", "Filter", "Get", "List", "Preview", "Search", "Suggest", "Watch")
"""Operations that may be sent again when nobody knows whether the first call was done."""


class Keys(Protocol):
    """What a request is signed with: the owner's keys or a session's."""

    @property
    def access_key(self) -> str: ...

    @property
    def secret_key(self) -> str: ...

    @property
    def token(self) -> str:
        """The session token; empty for keys that have none."""


def is_repeatable(operation: str) -> bool:
    """Whether a second call of an operation does no harm."""
    return operation.startswith(REPEATABLE)


def operation_headers(service: str, operation: str) -> dict[str, str]:
    """The headers that say which operation the JSON body is for."""
    return {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": f"{TARGETS[service]}.{operation}",
    }


def scope_of(service: str) -> str:
    """The signing name of a service of :data:`TARGETS`."""
    return _SCOPES.get(service, "sagemaker")


def signed_headers(
    keys: Keys,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes | BinaryIO | None,
    *,
    scope: str,
    region: str,
) -> dict[str, str]:
    """The headers with those that sign the request added.

    Args:
        keys: of whom the request is.
        method: the HTTP method.
        url: the whole address, path and query quoted as they are sent.
        headers: what is sent besides; each of them is signed.
        body: what is sent; it is read and begun anew. None, for S3 alone, leaves it unsigned, as
            one must be that comes piece by piece.
        scope: the signing name of the service.
        region: the region in the signature.
    """
    from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    request = AWSRequest(method, url, headers=dict(headers), data=body)
    signer = Credentials(keys.access_key, keys.secret_key, keys.token or None)
    auth = (S3SigV4Auth if scope == "s3" else SigV4Auth)(signer, scope, region)
    if body is None:
        # Over plain HTTP botocore would have every body signed.
        auth.payload = lambda _request: UNSIGNED_PAYLOAD
    auth.add_auth(request)
    return dict(request.headers.items())
