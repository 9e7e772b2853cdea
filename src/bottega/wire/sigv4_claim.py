"""What a request says about its own signature, taken apart and checked for form, but not
believed."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from functools import lru_cache

from bottega.errors import ClientFault
from bottega.wire import sigv2
from bottega.wire.auth_refusals import Spelling
from bottega.wire.canonical import query_parameters
from bottega.wire.message import WireRequest

ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST_PRESIGN_SECONDS = 7 * 24 * 3600

HEX_HASH = re.compile("[0-9a-f]{64}")
_AMZ_DATE = re.compile("[0-9]{8}T[0-9]{6}Z")
_HEADER_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")


@dataclass(frozen=True)
class Claim:
    """What a request says about its own signature; nothing of it is checked yet."""

    access_key: str
    scope: str
    scope_date: str
    region: str
    service: str
    signed_headers: str
    signature: str
    amz_date: str
    token: str
    lifetime: int | None = None
    """Seconds a presigned URL is valid; None for a header signature."""


def is_aws_signed(authorization: str, query: str) -> bool:
    """Whether a request carries an AWS signature of any version, right or wrong."""
    return (
        authorization.startswith(("AWS4-", "AWS "))
        or "X-Amz-Signature=" in query
        or sigv2.is_presigned(query)
    )


def scope_service(authorization: str, query: str) -> str:
    """The service a request says it is signed for; empty when it does not say."""
    if authorization:
        found = re.search(r"Credential=[^,\s/]*/[^,/]*/[^,/]*/([^,/]*)/", authorization)
        return found.group(1) if found else ""
    if "X-Amz-Credential=" in query:
        parts = query_parameters(query).get("X-Amz-Credential", [""])[0].split("/")
        return parts[-2] if len(parts) == 5 else ""
    return "s3" if sigv2.is_presigned(query) else ""


def read_header(request: WireRequest, authorization: str, spelling: Spelling) -> Claim:
    algorithm, _, rest = authorization.partition(" ")
    if algorithm != ALGORITHM:
        raise spelling.malformed(
            f"The authorization mechanism '{shown(algorithm)}' is not supported. Please use "
            f"{ALGORITHM}."
        )
    parts: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals or name in parts:
            raise spelling.malformed(
                "Authorization header must have Credential, SignedHeaders and Signature, each once."
            )
        parts[name] = value
    absent = [n for n in ("Credential", "Signature", "SignedHeaders") if not parts.get(n)]
    if absent:
        raise spelling.malformed(
            " ".join(f"Authorization header requires '{name}' parameter." for name in absent)
        )
    amz_date = request.headers.get("x-amz-date", "")
    if not amz_date:
        raise spelling.malformed(
            "Authorization header requires existence of a 'X-Amz-Date' header, "
            "YYYYMMDD'T'HHMMSS'Z'."
        )
    return _claim(
        parts["Credential"],
        parts["SignedHeaders"],
        parts["Signature"],
        amz_date,
        request.headers.get("x-amz-security-token", ""),
        None,
        spelling.malformed,
    )


def read_query(request: WireRequest, spelling: Spelling) -> Claim:
    fault = spelling.malformed_url
    found = query_parameters(request.query)
    values: dict[str, str] = {}
    for name in ("Algorithm", "Credential", "Date", "Expires", "SignedHeaders", "Signature"):
        given = found.get(f"X-Amz-{name}", [])
        if len(given) != 1 or not given[0]:
            raise fault(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                f"X-Amz-Expires parameters, each once; see X-Amz-{name}."
            )
        values[name] = given[0]
    if values["Algorithm"] != ALGORITHM:
        raise fault(f"X-Amz-Algorithm only supports {ALGORITHM}.")
    expires = values["Expires"]
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 7):
        raise fault("X-Amz-Expires should be a number of seconds.")
    if not 1 <= int(expires) <= LONGEST_PRESIGN_SECONDS:
        raise fault("X-Amz-Expires must be between 1 second and a week (604800 seconds).")
    return _claim(
        values["Credential"],
        values["SignedHeaders"],
        values["Signature"],
        values["Date"],
        found.get("X-Amz-Security-Token", [""])[0],
        int(expires),
        fault,
    )


def _claim(
    credential: str,
    signed_headers: str,
    signature: str,
    amz_date: str,
    token: str,
    lifetime: int | None,
    fault: type[ClientFault],
) -> Claim:
    parts = credential.split("/")
    if len(parts) != 5 or parts[4] != "aws4_request":
        raise fault(
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            f"keyid/date/region/service/aws4_request, got '{shown(credential)}'."
        )
    if not _AMZ_DATE.fullmatch(amz_date):
        raise fault(f"X-Amz-Date must be YYYYMMDD'T'HHMMSS'Z', got '{shown(amz_date)}'.")
    if not HEX_HASH.fullmatch(signature):
        raise fault("Signature must be 64 lower-case hexadecimal digits.")
    if not header_names(signed_headers):
        raise fault("SignedHeaders must be lower-case header names joined by semicolons.")
    access_key, scope_date, region, service, _ = parts
    return Claim(
        access_key=access_key,
        scope="/".join(parts[1:]),
        scope_date=scope_date,
        region=region,
        service=service,
        signed_headers=signed_headers,
        signature=signature,
        amz_date=amz_date,
        token=token,
        lifetime=lifetime,
    )


@lru_cache(maxsize=1024)
def header_names(signed_headers: str) -> frozenset[str]:
    """The names in a SignedHeaders; none at all when one of them is no header name.

    Remembered, since every request of a client signs the same ones.
    """
    names = signed_headers.split(";")
    return frozenset(names if all(_HEADER_NAME.fullmatch(name) for name in names) else ())


def seconds_of(amz_date: str, spelling: Spelling) -> int:
    """Seconds since the epoch of a date whose form is already checked.

    Raises:
        ClientFault: there is no such date.
    """
    seconds = _seconds(amz_date)
    if seconds is None:
        raise spelling.malformed(f"X-Amz-Date is no date: '{amz_date}'.")
    return seconds


@lru_cache(maxsize=64)
def _seconds(amz_date: str) -> int | None:
    """Kept for a while: a busy client signs many requests within one second."""
    year, month, day = int(amz_date[:4]), int(amz_date[4:6]), int(amz_date[6:8])
    if year < 1 or not 1 <= month <= 12 or not 1 <= day <= 31:
        return None
    hour, minute, second = int(amz_date[9:11]), int(amz_date[11:13]), int(amz_date[13:15])
    return calendar.timegm((year, month, day, hour, minute, second))


def shown(text: str) -> str:
    """Text of the caller's, short enough to go back in an error."""
    return text if len(text) <= 200 else text[:200] + "..."
