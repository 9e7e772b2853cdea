"""Python source laid out as formatters would: imports in order, long lines broken in brackets."""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

WIDTH = 100
_OPEN, _CLOSE = "([{", ")]}"
_WORTH = 20
"""Characters between brackets, below which breaking them gains nothing."""
_FROM = re.compile(r"from (\S+) import (.+)")


def imports(statements: Iterable[str], body: str) -> list[str]:
    """Import statements in isort's order, without those that nothing in the body uses.

    Args:
        statements: each imports one module, or names from one.
        body: the program that they are for.
    """
    used = {node.id for node in ast.walk(ast.parse(body)) if isinstance(node, ast.Name)}
    plain: set[str] = set()
    names: dict[str, set[str]] = {}
    for statement in statements:
        match = _FROM.fullmatch(statement)
        if match:
            for name in match[2].split(","):
                bound = name.strip().rsplit(" as ", 1)[-1]
                if bound in used:
                    names.setdefault(match[1], set()).add(name.strip())
        elif statement.rsplit(" ", 1)[-1].split(".")[0] in used:
            plain.add(statement)
    groups: dict[bool, list[tuple[bool, str, str]]] = {True: [], False: []}
    for statement in plain:
        module = statement.split()[1]
        groups[_is_standard(module)].append((False, module.lower(), statement))
    for module, members in names.items():
        text = f"from {module} import {', '.join(sorted(members, key=_member_order))}"
        groups[_is_standard(module)].append((True, module.lower(), text))
    lines: list[str] = []
    for standard in (True, False):
        if groups[standard]:
            lines += [""] if lines else []
            lines += [text for _, _, text in sorted(groups[standard])]
    return lines


def _is_standard(module: str) -> bool:
    return module.split(".")[0] in sys.stdlib_module_names


def _member_order(name: str) -> tuple[int, str]:
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def broken(lines: Iterable[str]) -> list[str]:
    """Lines of a program, long ones broken; what cannot be broken is marked for linters.

    Args:
        lines: a line each, as in a file. Statements over several lines stay as they are.
    """
    result: list[str] = []
    inside = ""
    for line in lines:
        # The text of a multi-line string is not ours to change.
        for quote in ('"""', "'''"):
            if line.count(quote) % 2 and inside in ("", quote):
                inside = "" if inside else quote
        if len(line) <= WIDTH or inside or '"""' in line:
            result.append(line)
            continue
        result += _broken_line(line)
    return result


def _broken_line(line: str) -> list[str]:
    indent = len(line) - len(line.lstrip())
    text = line.strip()
    if text.startswith("#"):
        return [line]
    try:
        before = ast.dump(_parsed(text))
        pieces = _split(text, indent)
        after = ast.dump(_parsed("\n".join(pieces).strip()))
    except (SyntaxError, tokenize.TokenError, IndentationError):  # a part of a longer statement
        return [f"{line}  # noqa: E501"]
    if before != after:
        return [f"{line}  # noqa: E501"]
    return [_marked(piece) for piece in pieces]


def _parsed(text: str) -> ast.Module:
    """A statement, or the head of a compound one with nothing in it."""
    if text.endswith(":"):
        return ast.parse(f"{text}\n pass")
    if text.startswith(("return", "break", "continue")):
        return ast.parse("def f():\n " + text)
    return ast.parse(text)


def _marked(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line}  # noqa: E501"


def _split(text: str, indent: int) -> list[str]:
    """A piece of code on several lines, where it is too long for one."""
    found = _widest(text) if indent + len(text) > WIDTH else None
    if found is None:
        return [" " * indent + text]
    lines = [" " * indent + text[: found.start + 1]]
    parts = _parts(text, found)
    for number, part in enumerate(parts):
        comma = number < len(parts) - 1 or (found.commas and not found.is_comprehension)
        *first, last = _split(part, indent + 4)
        lines += [*first, last + ("," if comma else "")]
    return [*lines, *_split(text[found.end :], indent)]


@dataclass
class _Bracket:
    """Brackets, and the commas right inside of them."""

    start: int
    depth: int
    is_subscript: bool
    end: int = 0
    commas: list[int] = field(default_factory=list)
    is_comprehension: bool = False
    in_lambda: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """The outermost come first, and of those the widest."""
        return -self.depth, self.end - self.start


def _parts(text: str, found: _Bracket) -> list[str]:
    commas = [] if found.is_comprehension else found.commas
    starts = [found.start + 1, *(comma + 1 for comma in commas)]
    parts = [text[a:b].strip() for a, b in zip(starts, [*commas, found.end], strict=True)]
    return [part for part in parts if part]


def _widest(text: str) -> _Bracket | None:
    """The brackets to break a line in; None when there are none worth it."""
    stack: list[_Bracket] = []
    closed: list[_Bracket] = []
    previous = ""
    for token in _tokens(text):
        place, word = token.start[1], token.string
        if token.type == tokenize.OP and word in _OPEN:
            subscript = word == "[" and re.fullmatch(r".*[\w)\]}\"']", previous) is not None
            stack.append(_Bracket(place, len(stack), subscript))
        elif token.type == tokenize.OP and word in _CLOSE and stack:
            closed.append(stack.pop())
            closed[-1].end = place
        elif stack:
            _note(stack[-1], token)
        previous = word or previous
    worth = [one for one in closed if not one.is_subscript and one.end - one.start > _WORTH]
    return max(worth, key=lambda one: one.rank, default=None)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a piece of a line, which may close brackets that it has not opened."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.start[0] == 1:
                yield token
    except tokenize.TokenError:  # it ends inside of brackets
        return


def _note(bracket: _Bracket, token: tokenize.TokenInfo) -> None:
    match token.string:
        case "lambda":
            bracket.in_lambda = True
        case ":":
            bracket.in_lambda = False
        case "," if not bracket.in_lambda:
            bracket.commas.append(token.start[1])
        case "for" if token.type == tokenize.NAME:
            bracket.is_comprehension = True
