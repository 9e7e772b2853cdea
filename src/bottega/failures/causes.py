"""The answer: a cause, one sentence, what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bottega.failures.job import Evidence, FailedJob, Said

Confidence = Literal["certain", "likely"]


@dataclass(frozen=True)
class Step:
    """Something to do."""

    text: str
    """A sentence."""
    code: str = ""
    """What to write, where it is code; the first line needs no indentation."""
    language: Literal["python", "shell", "text"] = "python"


@dataclass(frozen=True)
class Cause:
    """Why a job failed."""

    code: str
    """Such as ``OutOfMemory``; never changes its meaning."""
    sentence: str
    """With the job's own names in it."""
    advice: tuple[Step, ...]
    """At least one step, the best one first."""
    confidence: Confidence = "certain"
    evidence: Evidence | None = None
    """Set by the one who found it."""


Explain = Callable[[FailedJob, Said, re.Match[str]], "Cause | None"]


@dataclass(frozen=True)
class Rule:
    """Words by which a cause is known, and what they mean."""

    pattern: re.Pattern[str]
    """Looked for in an exception's text, ``Type: message`` and what follows, or in a reason."""
    explain: Explain
    """Gives None where the words mean something else after all."""
    errors: frozenset[str] = field(default_factory=frozenset)
    """The names of the exceptions, without their modules; empty for any, and for none."""
    tail: bool = False
    """Whether a line near the end of the log counts, too, where there is no traceback."""


def rule(pattern: str, explain: Explain, *errors: str, tail: bool = False, flags: int = 0) -> Rule:
    """A rule, in the order in which one thinks of its parts."""
    return Rule(re.compile(pattern, flags), explain, frozenset(errors), tail)


def step(
    text: str, code: str = "", language: Literal["python", "shell", "text"] = "python"
) -> Step:
    """A step of advice."""
    return Step(text, code, language)
