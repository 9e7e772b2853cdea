"""The body of a ``%%train`` or ``%%tune`` cell: one hyperparameter a line.

>>> parse("max_depth: 6\\neta = 0.2   # small steps\\n", {}.__getitem__)
{'max_depth': '6', 'eta': '0.2'}
>>> parse("num_round: $n\\neta: {1 / n}", lambda expression: eval(expression, {"n": 4}))
{'num_round': 4, 'eta': 0.25}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bottega.errors import ClientFault

Evaluate = Callable[[str], Any]
"""Gives the value of a Python expression of the notebook; raises whatever the expression raises."""

_LINE = re.compile(r"([\w.@/-]+)\s*[:=]\s*(.*)", re.DOTALL)
_COMMENT = re.compile(r"(^|\s)#.*")
_QUOTED = re.compile(r"""(['"])(.*?)\1\s*(?:#.*)?""")
_EXPRESSION = re.compile(r"\$\$|\{\{|\}\}|\$(?P<name>[A-Za-z_]\w*)|\{(?P<expression>[^{}]+)\}")
_LITERAL = {"$$": "$", "{{": "{", "}}": "}"}


class CellError(ClientFault):
    """A line of the cell cannot be understood; the message quotes it and says what to write."""

    code = "CellError"


def parse(
    text: str, evaluate: Evaluate, meaning: Callable[[str], Any] = str, magic: str = "%%train"
) -> dict[str, Any]:
    """The hyperparameters of a cell, in the order of its lines.

    A line is ``name: value`` or ``name = value``; ``#`` begins a comment. ``$name`` and
    ``{expression}`` are values of the notebook: alone they are passed on as they are, inside a text
    they are put into it. ``$$``, ``{{`` and ``}}`` are the signs themselves. What stands in quotes
    is taken to the letter.

    Args:
        text: the cell's body.
        evaluate: gives the value of an expression.
        meaning: what a text that stands in no quotes means.
        magic: the cell's first word, for refusals.

    Raises:
        CellError: a line is none of that, a name comes twice, or an expression fails.
    """
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise CellError(
                f"line {number} of the cell, {stripped!r}, is no hyperparameter: write "
                "name: value, one a line. A cell that is the training script itself begins with "
                f"{magic} --script"
            )
        name = match[1]
        if name in found:
            raise CellError(f"line {number} of the cell gives {name!r} a second time; keep one")
        try:
            found[name] = _value(match[2], evaluate, meaning)
        except CellError as error:
            raise CellError(f"line {number} of the cell, {stripped!r}: {error}") from error
        except Exception as error:
            raise CellError(
                f"line {number} of the cell, {stripped!r}: {type(error).__name__}: {error}"
            ) from error
        if found[name] == "":
            raise CellError(
                f"line {number} of the cell gives {name!r} no value; leave the line out for the "
                "default"
            )
    return found


def _value(text: str, evaluate: Evaluate, meaning: Callable[[str], Any]) -> Any:
    if quoted := _QUOTED.fullmatch(text):
        return quoted[2]
    text = _COMMENT.sub("", text).strip()
    alone = _EXPRESSION.fullmatch(text)
    if alone is not None and alone[0] not in _LITERAL:
        return evaluate(alone["name"] or alone["expression"])

    def put_in(match: re.Match[str]) -> str:
        if match[0] in _LITERAL:
            return _LITERAL[match[0]]
        return str(evaluate(match["name"] or match["expression"]))

    return meaning(_EXPRESSION.sub(put_in, text))
