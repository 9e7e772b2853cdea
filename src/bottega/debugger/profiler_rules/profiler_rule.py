"""What the profiler's rules have in common."""

from __future__ import annotations

import math
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from bottega.debugger.findings import Finding, Number
from bottega.debugger.profiler_rules.profile import Event, News, Tick
from bottega.debugger.rules.parameters import parameter, parameters_of, read

NO_GPU = "No GPU was seen in the profile, so there is nothing for it to look at."
NO_STEPS = (
    "The profile has no steps of a framework. It looks at those of PyTorch and XGBoost; see that "
    "DisableProfiler is not set."
)


@dataclass
class ProfilerRule(ABC):
    """One rule over the profile of one training.

    It is shown what is new and remembers what it needs: a new rule that is shown the same samples
    and events says the same, in how many pieces it is shown them. It fires when its condition
    begins to hold, and again when that has ceased and begins once more.
    """

    looks_for: ClassVar[str]
    """One sentence for a person: what makes it fire."""
    advice: ClassVar[str]
    """What to do when it fires; empty for rules that only measure."""

    scan_interval_us: int = parameter(
        60_000_000,
        at_least=1,
        doc="Accepted as SageMaker does: how often files are looked at, in microseconds. They are "
        "looked at as they come.",
    )
    datapoints: int = field(default=0, init=False)
    """How many points it has looked at."""
    findings: list[Finding] = field(default_factory=list, init=False)
    """All that it found."""
    violations: int = field(default=0, init=False)
    """How many points or windows were beyond its limits."""

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> Self:
        """The rule that RuleParameters ask for.

        Raises:
            ParameterRefused: they mean nothing.
        """
        return cls(**read(cls, texts))

    @property
    def name(self) -> str:
        """As ``rule_to_invoke`` gives it."""
        return type(self).__name__

    def show(self, news: News) -> list[Finding]:
        """Look at what is new; returns what was found in it."""
        before = len(self.findings)
        for tick in news.ticks:
            self.see_tick(tick)
        for event in news.events:
            self.see_event(event)
        return self.findings[before:]

    def conclude(self) -> list[Finding]:
        """The training has ended and all was shown: what more there is to say."""
        before = len(self.findings)
        self.at_end()
        return self.findings[before:]

    def see_tick(self, tick: Tick) -> None:  # noqa: B027 - most rules look at one kind alone
        """Look at one sample of one host."""

    def see_event(self, event: Event) -> None:  # noqa: B027
        """Look at one event."""

    def at_end(self) -> None:  # noqa: B027
        """There is nothing more to come."""

    def remark(self) -> str:
        """Why it could not say anything, as a sentence; empty when it could."""
        return ""

    def details(self) -> dict[str, Any]:
        """What it measured, for its report."""
        return {}

    def report(self) -> dict[str, Any]:
        """Its report, with the members that SageMaker's has, and what it found."""
        return {
            "RuleTriggered": len(self.findings),
            "Violations": self.violations,
            "Details": self.details(),
            "Datapoints": self.datapoints,
            "RuleParameters": "\n".join(
                f"{name}:{value}" for name, value in self.parameters().items()
            ),
            "Findings": [finding.to_json() for finding in self.findings],
            "NotApplicable": self.remark(),
        }

    def parameters(self) -> dict[str, object]:
        """Its parameters, without those that change nothing."""
        return {
            name: getattr(self, name)
            for name in parameters_of(type(self))
            if name != "scan_interval_us"
        }

    def found(
        self, message: str, start: float, end: float, node: str = "", **numbers: Number
    ) -> None:
        """Fire."""
        self.findings.append(
            Finding(
                rule=self.name,
                message=message,
                advice=self.advice,
                numbers=numbers,
                start=start,
                end=end,
                node=node,
            )
        )


@dataclass
class OfGpus(ProfilerRule):
    """A rule that has nothing to look at where there is no GPU."""

    gpu_seen: bool = field(default=False, init=False)
    most_points: int = field(default=0, init=False)
    """Of one host or GPU, so far."""
    patience: int = parameter(
        1000, at_least=1, doc="How many points to see, of each host, before judging."
    )

    def remark(self) -> str:
        if not self.gpu_seen:
            return NO_GPU
        if self.most_points < self.patience:
            return (
                f"It saw {self.most_points} of the {self.patience} points that it waits for before "
                "it judges. Give it a smaller patience, or the profiler a shorter interval."
            )
        return ""


def percentile(values: list[float], share: float) -> float:
    """The value below which a share (0 to 100) of the values lies, interpolated as numpy does.

    >>> percentile([1.0, 2.0, 3.0], 50)
    2.0
    """
    ordered = sorted(values)
    place = share / 100 * (len(ordered) - 1)
    below = math.floor(place)
    rest = place - below
    if not rest:
        return ordered[below]
    return ordered[below] + rest * (ordered[below + 1] - ordered[below])
