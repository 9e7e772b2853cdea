r"""Regular expressions that mean the same in the engine (RE2) and in Python (``re``).

What somebody writes is read with Python's syntax and rules; the engine gets an expression with the
same meaning. Differences from Python, so that both can:

- ``$`` is the end of the text, also where the text ends with a line break (``\Z`` in the code).
- ``\b`` and ``\B`` know ASCII letters, digits and underscores only (``(?a:\b)`` in the code).
- Lookaround, references to groups, conditions, atomic groups and possessive repeats are refused:
  RE2 promises a time linear in the text and has none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transforms.characters import DECIMAL, SPACE, WORD

_REPEATS = 1000
"""The most repeats that RE2 takes."""
_CASES_OF_I = "iI\u0130\u0131"
"""What Python takes for the same letter without regard to case, and RE2 does not."""
_NOT_IN_RE2 = {
    ops.ASSERT: "looks ahead or behind, (?=…) or (?<=…)",
    ops.ASSERT_NOT: "looks ahead or behind, (?!…) or (?<!…)",
    ops.GROUPREF: r"refers to a group, \1",
    ops.GROUPREF_EXISTS: "has a condition, (?(1)…)",
    ops.ATOMIC_GROUP: "has an atomic group, (?>…)",
    ops.POSSESSIVE_REPEAT: "has a possessive repeat, a++",
}
_CATEGORIES = {
    ops.CATEGORY_DIGIT: (DECIMAL, False),
    ops.CATEGORY_NOT_DIGIT: (DECIMAL, True),
    ops.CATEGORY_SPACE: (SPACE, False),
    ops.CATEGORY_NOT_SPACE: (SPACE, True),
    ops.CATEGORY_WORD: (WORD, False),
    ops.CATEGORY_NOT_WORD: (WORD, True),
}


@dataclass(frozen=True)
class Pattern:
    """An expression in both languages."""

    python: str
    re2: str
    groups: int
    """How many capturing groups it has."""
    may_be_empty: bool
    """Whether it can match empty text."""
    group_may_be_empty: bool
    """Whether the first group, or the whole where there is none, can be empty in a match."""
    ignore_case: bool = False

    @property
    def sql(self) -> str:
        """As a literal for the engine."""
        return literal(self.re2)

    def constant(self, code: PandasCode, wanted: str) -> str:
        """The compiled expression in the exported program, made of a named constant."""
        code.require("import re")
        text = code.constant(wanted, self.python)
        return f"re.compile({text}{', re.IGNORECASE' if self.ignore_case else ''})"

    def call(self, code: PandasCode, wanted: str, function: str) -> str:
        """A call of one of ``re``'s functions on ``text``, with a named constant.

        For where pandas would give the expression to Arrow, whose rules are others.
        """
        code.require("import re")
        constant = code.constant(wanted, self.python)
        return f"re.{function}({constant}, text{', re.IGNORECASE' if self.ignore_case else ''})"


@lru_cache(maxsize=256)
def read_pattern(parameter: str, text: str, ignore_case: bool = False) -> Pattern:
    """An expression, judged.

    Args:
        parameter: what holds it, for the error.
        text: in Python's syntax.
        ignore_case: whether upper and lower case are one.

    Raises:
        ParameterError: it is no expression, or one that RE2 cannot run; says what of it.
    """
    try:
        tree = parser.parse(text, re.IGNORECASE if ignore_case else 0)
    except re.error as error:
        place = "" if error.pos is None else f" at character {error.pos + 1}"
        raise ParameterError(
            parameter, f"Pattern: {text!r} is no regular expression: {error.msg}{place}."
        ) from None
    except (OverflowError, RecursionError):
        raise ParameterError(parameter, f"Pattern: {text[:60]!r}… is too large.") from None
    flags = tree.state.flags
    if flags & (re.VERBOSE | re.LOCALE | re.ASCII):
        raise ParameterError(
            parameter, f"Pattern: {text!r} sets one of the flags a, L and x; write it without."
        )
    re2 = _Writer(parameter, text).sequence(tree, flags)
    first = _first_group(tree)
    pattern = Pattern(
        _for_python(text),
        f"(?i){re2}" if flags & re.IGNORECASE else re2,
        tree.state.groups - 1,
        tree.getwidth()[0] == 0,
        tree.getwidth()[0] == 0 if tree.state.groups == 1 else first is None or first == 0,
        ignore_case,
    )
    _try(parameter, text, pattern)
    return pattern


def quoted(text: str) -> str:
    """An expression that matches exactly a text, in both languages."""
    return "".join(
        c if c.isalnum() or c == "_" or ord(c) > 127 else f"\\x{ord(c):02x}" for c in text
    )


def _first_group(tree: Any) -> int | None:
    """The least width of the first group, None when a match can do without it."""
    for op, argument in tree:
        if op is ops.SUBPATTERN:
            if argument[0] == 1:
                return int(argument[3].getwidth()[0])
            found = _first_group(argument[3])
            if found is not None:
                return found
    return None  # nowhere, or below a choice or a repeat


class _Writer:
    def __init__(self, parameter: str, text: str) -> None:
        self._parameter = parameter
        self._text = text

    def sequence(self, tree: Any, flags: int) -> str:
        return "".join(self._one(op, argument, flags) for op, argument in tree)

    def _refused(self, what: str) -> ParameterError:
        return ParameterError(self._parameter, f"Pattern: {self._text!r} {what}.")

    def _one(self, op: Any, argument: Any, flags: int) -> str:
        if op in _NOT_IN_RE2:
            raise self._refused(f"{_NOT_IN_RE2[op]}, which the engine cannot; write it without")
        if op is ops.LITERAL:
            return self._literal(argument, flags)
        if op is ops.NOT_LITERAL:
            return self._class([(ops.NEGATE, None), (ops.LITERAL, argument)], flags)
        if op is ops.ANY:
            return r"[\x{0}-\x{10FFFF}]" if flags & re.DOTALL else r"[^\n]"
        if op is ops.IN:
            return self._class(argument, flags)
        if op is ops.BRANCH:
            return "(?:" + "|".join(self.sequence(one, flags) for one in argument[1]) + ")"
        if op is ops.AT:
            return self._place(argument, flags)
        if op is ops.SUBPATTERN:
            return self._group(argument, flags)
        if op in (ops.MAX_REPEAT, ops.MIN_REPEAT):
            return self._repeat(argument, flags, "" if op is ops.MAX_REPEAT else "?")
        raise self._refused(f"has {op}, which the engine cannot")  # pragma: no cover

    def _literal(self, point: int, flags: int) -> str:
        if flags & re.IGNORECASE and chr(point) in _CASES_OF_I:
            return f"[{_CASES_OF_I}]"
        return _escaped(point)

    def _group(self, argument: Any, flags: int) -> str:
        number, added, removed, inner = argument
        if added & (re.VERBOSE | re.ASCII | re.LOCALE) or removed & re.VERBOSE:
            raise self._refused("sets one of the flags a, L and x; write it without")
        now = (flags | added) & ~removed
        case = ""
        if (now ^ flags) & re.IGNORECASE:
            case = "(?i)" if now & re.IGNORECASE else "(?-i)"
        return f"({'?:' if number is None else ''}{case}{self.sequence(inner, now)})"

    def _repeat(self, argument: Any, flags: int, lazy: str) -> str:
        least, most, inner = argument
        endless = most is ops.MAXREPEAT or most >= ops.MAXREPEAT
        if least > _REPEATS or (not endless and most > _REPEATS):
            raise self._refused(f"repeats more than {_REPEATS} times")
        if inner.getwidth()[0] == 0 and (endless or most > 1):
            raise self._refused("repeats something that may be empty, as in (a*)*; write a*")
        upper = "" if endless else str(most)
        return f"(?:{self.sequence(inner, flags)}){{{least},{upper}}}{lazy}"

    def _place(self, place: Any, flags: int) -> str:
        several = flags & re.MULTILINE
        if place is ops.AT_BEGINNING:
            return "(?m:^)" if several else r"\A"
        if place is ops.AT_END:
            return "(?m:$)" if several else r"\z"
        known = {
            ops.AT_BEGINNING_STRING: r"\A",
            ops.AT_END_STRING: r"\z",
            ops.AT_BOUNDARY: r"\b",
            ops.AT_NON_BOUNDARY: r"\B",
        }
        return known[place]

    def _class(self, items: Iterable[Any], flags: int) -> str:
        listed = list(items)
        negated = bool(listed) and listed[0][0] is ops.NEGATE
        inside, outside = "", []
        for op, argument in listed[1:] if negated else listed:
            if op is ops.LITERAL:
                inside += _escaped(argument)
                if flags & re.IGNORECASE and chr(argument) in _CASES_OF_I:
                    inside += _CASES_OF_I
            elif op is ops.RANGE:
                low, high = argument
                inside += f"{_escaped(low)}-{_escaped(high)}"
                if flags & re.IGNORECASE and any(low <= ord(c) <= high for c in _CASES_OF_I):
                    inside += _CASES_OF_I
            else:
                known, is_not = _CATEGORIES[argument]
                if is_not:
                    outside.append(known)
                else:
                    inside += known
        if not outside:
            return f"[{'^' if negated else ''}{inside}]"
        if negated:
            raise self._refused(r"has \D, \S or \W inside [^…]; name what is meant instead")
        parts = [f"[^{known}]" for known in outside]
        return "(?:" + "|".join([f"[{inside}]"] * bool(inside) + parts) + ")"


def _escaped(point: int) -> str:
    character = chr(point)
    return character if character.isalnum() and point < 128 else f"\\x{{{point:X}}}"


def _for_python(text: str) -> str:
    r"""The same text, with ``$`` and ``\b`` as the module says."""
    result, place, in_class = "", 0, False
    several = "m" in "".join(re.findall(r"\(\?([aiLmsux-]+)[:)]", text))
    while place < len(text):
        character = text[place]
        if character == "\\":
            pair = text[place : place + 2]
            result += f"(?a:{pair})" if pair in (r"\b", r"\B") and not in_class else pair
            place += 2
            continue
        if in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
            # A bracket that comes first, also after ^, is one of the characters.
            opening = re.match(r"\[\^?\]?", text[place:])
            assert opening is not None
            result += opening[0]
            place += len(opening[0])
            continue
        result += r"\Z" if character == "$" and not in_class and not several else character
        place += 1
    return result


def _try(parameter: str, text: str, pattern: Pattern) -> None:
    """Let both compile it: RE2 has limits of size that cannot be told beforehand."""
    import duckdb

    re.compile(pattern.python)
    try:
        with duckdb.connect() as connection:
            connection.execute(f"SELECT regexp_matches('', {pattern.sql})")
    except duckdb.Error as error:
        reason = str(error).split("\n", 1)[0]
        raise ParameterError(
            parameter, f"Pattern: {text!r} cannot be run by the engine: {reason}"
        ) from None
