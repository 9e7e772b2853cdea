"""The members of a JSON body, each of the type that a route expects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bottega.errors import SerializationException, ValidationException

T = TypeVar("T")


@dataclass(frozen=True)
class Fields:
    """What a body says. A member that is null counts as absent.

    Every method raises a :class:`ValidationException` where the member is of another type, or is
    absent without being optional.
    """

    values: Mapping[str, Any]
    where: str = ""
    """What the names are members of, for messages."""

    @classmethod
    def read(cls, body: bytes, known: Sequence[str]) -> Fields:
        """Take a body apart.

        Raises:
            SerializationException: it is no JSON object.
            ValidationException: it has members that nobody asks for.
        """
        try:
            values = json.loads(body or b"{}")
        except ValueError as error:
            raise SerializationException(f"The body is not valid JSON: {error}") from error
        if not isinstance(values, dict):
            raise SerializationException("The body must be a JSON object.")
        return cls(values).only(known)

    def only(self, known: Sequence[str]) -> Fields:
        """Refuse other members than these."""
        if unknown := sorted(self.values.keys() - set(known)):
            raise ValidationException(
                f"There is no member {self.where}{unknown[0]}; known are {', '.join(known)}."
            )
        return self

    def text(self, name: str) -> str:
        """A text that is not empty."""
        return self._needed(name, self.optional_text(name) or None)

    def optional_text(self, name: str) -> str | None:
        return self._get(name, str, "a text")

    def flag(self, name: str) -> bool:
        """False when absent."""
        return self._get(name, bool, "true or false") or False

    def number(self, name: str, default: int, *, most: int) -> int:
        """A whole number from 1 to ``most``."""
        value = self._get(name, int, "a whole number")
        if value is None:
            return default
        if isinstance(value, bool) or not 1 <= value <= most:
            raise ValidationException(
                f"{self.where}{name} must be a whole number from 1 to {most}."
            )
        return value

    def texts(self, name: str) -> list[str]:
        """A list of texts; empty when absent."""
        values = self._get(name, list, "a list of texts") or []
        if not all(isinstance(value, str) for value in values):
            raise ValidationException(f"{self.where}{name} must be a list of texts.")
        return values

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; empty when absent."""
        return self._get(name, dict, "an object") or {}

    def object(self, name: str, *known: str) -> Fields:
        """An object with members of these names."""
        values = self._needed(name, self._get(name, dict, "an object"))
        return Fields(values, f"{self.where}{name}.").only(known)

    def one_of(self, *names: str) -> str:
        """The name of the one member among these that is given."""
        given = [name for name in names if self.values.get(name) is not None]
        if len(given) != 1:
            choices = " or ".join(self.where + name for name in names)
            raise ValidationException(f"Give either {choices}.")
        return given[0]

    def _get(self, name: str, kind: type[T], what: str) -> T | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, kind):
            raise ValidationException(f"{self.where}{name} must be {what}.")
        return value

    def _needed(self, name: str, value: T | None) -> T:
        if value is None:
            raise ValidationException(f"{self.where}{name} is missing.")
        return value
