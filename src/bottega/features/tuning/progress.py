"""How a tuning job goes, for its screen and its widget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from bottega.context import Context
from bottega.features.tuning.entities import TuningJob
from bottega.features.tuning.jobs import find_tuning_job
from bottega.features.tuning.overviews import algorithm_shown, limit_of
from bottega.features.tuning.plans import DefinitionPlan, range_type
from bottega.features.tuning.records import Prior, TrialRecord, as_they_stand
from bottega.features.tuning.tally import best_record, counts
from bottega.features.tuning.trial_list import shown
from bottega.registry import operation
from bottega.specs.generated.tuning import (
    DescribeTuningProgressRequest,
    DescribeTuningProgressResponse,
    HyperParameterType,
    TuningBestCourse,
    TuningParameter,
)
from bottega.thinning import thinned
from bottega.tuning.best import importance
from bottega.tuning.spaces import CategoricalRange, Range, resolved
from bottega.tuning.trials import Trial, better

_POINTS = 1000
_COURSE_POINTS = 200


@operation("DescribeTuningProgress", service="bottega")
def describe_tuning_progress(
    context: Context, request: DescribeTuningProgressRequest
) -> DescribeTuningProgressResponse:
    """The best so far, counters, what is left, what mattered, and why it ended."""
    ports = context.ports
    job = find_tuning_job(context, request["TuningJobName"])
    plan, now = job.plan, ports.clock.now()
    records = as_they_stand(ports, job)
    best = best_record(job, records)
    answer: DescribeTuningProgressResponse = {
        "TuningJobName": job.name,
        "Status": job.status,
        "Strategy": plan.strategy,
        "EarlyStopping": "Auto" if plan.early_stopping else "Off",
        "CreationTime": job.resource.created,
        "RandomSeed": plan.seed,
        "Trials": counts(job.body, limit_of(job)),  # type: ignore[typeddict-item]
        "Waiting": sum(not record.over and record.waiting for record in records),
        "Objectives": [
            {
                "DefinitionName": one.name,
                "MetricName": one.metric,
                "Type": "Maximize" if plan.maximize else "Minimize",
                "Algorithm": algorithm_shown(job.definition(one.name)),
            }
            for one in plan.definitions
        ],
        "Parameters": _parameters(context, job, records),
        "Best": best_course(records, request.get("MaxPoints", _POINTS), maximize=plan.maximize),
        "RuntimeInSeconds": job.seconds(now),
        "NotImproving": job.body["TuningJobCompletionDetails"][
            "NumberOfTrainingJobsObjectiveNotImproving"
        ],
        "StoppedEarly": sum(
            record.stopped_early and record.status == "Stopped" for record in records
        ),
    }
    if best is not None:
        answer["BestTrial"] = shown(context, job, [best], best, _COURSE_POINTS)[0]
    if "HyperParameterTuningEndTime" in job.body:
        answer["EndTime"] = job.body["HyperParameterTuningEndTime"]
    elif "MaxRuntimeInSeconds" in job.config["ResourceLimits"]:
        left = job.resource.created + plan.runtime_seconds - now
        answer["SecondsLeft"] = max(0, round(left))
    if "WarmStartConfig" in job.body:
        answer["ParentTrials"] = Prior.of(job).count
    if job.end_reason:
        answer["EndReason"] = job.end_reason
    elif job.status in ("Stopping", "Stopped"):
        answer["EndReason"] = "The tuning job was stopped."
    if "FailureReason" in job.body:
        answer["FailureReason"] = job.body["FailureReason"]
    return answer


def best_course(records: Sequence[TrialRecord], limit: int, *, maximize: bool) -> TuningBestCourse:
    """The final objectives in the order in which the trials ended, and the best up to each.

    Args:
        limit: points at most; a longer course keeps its extremes.
    """
    over = [record for record in records if record.objective is not None]
    over.sort(key=lambda record: (record.ended or 0.0, record.number))
    values = [cast(float, record.objective) for record in over]
    best: list[float] = []
    for value in values:
        is_better = not best or better(value, best[-1], maximize=maximize)
        best.append(value if is_better else best[-1])
    chosen = thinned(values, limit)
    return {
        "Numbers": [over[place].number for place in chosen],
        "Times": [cast(float, over[place].ended) for place in chosen],
        "Values": [values[place] for place in chosen],
        "Best": [best[place] for place in chosen],
    }


class Importances:
    """The importances of each definition's parameters; weighed again when a trial has ended."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, float, str], tuple[int, Mapping[str, float]]] = {}

    def of(
        self, job: TuningJob, definition: DefinitionPlan, trials: Sequence[Trial]
    ) -> Mapping[str, float]:
        key = (job.name, job.resource.created, definition.name)
        ended = sum(trial.value is not None for trial in trials)
        count, found = self._known.get(key, (-1, {}))
        if count != ended:
            found = importance(definition.ranges, trials, maximize=job.plan.maximize)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = (ended, found)
        return found


_REMEMBERED = 64


def _parameters(
    context: Context, job: TuningJob, records: Sequence[TrialRecord]
) -> list[TuningParameter]:
    weighed = context.ports.memory.of(Importances, Importances)
    found: list[TuningParameter] = []
    for definition in job.plan.definitions:
        trials = [record.trial for record in records if record.definition == definition.name]
        shares = weighed.of(job, definition, trials)
        for searched in definition.ranges:
            entry = _parameter(definition.name, searched)
            if searched.name in shares:
                entry["Importance"] = shares[searched.name]
            found.append(entry)
    return found


def _parameter(definition: str, searched: Range) -> TuningParameter:
    entry: TuningParameter = {
        "DefinitionName": definition,
        "Name": searched.name,
        "Type": cast(HyperParameterType, range_type(searched)),
    }
    if isinstance(searched, CategoricalRange):
        entry["Values"] = list(searched.values)
    else:
        entry["MinValue"], entry["MaxValue"] = float(searched.low), float(searched.high)
        entry["ScalingType"] = resolved(searched.scaling, searched.low, searched.high)
    return entry
