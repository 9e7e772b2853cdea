"""What a word of a magic stands for: a variable of the notebook, a file, or an ``s3://`` URI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bottega.errors import ClientFault
from bottega.nearest import did_you_mean
from bottega.sdk.data import CONTENT_TYPES

_ROOT = re.compile(r"([A-Za-z_]\w*)(?=$|[.\[(])")


class UnknownValue(ClientFault):
    """A word names nothing that is there."""

    code = "UnknownValue"


class Shell(Protocol):
    """What is needed of IPython's shell."""

    user_ns: dict[str, Any]

    def ev(self, expr: str) -> Any: ...


@dataclass(frozen=True)
class FileBody:
    """A file that is sent as it is."""

    body: bytes
    content_type: str


def channel_source(shell: Shell, word: str, option: str) -> Any:
    """Data for a channel: the value of a variable or an expression, a path, or a URI.

    Args:
        shell: the notebook's.
        word: what the user wrote.
        option: what for, as ``--data``; for the refusal.

    Raises:
        UnknownValue: there is no such variable and no such file.
    """
    if word.startswith("s3://"):
        return word
    if Path(word).expanduser().exists() and word not in shell.user_ns:
        return word
    if names_a_variable(shell, word):
        return _evaluate(shell, word)
    raise UnknownValue(
        f"{option} {word}: there is no variable and no file of that name"
        + _meant(word, shell.user_ns)
    )


def rows(shell: Shell, text: str) -> Any:
    """Rows to predict: a variable or an expression, a file, or one row of CSV as it stands there.

    Raises:
        UnknownValue: it is nothing of that kind.
    """
    if names_a_variable(shell, text):
        return _evaluate(shell, text)
    path = Path(text).expanduser()
    if "\n" not in text and path.is_file():
        return FileBody(path.read_bytes(), CONTENT_TYPES.get(path.suffix, "text/csv"))
    if any(character.isdigit() for character in text) and not _ROOT.match(text):
        return text
    raise UnknownValue(
        f"{text}: there is no variable and no file of that name, and it is no row of numbers"
        + _meant(text, shell.user_ns)
    )


def names_a_variable(shell: Shell, text: str) -> bool:
    """Whether a text begins with a variable of the notebook: ``df``, ``df[:3]``, ``data.frame``."""
    root = _ROOT.match(text)
    return root is not None and root[1] in shell.user_ns


def _evaluate(shell: Shell, expression: str) -> Any:
    try:
        return shell.ev(expression)
    except Exception as error:
        raise UnknownValue(f"{expression}: {type(error).__name__}: {error}") from error


def _meant(word: str, namespace: Mapping[str, Any]) -> str:
    names = [name for name in namespace if not name.startswith("_")]
    return did_you_mean(word, names)
