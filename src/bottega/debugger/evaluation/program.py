"""The evaluating process: ``bottega.debugger.evaluation.program``.

It goes on until the plan says that the training is over, and may be killed at any line: another one
takes up the results that it left, and evaluates again what had not come to its end.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from bottega.container.paths import ContainerPaths
from bottega.debugger.evaluation.plan import EvaluationPlan, RulePlan
from bottega.debugger.evaluation.profile_rules import ProfileRules
from bottega.debugger.evaluation.reporting import Reporter
from bottega.debugger.evaluation.results import Results, RuleResult
from bottega.debugger.evaluation.tensor_rules import TensorRules
from bottega.debugger.profiler_rules import registry

NICENESS = 5
"""The training comes first; but a rule that has to stop it must be heard, also where the training
takes all there is."""
PAUSE_SECONDS = 0.25
PROGRESS_SECONDS = 1.0
"""How often the last step is told when nothing else is new."""


class Evaluation:
    """One training's evaluation.

    Args:
        root: with ``input`` (the plan, ``tensors``, ``profile``, ...) and ``output``.
    """

    def __init__(self, root: Path) -> None:
        self._input = root / "input"
        self._output = root / "output"
        self._known = Results.read(self._output)
        self._tensors = TensorRules(self._input / "tensors", self._input)
        self._profiles = ProfileRules(self._input / "profile")
        self._told = self._known
        self._told_at = 0.0

    def step(self) -> bool:
        """Look at what is new; returns whether the training is over and everything said."""
        # The plan first: what is there when it says that the training is over is all there will be.
        plan = EvaluationPlan.read(self._input)
        for rule in plan.rules:
            known = self._known.rules.get(rule.name, RuleResult())
            (self._profiles if _is_of_profile(rule) else self._tensors).add(rule, known)
        self._tensors.look(plan.stopped)
        self._profiles.look(plan)
        if plan.over:
            self._tensors.conclude()
            self._profiles.conclude()
            found = self._results(plan)
            self._tell(found, at_once=True)
            found = Reporter(self._tensors, self._profiles, self._output).write(plan, found)
            self._tell(replace(found, done=True), at_once=True)
            return True
        self._tell(self._results(plan))
        return False

    def _results(self, plan: EvaluationPlan) -> Results:
        found = {**self._tensors.results(), **self._profiles.results()}
        return Results({rule.name: found[rule.name] for rule in plan.rules if rule.name in found})

    def _tell(self, results: Results, *, at_once: bool = False) -> None:
        """Write the results, at once when a rule stands otherwise than it did."""
        if results == self._told:
            return
        stands = {name: rule.status for name, rule in results.rules.items()}
        stood = {name: rule.status for name, rule in self._told.rules.items()}
        now = time.monotonic()
        if at_once or stands != stood or now - self._told_at >= PROGRESS_SECONDS:
            results.write(self._output)
            self._told, self._told_at = results, now


def _is_of_profile(rule: RulePlan) -> bool:
    return not rule.source and rule.rule in registry.BUILT_IN


def main() -> None:
    """Evaluate until the training is over."""
    import numpy  # noqa: F401  # with the first step it would come too late

    evaluation = Evaluation(ContainerPaths.of().root)
    os.nice(NICENESS)
    while not evaluation.step():
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
