"""How a failed authentication is spelled: S3 has words of its own for each failure."""

from __future__ import annotations

from dataclasses import dataclass

from bottega import errors
from bottega.errors import ClientFault


@dataclass(frozen=True)
class Spelling:
    """Which error stands for which failure."""

    missing: type[ClientFault]
    """No signature at all."""
    malformed: type[ClientFault]
    """A signature header that cannot be read."""
    malformed_url: type[ClientFault]
    """Signature parameters in the query that cannot be read."""
    unknown_key: type[ClientFault]
    bad_token: type[ClientFault]
    wrong_scope: type[ClientFault]
    """Signed for another date, region or service."""
    unsigned_headers: type[ClientFault]
    skewed: type[ClientFault]
    """The request's clock and ours are too far apart."""
    expired: type[ClientFault]
    """A presigned URL that is not valid now."""
    mismatch: type[ClientFault]
    wrong_body: type[ClientFault]
    """The body is not the one whose hash was sent."""
    missing_hash: type[ClientFault]


S3 = Spelling(
    missing=errors.AccessDenied,
    malformed=errors.AuthorizationHeaderMalformed,
    malformed_url=errors.AuthorizationQueryParametersError,
    unknown_key=errors.InvalidAccessKeyId,
    bad_token=errors.InvalidToken,
    wrong_scope=errors.AuthorizationHeaderMalformed,
    unsigned_headers=errors.AccessDenied,
    skewed=errors.RequestTimeTooSkewed,
    expired=errors.AccessDenied,
    mismatch=errors.SignatureDoesNotMatch,
    wrong_body=errors.XAmzContentSHA256Mismatch,
    missing_hash=errors.InvalidRequest,
)

OTHERS = Spelling(
    missing=errors.MissingAuthenticationToken,
    malformed=errors.IncompleteSignature,
    malformed_url=errors.IncompleteSignature,
    unknown_key=errors.UnrecognizedClient,
    bad_token=errors.UnrecognizedClient,
    wrong_scope=errors.InvalidSignature,
    unsigned_headers=errors.InvalidSignature,
    skewed=errors.InvalidSignature,
    expired=errors.InvalidSignature,
    mismatch=errors.InvalidSignature,
    wrong_body=errors.InvalidSignature,
    missing_hash=errors.InvalidSignature,
)
"""Every service but S3; the query protocol's own words are put in by ``wire.errors``."""


def spelling_of(service: str) -> Spelling:
    """The words of the service with this signing name."""
    return S3 if service == "s3" else OTHERS
