"""DescribeActivity: how much there is of everything, and how much was computed today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bottega.context import Context
from bottega.registry import operation
from bottega.specs.generated.studio import (
    DescribeActivityRequest,
    DescribeActivityResponse,
    KindActivity,
)
from bottega.storage.metadata import MetadataStore, Resource, ResourceQuery

_JOBS = {
    "TrainingJob": ("Training", ("ResourceConfig",)),
    "ProcessingJob": ("Processing", ("ProcessingResources", "ClusterConfig")),
    "TransformJob": ("Transform", ("TransformResources",)),
}
"""Of each kind of job: what its times are called after, and where its InstanceCount is."""
KINDS = (*_JOBS, "HyperParameterTuningJob", "Endpoint", "Model")
"""The kinds of resources that are counted, by their name in the store."""
_RUNNING = ("InProgress", "Stopping")
_DAY_SECONDS = 86_400


@operation("DescribeActivity", service="bottega")
def describe_activity(
    context: Context, request: DescribeActivityRequest
) -> DescribeActivityResponse:
    """Count every kind by status, and add up what job instances ran since midnight, UTC."""
    ports = context.ports
    return {
        "Kinds": [_activity(kind, ports.store.counts(kind)) for kind in KINDS],
        "ComputeSecondsToday": _computed_today(ports.store, ports.clock.now()),
    }


def _activity(kind: str, counts: Mapping[str, int]) -> KindActivity:
    statuses = {status: count for status, count in counts.items() if status}
    return {"Kind": kind, "Total": sum(counts.values()), "Statuses": statuses}


def _computed_today(store: MetadataStore, now: float) -> float:
    midnight = now - now % _DAY_SECONDS
    return sum(
        _instance_seconds(kind, job.body, midnight, now)
        for kind in _JOBS
        for job in _jobs_since(store, kind, midnight)
    )


def _jobs_since(store: MetadataStore, kind: str, midnight: float) -> Iterator[Resource]:
    """The jobs that may have run since midnight, each once: those that run, and those whose end,
    which is a change, was not before it."""
    running = {job.name: job for job in store.each(ResourceQuery(kind, statuses=_RUNNING))}
    yield from running.values()
    changed = ResourceQuery(kind, modified_after=midnight, sort_by="modified")
    yield from (job for job in store.each(changed) if job.name not in running)


def _instance_seconds(kind: str, job: Mapping[str, Any], midnight: float, now: float) -> float:
    """Seconds between midnight and now in which the job had its instances, times their number."""
    times, place = _JOBS[kind]
    if f"{times}StartTime" not in job:
        return 0.0
    start = max(float(job[f"{times}StartTime"]), midnight)
    end = min(float(job.get(f"{times}EndTime", now)), now)
    resources = job
    for member in place:
        resources = resources[member]
    return max(0.0, end - start) * int(resources["InstanceCount"])
