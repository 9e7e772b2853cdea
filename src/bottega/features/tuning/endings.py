"""Why a tuning job comes to its end, and with which status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bottega.features.tuning.entities import TuningJob
from bottega.features.tuning.records import TrialRecord
from bottega.tuning import completion

FIRST_WITHOUT_OBJECTIVE = 5
"""After so many training jobs of which none told an objective, the tuning job fails."""
FAILED_IN_A_ROW = 10
"""After so many failed training jobs in a row it fails even if others had succeeded before."""


@dataclass(frozen=True)
class Ending:
    """Why no more trials are started."""

    reason: str
    """A sentence."""
    stops_trials: bool
    """Whether trials that still run are stopped."""
    failure: str = ""
    """FailureReason of the whole tuning job; empty where it is not to fail."""


def ending(job: TuningJob, records: Sequence[TrialRecord], now: float) -> Ending | None:
    """Why no more trials are to start; None when more may.

    Args:
        records: all trials, in order.
    """
    if failure := _failure(job, records):
        return Ending(failure, stops_trials=True, failure=failure)
    plan = job.plan
    if now >= job.resource.created + plan.runtime_seconds:
        return Ending(
            f"The tuning job has run for its {plan.runtime_seconds} seconds.", stops_trials=True
        )
    trials = [record.trial for record in records]
    # That all were launched is no reason to stop them; whatever else it is, is.
    said = completion.finished(replace(plan.criteria, most_trials=None), trials)
    if said is not None:
        return Ending(said, stops_trials=True)
    said = completion.finished(plan.criteria, trials)
    return None if said is None else Ending(said, stops_trials=False)


def exhausted(records: Sequence[TrialRecord]) -> Ending:
    """The ending of a tuning job that has tried everything there is."""
    return Ending(
        f"All {len(records)} combinations of the hyperparameters were tried.", stops_trials=False
    )


def _failure(job: TuningJob, records: Sequence[TrialRecord]) -> str:
    """Why the tuning job fails before its limits are reached; empty where it does not."""
    over = sorted(
        (record for record in records if record.over), key=lambda record: record.ended or 0.0
    )
    succeeded = any(record.objective is not None for record in over)
    limit = FAILED_IN_A_ROW if succeeded else FIRST_WITHOUT_OBJECTIVE
    last = [record for record in over if _told_all(record)][-limit:]
    if len(last) < limit or any(record.objective is not None for record in last):
        return ""
    return _words(job, last, in_a_row=succeeded)


def _told_all(record: TrialRecord) -> bool:
    """Whether a trial had its chance to tell an objective: the end of the tuning job cut off the
    others."""
    return not record.stop_reason or record.stopped_early


def _words(job: TuningJob, records: Sequence[TrialRecord], *, in_a_row: bool) -> str:
    failed = [record for record in records if record.status == "Failed"]
    silent = [record for record in records if record.status != "Failed"]
    if silent:
        metric = job.plan.definition(silent[-1].definition).metric
        return (
            f"No objective metrics found after running {len(records)} training jobs"
            f"{' in a row' if in_a_row else ''}. None of them wrote the metric {metric!r} to its "
            "log as a number: check that it is computed with this data and these channels, and "
            "that the regular expression of its metric definition finds it. "
            f"The last one was {silent[-1].job}."
        )
    said = failed[-1].failure
    many = f"{len(failed)} training jobs"
    many = f"{many} in a row" if in_a_row else f"All {many}"
    return f"{many} failed. The last one, {failed[-1].job}, said: {said}"


def ended(job: TuningJob, records: Sequence[TrialRecord], now: float) -> TuningJob:
    """The tuning job at its end, all trials having ended.

    Failed where it was given up, or where none of its training jobs told an objective although some
    had the time for it; otherwise Completed.
    """
    failure = job.failure
    over = [record for record in records if _told_all(record)]
    if not failure and over and not any(record.objective is not None for record in records):
        failure = _words(job, over, in_a_row=False)
    if not failure:
        return job.moved("Completed", now)
    return job.moved("Failed", now).with_body(FailureReason=failure[:1024])
