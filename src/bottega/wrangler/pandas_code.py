"""Collects the statements of an exported pandas program.

A transform writes statements on a variable that holds the table. They change it in place or assign
it anew; the frame is the function's own copy. The index may be anything without repeats: a
statement that would repeat labels resets it (``ignore_index=True``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

_CONSTANT = re.compile(r"[^0-9A-Za-z]+")


class PandasCode:
    """The program of one flow, while its steps are written one after the other.

    Args:
        table: the variable that holds the table.
        others: the variables of a join's further tables.
    """

    def __init__(self, table: str = "df", others: tuple[str, ...] = ()) -> None:
        self.table = table
        self.others = others
        self._imports: set[str] = {"import pandas as pd"}
        self._constants: dict[str, str] = {}
        self._functions: dict[str, str] = {}
        self._lines: list[str] = []

    def line(self, text: str = "") -> None:
        """Add statements at the level of the function's body; several lines keep their indents."""
        self._lines.extend(text.split("\n"))

    def require(self, statement: str) -> None:
        """Import something at the top: ``import numpy as np``."""
        self._imports.add(statement)

    def constant(self, wanted: str, value: Any) -> str:
        """A named constant above the function, for what was learnt; returns its name.

        Args:
            wanted: in words, ``total_charges median``; made upper case, and unique.
            value: anything that :func:`python_literal` can write.
        """
        base = _CONSTANT.sub("_", wanted).strip("_").upper() or "VALUE"
        if base[0].isdigit():
            base = f"_{base}"
        text, name, number = self.literal(value), base, 1
        while self._constants.get(name, text) != text:
            number += 1
            name = f"{base}_{number}"
        self._constants[name] = text
        return name

    def function(self, name: str, source: str) -> str:
        """A function above the main one, written once however often it is asked for.

        Args:
            name: as in the source's ``def``.
            source: the whole definition, without indent. Another one of the same name is a bug of
                the transform's.
        """
        source = source.strip("\n")
        if self._functions.setdefault(name, source) != source:
            raise ValueError(f"two functions of the name {name!r}")
        return name

    def literal(self, value: Any) -> str:
        """A value as Python writes it; imports what that needs."""
        if _has_infinity(value):
            self.require("from math import inf")
        return python_literal(value)

    def column(self, name: str, table: str = "") -> str:
        """A column of the table: ``df["total"]``."""
        return f"{table or self.table}[{python_literal(name)}]"

    def variable(self, wanted: str) -> str:
        """A name for a local variable, made of words."""
        text = _CONSTANT.sub("_", wanted).strip("_").lower() or "value"
        return text if not text[0].isdigit() else f"_{text}"

    @property
    def lines(self) -> list[str]:
        """The body so far."""
        return list(self._lines)

    @property
    def imports(self) -> list[str]:
        """Import statements, in isort's order: plain ones first."""
        return sorted(self._imports, key=lambda text: (text.startswith("from"), text))

    @property
    def constants(self) -> Mapping[str, str]:
        """Literals by name, in the order they were asked for."""
        return dict(self._constants)

    @property
    def functions(self) -> Mapping[str, str]:
        """Sources by name, in the order they were asked for."""
        return dict(self._functions)

    def take(self) -> list[str]:
        """The body so far, which is then empty: for who arranges steps into functions."""
        taken, self._lines = self._lines, []
        return taken


def python_literal(value: Any) -> str:
    """A JSON value, date or datetime as Python source, text in double quotes.

    >>> python_literal(["it's", 1.5, None])
    '["it\\'s", 1.5, None]'
    """
    match value:
        case str():
            text = repr(value)
            if text.startswith("'"):
                # repr escapes the single quotes only where there are double ones, too.
                inner = text[1:-1].replace("\\'", "'").replace('"', '\\"')
                text = f'"{inner}"'
            return text
        case bool() | None:
            return repr(value)
        case float():
            if math.isnan(value):
                return 'float("nan")'
            return repr(value)
        case list():
            return "[" + ", ".join(map(python_literal, value)) + "]"
        case tuple():
            inner = ", ".join(map(python_literal, value))
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        case Mapping():
            pairs = (f"{python_literal(k)}: {python_literal(v)}" for k, v in value.items())
            return "{" + ", ".join(pairs) + "}"
    return repr(value)


def _has_infinity(value: Any) -> bool:
    if isinstance(value, float):
        return math.isinf(value)
    if isinstance(value, Mapping):
        return any(map(_has_infinity, value.values()))
    return isinstance(value, list | tuple) and any(map(_has_infinity, value))
