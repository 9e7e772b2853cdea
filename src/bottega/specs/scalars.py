"""Shapes without members: how a value becomes the Python type of its shape, and what binds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from botocore.model import Shape

from bottega.specs.patterns import matches
from bottega.specs.refusals import Path, out_of_range, refused, wrong_type

Convert: TypeAlias = Callable[[Any, Path], Any]
"""Turns a value into the Python type of its shape, or raises SerializationException."""

_PATTERN_LIMIT = 100_000
"""Strings longer than this, where the shape allows less, are refused without being matched."""

_INTEGERS = {"integer": ("an Integer", 32), "long": ("a Long", 64)}
_FLOAT_LIMITS = {"float": ("a Float", 3.4028235e38), "double": ("a Double", math.inf)}
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799
"""The years 1 to 9999, in seconds since the epoch."""


Limit: TypeAlias = "tuple[float, str] | None"
"""A bound, and the sentence for who is beyond it."""


def _limits(shape: Shape, what: str) -> tuple[Limit, Limit]:
    def limit(trait: str, relation: str) -> Limit:
        bound = shape.metadata.get(trait)
        return None if bound is None else (bound, f"Member must have {what} {relation} {bound}")

    return limit("max", "less than or equal to"), limit("min", "greater than or equal to")


def length_limits(shape: Shape) -> tuple[Limit, Limit]:
    return _limits(shape, "length")


def beyond(length: float, upper: Limit, lower: Limit) -> str | None:
    if upper and length > upper[0]:
        return upper[1]
    if lower and length < lower[0]:
        return lower[1]
    return None


@dataclass(frozen=True)
class Scalar:
    """A shape without members."""

    convert: Convert
    broken: Callable[[Any], tuple[str, ...]]
    """The sentences of the constraints that a converted value breaks."""
    constraints: str
    """The sentences of all constraints."""
    sensitive: bool


def is_scalar(shape: Shape) -> bool:
    return shape.type_name not in ("structure", "list", "map")


def scalar_of(shape: Any) -> Scalar:
    kind = shape.type_name
    sensitive = bool(shape.metadata.get("sensitive"))
    if kind == "string":
        broken, constraints = _string_rules(shape)
        return Scalar(_to_string, broken, constraints, sensitive)
    if kind == "blob":
        limits = length_limits(shape)
        # Bytes say nothing to a reader, so they are never shown.
        return Scalar(_to_bytes, _within(limits, measure=len), _listed(limits), True)
    if kind in _INTEGERS:
        limits = _limits(shape, "value")
        return Scalar(_to_integer(kind), _within(limits), _listed(limits), sensitive)
    if kind in _FLOAT_LIMITS:
        limits = _limits(shape, "value")
        return Scalar(_to_float(kind), _within(limits), _listed(limits), sensitive)
    if kind == "boolean":
        return Scalar(_to_boolean, _nothing_broken, "", sensitive)
    if kind == "timestamp":
        return Scalar(_to_timestamp, _nothing_broken, "", sensitive)
    raise TypeError(f"{shape.name} has the type {kind!r}, which requests are not checked for")


def _nothing_broken(value: Any) -> tuple[str, ...]:
    return ()


def _listed(limits: tuple[Limit, Limit]) -> str:
    return ", ".join(limit[1] for limit in limits if limit)


def _within(
    limits: tuple[Limit, Limit], measure: Callable[[Any], float] | None = None
) -> Callable[[Any], tuple[str, ...]]:
    upper, lower = limits
    if upper is None and lower is None:
        return _nothing_broken

    def broken(value: Any) -> tuple[str, ...]:
        sentence = beyond(measure(value) if measure else value, upper, lower)
        return (sentence,) if sentence else ()

    return broken


def _string_rules(shape: Any) -> tuple[Callable[[str], tuple[str, ...]], str]:
    too_long, too_short = limits = length_limits(shape)
    pattern = shape.metadata.get("pattern")
    choices = frozenset(shape.enum)
    pattern_sentence = f"Member must satisfy regular expression pattern: {pattern}"
    choice_sentence = f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    sentences = [limit[1] for limit in limits if limit]
    if pattern is not None:
        sentences.append(pattern_sentence)
    if choices:
        sentences.append(choice_sentence)
    if not sentences:
        return _nothing_broken, ""

    def broken(value: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        length = beyond(len(value), too_long, too_short)
        if length is not None:
            found += (length,)
            if len(value) > _PATTERN_LIMIT:
                return found
        if pattern is not None and not matches(pattern, value):
            found += (pattern_sentence,)
        if choices and value not in choices:
            found += (choice_sentence,)
        return found

    return broken, ", ".join(sentences)


def _to_string(value: Any, path: Path) -> str:
    if not isinstance(value, str):
        raise wrong_type(value, "a String", path)
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise refused("STRING_VALUE holds half a surrogate pair", path) from None
    return value


def _to_bytes(value: Any, path: Path) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise wrong_type(value, "a Blob", path)


def _to_boolean(value: Any, path: Path) -> bool:
    if isinstance(value, bool):
        return value
    raise wrong_type(value, "a Boolean", path)


def _to_integer(kind: str) -> Convert:
    wanted, bits = _INTEGERS[kind]
    highest = 2 ** (bits - 1)

    def convert(value: Any, path: Path) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong_type(value, wanted, path)
        # JSON has one kind of number: 3.0 is an integer, 3.5 is not.
        if isinstance(value, float) and not value.is_integer():
            raise refused(f"NUMBER_VALUE {value!r} can not be converted to {wanted}", path)
        number = int(value)
        if not -highest <= number < highest:
            raise out_of_range(value, wanted, path)
        return number

    return convert


def _to_float(kind: str) -> Convert:
    wanted, highest = _FLOAT_LIMITS[kind]

    def convert(value: Any, path: Path) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise wrong_type(value, wanted, path)
        try:
            number = float(value)
        except OverflowError:
            raise out_of_range(value, wanted, path) from None
        # No constraint of any shape means something for these, and JSON has no word for them.
        if not math.isfinite(number) or abs(number) > highest:
            raise out_of_range(number, wanted, path)
        return number

    return convert


def _to_timestamp(value: Any, path: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong_type(value, "a Timestamp", path)
    if not _EARLIEST <= value <= _LATEST:  # Not true of NaN either.
        raise out_of_range(value, "a Timestamp", path)
    return float(value)
