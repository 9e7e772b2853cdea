"""The words after a magic's name: ``argparse``, with refusals a notebook can show."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from typing import Any, NoReturn

from bottega.errors import ClientFault
from bottega.nearest import did_you_mean


class UsageRefused(ClientFault):
    """The words after a magic's name are not what it takes."""

    code = "UsageRefused"


class HelpWanted(Exception):
    """The user asked for help; the text is it."""


class _ShowHelp(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any, **__: Any) -> NoReturn:
        raise HelpWanted(parser.format_help().rstrip())


class MagicParser(argparse.ArgumentParser):
    """A parser of one magic's words.

    Args:
        name: of the magic, with its signs.
        description: one sentence, shown by ``-h``.
    """

    def __init__(self, name: str, description: str) -> None:
        super().__init__(
            prog=name,
            description=description,
            add_help=False,
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.add_argument("-h", "--help", nargs=0, action=_ShowHelp, help="show this text")

    def parse_line(self, line: str) -> argparse.Namespace:
        """Split the words as a shell would, and parse them.

        Raises:
            UsageRefused: a word is unknown, missing or malformed.
            HelpWanted: ``-h`` is among them.
        """
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageRefused(f"{self.prog}: {error} in {line.strip()!r}") from error
        found, unknown = self.parse_known_args(words)
        if unknown:
            self.error(f"unknown: {' '.join(unknown)}{did_you_mean(unknown[0], self.options)}")
        return found

    def error(self, message: str) -> NoReturn:
        """Refuse, with the way the magic is used."""
        usage = " ".join(self.format_usage().removeprefix("usage: ").split())
        raise UsageRefused(f"{self.prog}: {message}\nUsage: {usage}\n{self.prog} -h says more")

    @property
    def options(self) -> list[str]:
        """The long options, for completion."""
        return [name for name in self._option_string_actions if name.startswith("--")]


def pairs(words: Sequence[Sequence[str]] | None, noun: str = "parameter") -> dict[str, str]:
    """``-p name value`` given any number of times, by name.

    Raises:
        UsageRefused: a name comes twice.
    """
    found: dict[str, str] = {}
    for name, value in words or ():
        if name in found:
            raise UsageRefused(f"the {noun} {name!r} is given twice; keep one")
        found[name] = value
    return found
