"""GetTrainingJobTimeline: what happened in a training, moment by moment."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.debugger.readers import DebugReaders, find_training
from bottega.jobs.debugging import session
from bottega.jobs.debugging.places import host_names, log_stream
from bottega.registry import operation
from bottega.specs.generated.debugger import (
    GetTrainingJobTimelineRequest,
    GetTrainingJobTimelineResponse,
    TimelineFinding,
    TimelineHost,
    TimelineLane,
    TimelineSeries,
)
from bottega.storage.metadata import Resource
from bottega.thinning import thinned

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
_POINTS = 600
_EVENTS = 2000
_MOST_POINTS = 10_000
_UNITS = {"Percent": "PercentOfOneCore"}
"""What units of GetTrainingJobSystemMetrics are here, where they are called otherwise."""


@operation("GetTrainingJobTimeline", service="bottega")
def get_training_job_timeline(
    context: Context, request: GetTrainingJobTimelineRequest
) -> GetTrainingJobTimelineResponse:
    """Everything between two moments, in so many points as asked for."""
    training = find_training(context, request["TrainingJobName"])
    now = context.ports.clock.now()
    first, last = _span(training, now)
    begin, end = request.get("From", first), request.get("To", last)
    if begin > end:
        raise ValidationException(f"From ({begin:.3f}) is later than To ({end:.3f}).")
    points = request.get("MaxPoints", _POINTS)
    whole = "From" not in request and "To" not in request
    found = DebugReaders.of(context).timeline(
        training,
        begin=begin,
        end=end,
        whole=whole,
        points=points,
        events=request.get("MaxEvents", _EVENTS),
    )
    hosts: Mapping[str, Sequence[dict[str, Any]]] = {}
    lanes: Sequence[dict[str, Any]] = ()
    count = 0
    if found is not None:
        begin, end = found["begin"], found["end"]
        hosts, lanes, count = found["hosts"], found["lanes"], found["events"]
        if found["span"] is not None:
            first, last = min(first, found["span"][0]), max(last, found["span"][1])
    answer: GetTrainingJobTimelineResponse = {
        "From": begin,
        "To": end,
        "Hosts": [_host(training, host, hosts.get(host, ())) for host in host_names(training)],
        "Lanes": [_lane(one) for one in lanes],
        "EventCount": count,
        "Findings": _findings(context, training, begin, end),
    }
    if found is None or found["span"] is None:
        _add_samples(context, training, answer, points)
    if "TrainingStartTime" in training.body:
        answer["Begin"], answer["End"] = first, last
    return answer


def _span(training: Resource, now: float) -> tuple[float, float]:
    """From the start of the job, or its creation, to its end, or now."""
    body = training.body
    begin = float(body.get("TrainingStartTime", training.created))
    return begin, max(begin, float(body.get("TrainingEndTime", now)))


def _host(training: Resource, host: str, series: Sequence[dict[str, Any]]) -> TimelineHost:
    return {
        "HostName": host,
        "LogGroupName": LOG_GROUP,
        "LogStreamName": log_stream(training, host),
        "Series": [
            {
                "Name": one["name"],
                "Unit": one["unit"],
                "Times": one["times"],
                "Values": one["values"],
                "PointCount": one["count"],
            }
            for one in series
        ],
    }


def _lane(one: dict[str, Any]) -> TimelineLane:
    return {
        "HostName": one["host"],
        "ProcessId": one["process"],
        "Name": one["name"],
        "Begins": one["begins"],
        "Ends": one["ends"],
        "Steps": one["steps"],
        "Counts": one["counts"],
        "Busy": one["busy"],
    }


def _findings(
    context: Context, training: Resource, begin: float, end: float
) -> list[TimelineFinding]:
    found: list[TimelineFinding] = []
    for rule, evaluation in session.evaluations_of(context.ports, training).items():
        for one in evaluation.result.get("findings", ()):
            since = float(one.get("StartTime", one["Time"]))
            until = float(one.get("EndTime", since))
            if until < begin or since > end:
                continue
            shown: TimelineFinding = {
                "RuleConfigurationName": rule,
                "Begin": since,
                "End": until,
                "Message": str(one.get("Message", "")),
            }
            if "Step" in one:
                shown["Step"] = int(one["Step"])
            found.append(shown)
    return sorted(found, key=lambda one: one["Begin"])


def _add_samples(
    context: Context, training: Resource, answer: GetTrainingJobTimelineResponse, points: int
) -> None:
    """The series of a job that is not profiled: what its supervisor samples of every job."""
    request = {"TrainingJobName": training.name, "MaxPoints": _MOST_POINTS}
    told = context.call("bottega", "GetTrainingJobSystemMetrics", request)
    by_host = {host["HostName"]: host["Series"] for host in told["Hosts"]}
    for host in answer["Hosts"]:
        host["Series"] = [
            shown
            for one in by_host.get(host["HostName"], ())
            if (shown := _window(one, answer["From"], answer["To"], points))["PointCount"]
        ]


def _window(series: Mapping[str, Any], begin: float, end: float, points: int) -> TimelineSeries:
    low, high = bisect_left(series["Times"], begin), bisect_right(series["Times"], end)
    times, values = series["Times"][low:high], series["Values"][low:high]
    kept = thinned(values, points)
    unit = series["Unit"]
    if series["Name"].endswith("Utilization"):
        unit = _UNITS.get(unit, unit)
    return cast(
        TimelineSeries,
        {
            "Name": series["Name"],
            "Unit": unit,
            "Times": [times[place] for place in kept],
            "Values": [values[place] for place in kept],
            "PointCount": len(times),
        },
    )
