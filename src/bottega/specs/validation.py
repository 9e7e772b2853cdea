"""Every constraint of a request's shape, checked on the server.

Clients check presence, types and minima; the rest is the service's part. Each shape is turned once
into a function that checks and rebuilds a value; :func:`validate` runs the one of the operation's
input.

A value of the wrong JSON type is a :class:`~bottega.errors.SerializationException`, as it is where
AWS parses; whatever breaks a constraint is collected and told at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from botocore.model import Shape

from bottega.errors import SerializationException
from bottega.specs.models import operation_model
from bottega.specs.refusals import Path, Report, quoted, wrong_type
from bottega.specs.scalars import Scalar, beyond, is_scalar, length_limits, scalar_of

Check: TypeAlias = Callable[[Any, Path, Report], Any]
"""Checks a value at a path, reports what it breaks, and returns what goes on to the operation."""


_NESTING_LIMIT = 64


def validate(service: str, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Check a request against its operation's input shape.

    Args:
        service: boto3's name of the service, or our own.
        operation: the operation's name.
        request: the parsed members: timestamps as seconds since the epoch, blobs as bytes,
            streaming blobs as whatever can be read.

    Returns:
        The request with the members that the shape knows. Null members are left out, as AWS does.

    Raises:
        ValidationException: a constraint is broken. CloudWatch Logs calls it
            InvalidParameterException; IAM, STS and sagemaker-runtime call it ValidationError.
        SerializationException: a value has the wrong JSON type or does not fit its type.
        UnknownOperation, UnknownService: there is no such operation.
    """
    report = Report()
    checked: dict[str, Any] = _input_check(service, operation)(request, None, report)
    if report.count:
        raise report.error(service)
    return checked


def broken_constraints(
    service: str, operation: str, request: Mapping[str, Any]
) -> list[tuple[Path, str]]:
    """What :func:`validate` would refuse, one by one: where, and the constraint.

    Raises:
        SerializationException: a value has the wrong JSON type or does not fit its type.
    """
    report = Report()
    _input_check(service, operation)(request, None, report)
    return report.places


@cache
def _input_check(service: str, operation: str) -> Check:
    shape = operation_model(service, operation).input_shape
    return _compile(service, shape) if shape is not None else _takes_nothing


def _takes_nothing(value: Any, path: Path, report: Report) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong_type(value, "a Structure", path)
    return {}


# --- compiling ------------------------------------------------------------------------------------

_lock = threading.RLock()
_compiled: dict[tuple[str, str], Check] = {}


def _compile(service: str, shape: Shape) -> Check:
    """The check of a shape, compiled once a service."""
    key = (service, shape.name)
    with _lock:
        if key in _compiled:
            return _compiled[key]
        # A shape that contains itself finds this stand-in while it is being compiled.
        _compiled[key] = _recursive(key)
        _compiled[key] = check = _build(service, shape)
        return check


def _recursive(key: tuple[str, str]) -> Check:
    def check(value: Any, path: Path, report: Report) -> Any:
        depth, step = 0, path
        while step:
            depth, step = depth + 1, step[0]
        if depth > _NESTING_LIMIT:
            raise SerializationException(
                f"The request is nested more than {_NESTING_LIMIT} levels deep"
            )
        return _compiled[key](value, path, report)

    return check


def _build(service: str, shape: Shape) -> Check:
    if shape.type_name == "structure":
        if shape.metadata.get("document"):
            return _unchecked
        return _structure(service, shape)
    if shape.type_name == "list":
        return _list(service, shape)
    if shape.type_name == "map":
        return _map(service, shape)
    return _scalar_check(scalar_of(shape))


def _unchecked(value: Any, path: Path, report: Report) -> Any:
    return value


