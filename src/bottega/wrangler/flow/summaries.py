"""What steps are and do, in a few words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from bottega.wrangler.flow.document import Node
from bottega.wrangler.parameters import Parameter
from bottega.wrangler.transform import State, Transform, Values

_MOST = 3
_LONGEST = 60
_TELLING = 2
"""The first parameters say what a step is about, even where they are what they are by default."""


def title(node: Node, transform: Transform) -> str:
    """What to call a step: the name that somebody gave it, or what it is."""
    return str(node.raw.get("name") or transform.name)


def summary(transform: Transform, values: Values, state: State | None) -> str:
    """What a step does to its table, with what it has learnt.

    Args:
        transform: of the step.
        values: its parameters by name, checked or not.
        state: what it has learnt; None while that is not known.
    """
    parts = [
        text
        for place, parameter in enumerate(transform.parameters)
        if (text := _said(parameter, values))
        and not (place >= _TELLING and values.get(parameter.name) == parameter.default)
    ]
    # What code has learnt is which columns it makes; the table shows them.
    learnt = "" if transform.runs_code else fitted(state or {})
    return shortened(", ".join([*parts, *([learnt] if learnt else [])]), 3 * _LONGEST)


def fitted(state: State) -> str:
    """What was learnt: ``fitted 1397.48``; empty when that is nothing."""
    leaves = list(_leaves("", state))
    if not leaves:
        return ""
    if len(leaves) == 1:
        return f"fitted {leaves[0][1]}"
    shown = ", ".join(f"{name} {text}" for name, text in leaves[:_MOST])
    more = len(leaves) - _MOST
    return f"fitted {shown}" + (f" and {more} more" if more > 0 else "")


def shortened(text: str, most: int = _LONGEST) -> str:
    """Text on one line, not longer than so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _said(parameter: Parameter, values: Values) -> str:
    value = values.get(parameter.name)
    if value is None or value == "" or value == [] or not _is_heeded(parameter, values):
        return ""
    match parameter.kind:
        case "column" | "columns" | "texts":
            names = value if isinstance(value, list) else [value]
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            return ", ".join(shortened(str(name)) for name in names[:_MOST]) + more
        case "new_column":
            return f"to {shortened(str(value))}"
        case "choice":
            return str(value).replace("_", " ").lower()
        case "boolean":
            return parameter.label.lower() if value is True and value != parameter.default else ""
        case "records":
            count = len(value) if isinstance(value, list) else 1
            return f"{count} {parameter.label.lower()}"
        case "code" | "formula":
            return shortened(str(value))
    if value == parameter.default:
        return ""
    text = value if isinstance(value, str) else number(value)
    return f"{parameter.label.lower()} {shortened(repr(text) if text != text.strip() else text)}"


def _is_heeded(parameter: Parameter, values: Values) -> bool:
    if parameter.when is None:
        return True
    name, allowed = parameter.when
    return values.get(name) in allowed


def _leaves(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _leaves(str(key), part)
    elif isinstance(value, list | tuple):
        yield name, f"{len(value)} values"
    elif value is not None:
        yield name, number(value)


def number(value: Any) -> str:
    """A value as people write it: six digits are enough."""
    if isinstance(value, bool) or not isinstance(value, float):
        return shortened(str(value).lower() if isinstance(value, bool) else str(value))
    return f"{value:.0f}" if math.isfinite(value) and value == int(value) else f"{value:.6g}"
