"""The reports that rules write when the training is over."""

from __future__ import annotations

import traceback
from dataclasses import replace
from pathlib import Path

from bottega.debugger.evaluation.plan import EvaluationPlan, RulePlan
from bottega.debugger.evaluation.profile_rules import ProfileRules
from bottega.debugger.evaluation.results import Results
from bottega.debugger.evaluation.tensor_rules import TensorRules, failure
from bottega.debugger.profiler_rules.registry import ProfilerReport
from bottega.debugger.reports import profiler_report, xgboost_report
from bottega.debugger.reports.training import ReportedTraining

XGBOOST_REPORT = "CreateXgboostReport"


class Reporter:
    """Writes the reports of one training's rules. Again is no harm: the same files are written."""

    def __init__(self, tensors: TensorRules, profiles: ProfileRules, output_folder: Path) -> None:
        """
        Args:
            tensors: which were shown all there is.
            profiles: likewise.
            output_folder: what the plan's outputs are below.
        """
        self._tensors = tensors
        self._profiles = profiles
        self._output = output_folder

    def write(self, plan: EvaluationPlan, results: Results) -> Results:
        """Write them all.

        Returns:
            The results, with an Error for each rule whose report could not be written.
        """
        training = ReportedTraining(
            name=plan.training.name,
            status=plan.training.status,
            started=plan.training.started,
            ended=plan.training.ended,
            hosts=plan.training.hosts,
            instance_type=plan.training.instance_type,
            hyperparameters=plan.training.hyperparameters,
        )
        rules = dict(results.rules)
        for rule in plan.rules:
            if rule.name not in rules or rules[rule.name].status in ("Error", "Stopped"):
                continue
            try:
                self._write(rule, training)
            except Exception as error:  # one report's fault is not the others'
                traceback.print_exc()
                rules[rule.name] = replace(rules[rule.name], status="Error", details=failure(error))
        return replace(results, rules=rules)

    def _write(self, rule: RulePlan, training: ReportedTraining) -> None:
        folder = self._output / rule.output
        if rule.rule == XGBOOST_REPORT and not rule.source:
            xgboost_report.write(self._tensors.trial, training, folder)
        elif isinstance(report := self._profiles.rule(rule.name), ProfilerReport):
            profiler_report.write(report, training, folder)
