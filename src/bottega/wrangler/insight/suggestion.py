"""A step that the data call for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.transforms.registry import named


@dataclass(frozen=True)
class Suggestion:
    """A step, ready to be added.

    Attributes:
        title: what it does, in a few words.
        sentence: why, with figures.
        group: the palette's heading.
        name: what the palette calls the transform.
        values: its parameters by name.
    """

    title: str
    sentence: str
    group: str
    name: str
    values: Mapping[str, Any]

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowSuggestion``."""
        return {
            "Title": self.title,
            "Sentence": self.sentence,
            "Operator": named(self.group, self.name).operator,
            "Name": self.name,
            "Group": self.group,
            "Values": dict(self.values),
        }
