"""ListJobs: a window of the jobs as a table shows them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, get_args

from bottega import filter_words
from bottega.context import Context
from bottega.features.training.job_log import JobLogs, job_logs
from bottega.features.training.objective import Objective
from bottega.features.training.summaries import RESOURCES, JobSummary, Listed, job_summaries
from bottega.registry import operation
from bottega.specs.generated.training import (
    JobKind,
    JobOverview,
    JobSortKey,
    ListJobsRequest,
    ListJobsResponse,
    TrainingJobStatus,
)
from bottega.storage.metadata import ResourceQuery

_PAGE = 50
_KEYS = ("algorithm", "kind", "name", "status")
_STORE_ORDERS: Mapping[str, Literal["created", "name", "status"]] = {
    "CreationTime": "created",
    "Name": "name",
    "Status": "status",
}


@operation("ListJobs", service="bottega")
def list_jobs(context: Context, request: ListJobsRequest) -> ListJobsResponse:
    """The jobs that match the filter, from an offset on."""
    ports = context.ports
    wanted = filter_words.parse(request.get("Filter", ""), _KEYS)
    sort_by: JobSortKey = request.get("SortBy", "CreationTime")
    descending = request.get("SortOrder", "Descending") == "Descending"
    start = request.get("Offset", 0)
    end = start + request.get("MaxResults", _PAGE)
    summaries, logs = job_summaries(ports), job_logs(ports)
    statuses = wanted.allowed("status", get_args(TrainingJobStatus))
    kinds = wanted.allowed("kind", get_args(JobKind))
    order = _STORE_ORDERS.get(sort_by, "name")
    # Where the store does not sort, names are in order among equals.
    turned = descending and sort_by in _STORE_ORDERS
    found_of: list[list[Listed]] = []
    for kind, resource in RESOURCES.items():
        if kind not in kinds or not statuses:
            continue
        query = ResourceQuery(resource, statuses=sorted(statuses), sort_by=order, descending=turned)
        outlines = ports.store.outlines(query)
        if not request.get("Filter"):
            summaries.keep_only(kind, outlines)
        found_of.append([Listed(kind, one) for one in outlines if wanted.names(one.name)])
    listed = _merged(found_of, order, descending=turned)
    algorithms = [condition for condition in wanted.conditions if condition.key == "algorithm"]
    if sort_by in _STORE_ORDERS and not algorithms:
        window = summaries.of(listed[start:end])
        return {"Jobs": [_overview(job, logs) for job in window], "Total": len(listed)}
    found = summaries.of(listed)
    for condition in algorithms:
        found = [job for job in found if condition.is_part(job.overview["Algorithm"])]
    if sort_by not in _STORE_ORDERS:
        found = _sorted(found, _sort_key(sort_by, logs, ports.clock.now()), descending=descending)
    return {"Jobs": [_overview(job, logs) for job in found[start:end]], "Total": len(found)}


def _merged(
    lists: list[list[Listed]], order: Literal["created", "name", "status"], *, descending: bool
) -> list[Listed]:
    """One list of several that each are in this order."""
    filled = [found for found in lists if found]
    if len(filled) < 2:
        return filled[0] if filled else []
    keys: Mapping[str, Callable[[Listed], tuple[float | str, ...]]] = {
        "created": lambda job: (job.outline.created,),
        "name": lambda job: (job.outline.name,),
        "status": lambda job: (job.outline.status,),
    }
    return list(heapq.merge(*filled, key=keys[order], reverse=descending))


_Key = Callable[[JobSummary], float | str | None]


def _sort_key(sort_by: JobSortKey, logs: JobLogs, now: float) -> _Key:
    if sort_by == "Algorithm":
        return lambda job: job.overview["Algorithm"].lower()
    if sort_by == "Duration":
        return lambda job: job.seconds(now)

    def objective(job: JobSummary) -> float | None:
        found = _objective(job, logs)
        return found.value if found is not None and found.known else None

    return objective


def _sorted(jobs: Iterable[JobSummary], key: _Key, *, descending: bool) -> list[JobSummary]:
    """In order of the key; those that have none come last, whichever way the order goes."""
    keyed = [(key(job), job) for job in jobs]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)  # type: ignore[arg-type,return-value]
    return [job for _, job in known] + [job for value, job in keyed if value is None]


def _objective(job: JobSummary, logs: JobLogs) -> Objective | None:
    if job.running and job.overview["Kind"] == "Training":
        return logs.objective(job.overview["JobName"])
    return job.objective


def _overview(job: JobSummary, logs: JobLogs) -> JobOverview:
    found = _objective(job, logs)
    if found is None:
        return job.overview
    overview = job.overview.copy()
    overview["ObjectiveMetric"] = found.metric
    overview["ObjectiveValue"] = found.value
    if found.trend:
        overview["ObjectiveTrend"] = list(found.trend)
    return overview
