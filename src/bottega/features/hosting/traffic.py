"""GetEndpointMetrics: what the router saw of an endpoint, over time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bottega.context import Context
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.resources import ENDPOINT
from bottega.registry import operation
from bottega.serving.traffic import Tally, Traffic
from bottega.specs.generated.hosting import (
    GetEndpointMetricsRequest,
    GetEndpointMetricsResponse,
    TrafficSeries,
    TrafficSummary,
)

SUMMARY_SECONDS = 60
_SECONDS = 900
_PERIOD_SECONDS = 5


@operation(
    "GetEndpointMetrics",
    service="bottega",
    note="Kept in memory for an hour. Latency is the model server's: from sending the request to "
    "the end of the answer.",
)
def get_endpoint_metrics(
    context: Context, request: GetEndpointMetricsRequest
) -> GetEndpointMetricsResponse:
    """Whole periods up to now, in all and by variant; the present minute as a summary."""
    endpoint = resources.find(context, ENDPOINT, request["EndpointName"])
    length = request.get("PeriodSeconds", _PERIOD_SECONDS)
    traffic = context.ports.routes.traffic
    periods = traffic.periods(
        endpoint.name, seconds=request.get("Seconds", _SECONDS), length=length
    )
    minute = last_minute(traffic, endpoint.name)
    plans = EndpointPlans.of(endpoint)
    serving = plans.active or plans.target
    names = [variant.name for variant in serving.variants] if serving else []
    gone = [
        name
        for name, tallies in periods.variants.items()
        if name not in names and any(tally.requests for tally in tallies)
    ]
    nothing = [Tally()] * len(periods.times)
    return {
        "EndpointName": endpoint.name,
        "PeriodSeconds": length,
        "Times": list(periods.times),
        "Total": _series([total(tallies) for tallies in _columns(periods.variants, nothing)]),
        "Variants": [
            {
                "VariantName": name,
                "Series": _series(periods.variants.get(name, nothing)),
                "Traffic": summary(minute.get(name, Tally())),
            }
            for name in (*names, *gone)
        ],
        "Traffic": summary(total(minute.values())),
    }


def last_minute(traffic: Traffic, endpoint: str) -> Mapping[str, Tally]:
    """What a summary sums up, by variant."""
    return traffic.last(endpoint, SUMMARY_SECONDS)


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found


def summary(tally: Tally) -> TrafficSummary:
    """The last minute in a few numbers."""
    answer: TrafficSummary = {
        "RequestsPerSecond": tally.requests / SUMMARY_SECONDS,
        "Requests": tally.requests,
        "Errors": tally.errors_4xx + tally.errors_5xx,
    }
    if tally.latencies:
        answer["LatencyP50"] = tally.percentile(50)
        answer["LatencyP99"] = tally.percentile(99)
    return answer


def _columns(
    variants: Mapping[str, Sequence[Tally]], nothing: Sequence[Tally]
) -> Iterable[Sequence[Tally]]:
    """For each period what all variants had in it."""
    return zip(*(variants.values() or [nothing]), strict=True)


def _series(tallies: Sequence[Tally]) -> TrafficSeries:
    return {
        "Requests": [tally.requests for tally in tallies],
        "Errors4XX": [tally.errors_4xx for tally in tallies],
        "Errors5XX": [tally.errors_5xx for tally in tallies],
        "LatencyP50": [tally.percentile(50) for tally in tallies],
        "LatencyP99": [tally.percentile(99) for tally in tallies],
    }
