"""Rules over tensors, shown one step after the other as the training saves them."""

from __future__ import annotations

import time
import traceback
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bottega.debugger.evaluation.plan import RulePlan
from bottega.debugger.evaluation.results import LONGEST_TEXT, Found, RuleResult
from bottega.debugger.findings import Finding
from bottega.debugger.rules import custom, registry
from bottega.debugger.rules.parameters import ParameterRefused
from bottega.debugger.rules.rule import Rule
from bottega.debugger.tensors.exceptions import BrokenTensorFile
from bottega.debugger.tensors.trial import Trial, create_trial


def condition_met(rule: str, finding: Finding) -> str:
    """The StatusDetails of a rule that has fired, in SageMaker's words."""
    where = "" if finding.step is None else f" at step {finding.step}"
    return (
        f"RuleEvaluationConditionMet: Evaluation of the rule {rule}{where} resulted in the "
        "condition being met"
    )


def failure(error: BaseException) -> str:
    """The StatusDetails of a rule that cannot be evaluated: what was raised, and where."""
    said = "".join(traceback.format_exception_only(error)).strip()
    frames = traceback.extract_tb(error.__traceback__)
    if not frames or isinstance(error, ParameterRefused):
        return said[:LONGEST_TEXT]
    last = frames[-1]
    place = f" ({Path(last.filename).name}, line {last.lineno})"
    return said[: LONGEST_TEXT - len(place)] + place


class TensorRule:
    """One rule and how it stands.

    A rule fires once; then, and when it raises, it is not evaluated any more. One that was
    interrupted begins again with the first step: rules are made so that they then say the same.
    """

    def __init__(self, plan: RulePlan, trial: Trial, input_folder: Path, known: RuleResult) -> None:
        """
        Args:
            plan: what to evaluate.
            trial: the training's tensors.
            input_folder: what the plan's folders and files are below.
            known: how it stood when the process was interrupted.
        """
        self.plan = plan
        self.result = known
        self._trial = trial
        self._rule: Rule | None = None
        self._shown = -1
        if known.ended:
            return
        self.result = RuleResult()
        try:
            others = [create_trial(input_folder / folder) for folder in plan.others]
            self._rule = self._made(input_folder, others)
        except Exception as error:  # the user's code, or parameters that it does not take
            traceback.print_exc()
            self.result = RuleResult("Error", failure(error))

    def _made(self, input_folder: Path, others: Sequence[Trial]) -> Rule:
        plan = self.plan
        if plan.source:
            source = input_folder / plan.source
            return custom.load(source, plan.rule, self._trial, plan.parameters, others)
        return registry.built_in(plan.rule, plan.parameters, others)

    def show(self, steps: Sequence[int]) -> None:
        """Show it those of these steps, which are in order, that it has not seen."""
        for step in steps[bisect_right(steps, self._shown) :]:
            if self._rule is None or self.result.ended:
                return
            self._shown = step
            self._ask(partial(self._rule.invoke_at_step, self._trial, step))
            self.result = replace(self.result, last_step=step)

    def wait(self, seconds: float) -> None:
        """No step came for so long."""
        if self._rule is not None and not self.result.ended:
            self._ask(partial(self._rule.invoke_while_waiting, seconds))

    def fail(self, error: Exception) -> None:
        """What it would be shown cannot be read."""
        if not self.result.ended:
            self.result = replace(self.result, status="Error", details=failure(error))

    def conclude(self) -> None:
        """Nothing more comes."""
        if self._rule is None or self.result.ended:
            return
        self._ask(partial(self._rule.conclude, self._trial))
        if not self.result.ended:
            remark = self._rule.remark()
            self.result = replace(self.result, status="NoIssuesFound", remark=remark)

    def stop(self) -> None:
        """Somebody has stopped it."""
        if not self.result.ended:
            self.result = replace(self.result, status="Stopped")

    def _ask(self, question: Callable[[], Finding | None]) -> None:
        try:
            finding = question()
        except Exception as error:  # one rule's fault is not the others'
            traceback.print_exc()
            self.result = replace(self.result, status="Error", details=failure(error))
            return
        if finding is not None:
            self.result = replace(
                self.result.with_findings([Found(finding, time.time())]),
                status="IssuesFound",
                details=condition_met(self.plan.rule, finding),
            )


class TensorRules:
    """All rules over the tensors of one training."""

    def __init__(self, tensors: Path, input_folder: Path) -> None:
        self.trial = create_trial(tensors)
        self.trial.dynamic_refresh = False
        self._input = input_folder
        self._rules: dict[str, TensorRule] = {}
        self._last = -1
        self._heard = time.time()

    def add(self, plan: RulePlan, known: RuleResult) -> None:
        """One more rule, unless it is there."""
        if plan.name not in self._rules:
            self._rules[plan.name] = TensorRule(plan, self.trial, self._input, known)

    def results(self) -> Mapping[str, RuleResult]:
        return {name: rule.result for name, rule in self._rules.items()}

    def look(self, stopped: Sequence[str]) -> None:
        """Show all rules what is new."""
        if not self._rules:
            return
        for name in stopped:
            if name in self._rules:
                self._rules[name].stop()
        try:
            self.trial.refresh()
        except BrokenTensorFile as error:
            for rule in self._rules.values():
                rule.fail(error)
            return
        steps = self.trial.steps()
        if steps and steps[-1] > self._last:
            self._last, self._heard = steps[-1], time.time()
        for rule in self._rules.values():
            rule.show(steps)
            rule.wait(time.time() - self._heard)

    def conclude(self) -> None:
        """All steps are there and were shown."""
        for rule in self._rules.values():
            rule.conclude()
