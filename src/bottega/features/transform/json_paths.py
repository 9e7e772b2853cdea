"""The part of JSONPath that batch transform knows: one record in, a part of it out.

``$`` is the record; ``.name`` and ``['name']`` go into an object, ``[n]`` into a list; last may
come what selects several: ``.*`` and ``[*]``, ``['a','b']``, ``[n,m]`` and ``[start:end]``, or both
as in ``[0,5:]``. Negative numbers count from the end. As in SageMaker, there are no conditions and
no ``..``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_NAME = re.compile(r"\.([^.\[\]'\"*\s,:()?@$]+)")
_WILDCARD = re.compile(r"\.\*|\[\s*\*\s*\]")
_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_KEYS = re.compile(rf"\[\s*((?:{_QUOTED})(?:\s*,\s*(?:{_QUOTED}))*)\s*\]")
_ONE_KEY = re.compile(_QUOTED)
_PLACE = r"-?\d+|(?:-?\d+)?\s*:\s*(?:-?\d+)?"
_PLACES = re.compile(rf"\[\s*((?:{_PLACE})(?:\s*,\s*(?:{_PLACE}))*)\s*\]")


class InvalidPath(ValueError):
    """The text is no path of this kind. The message says where."""


class NothingThere(LookupError):
    """The record has no such part. The message says which."""


@dataclass(frozen=True)
class Everything:
    """``*``"""


@dataclass(frozen=True)
class Keys:
    names: tuple[str, ...]


@dataclass(frozen=True)
class Places:
    """Values of a list, in the order in which they are named."""

    places: tuple[int | slice, ...]


Step = Everything | Keys | Places


@dataclass(frozen=True)
class JsonPath:
    """A path, ready to be used.

    Attributes:
        text: as it was written.
    """

    text: str
    steps: tuple[Step, ...]

    @classmethod
    def parse(cls, text: str) -> JsonPath:
        """Read a path.

        Raises:
            InvalidPath: it is none, or one that batch transform does not know.
        """
        if not text.startswith("$"):
            raise InvalidPath(f"{text!r} must begin with $, which is the whole record")
        steps: list[Step] = []
        place = 1
        while place < len(text):
            if steps and _selects_several(steps[-1]):
                raise InvalidPath(
                    f"{text!r}: nothing can follow what selects several values (at {place})"
                )
            step, place = _step(text, place)
            steps.append(step)
        return cls(text, tuple(steps))

    @property
    def whole(self) -> bool:
        """Whether it is the record itself."""
        return not self.steps

    @property
    def for_rows(self) -> bool:
        """Whether it can be used on a row of CSV: an array whose values have no parts."""
        return not self.steps or (len(self.steps) == 1 and not isinstance(self.steps[0], Keys))

    def select(self, record: Any) -> Any:
        """The part of a record: a value, or a list or an object of several.

        Raises:
            NothingThere: the record has no such part.
        """
        value = record
        for step in self.steps:
            value = _part(value, step, self.text)
        return value

    def select_cells(self, cells: list[str]) -> list[str]:
        """The part of a row of CSV.

        Raises:
            NothingThere: the row has no such cell.
        """
        if not self.steps:
            return cells
        found = _part(cells, self.steps[0], self.text)
        return found if isinstance(found, list) else [found]


def _step(text: str, place: int) -> tuple[Step, int]:
    if match := _WILDCARD.match(text, place):
        return Everything(), match.end()
    if match := _NAME.match(text, place):
        return Keys((match[1],)), match.end()
    if match := _KEYS.match(text, place):
        names = tuple(_unquoted(key) for key in _ONE_KEY.findall(match[1]))
        return Keys(names), match.end()
    if match := _PLACES.match(text, place):
        return Places(tuple(_place(part) for part in match[1].split(","))), match.end()
    raise InvalidPath(
        f"{text!r} is not understood from {text[place:]!r}; there are .name, .*, ['a','b'], "
        "[0,-1] and [start:end]"
    )


def _place(text: str) -> int | slice:
    start, colon, end = (part.strip() for part in text.partition(":"))
    if not colon:
        return int(start)
    return slice(int(start) if start else None, int(end) if end else None)


def _unquoted(key: str) -> str:
    return re.sub(r"\\(.)", r"\1", key[1:-1])


def _selects_several(step: Step) -> bool:
    if isinstance(step, Keys):
        return len(step.names) > 1
    return isinstance(step, Everything) or not _is_one(step)


def _is_one(step: Places) -> bool:
    return len(step.places) == 1 and isinstance(step.places[0], int)


def _part(value: Any, step: Step, text: str) -> Any:
    if isinstance(step, Keys):
        if not isinstance(value, dict):
            raise NothingThere(f"{text}: there is no object to take {step.names[0]!r} from")
        missing = [name for name in step.names if name not in value]
        if missing:
            raise NothingThere(f"{text}: there is no {missing[0]!r}")
        if len(step.names) == 1:
            return value[step.names[0]]
        return {name: value[name] for name in step.names}
    if isinstance(step, Everything) and isinstance(value, dict):
        return list(value.values())
    if not isinstance(value, list):
        raise NothingThere(f"{text}: there is no list to take values from")
    if isinstance(step, Everything):
        return value
    found: list[Any] = []
    for place in step.places:
        if isinstance(place, slice):
            found += value[place]
        elif -len(value) <= place < len(value):
            found.append(value[place])
        else:
            raise NothingThere(f"{text}: there is no [{place}], as there are {len(value)} values")
    return found[0] if _is_one(step) else found
