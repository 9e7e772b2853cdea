"""Media types of requests and answers."""

from __future__ import annotations

from collections.abc import Sequence

from bottega.algorithms.base import RequestError

JSON = "application/json"
JSONLINES = "application/jsonlines"
CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
_SAME = {"application/jsonl": JSONLINES, "application/x-jsonlines": JSONLINES}


def media_of(content_type: str, accepted: Sequence[str]) -> str:
    """The media type of a request; the first of those accepted when it names none.

    Raises:
        RequestError: 415 when it is not accepted.
    """
    if content_type in accepted:
        return content_type
    media = content_type.partition(";")[0].strip().lower()
    media = _SAME.get(media, media)
    if not media:
        return accepted[0]
    if media not in accepted:
        raise RequestError(
            415,
            f"Content-type {media} is not supported. Supported content types are "
            f"{', '.join(accepted)}.",
        )
    return media


def wanted_media(accept: str, default: str, accepted: Sequence[str]) -> str:
    """The media type of an answer.

    Args:
        accept: what the caller wants, as an Accept header; may be empty.
        default: what is given when the caller does not mind.
        accepted: what can be given.

    Raises:
        RequestError: 406 when none of those wanted can be given.
    """
    if not accept or accept == "*/*":
        accept = default
    if accept in accepted:
        return accept
    for wanted in sorted(map(_weighed, accept.split(",")), key=lambda found: -found[1]):
        media = _SAME.get(wanted[0], wanted[0])
        if wanted[1] <= 0:
            continue
        if media in accepted:
            return media
        kind, slash, rest = media.partition("/")
        if slash and rest == "*":
            if kind == "*" or default.startswith(f"{kind}/"):
                return default
            if found := next((name for name in accepted if name.startswith(f"{kind}/")), ""):
                return found
    raise RequestError(
        406,
        f"Accept type {accept} is not supported. Please use one of {', '.join(accepted)}.",
    )


def _weighed(text: str) -> tuple[str, float]:
    media, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return media, float(value)
            except ValueError:
                return media, 1.0
    return media, 1.0
