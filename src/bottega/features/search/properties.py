"""Property names: which values of a record they mean, and of what type those are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.model import ListShape, MapShape, Shape, StructureShape

from bottega.errors import ValidationException
from bottega.features.search.kinds import Candidate, Searchable

Type = Literal["text", "number", "time", "boolean", "mixed", "compound"]
"""``mixed`` is text that is compared as a number where it is one; ``compound`` can only exist."""

HYPERPARAMETERS, METRICS, TAGS = "HyperParameters", "Metrics", "Tags"
OWNED = (HYPERPARAMETERS, METRICS, TAGS)
"""What the names that owners choose come after."""

_TYPES: Mapping[str, Type] = {
    "string": "text",
    "integer": "number",
    "long": "number",
    "float": "number",
    "double": "number",
    "timestamp": "time",
    "boolean": "boolean",
}


@dataclass(frozen=True)
class Property:
    """A property by its name. A list on the way makes several values of it, which all count."""

    name: str
    type: Type
    values: Callable[[Any], Sequence[Any]]
    """The values that a candidate (or, in a nested filter, one element of a list) has."""
    path: tuple[str, ...]
    """The steps to them; no two properties of a kind have the same."""


def property_of(searchable: Searchable, name: str) -> Property:
    """The property of a candidate.

    Raises:
        ValidationException: the kind has no such property.
    """
    head, _, rest = name.partition(".")
    if head == TAGS and rest:
        return Property(name, "text", lambda item: _entry(item.tags, rest), (TAGS, rest))
    if head == METRICS and rest and searchable.metrics:
        return Property(name, "number", lambda item: _entry(item.metrics, rest), (METRICS, rest))
    inner = _within(searchable.shape, name, name)
    return Property(
        name, inner.type, lambda candidate: inner.values(candidate.document), inner.path
    )


def nested_property(
    searchable: Searchable, name: str
) -> tuple[Callable[[Candidate], Sequence[Any]], StructureShape]:
    """The elements of a list of structures, and their shape.

    Raises:
        ValidationException: there is no such property, or it is no such list.
    """
    shape: Shape = searchable.shape
    steps = name.split(".")
    for step in steps:
        while isinstance(shape, ListShape):
            shape = shape.member
        if not isinstance(shape, StructureShape) or step not in shape.members:
            raise _unknown(name)
        shape = shape.members[step]
    if not isinstance(shape, ListShape) or not isinstance(shape.member, StructureShape):
        raise ValidationException(
            f"NestedPropertyName {name} is not a list of structures; use Filters for it."
        )
    return lambda candidate: _values(candidate.document, steps), shape.member


def element_property(shape: StructureShape, outer: str, name: str) -> Property:
    """A property of the elements of the list ``outer``, from its full name.

    Raises:
        ValidationException: the elements have no such property.
    """
    prefix = f"{outer}."
    if not name.startswith(prefix):
        raise ValidationException(
            f"The name {name} of a nested filter must begin with {prefix} because "
            "of its NestedPropertyName."
        )
    return _within(shape, name.removeprefix(prefix), name)


def _within(shape: Shape, path: str, name: str) -> Property:
    """The property at a path below a shape; its values are read from a document of that shape."""
    steps: list[str] = []
    rest, mixed = path, False
    while rest:
        while isinstance(shape, ListShape):
            shape = shape.member
        if isinstance(shape, MapShape):  # keys are the owner's own, dots and all
            mixed = steps[-1:] == [HYPERPARAMETERS]
            steps.append(rest)
            shape, rest = shape.value, ""
            continue
        step, _, rest = rest.partition(".")
        if not isinstance(shape, StructureShape) or step not in shape.members:
            raise _unknown(name)
        steps.append(step)
        shape = shape.members[step]
    while isinstance(shape, ListShape):
        shape = shape.member
    kind: Type = "mixed" if mixed else _TYPES.get(shape.type_name, "compound")
    return Property(name, kind, lambda document: _values(document, steps), tuple(steps))


def _values(document: Any, steps: Sequence[str]) -> Sequence[Any]:
    value = document
    for step in steps:
        if step not in value:
            return ()
        value = value[step]
        if isinstance(value, list):
            return _all_values(document, steps)
    return (value,)


def _all_values(document: Any, steps: Sequence[str]) -> Sequence[Any]:
    """The values where there may be lists on the way."""
    values = [document]
    for step in steps:
        values = [value[step] for value in values if step in value]
        while any(isinstance(value, list) for value in values):
            values = [
                item for value in values for item in (value if isinstance(value, list) else [value])
            ]
    return values


def _entry(entries: Mapping[str, Any], key: str) -> Sequence[Any]:
    return (entries[key],) if key in entries else ()


def _unknown(name: str) -> ValidationException:
    return ValidationException(f"Unknown property name: {name}")
