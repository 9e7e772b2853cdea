"""Rules over a profile, shown what the machine and the framework did as it is written down."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from bottega.debugger.evaluation.plan import EvaluationPlan, RulePlan
from bottega.debugger.evaluation.results import Found, RuleResult
from bottega.debugger.evaluation.tensor_rules import condition_met, failure
from bottega.debugger.findings import Finding
from bottega.debugger.profiler_rules import registry
from bottega.debugger.profiler_rules.profile import News, ProfileReader
from bottega.debugger.profiler_rules.profiler_rule import ProfilerRule
from bottega.debugger.rules.parameters import ParameterRefused


class ProfileRule:
    """One rule and how it stands.

    Unlike a rule over tensors it goes on after it has fired. One that was interrupted is shown
    everything again and finds the same again, so what it had found is not added to.
    """

    def __init__(self, plan: RulePlan, known: RuleResult) -> None:
        self.plan = plan
        self.result = RuleResult(status=known.status, details=known.details)
        self.rule: ProfilerRule | None = None
        if known.status in ("Error", "Stopped"):
            self.result = known
            return
        try:
            self.rule = registry.built_in(plan.rule, plan.parameters)
        except ParameterRefused as error:
            self.result = RuleResult("Error", failure(error))

    @property
    def goes_on(self) -> bool:
        """Whether it is still evaluated."""
        return self.rule is not None and self.result.status in ("InProgress", "IssuesFound")

    def show(self, news: News) -> None:
        """Show it what is new."""
        if self.rule is not None and self.goes_on:
            rule = self.rule
            self._ask(lambda: rule.show(news))

    def conclude(self) -> None:
        """Nothing more comes."""
        if self.rule is None or not self.goes_on:
            return
        self._ask(self.rule.conclude)
        if self.result.status == "InProgress":
            self.result = replace(self.result, status="NoIssuesFound", remark=self.rule.remark())

    def stop(self) -> None:
        """Somebody has stopped it."""
        if self.result.status == "InProgress":
            self.result = replace(self.result, status="Stopped")

    def _ask(self, question: Callable[[], Sequence[Finding]]) -> None:
        try:
            findings = question()
        except Exception as error:  # one rule's fault is not the others'
            traceback.print_exc()
            self.result = replace(self.result, status="Error", details=failure(error))
            return
        if not findings:
            return
        result = self.result.with_findings([Found(one, _moment(one)) for one in findings])
        if result.status == "InProgress":
            details = condition_met(self.plan.rule, findings[0])
            result = replace(result, status="IssuesFound", details=details)
        self.result = result


def _moment(finding: Finding) -> float:
    """When a finding was made: the same when it is made again."""
    return finding.end or finding.start or 0.0


class ProfileRules:
    """All rules over the profile of one training."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rules: dict[str, ProfileRule] = {}
        self._reader = ProfileReader(folder)
        self._stale = False

    def add(self, plan: RulePlan, known: RuleResult) -> None:
        """One more rule, unless it is there."""
        if plan.name in self._rules:
            return
        self._rules[plan.name] = ProfileRule(plan, known)
        self._stale = True

    def results(self) -> Mapping[str, RuleResult]:
        return {name: rule.result for name, rule in self._rules.items()}

    def rule(self, name: str) -> ProfilerRule | None:
        """A rule itself, by its RuleConfigurationName; None where it could not be made."""
        found = self._rules.get(name)
        return None if found is None else found.rule

    def look(self, plan: EvaluationPlan) -> None:
        """Show all rules what is new."""
        if not self._rules:
            return
        for name in plan.stopped:
            if name in self._rules:
                self._rules[name].stop()
        if self._stale:
            self._begin_again()
        news = self._reader.news(over=plan.over)
        for rule in self._rules.values():
            rule.show(news)

    def conclude(self) -> None:
        """All is there and was shown."""
        for rule in self._rules.values():
            rule.conclude()

    def _begin_again(self) -> None:
        """A rule has come that has seen nothing yet: all see everything from the beginning."""
        self._stale = False
        self._reader = ProfileReader(self._folder)
        self._rules = {
            name: ProfileRule(rule.plan, rule.result) for name, rule in self._rules.items()
        }