def _structure(service: str, shape: Any) -> Check:
    required = set(shape.required_members)
    members = [
        (
            name,
            name in required,
            # A stream is read by the operation, not here.
            _unchecked if member.serialization.get("streaming") else _compile(service, member),
        )
        for name, member in shape.members.items()
    ]
    union = bool(shape.is_tagged_union)
    choices = ", ".join(shape.members)

    def check(value: Any, path: Path, report: Report) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise wrong_type(value, "a Structure", path)
        found: dict[str, Any] = {}
        for name, needed, member_check in members:
            item = value.get(name)
            if item is not None:
                found[name] = member_check(item, (path, name), report)
            elif needed:
                report.add("null", (path, name), "Member must not be null")
        if union and len(found) != 1:
            report.add(
                quoted(list(found)),
                path,
                f"Member must have exactly one of its members set: [{choices}]",
            )
        return found

    return check


def _list(service: str, shape: Any) -> Check:
    too_long, too_short = length_limits(shape)
    scalar = scalar_of(shape.member) if is_scalar(shape.member) else None
    element = None if scalar else _compile(service, shape.member)
    hidden = _holds_secrets(shape)

    def check(value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, (list, tuple)):
            raise wrong_type(value, "a List", path)
        if (broken := beyond(len(value), too_long, too_short)) is not None:
            report.add("" if hidden else quoted(value), path, broken)
            if too_long and len(value) > too_long[0]:
                return value  # Refused already; a flood of elements is not worth a look.
        found = []
        bad = False
        for index, item in enumerate(value, start=1):
            if item is None:
                report.add("null", (path, index), "Member must not be null")
            elif scalar:
                item = scalar.convert(item, (path, index))
                bad = bad or bool(scalar.broken(item))
                found.append(item)
            elif element:
                found.append(element(item, (path, index), report))
        if bad and scalar:
            shown = "" if hidden else quoted(value)
            report.add(shown, path, f"Member must satisfy constraint: [{scalar.constraints}]")
        return found

    return check


def _map(service: str, shape: Any) -> Check:
    too_long, too_short = length_limits(shape)
    keys = scalar_of(shape.key)
    scalar = scalar_of(shape.value) if is_scalar(shape.value) else None
    element = None if scalar else _compile(service, shape.value)
    hidden = _holds_secrets(shape)

    def check(value: Any, path: Path, report: Report) -> Any:
        if not isinstance(value, Mapping):
            raise wrong_type(value, "a Map", path)
        if (broken := beyond(len(value), too_long, too_short)) is not None:
            report.add("" if hidden else quoted(value), path, broken)
            if too_long and len(value) > too_long[0]:
                return value
        found = {}
        bad_keys = bad_values = False
        for key, item in value.items():
            key = keys.convert(key, path)
            bad_keys = bad_keys or bool(keys.broken(key))
            place: Path = (path, (key,))
            if item is None:
                report.add("null", place, "Member must not be null")
            elif scalar:
                found[key] = item = scalar.convert(item, place)
                bad_values = bad_values or bool(scalar.broken(item))
            elif element:
                found[key] = element(item, place, report)
        shown = "" if hidden else quoted(value) if bad_keys or bad_values else ""
        if bad_keys:
            report.add(shown, path, f"Map keys must satisfy constraint: [{keys.constraints}]")
        if bad_values and scalar:
            report.add(shown, path, f"Map value must satisfy constraint: [{scalar.constraints}]")
        return found

    return check


def _scalar_check(scalar: Scalar) -> Check:
    convert, broken, hidden = scalar.convert, scalar.broken, scalar.sensitive
    if not scalar.constraints:
        return lambda value, path, report: convert(value, path)

    def check(value: Any, path: Path, report: Report) -> Any:
        converted = convert(value, path)
        if sentences := broken(converted):
            shown = "" if hidden else quoted(converted)
            for sentence in sentences:
                report.add(shown, path, sentence)
        return converted

    return check


def _holds_secrets(shape: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a value of this shape, put into words, could show a sensitive member."""
    if shape.metadata.get("sensitive"):
        return True
    if is_scalar(shape) or shape.name in seen:
        return False
    if shape.type_name == "structure":
        inner = list(shape.members.values())
    elif shape.type_name == "map":
        inner = [shape.key, shape.value]
    else:
        inner = [shape.member]
    return any(_holds_secrets(part, seen | {shape.name}) for part in inner)
