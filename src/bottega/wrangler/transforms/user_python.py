"""Running Python code that came with a flow, and saying which of its lines failed."""

from __future__ import annotations

import ast
import io
import tokenize
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from bottega.wrangler.errors import DataError, ParameterError

_FILE = "<custom code>"
_INSIDE = frozenset(
    number
    for number in (tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", None))
    if number is not None
)
_SHOWN_LINES = 3


def function_source(name: str, arguments: str, code: str, result: str) -> str:
    """Code as the body of a function.

    Args:
        name: of the function.
        arguments: in its parentheses.
        code: which compiles; texts over several lines keep their content.
        result: what is returned at the end.
    """
    lines = code.splitlines()
    inside = _lines_inside_texts(code)
    body = [
        line if number in inside or not line.strip() else f"    {line}"
        for number, line in enumerate(lines, 1)
    ]
    return "\n".join([f"def {name}({arguments}):", *body, f"    return {result}"])


def check_python(parameter: str, code: str) -> ast.Module:
    """Check that code is Python, and can be the body of a function.

    Raises:
        ParameterError: it is not; says which line, and what is wrong with it.
    """
    if not code.strip():
        raise ParameterError(parameter, "The code is empty; write what shall become of the table.")
    try:
        tree = ast.parse(code, _FILE)
        compile(function_source("custom_code", "df", code, "df"), _FILE, "exec")
    except (SyntaxError, ValueError, tokenize.TokenError) as error:
        line = getattr(error, "lineno", None)
        # Only what the first check lets pass is counted with the line of the def.
        where = f"Line {line}: " if isinstance(line, int) else ""
        message = getattr(error, "msg", None) or str(error)
        raise ParameterError(parameter, f"The code is not Python. {where}{message}.") from error
    return tree


def python_function(
    arguments: str, code: str, result: str, names: dict[str, Any]
) -> Callable[..., Any]:
    """The code as a function; see :func:`function_source`.

    Args:
        arguments: in its parentheses.
        code: its body.
        result: what is returned at the end.
        names: what the code can use without importing it.
    """
    scope = {"__name__": "__custom_code__", **names}
    source = function_source("custom_code", arguments, code, result)
    exec(compile(source, _FILE, "exec"), scope)
    found: Callable[..., Any] = scope["custom_code"]
    return found


def called(function: Callable[..., Any], code: str, *arguments: Any) -> Any:
    """What a function of the user's returns.

    Raises:
        DataError: it raised; the message has the lines of the code that led there.
    """
    try:
        return function(*arguments)
    except (Exception, SystemExit) as error:
        raise DataError(f"The code failed. {_told(error, code)}") from error


def _told(error: BaseException, code: str) -> str:
    lines = code.splitlines()
    numbers = [n - 1 for n in _own_lines(error.__traceback__) if 1 <= n - 1 <= len(lines)]
    shown = [f"Line {n}: {lines[n - 1].strip()}" for n in numbers[-_SHOWN_LINES:]]
    what = "".join(traceback.format_exception_only(error)).strip()
    return "\n".join([*shown, what])


def _own_lines(trace: TracebackType | None) -> list[int]:
    return [
        frame.lineno
        for frame in traceback.extract_tb(trace)
        if frame.filename == _FILE and frame.lineno is not None
    ]


def _lines_inside_texts(code: str) -> set[int]:
    """Numbers of the lines that begin inside a text; an indent there would change the text."""
    inside: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type in _INSIDE:
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside
