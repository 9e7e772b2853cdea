"""Signature Version 4, the checking side: header signatures and presigned URLs.

The rules are AWS's; what is checked, in this order: the form of the signature, the key and its
session token, date and clock, service and region, that nothing which matters was left unsigned, the
body's hash, and last the signature itself.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from enum import Enum

from bottega.clock import Clock
from bottega.config import Config
from bottega.context import Identity
from bottega.credentials import Credentials
from bottega.wire import sigv2
from bottega.wire.auth_refusals import Spelling, spelling_of
from bottega.wire.callers import Callers
from bottega.wire.canonical import canonical_path, canonical_query, canonical_request
from bottega.wire.message import WireRequest
from bottega.wire.sigv4_claim import (
    ALGORITHM,
    HEX_HASH,
    Claim,
    header_names,
    read_header,
    read_query,
    seconds_of,
    shown,
)

CLOCK_SKEW_SECONDS = 15 * 60
_SAME_EVERYWHERE = frozenset({"iam"})
"""Services that are global on AWS: clients sign for us-east-1 whatever their region is."""


class PayloadForm(Enum):
    """What ``x-amz-content-sha256`` says about the body."""

    HASH = "hash"
    """The body's own hash, which is equal to the real one: checked."""
    UNSIGNED = "UNSIGNED-PAYLOAD"
    STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"

    @property
    def chunked(self) -> bool:
        """Whether the body is in the aws-chunked coding and has to be decoded."""
        return self not in (PayloadForm.HASH, PayloadForm.UNSIGNED)


@dataclass(frozen=True)
class VerifiedSignature:
    """A signature that is right, and what is needed to check the chunks of a streamed body."""

    identity: Identity
    service: str
    """The signing name in the scope: ``s3``, ``sagemaker``."""
    region: str
    payload_form: PayloadForm
    presigned: bool
    """The signature is part of the URL."""
    scope: str
    """``20260101/us-east-1/s3/aws4_request``; empty for a Version 2 URL."""
    amz_date: str
    """``20260101T120000Z``; empty for a Version 2 URL."""
    signing_key: bytes = field(repr=False)
    """Derived for the scope; empty for a Version 2 URL."""
    seed_signature: str = field(repr=False)
    """The request's own signature, in hexadecimal, which the first chunk's signature follows."""


class SignatureVerifier:
    """Checks signatures against the keys of one home. Safe to use from any thread."""

    def __init__(self, credentials: Credentials, config: Config, clock: Clock) -> None:
        self._callers = Callers(credentials, config)
        self._region = config.region
        self._clock = clock
        self._keys: dict[tuple[str, str], bytes] = {}

    def verify(
        self, request: WireRequest, *, service: str, body_received: bool = True
    ) -> VerifiedSignature:
        """Check who signed a request.

        Args:
            request: what was received.
            service: the signing name of the service the request is for.
            body_received: whether the body is there, so that its hash is known. Without it only an
                S3 signature can be checked, and only up to the body.

        Raises:
            ClientFault: the request is not signed, or not rightly; spelled as the service spells
                it.
        """
        spelling = spelling_of(service)
        authorization = request.headers.get("authorization", "")
        in_query = "X-Amz-Signature=" in request.query or "X-Amz-Algorithm=" in request.query
        v2_in_query = service == "s3" and sigv2.is_presigned(request.query)
        if authorization and (in_query or v2_in_query):
            raise spelling.malformed(
                "The request is signed twice, in the Authorization header and in the query. Only "
                "one is allowed."
            )
        if v2_in_query and not in_query:
            return self._verify_v2(request, spelling)
        if in_query:
            claim = read_query(request, spelling)
        elif authorization:
            claim = read_header(request, authorization, spelling)
        else:
            raise spelling.missing(
                "Missing Authentication Token: the request is not signed. `bottega env` prints the "
                "keys of this home."
            )
        caller = self._callers.find(claim.access_key, claim.token, spelling)
        self._check_time(claim, spelling)
        self._check_scope(claim, service, spelling)
        _check_signed_headers(request, claim, spelling)
        form, payload_hash = _payload(request, claim, service, spelling)
        key = self._signing_key(claim, caller.secret_key)
        expected = signature(request, claim, payload_hash, key)
        if not hmac.compare_digest(expected.encode(), claim.signature.encode()):
            raise spelling.mismatch(
                "The request signature we calculated does not match the signature you provided. "
                "Check your AWS Secret Access Key and signing method. Consult the service "
                "documentation for details."
            )
        if form is PayloadForm.HASH and body_received and payload_hash != request.body_sha256:
            raise spelling.wrong_body(
                "The provided 'x-amz-content-sha256' header does not match what was computed: the "
                "body was changed on its way."
            )
        return VerifiedSignature(
            identity=caller.identity,
            service=service,
            region=claim.region,
            payload_form=form,
            presigned=claim.lifetime is not None,
            scope=claim.scope,
            amz_date=claim.amz_date,
            signing_key=key,
            seed_signature=claim.signature,
        )

    def _verify_v2(self, request: WireRequest, spelling: Spelling) -> VerifiedSignature:
        url = sigv2.read(request, spelling)
        caller = self._callers.find(url.access_key, url.token, spelling)
        sigv2.check(request, url, caller.secret_key, self._clock.now(), spelling)
        return VerifiedSignature(
            identity=caller.identity,
            service="s3",
            region=self._region,
            payload_form=PayloadForm.UNSIGNED,
            presigned=True,
            scope="",
            amz_date="",
            signing_key=b"",
            seed_signature="",
        )

    def _check_time(self, claim: Claim, spelling: Spelling) -> None:
        if claim.scope_date != claim.amz_date[:8]:
            raise spelling.wrong_scope(
                f"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date "
                f"from HTTP: '{claim.scope_date}' != '{claim.amz_date[:8]}'."
            )
        now = self._clock.now()
        signed = seconds_of(claim.amz_date, spelling)
        if claim.lifetime is not None:
            if signed > now + CLOCK_SKEW_SECONDS:
                raise spelling.expired("Request is not yet valid: check the clock of the signer.")
            if now > signed + claim.lifetime:
                raise spelling.expired(
                    f"Request has expired: signed at {claim.amz_date} for {claim.lifetime} seconds."
                )
        elif abs(now - signed) > CLOCK_SKEW_SECONDS:
            what = "expired" if signed < now else "not yet current"
            raise spelling.skewed(
                f"Signature {what}: {claim.amz_date} is {abs(now - signed):.0f} seconds "
                f"{'before' if signed < now else 'after'} this machine's time, and 15 minutes are "
                "allowed. Check the clock of the caller."
            )

    def _check_scope(self, claim: Claim, service: str, spelling: Spelling) -> None:
        if claim.service != service:
            raise spelling.wrong_scope(
                f"Credential should be scoped to correct service: '{service}', not "
                f"'{shown(claim.service)}'."
            )
        allowed = {self._region}
        if service in _SAME_EVERYWHERE:
            allowed.add("us-east-1")
        if claim.region not in allowed:
            raise spelling.wrong_scope(
                f"Credential should be scoped to a valid region: the region "
                f"'{shown(claim.region)}' is wrong; expecting '{self._region}'. Set "
                "AWS_DEFAULT_REGION."
            )

    def _signing_key(self, claim: Claim, secret: str) -> bytes:
        cached = self._keys.get((claim.access_key, claim.scope))
        if cached is not None:
            return cached
        key = signing_key(secret, claim.scope)
        if len(self._keys) >= 1024:
            self._keys.clear()
        self._keys[claim.access_key, claim.scope] = key
        return key


