"""How a refused request is put into words: paths, values and the sentence, as AWS writes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from bottega.errors import (
    ClientFault,
    InvalidParameterException,
    SerializationException,
    ValidationError,
    ValidationException,
)

Path: TypeAlias = "tuple[Path, str | int | tuple[str]] | None"
"""Where a value stands, innermost step last: a member's name, an element's index counted from one,
or a map's key in a tuple of its own. None is the request itself."""

_SHOWN_CHARACTERS = 512
_SHOWN_STEP = 128
_LISTED_REFUSALS = 20

_FAULTS: dict[str, type[ClientFault]] = {
    "iam": ValidationError,
    "logs": InvalidParameterException,
    "sagemaker-runtime": ValidationError,
    "sts": ValidationError,
}


class Report:
    """The constraints that one request breaks."""

    __slots__ = ("_sentences", "count", "places")

    def __init__(self) -> None:
        self.count = 0
        self.places: list[tuple[Path, str]] = []
        """Where each of them is broken, and the constraint; the first of many."""
        self._sentences: list[str] = []

    def add(self, value: str, path: Path, constraint: str) -> None:
        """Note a broken constraint.

        Args:
            value: the value in words, from :func:`quoted`, or empty where it must not be shown.
            path: where the value stands.
            constraint: what it had to satisfy.
        """
        self.count += 1
        if self.count <= _LISTED_REFUSALS:
            self.places.append((path, constraint))
            shown = f"Value {value}" if value else "Value"
            self._sentences.append(
                f"{shown} at '{rendered(path)}' failed to satisfy constraint: {constraint}"
            )

    def error(self, service: str) -> ClientFault:
        """The exception of this service that says it all."""
        noun = "error" if self.count == 1 else "errors"
        sentences = "; ".join(self._sentences)
        rest = self.count - len(self._sentences)
        tail = f"; and {rest} more" if rest else ""
        fault = _FAULTS.get(service, ValidationException)
        return fault(f"{self.count} validation {noun} detected: {sentences}{tail}")


def wrong_type(value: Any, wanted: str, path: Path) -> SerializationException:
    """The refusal of a value of another type than the shape's."""
    place = f"at '{rendered(path)}'" if path else "at the top of the request"
    if isinstance(value, Mapping):
        return SerializationException(
            f"Start of structure or map found where not expected ({place}; expected {wanted})"
        )
    if isinstance(value, (list, tuple, set, frozenset)):
        return SerializationException(
            f"Start of list found where not expected ({place}; expected {wanted})"
        )
    return SerializationException(f"{_token(value)} can not be converted to {wanted} ({place})")


def out_of_range(value: float, wanted: str, path: Path) -> SerializationException:
    """The refusal of a number that the shape's type cannot hold."""
    digits = quoted(value).strip("'")
    return SerializationException(
        f"NUMBER_VALUE {digits} is out of range for {wanted} (at '{rendered(path)}')"
    )


def refused(text: str, path: Path) -> SerializationException:
    """Any other refusal of what cannot be read at a place."""
    return SerializationException(f"{text} (at '{rendered(path)}')")


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    if isinstance(value, (int, float)):
        return "NUMBER_VALUE"
    if isinstance(value, str):
        return "STRING_VALUE"
    return f"A value of type {type(value).__name__}"


def rendered(path: Path) -> str:
    """The path as AWS writes it.

    >>> rendered(((((None, "InputDataConfig"), 1), "ChannelName")))
    'inputDataConfig.1.member.channelName'
    """
    steps: list[str] = []
    while path:
        path, step = path
        if isinstance(step, str):
            steps.append(step[:1].lower() + step[1:])
        elif isinstance(step, int):
            steps.append(f"{step}.member")
        else:
            steps.append(f"{_printable(step[0][:_SHOWN_STEP])}.member")
    return ".".join(reversed(steps))


def quoted(value: Any) -> str:
    """A value in words and quotes, cut to a length that a message can carry.

    >>> quoted({"eta": "0.1", "layers": [1, True]})
    "'{eta=0.1, layers=[1, true]}'"
    """
    if isinstance(value, str):  # The usual case, without a walk.
        text = value[: _SHOWN_CHARACTERS + 1]
        return f"'{_printable(_cut(text, len(value)))}'"
    parts: list[str] = []
    budget = _SHOWN_CHARACTERS
    for piece in _pieces(value):
        parts.append(piece[: budget + 1])
        budget -= len(piece)
        if budget < 0:
            break
    return f"'{_printable(_cut(''.join(parts), None))}'"


def _cut(text: str, length: int | None) -> str:
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    rest = f"({length} characters)" if length else ""
    return f"{text[:_SHOWN_CHARACTERS]}...{rest}"


def _printable(text: str) -> str:
    """Without what breaks a line, a terminal or an encoder."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _pieces(value: Any) -> Iterator[str]:
    """A value's words bit by bit, so that a large one is never rendered whole."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield "{"
        for index, (key, item) in enumerate(value.items()):
            yield f"{', ' if index else ''}{str(key)[:_SHOWN_CHARACTERS]}="
            yield from _pieces(item)
        yield "}"
    elif isinstance(value, (list, tuple)):
        yield "["
        for index, item in enumerate(value):
            if index:
                yield ", "
            yield from _pieces(item)
        yield "]"
    elif isinstance(value, bool) or value is None:
        yield {True: "true", False: "false", None: "null"}[value]
    elif isinstance(value, int):
        # str() of a huge integer takes quadratic time, and Python refuses it.
        yield str(value) if value.bit_length() <= 256 else f"a number of {value.bit_length()} bits"
    elif isinstance(value, float):
        yield repr(value)
    else:
        yield f"<{type(value).__name__}>"
