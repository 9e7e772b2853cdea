"""The operations that list the training jobs of a tuning job."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast, get_args

from bottega import filter_words
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.tuning.entities import TuningJob
from bottega.features.tuning.jobs import find_tuning_job
from bottega.features.tuning.records import TRAINING_JOB, TrialRecord, as_they_stand
from bottega.features.tuning.tally import best_record, summary
from bottega.nearest import ending
from bottega.registry import operation
from bottega.specs import pagination
from bottega.specs.generated.tuning import (
    ListTrainingJobsForHyperParameterTuningJobRequest,
    ListTrainingJobsForHyperParameterTuningJobResponse,
    ListTuningTrialsRequest,
    ListTuningTrialsResponse,
    TrainingJobStatus,
    TuningObjectiveStatus,
    TuningTrial,
)
from bottega.thinning import thinned

_OPERATION = "ListTrainingJobsForHyperParameterTuningJob"
_PAGE = 50
_COURSE_POINTS = 32

Key = Callable[[TrialRecord], Any]


def ordered(records: Sequence[TrialRecord], key: Key, *, descending: bool) -> list[TrialRecord]:
    """In order of the key; those that have none come last, whichever way the order goes."""
    known = [record for record in records if key(record) is not None]
    known.sort(key=lambda record: (key(record), record.number), reverse=descending)
    return [*known, *(record for record in records if key(record) is None)]


_AWS_KEYS: Mapping[str, Key] = {
    "Name": lambda record: record.job,
    "CreationTime": lambda record: (record.created, record.number),
    "Status": lambda record: record.status,
    "FinalObjectiveMetricValue": lambda record: record.objective,
}


@operation("ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs_for_tuning_job(
    context: Context, request: ListTrainingJobsForHyperParameterTuningJobRequest
) -> ListTrainingJobsForHyperParameterTuningJobResponse:
    """One page of a tuning job's training jobs."""
    job = find_tuning_job(context, request["HyperParameterTuningJobName"])
    defaults = pagination.list_defaults(_OPERATION)
    sort_by = request.get("SortBy", defaults.sort_by)
    descending = request.get("SortOrder", defaults.sort_order) == "Descending"
    wanted = request.get("StatusEquals")
    scope = f"{_OPERATION}:{job.arn}:{job.resource.created}:{sort_by}:{descending}:{wanted}"
    key = context.ports.credentials.page_key()
    start = 0
    if "NextToken" in request:
        start = int(pagination.decode(request["NextToken"], key=key, scope=scope)["start"])
    end = start + request.get("MaxResults", defaults.max_results)
    records = [
        record
        for record in as_they_stand(context.ports, job)
        if wanted is None or record.status == wanted
    ]
    records = ordered(records, _AWS_KEYS[sort_by], descending=descending)
    answer: dict[str, Any] = {
        "TrainingJobSummaries": [summary(job, record) for record in records[start:end]]
    }
    if end < len(records):
        answer["NextToken"] = pagination.encode({"start": str(end)}, key=key, scope=scope)
    return cast(ListTrainingJobsForHyperParameterTuningJobResponse, answer)


@operation("ListTuningTrials", service="bottega")
def list_tuning_trials(
    context: Context, request: ListTuningTrialsRequest
) -> ListTuningTrialsResponse:
    """The trials that match the filter, from an offset on."""
    job = find_tuning_job(context, request["TuningJobName"])
    wanted = filter_words.parse(
        request.get("Filter", ""), ("definition", "name", "objective", "status")
    )
    statuses = wanted.allowed("status", get_args(TrainingJobStatus))
    objectives = wanted.allowed("objective", get_args(TuningObjectiveStatus))
    named = [condition for condition in wanted.conditions if condition.key == "definition"]
    every = as_they_stand(context.ports, job)
    found = [
        record
        for record in every
        if record.status in statuses
        and record.objective_status in objectives
        and all(condition.is_part(record.definition) for condition in named)
        and wanted.names(record.job)
    ]
    descending = request.get("SortOrder", "Ascending") == "Descending"
    found = ordered(found, _key(context, job, request), descending=descending)
    start = request.get("Offset", 0)
    window = found[start : start + request.get("MaxResults", _PAGE)]
    return {
        "Trials": shown(
            context,
            job,
            window,
            best_record(job, every),
            request.get("CoursePoints", _COURSE_POINTS),
        ),
        "Total": len(found),
    }


def _key(context: Context, job: TuningJob, request: ListTuningTrialsRequest) -> Key:
    sort_by = request.get("SortBy", "Number")
    if sort_by == "Parameter":
        return _parameter_key(job, request.get("SortParameter", ""))
    now = context.ports.clock.now()
    keys: Mapping[str, Key] = {
        "Number": lambda record: record.number,
        "Name": lambda record: record.job,
        "Status": lambda record: record.status,
        "DefinitionName": lambda record: record.definition,
        "Objective": value_of,
        "Duration": lambda record: (
            None if record.started is None else (record.ended or now) - record.started
        ),
    }
    return keys[sort_by]


def _parameter_key(job: TuningJob, name: str) -> Key:
    known = {searched.name for one in job.plan.definitions for searched in one.ranges}
    if name not in known:
        raise ValidationException(
            f"SortParameter is {name!r}, which this tuning job does not tune{ending(name, known)}"
        )

    def key(record: TrialRecord) -> tuple[float, str] | None:
        text = record.parameters.get(name)
        if text is None:
            return None
        try:
            return float(text), ""
        except ValueError:
            return 0.0, text

    return key


def value_of(record: TrialRecord) -> float | None:
    """The final objective; while a trial runs, the latest value."""
    return record.objective if record.over else record.course.final


def shown(
    context: Context,
    job: TuningJob,
    records: Sequence[TrialRecord],
    best: TrialRecord | None,
    points: int,
) -> list[TuningTrial]:
    """Trials as a table shows them.

    Args:
        best: the best of all.
        points: of each course at most; 0 for none.
    """
    present = context.ports.store.get_many(TRAINING_JOB, [record.job for record in records])
    return [
        _shown(
            record,
            is_best=best is not None and record.number == best.number,
            deleted=record.over and record.job not in present,
            points=points,
        )
        for record in records
    ]


def _shown(record: TrialRecord, *, is_best: bool, deleted: bool, points: int) -> TuningTrial:
    found: TuningTrial = {
        "Number": record.number,
        "TrainingJobName": record.job,
        "TrainingJobArn": record.arn,
        "DefinitionName": record.definition,
        "Status": record.status,
        "SecondaryStatus": record.secondary,
        "ObjectiveStatus": cast(TuningObjectiveStatus, record.objective_status),
        "Parameters": dict(record.parameters),
        "Best": is_best,
        "CreationTime": record.created,
        "Deleted": deleted,
    }
    if (value := value_of(record)) is not None:
        found["Objective"] = value
    if record.started is not None:
        found["StartTime"] = record.started
    if record.ended is not None:
        found["EndTime"] = record.ended
    if record.course.count:
        found["Epochs"] = record.course.count
        if points:
            chosen = thinned(record.course.values, max(2, points))
            found["Course"] = {
                "Steps": [record.course.steps[place] for place in chosen],
                "Values": [record.course.values[place] for place in chosen],
            }
    if record.stop_reason and record.status != "Completed":  # it ended before it was stopped
        found["StopReason"] = record.stop_reason
    if record.failure:
        found["FailureReason"] = record.failure
    return found
