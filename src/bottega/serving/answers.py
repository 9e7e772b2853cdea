"""What a model server says, and the short way to read it when it comes in one piece."""

from __future__ import annotations

from dataclasses import dataclass

CUSTOM_ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
MODEL_MISSING = b"x-bottega-model-missing"
"""With this header a server of many models says that it has not got the one that was named."""
_NO_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What a model server said."""

    status: int
    body: bytes
    content_type: str
    custom_attributes: str
    model_missing: bool = False
    """Whether it says that it has not got the model that the request names."""


def plain_answer(data: bytes, start: int = 0) -> tuple[ServerAnswer, int] | None:
    """The answer that begins at ``start`` and where it ends, when it is one of the plainest kind.

    That is: HTTP/1.1, a Content-Length, at most a type and custom attributes besides, and a
    connection that stays open. None for everything else, which a parser has to read, and for one
    that is not whole.
    """
    end = data.find(b"\r\n\r\n", start)
    if end < 0 or not data.startswith(b"HTTP/1.1 ", start):
        return None
    status_line, *lines = data[start:end].split(b"\r\n")
    code = status_line[9:12]
    if not code.isdigit() or status_line[12:13] != b" " or code < b"200":
        return None
    length = kind = custom = b""
    for line in lines:
        name, _, value = line.partition(b": ")
        name = name.lower()
        if name == b"content-length" and not length:
            length = value
        elif name == b"content-type" and not kind:
            kind = value
        elif name == CUSTOM_ATTRIBUTES and not custom:
            custom = value
        else:
            return None
    if not length.isdigit() or len(length) > 10:
        return None
    begin, end = end + 4, end + 4 + int(length)
    status = int(code)
    if end > len(data) or status in _NO_BODY or kind != kind.strip() or custom != custom.strip():
        return None
    body = data[begin:end]
    return ServerAnswer(status, body, kind.decode("latin-1"), custom.decode("latin-1")), end
