"""All rules of the profiler by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from bottega.debugger.findings import Finding
from bottega.debugger.profiler_rules.bottlenecks import CPUBottleneck, IOBottleneck
from bottega.debugger.profiler_rules.framework_rules import (
    Dataloader,
    MaxInitializationTime,
    StepOutlier,
)
from bottega.debugger.profiler_rules.gpus import GPUMemoryIncrease, LoadBalancing
from bottega.debugger.profiler_rules.overall import OverallFrameworkMetrics, OverallSystemUsage
from bottega.debugger.profiler_rules.profile import News
from bottega.debugger.profiler_rules.profiler_rule import ProfilerRule
from bottega.debugger.profiler_rules.utilisation import BatchSize, LowGPUUtilization
from bottega.debugger.rules.parameters import (
    EVALUATORS_OWN,
    ParameterRefused,
    parameters_of,
)
from bottega.nearest import ending

SINGLE: Mapping[str, type[ProfilerRule]] = {
    rule.__name__: rule
    for rule in (
        *(BatchSize, CPUBottleneck, Dataloader, GPUMemoryIncrease, IOBottleneck, LoadBalancing),
        *(LowGPUUtilization, MaxInitializationTime, OverallSystemUsage, OverallFrameworkMetrics),
        StepOutlier,
    )
}
"""Those that look at one thing."""


@dataclass
class ProfilerReport(ProfilerRule):
    """Evaluates all other rules, for a report; never fires."""

    looks_for: ClassVar[str] = (
        "Nothing: it evaluates all rules of the profiler and writes a report."
    )
    advice: ClassVar[str] = "Open the report."

    rules: dict[str, ProfilerRule] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.rules = {name: rule() for name, rule in SINGLE.items()}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> ProfilerReport:
        """Parameters are called ``<RuleName>_<parameter>``, in any case."""
        by_name = {name.lower(): name for name in SINGLE}
        of: dict[str, dict[str, str]] = {name: {} for name in SINGLE}
        own: dict[str, str] = {}
        for key, value in texts.items():
            rule, _, name = key.lower().partition("_")
            if rule in by_name and name:
                of[by_name[rule]][name] = value
            elif key.lower() in EVALUATORS_OWN or key.lower() in parameters_of(cls):
                own[key] = value
            else:
                raise ParameterRefused(
                    f'The rule ProfilerReport has no parameter "{key}". Its parameters are called '
                    f"<RuleName>_<parameter>, for the rules {', '.join(SINGLE)}."
                )
        report = super().from_texts(own)
        report.rules = {name: SINGLE[name].from_texts(of[name]) for name in SINGLE}
        return report

    def show(self, news: News) -> list[Finding]:
        for rule in self.rules.values():
            rule.show(news)
        self.datapoints += len(news.ticks) + len(news.events)
        return []

    def at_end(self) -> None:
        for rule in self.rules.values():
            rule.conclude()

    def remark(self) -> str:
        return "" if self.datapoints else "The profile is empty, so the report says little."


@dataclass
class DetailedProfilerProcessing(ProfilerReport):
    """What SageMaker's SDK asks for when it wants the profile prepared: the same report."""


BUILT_IN: Mapping[str, type[ProfilerRule]] = {
    **SINGLE,
    "ProfilerReport": ProfilerReport,
    "DetailedProfilerProcessing": DetailedProfilerProcessing,
}


def rule_class(name: str) -> type[ProfilerRule]:
    """The class of a rule of the profiler.

    Raises:
        ParameterRefused: there is no such rule.
    """
    if name not in BUILT_IN:
        raise ParameterRefused(f'There is no profiler rule "{name}"{ending(name, BUILT_IN)}')
    return BUILT_IN[name]


def built_in(name: str, parameters: Mapping[str, str]) -> ProfilerRule:
    """A rule of the profiler, ready to be shown a profile.

    Args:
        name: what RuleParameters' ``rule_to_invoke`` says.
        parameters: RuleParameters; what is the evaluator's is left out.

    Raises:
        ParameterRefused: no such rule, or a parameter that is unknown or malformed.
    """
    return rule_class(name).from_texts(parameters)
