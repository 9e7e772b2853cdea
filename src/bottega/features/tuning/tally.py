"""What a tuning job says of its trials: counters, the best, the search's view. All of it is made
from the trials in one go, so that no two numbers disagree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.features.tuning.entities import TuningJob
from bottega.features.tuning.records import TrialRecord
from bottega.tuning import best as bests
from bottega.tuning import completion


def best_record(job: TuningJob, records: Sequence[TrialRecord]) -> TrialRecord | None:
    """The trial with the best final objective, the earliest of equals; None before there is one."""
    found = bests.best([record.trial for record in records], maximize=job.plan.maximize)
    return None if found is None else records[found.number]


def tallied(
    job: TuningJob, records: Sequence[TrialRecord], prior: Mapping[str, Any] | None
) -> TuningJob:
    """The tuning job with what Describe shows of its trials.

    Args:
        records: all of its trials, in order.
        prior: the summary of the parents' best training job, where it is comparable.
    """
    statuses = Counter(_counter(record) for record in records)
    objectives = Counter(record.objective_status for record in records)
    changes: dict[str, Any] = {
        "TrainingJobStatusCounters": {name: statuses[name] for name in STATUS_COUNTERS},
        "ObjectiveStatusCounters": {name: objectives[name] for name in OBJECTIVE_COUNTERS},
        "TuningJobCompletionDetails": _completion(job, records),
    }
    if (best := best_record(job, records)) is not None:
        changes["BestTrainingJob"] = summary(job, best)
    if warm_start(job.body) == "IdenticalDataAndAlgorithm":
        overall = _better(job, changes.get("BestTrainingJob"), prior)
        if overall is not None:
            changes["OverallBestTrainingJob"] = overall
    return job.with_body(**changes)


STATUS_COUNTERS = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
OBJECTIVE_COUNTERS = ("Succeeded", "Pending", "Failed")


def _counter(record: TrialRecord) -> str:
    if not record.over:
        return "InProgress"
    if record.status == "Failed":
        return "RetryableError" if record.retryable else "NonRetryableError"
    return record.status


def _completion(job: TuningJob, records: Sequence[TrialRecord]) -> dict[str, Any]:
    trials = [record.trial for record in records]
    details: dict[str, Any] = dict(job.body.get("TuningJobCompletionDetails", {}))
    details["NumberOfTrainingJobsObjectiveNotImproving"] = completion.not_improving(
        job.plan.criteria, trials
    )
    if "ConvergenceDetectedTime" not in details and completion.converged(job.plan.criteria, trials):
        details["ConvergenceDetectedTime"] = max(record.ended or 0.0 for record in records)
    return details


def warm_start(body: Mapping[str, Any]) -> str:
    """The WarmStartType; empty without a warm start."""
    return str(body.get("WarmStartConfig", {}).get("WarmStartType", ""))


def _better(
    job: TuningJob, own: Mapping[str, Any] | None, prior: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    found = [one for one in (prior, own) if one is not None]
    if not found:
        return None
    choose = max if job.plan.maximize else min
    return choose(found, key=objective_value)


def objective_value(summary: Mapping[str, Any]) -> float:
    """The final objective in the summary of a training job that has one."""
    return float(summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def summary(job: TuningJob, record: TrialRecord) -> dict[str, Any]:
    """A HyperParameterTrainingJobSummary."""
    definition = job.plan.definition(record.definition)
    found: dict[str, Any] = {
        "TrainingJobName": record.job,
        "TrainingJobArn": record.arn,
        "TuningJobName": job.name,
        "CreationTime": record.created,
        "TrainingJobStatus": record.status,
        "TunedHyperParameters": dict(record.parameters),
        "ObjectiveStatus": record.objective_status,
    }
    if record.definition:
        found["TrainingJobDefinitionName"] = record.definition
    if record.started is not None:
        found["TrainingStartTime"] = record.started
    if record.ended is not None:
        found["TrainingEndTime"] = record.ended
    if record.failure:
        found["FailureReason"] = record.failure
    if record.objective is not None:
        found["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Maximize" if job.plan.maximize else "Minimize",
            "MetricName": definition.metric,
            "Value": record.objective,
        }
    return found


def counts(body: Mapping[str, Any], limit: int | None) -> dict[str, int]:
    """The counters of a tuning job as a table shows them."""
    statuses, objectives = body["TrainingJobStatusCounters"], body["ObjectiveStatusCounters"]
    found = {
        "Total": sum(objectives.values()),
        "InProgress": statuses["InProgress"],
        "Completed": statuses["Completed"],
        "Stopped": statuses["Stopped"],
        "Failed": statuses["RetryableError"] + statuses["NonRetryableError"],
        "Succeeded": objectives["Succeeded"],
    }
    if limit is not None:
        found["Limit"] = limit
    return found
