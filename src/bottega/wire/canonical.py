"""The canonical form of a request: what both sides of a signature must agree on, byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote, unquote, unquote_to_bytes

_PLAIN = re.compile(r"[A-Za-z0-9_.~-]*")
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_.~/-]+")


def canonical_path(path: str, *, s3: bool) -> str:
    """The path as it is signed.

    Args:
        path: as on the wire, percent-encoded.
        s3: S3 signs the path as it is; every other service drops empty and dot segments and encodes
            what is already encoded once more.
    """
    if s3:
        return path or "/"
    if "//" in path or "/." in path:
        path = _without_dots(path)
    return path if _PLAIN_PATH.fullmatch(path) else quote(path or "/", safe="/~")


def _without_dots(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")


def canonical_query(query: str, *, without: str = "") -> str:
    """The query with every key and value encoded by RFC 3986, sorted.

    Args:
        query: as on the wire, without the question mark.
        without: a parameter to leave out, for a signature that is itself part of the query.
    """
    if not query:
        return ""
    pairs = []
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if (key or value) and key != without:
            pairs.append((_encoded(key), _encoded(value)))
    return "&".join(f"{key}={value}" for key, value in sorted(pairs))


def _encoded(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(unquote_to_bytes(text), safe="-_.~")


def query_parameters(query: str) -> Mapping[str, Sequence[str]]:
    """Every parameter of a query, decoded, with each value it came with. A plus stays a plus."""
    found: dict[str, list[str]] = {}
    for part in query.split("&"):
        key, _, value = part.partition("=")
        if key:
            found.setdefault(unquote(key), []).append(unquote(value))
    return found


def canonical_request(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    signed_headers: str,
    payload_hash: str,
) -> bytes:
    """The six parts of a canonical request, joined.

    Args:
        method: in upper case.
        path: from :func:`canonical_path`.
        query: from :func:`canonical_query`.
        headers: every header of the request, names in lower case; each signed one must be there.
        signed_headers: the names as they were sent, joined with semicolons.
        payload_hash: the last part, a hash or one of the words that stand for one.
    """
    lines = [method, path, query]
    for name in signed_headers.split(";"):
        value = headers[name]
        # Splitting is what collapses inner spaces, and is only needed where there are any.
        lines.append(f"{name}:{' '.join(value.split()) if ' ' in value else value.strip()}")
    lines += ["", signed_headers, payload_hash]
    # Header values arrive as latin-1, so encoding them that way gives back the bytes that were
    # signed.
    return "\n".join(lines).encode("latin-1", "backslashreplace")
