"""The small language of filter boxes: ``status:Failed,Stopped name:churn nightly``.

Words stand between white space. ``key:a,b`` is a condition: what the key names must be one of the
values. Any other word must be part of the name. All of it must hold, and capitals do not matter.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from bottega.errors import ValidationException


@dataclass(frozen=True)
class Condition:
    """``key:value,value``."""

    key: str
    values: tuple[str, ...]
    """At least one, in lower case."""

    def is_met(self, actual: str) -> bool:
        """Whether ``actual`` is one of the values."""
        return actual.lower() in self.values

    def is_part(self, actual: str) -> bool:
        """Whether one of the values is a part of ``actual``; for names."""
        found = actual.lower()
        return any(value in found for value in self.values)

    def choices(self, known: Collection[str]) -> tuple[str, ...]:
        """The values as ``known`` spells them; for statuses and kinds.

        Raises:
            ValidationException: one of them is not known.
        """
        spelling = {name.lower(): name for name in known}
        for value in self.values:
            if value not in spelling:
                raise ValidationException(
                    f"Filter has {self.key}:{value}, and there is no {self.key} {value!r}. "
                    f"Known are {', '.join(known)}."
                )
        return tuple(spelling[value] for value in self.values)


@dataclass(frozen=True)
class FilterWords:
    """What a filter asks for; empty when it asks for nothing."""

    conditions: tuple[Condition, ...]
    words: tuple[str, ...]
    """In lower case; each must be a part of the name."""

    def names(self, name: str) -> bool:
        """Whether every word is a part of ``name``, and every condition ``name:`` is met by it."""
        found = name.lower()
        return all(word in found for word in self.words) and all(
            condition.is_part(name) for condition in self.conditions if condition.key == "name"
        )

    def allowed(self, key: str, known: Collection[str]) -> frozenset[str]:
        """Those of ``known`` that every condition of a key allows; for statuses and kinds.

        Raises:
            ValidationException: a condition has a value that is not known.
        """
        found = frozenset(known)
        for condition in self.conditions:
            if condition.key == key:
                found &= frozenset(condition.choices(known))
        return found


def parse(text: str, known_keys: Collection[str]) -> FilterWords:
    """Read a filter.

    Args:
        known_keys: the keys that conditions may have, in lower case.

    Raises:
        ValidationException: a condition has another key, or no value.
    """
    conditions: list[Condition] = []
    words: list[str] = []
    for word in text.lower().split():
        key, colon, rest = word.partition(":")
        if not colon:
            words.append(word)
            continue
        known = ", ".join(f"{x}:" for x in sorted(known_keys))
        if key not in known_keys:
            raise ValidationException(
                f"Filter has the condition {word!r}, and {key!r} is not a key of this list. "
                f"Its keys are {known}."
            )
        values = tuple(value for value in rest.split(",") if value)
        if not values:
            raise ValidationException(
                f"Filter has {word!r} without a value. Write it as {key}:value, or as "
                f"{key}:one,other with no blank after the colon or the comma."
            )
        conditions.append(Condition(key, values))
    return FilterWords(tuple(conditions), tuple(words))
