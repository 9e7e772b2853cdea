"""Completion of the magics' words: algorithms, options, variables, jobs and endpoints."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bottega.algorithms import registry
from bottega.errors import BottegaError
from bottega.magics.parsers import PARSERS, STRATEGIES
from bottega.sdk.session import Session

MOST = 50
_VALUES = {"--data", "--validation"}


@dataclass(frozen=True)
class Words:
    """What can stand after a magic's name.

    Attributes:
        shell: the notebook's.
        session: gives the session, if there is one: pressing a key starts no service.
    """

    shell: Any
    session: Callable[[], Session | None]

    def after(self, magic: str, line: str) -> list[str]:
        """Words that fit at the end of a line, in the order to offer them."""
        words = line.split()
        previous = words[-1] if line.endswith(" ") else words[-2] if len(words) > 1 else ""
        # --channel NAME DATA
        before = words[-2:-1] if line.endswith(" ") else words[-3:-2]
        if previous in _VALUES or before == ["--channel"]:
            return self._variables()
        if previous == "--strategy":
            return list(STRATEGIES)
        if previous == "--objective" and words[1:2] and words[1] in registry.names():
            return [metric.name for metric in registry.algorithm(words[1]).metric_definitions]
        options = PARSERS[magic].options
        first = len(words) - (not line.endswith(" ")) == 1
        if not first:
            return [*options, *(self._variables() if magic == "predict" else ())]
        if magic in ("train", "tune"):
            return [*registry.names(), *options]
        if magic in ("deploy", "jobs", "debug_job"):
            return [*self._names("jobs", "TrainingJobName"), *options]
        if magic == "tunings":
            return [*self._names("tuning_jobs", "HyperParameterTuningJobName"), *options]
        if magic == "predict":
            return [*self._names("endpoints", "EndpointName"), *options]
        return options

    def _variables(self) -> list[str]:
        return [name for name in self.shell.user_ns if not name.startswith("_")]

    def _names(self, method: str, member: str) -> list[str]:
        if (session := self.session()) is None:
            return []
        try:
            found = itertools.islice(getattr(session, method)(), MOST)
            return [item[member] for item in found]
        except BottegaError:  # there is nothing to offer, and nowhere to say why
            return []


def install(shell: Any, words: Words) -> None:
    """Offer the words where IPython asks for completions."""
    for magic in PARSERS:

        def complete(_shell: Any, event: Any, magic: str = magic) -> list[str]:
            offered = words.after(magic, event.text_until_cursor)
            return [word for word in offered if word.startswith(event.symbol)]

        for sign in ("%", "%%"):
            shell.set_hook("complete_command", complete, str_key=f"{sign}{magic}")
