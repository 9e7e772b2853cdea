"""What the texts of a column look like: ``{upper:2}-{digits:4-7}``."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_RUNS = re.compile(r"[0-9]+|[^\W\d_]+|\s+|.", re.DOTALL)
_LONGEST = 120
"""Characters; of longer texts only so many are looked at."""
_PARTS = 12
"""Texts with more parts are ``{any}``."""


@dataclass(frozen=True)
class Pattern:
    """A form that texts have.

    Attributes:
        text: kinds of runs in braces with their lengths, other characters as they are.
        count: how many texts have it.
        example: the first of them.
    """

    text: str
    count: int
    example: str


def patterns(texts: Iterable[str], most: int = 10) -> list[Pattern]:
    """The forms that texts have, the most frequent first.

    Runs are ``{digits}``, ``{lower}``, ``{upper}``, ``{name}`` (a capital before small letters),
    ``{mixed}``, ``{whitespace}``; ``{alnum}`` where letters and digits stand side by side, and
    ``{any}`` for what has too many parts. Lengths follow: ``{digits:4-7}``. Texts of one form
    differ in the lengths only.
    """
    shapes: Counter[tuple[str, ...]] = Counter()
    lengths: dict[tuple[str, ...], list[list[int]]] = defaultdict(list)
    examples: dict[tuple[str, ...], str] = {}
    for text in texts:
        shape, sizes = _shape(text)
        shapes[shape] += 1
        examples.setdefault(shape, text)
        lengths[shape].append(sizes)
    return [
        Pattern(_written(shape, lengths[shape]), count, examples[shape])
        for shape, count in sorted(shapes.items(), key=lambda item: (-item[1], item[0]))[:most]
    ]


def _shape(text: str) -> tuple[tuple[str, ...], list[int]]:
    if len(text) > _LONGEST:
        return ("any",), [len(text)]
    kinds: list[str] = []
    sizes: list[int] = []
    for run in _RUNS.findall(text):
        kind = _kind(run)
        joined = {kind, kinds[-1] if kinds else ""}
        if len(kind) > 1 and joined <= _ALNUM and len(joined) > 1:
            kinds[-1], sizes[-1] = "alnum", sizes[-1] + len(run)
        else:
            kinds.append(kind)
            sizes.append(len(run))
    if len(kinds) > _PARTS:
        return ("any",), [len(text)]
    return tuple(kinds), sizes


_ALNUM = frozenset({"digits", "lower", "upper", "name", "mixed", "alnum"})


def _kind(run: str) -> str:
    """The kind of a run, or the character itself."""
    if run[0] in "0123456789":
        return "digits"
    if run.isspace():
        return "whitespace"
    if not run[0].isalpha():
        return run
    if run.islower():
        return "lower"
    if run.isupper():
        return "upper"
    return "name" if run[0].isupper() and run[1:].islower() else "mixed"


def _written(shape: Sequence[str], lengths: Sequence[Sequence[int]]) -> str:
    parts = []
    for number, kind in enumerate(shape):
        if len(kind) == 1:
            parts.append(kind)
            continue
        least = min(sizes[number] for sizes in lengths)
        most = max(sizes[number] for sizes in lengths)
        parts.append(f"{{{kind}:{least}}}" if least == most else f"{{{kind}:{least}-{most}}}")
    return "".join(parts)