def signing_key(secret: str, scope: str) -> bytes:
    """The key of a secret for one date, region and service."""
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(request: WireRequest, claim: Claim, payload_hash: str, key: bytes) -> str:
    """The signature a request should have.

    Args:
        request: what was received.
        claim: what it says about its signature.
        payload_hash: what stands for the body.
        key: from :func:`signing_key`.
    """
    s3 = claim.service == "s3"
    canonical = canonical_request(
        request.method,
        canonical_path(request.path, s3=s3),
        canonical_query(request.query, without="X-Amz-Signature"),
        request.headers,
        claim.signed_headers,
        payload_hash,
    )
    digest = hashlib.sha256(canonical).hexdigest()
    text = f"{ALGORITHM}\n{claim.amz_date}\n{claim.scope}\n{digest}"
    return hmac.digest(key, text.encode(), "sha256").hex()


def _check_signed_headers(request: WireRequest, claim: Claim, spelling: Spelling) -> None:
    signed = header_names(claim.signed_headers)
    needed = [name for name in request.headers if name.startswith("x-amz-") or name == "host"]
    if unsigned := sorted(name for name in {*needed, "host"} if name not in signed):
        raise spelling.unsigned_headers(
            "There were headers present in the request which were not signed: each of these must "
            f"be a 'SignedHeader' in the signature: {shown(', '.join(unsigned))}."
        )
    if absent := sorted(name for name in signed if name not in request.headers):
        raise spelling.mismatch(
            "The signature covers headers that did not arrive: "
            f"{shown(', '.join(absent))}. A proxy must pass on every signed header."
        )


def _payload(
    request: WireRequest, claim: Claim, service: str, spelling: Spelling
) -> tuple[PayloadForm, str]:
    """What kind of body it is, and the last line of the canonical request."""
    given = request.headers.get("x-amz-content-sha256", "")
    if service != "s3":
        # Where the hash is not sent it is still that of the body, so a changed body breaks the
        # signature.
        return PayloadForm.HASH, given or request.body_sha256
    if claim.lifetime is not None:
        return PayloadForm.UNSIGNED, PayloadForm.UNSIGNED.value
    if HEX_HASH.fullmatch(given):
        return PayloadForm.HASH, given
    for form in PayloadForm:
        if given == form.value and form is not PayloadForm.HASH:
            return form, given
    raise spelling.missing_hash(
        "The header x-amz-content-sha256 is required, and must be UNSIGNED-PAYLOAD, "
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a sha256 in hexadecimal."
    )
