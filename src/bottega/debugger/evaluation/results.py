"""What the evaluating process says: a file that is replaced whenever there is news.

The process runs code of users', so its reader trusts nothing in the file.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from bottega.debugger.findings import Finding

FILE = "results.json"
LARGEST_FILE = 8 << 20
MOST_FINDINGS = 100
"""Findings of one rule that are kept, the oldest; the others are counted."""
LONGEST_TEXT = 1024

Status = Literal["InProgress", "NoIssuesFound", "IssuesFound", "Error", "Stopped"]
_STATUSES = ("InProgress", "NoIssuesFound", "IssuesFound", "Error", "Stopped")


class BadResults(ValueError):
    """The file is not what this program writes."""


@dataclass(frozen=True)
class Found:
    """A finding, and when it was made."""

    finding: Finding
    time: float
    """Seconds since the epoch."""

    def to_json(self) -> dict[str, object]:
        return {**self.finding.to_json(), "Time": self.time}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Found:
        """Raises: ValueError."""
        found = cls(Finding.from_json(document), float(document["Time"]))
        for moment in (found.time, found.finding.start, found.finding.end):
            if moment is not None and not math.isfinite(moment):
                raise ValueError(f"{moment} is no time")
        return found


@dataclass(frozen=True)
class RuleResult:
    """How one rule stands.

    Attributes:
        status: its RuleEvaluationStatus, but for Stopping.
        details: its StatusDetails.
        findings: the oldest of what it found.
        count: how many findings there were.
        last_step: the last step it was shown; None before the first.
        remark: why it has nothing to look at; empty where it has.
    """

    status: Status = "InProgress"
    details: str = ""
    findings: tuple[Found, ...] = ()
    count: int = 0
    last_step: int | None = None
    remark: str = ""

    @property
    def ended(self) -> bool:
        return self.status != "InProgress"

    def with_findings(self, found: list[Found]) -> RuleResult:
        """With further findings."""
        kept = (*self.findings, *found)[:MOST_FINDINGS]
        return replace(self, findings=kept, count=self.count + len(found))

    def to_json(self) -> dict[str, object]:
        return {
            "status": self.status,
            "details": self.details,
            "findings": [one.to_json() for one in self.findings],
            "count": self.count,
            "last_step": self.last_step,
            "remark": self.remark,
        }

    @classmethod
    def from_json(cls, document: Any) -> RuleResult:
        """Raises: BadResults."""
        try:
            if document["status"] not in _STATUSES:
                raise BadResults(f"{document['status']!r} is no status")
            step = document["last_step"]
            return cls(
                status=document["status"],
                details=str(document["details"])[:LONGEST_TEXT],
                findings=tuple(
                    Found.from_json(one) for one in document["findings"][:MOST_FINDINGS]
                ),
                count=int(document["count"]),
                last_step=None if step is None else int(step),
                remark=str(document["remark"])[:LONGEST_TEXT],
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise BadResults(f"a rule's result is malformed: {error}") from error


@dataclass(frozen=True)
class Results:
    """How all rules stand.

    Attributes:
        rules: by RuleConfigurationName.
        done: nothing more will be evaluated, and the reports are written.
    """

    rules: Mapping[str, RuleResult] = field(default_factory=dict)
    done: bool = False

    def write(self, folder: Path) -> None:
        """Leave it in a folder, whole at once."""
        document = {
            "done": self.done,
            "rules": {name: result.to_json() for name, result in self.rules.items()},
        }
        draft = folder / f".{FILE}.draft"
        with open(draft, "w") as file:
            json.dump(document, file)
            file.flush()
            # What was acknowledged stays, whatever happens to the machine.
            os.fsync(file.fileno())
        os.replace(draft, folder / FILE)

    @classmethod
    def parse(cls, content: bytes) -> Results:
        """Read what :meth:`write` wrote.

        Raises:
            BadResults: it is something else.
        """
        try:
            document = json.loads(content)
            rules = {
                str(name): RuleResult.from_json(one) for name, one in document["rules"].items()
            }
            return cls(rules, bool(document["done"]))
        except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
            raise BadResults(f"the results are malformed: {error}") from error

    @classmethod
    def read(cls, folder: Path) -> Results:
        """The process's own results of before; none where there are none that can be read."""
        try:
            return cls.parse((folder / FILE).read_bytes())
        except (FileNotFoundError, BadResults):
            return cls()
