"""Tracebacks in the lines of a log: Python's own, and IPython's as notebook jobs leave them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

HEADER = "Traceback (most recent call last)"
MOST_FOLLOWING = 8
"""Lines behind an exception that are looked at as further lines of its message."""

_DIRECT = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"
_FRAME = re.compile(r'\s+File "(?P<file>.+?)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_CELL = re.compile(
    r"(?:Cell|File) (?P<file>.+?)(?:, line |:)(?P<line>\d+)(?:, in (?P<function>.+))?"
)
_ERROR = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?::\s?(?P<message>.*))?$")
_IPYTHON = re.compile(r"(?P<type>[A-Za-z_]\w*)\s+Traceback \(most recent call last\)\s*$")
_SYNTAX = re.compile(r"(?:SyntaxError|IndentationError|TabError): ")
_RANK = re.compile(r"^\[rank\d+\]:\s?")


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    number: int
    """Counted from 0, as ReadLogLines does; -1 for a line that is in no log."""
    text: str


@dataclass(frozen=True)
class Frame:
    """One step of the way to an error."""

    file: str
    line: int
    function: str
    code: str
    """The line of the program; empty where the traceback has none."""

    @property
    def place(self) -> str:
        """For people: ``line 3 of train.py``."""
        return f"line {self.line} of {self.file.rpartition('/')[2]}"

    @property
    def library(self) -> bool:
        """Whether it is code of an installed package or of Python itself."""
        return (
            "site-packages/" in self.file
            or "dist-packages/" in self.file
            or "/lib/python3" in self.file
            or self.file.startswith("<")
            or self.file.endswith((".pyx", ".pxi"))
        )


@dataclass(frozen=True)
class Traceback:
    """An exception, and how the program came to it."""

    type: str
    """As it is written, such as ``numpy._core._exceptions._ArrayMemoryError``."""
    message: str
    """The first line of it."""
    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    """From its header to the exception, those of earlier exceptions of the chain not included."""
    following: tuple[str, ...] = ()
    """What stands behind the exception's line: further lines of its message, or of the log."""
    earlier: Traceback | None = None
    """The exception before it in the chain."""
    link: Literal["", "cause", "context"] = ""
    """``cause``: it was raised ``from`` the earlier one; ``context``: while that was handled."""
    last: bool = field(default=False)
    """Whether next to nothing was written behind it."""

    @property
    def name(self) -> str:
        """The exception's class without its module."""
        return self.type.rpartition(".")[2]

    @property
    def line(self) -> Line:
        """That of the exception."""
        return self.lines[-1]

    @property
    def text(self) -> str:
        """``Type: message``, and the lines behind it."""
        return "\n".join((self.line.text, *self.following))

    @property
    def own_frame(self) -> Frame | None:
        """The last step in code of the user; None where there is none."""
        return next((one for one in reversed(self.frames) if not one.library), None)

    @property
    def whole(self) -> tuple[Line, ...]:
        """All lines of the chain, as the log has them."""
        if self.earlier is None:
            return self.lines
        words = _DIRECT if self.link == "cause" else _CONTEXT
        between = (Line(-1, ""), Line(-1, words), Line(-1, ""))
        return (*self.earlier.whole, *between, *self.lines)


def tracebacks(lines: Sequence[Line]) -> list[Traceback]:
    """All tracebacks among some lines of one log, in order; those that are cut off are left out."""
    texts = [_RANK.sub("", line.text) for line in lines]
    found: list[Traceback] = []
    ends: list[int] = []
    index = 0
    while index < len(texts):
        read = _read(lines, texts, index)
        if read is None:
            index += 1
            continue
        traceback, end = read
        if found and (link := _link(texts, ends[-1], index)):
            traceback = replace(traceback, earlier=found.pop(), link=link)
            ends.pop()
        found.append(traceback)
        ends.append(end)
        index = end
    return found


def _link(texts: Sequence[str], end: int, start: int) -> Literal["", "cause", "context"]:
    """How an exception follows the one whose lines end before ``end``.

    The message of the earlier one may have more lines, so the words are looked for before
    ``start``.
    """
    words = next((text for text in reversed(texts[end:start]) if text.strip()), "")
    return "cause" if words == _DIRECT else "context" if words == _CONTEXT else ""


def _read(lines: Sequence[Line], texts: Sequence[str], start: int) -> tuple[Traceback, int] | None:
    """The traceback that begins at a line, and where the log goes on behind it."""
    text = texts[start]
    if text.startswith(HEADER):
        return _python(lines, texts, start, start + 1)
    if _FRAME.match(text) and _is_syntax(texts, start):
        return _python(lines, texts, start, start)
    if (found := _IPYTHON.match(text)) is not None:
        return _ipython(lines, texts, start, found["type"])
    return None


def _is_syntax(texts: Sequence[str], start: int) -> bool:
    """Whether a lone ``File`` line belongs to an error of syntax, which has no header where the
    program was not even begun."""
    end = start
    while end < len(texts) and (texts[end].startswith(" ") or not texts[end].strip()):
        end += 1
    return end < len(texts) and bool(_SYNTAX.match(texts[end]))


def _python(
    lines: Sequence[Line], texts: Sequence[str], start: int, first: int
) -> tuple[Traceback, int] | None:
    frames: list[Frame] = []
    index = first
    while index < len(texts) and (texts[index][:1] in (" ", "\t", "|", "+") or not texts[index]):
        if (found := _FRAME.match(texts[index])) is not None:
            frames.append(_frame(found, texts[index + 1 : index + 2]))
        index += 1
    return _ended(lines, texts, start, index, frames)


def _ipython(
    lines: Sequence[Line], texts: Sequence[str], start: int, kind: str
) -> tuple[Traceback, int] | None:
    frames: list[Frame] = []
    index = start + 1
    ending = re.compile(rf"{re.escape(kind)}(:|$)")
    while index < len(texts) and not ending.match(texts[index]):
        if (found := _CELL.match(texts[index])) is not None:
            frames.append(_frame(found, [_arrow(texts, index)]))
        if texts[index].startswith(HEADER) or _IPYTHON.match(texts[index]):
            return None
        index += 1
    return _ended(lines, texts, start, index, frames)


def _arrow(texts: Sequence[str], start: int) -> str:
    """The line of a cell that IPython points at."""
    for text in texts[start + 1 : start + 12]:
        if (found := re.match(r"-+> *\d+ ?(.*)", text)) is not None:
            return found[1]
    return ""


def _frame(found: re.Match[str], code: Sequence[str]) -> Frame:
    text = code[0].strip() if code and not _FRAME.match(code[0]) else ""
    return Frame(found["file"], int(found["line"]), found["function"] or "", text)


def _ended(
    lines: Sequence[Line], texts: Sequence[str], start: int, end: int, frames: Sequence[Frame]
) -> tuple[Traceback, int] | None:
    """The traceback whose exception is at ``end``; None where none is there."""
    if end >= len(texts) or (found := _ERROR.match(texts[end])) is None:
        return None
    following = []
    for text in texts[end + 1 : end + 1 + MOST_FOLLOWING]:
        if text.startswith(HEADER) or text in (_DIRECT, _CONTEXT):
            break
        following.append(text)
    behind = sum(bool(text.strip()) for text in texts[end + 1 :])
    traceback = Traceback(
        type=found["type"],
        message=(found["message"] or "").strip(),
        frames=tuple(frames),
        lines=tuple(
            Line(line.number, text)
            for line, text in zip(lines[start : end + 1], texts[start : end + 1], strict=True)
        ),
        following=tuple(following),
        last=behind <= 3,
    )
    return traceback, end + 1
