"""What comes of an export."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from typing import Any

PYTHON = "text/x-python"
_NO_WORD = re.compile(r"[^0-9A-Za-z]+")


@dataclass(frozen=True)
class Exported:
    """A flow as code."""

    text: str
    file_name: str
    media_type: str
    notes: tuple[str, ...] = ()
    """What the code cannot do, in sentences."""

    def as_answer(self) -> dict[str, Any]:
        """In the shape ``ExportFlowResponse``."""
        return {
            "Text": self.text,
            "FileName": self.file_name,
            "MediaType": self.media_type,
            "Notes": list(self.notes),
        }


def identifier(wanted: str, default: str) -> str:
    """Words as the name of a variable or a function."""
    text = _NO_WORD.sub("_", wanted).strip("_").lower()
    if not text:
        return default
    text = f"_{text}" if text[0].isdigit() else text
    return f"{text}_" if keyword.iskeyword(text) else text


def free(wanted: str, taken: set[str]) -> str:
    """The name itself, or with the first number behind it that is not taken; takes it."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken.add(name)
    return name
