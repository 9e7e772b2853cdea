"""ListTuningOverviews: a window of the tuning jobs as a table shows them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from bottega import filter_words
from bottega.algorithms.images import UnsupportedImage, resolve
from bottega.context import Context
from bottega.features.tuning.entities import KIND, TuningJob, builtin_of, definitions, image_of
from bottega.features.tuning.tally import counts
from bottega.jobs.kept_views import KeptViews
from bottega.registry import operation
from bottega.specs.generated.tuning import (
    HyperParameterTuningJobStatus,
    HyperParameterTuningJobStrategyType,
    ListTuningOverviewsRequest,
    ListTuningOverviewsResponse,
    TuningOverview,
)
from bottega.storage.metadata import MetadataStore, Outline, Resource, ResourceQuery

_PAGE = 50
_STORED: Mapping[str, Any] = {"CreationTime": "created", "Name": "name", "Status": "status"}


@operation("ListTuningOverviews", service="bottega")
def list_tuning_overviews(
    context: Context, request: ListTuningOverviewsRequest
) -> ListTuningOverviewsResponse:
    """The tuning jobs that match the filter, from an offset on."""
    wanted = filter_words.parse(request.get("Filter", ""), ("name", "status", "strategy"))
    statuses = wanted.allowed("status", get_args(HyperParameterTuningJobStatus))
    strategies = wanted.allowed("strategy", get_args(HyperParameterTuningJobStrategyType))
    sort_by = request.get("SortBy", "CreationTime")
    descending = request.get("SortOrder", "Descending") == "Descending"
    start = request.get("Offset", 0)
    end = start + request.get("MaxResults", _PAGE)
    store = context.ports.store
    query = ResourceQuery(
        KIND,
        statuses=sorted(statuses),
        sort_by=_STORED.get(sort_by, "name"),
        descending=descending and sort_by in _STORED,
    )
    views = context.ports.memory.of(Overviews, lambda: Overviews(store))
    outlines = store.outlines(query) if statuses else ()
    if not request.get("Filter"):
        views.keep_only(outlines)
    outlines = tuple(outline for outline in outlines if wanted.names(outline.name))
    every = len(strategies) == len(get_args(HyperParameterTuningJobStrategyType))
    if every and sort_by in _STORED:
        window = _read(views, outlines[start:end])
        return {"Tunings": window, "Total": len(outlines)}
    found = [one for one in _read(views, outlines) if one["Strategy"] in strategies]
    if sort_by not in _STORED:
        now = context.ports.clock.now()
        keyed = [(_key(one, sort_by, now), one) for one in found]
        known = [pair for pair in keyed if pair[0] is not None]
        known.sort(key=lambda pair: pair[0], reverse=descending)
        found = [one for _, one in known] + [one for key, one in keyed if key is None]
    return {"Tunings": found[start:end], "Total": len(found)}


def _key(one: TuningOverview, sort_by: str, now: float) -> Any:
    """What to sort by; None for what comes last."""
    if sort_by == "Strategy":
        return one["Strategy"]
    if sort_by == "Trials":
        return one["Trials"]["Total"]
    if sort_by == "Duration":
        return one.get("EndTime", now) - one["CreationTime"]
    return one.get("BestValue")


def _read(views: Overviews, outlines: Sequence[Outline]) -> list[TuningOverview]:
    """Overviews in this order, without those deleted since."""
    found = views.of(outlines)
    return [found[one.name] for one in outlines if one.name in found]


class Overviews(KeptViews[TuningOverview]):
    """The tuning jobs of one studio as a table shows them."""

    def __init__(self, store: MetadataStore) -> None:
        super().__init__(store, KIND, overview)


def overview(resource: Resource) -> TuningOverview:
    """A tuning job as a table shows it."""
    job = TuningJob(resource)
    body = job.body
    found: TuningOverview = {
        "TuningJobName": job.name,
        "TuningJobArn": job.arn,
        "Status": job.status,
        "Strategy": job.plan.strategy,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
        "Algorithm": ", ".join(
            dict.fromkeys(algorithm_shown(definition) for definition in definitions(body))
        ),
        "ObjectiveMetric": job.plan.definitions[0].metric,
        "ObjectiveType": "Maximize" if job.plan.maximize else "Minimize",
        "Trials": counts(body, limit_of(job)),  # type: ignore[typeddict-item]
    }
    if "HyperParameterTuningEndTime" in body:
        found["EndTime"] = body["HyperParameterTuningEndTime"]
    if "FailureReason" in body:
        found["FailureReason"] = body["FailureReason"]
    if (best := body.get("BestTrainingJob")) is not None:
        metric = best["FinalHyperParameterTuningJobObjectiveMetric"]
        found["ObjectiveMetric"] = metric["MetricName"]
        found["BestValue"] = metric["Value"]
        found["BestTrainingJobName"] = best["TrainingJobName"]
    return found


def limit_of(job: TuningJob) -> int | None:
    """How many trials there will be at most; None where only the service's own limit holds."""
    decided = "Autotune" in job.body or job.plan.strategy == "Grid"
    if decided or "MaxNumberOfTrainingJobs" in job.config["ResourceLimits"]:
        return job.plan.most_trials
    return None


def algorithm_shown(definition: Mapping[str, Any]) -> str:
    """The built-in algorithm, or the script or image that is trained."""
    image = image_of(definition)
    try:
        if builtin_of(definition) is not None:
            return resolve(image).name
    except UnsupportedImage:  # one that an earlier bottega knew
        return image
    program = definition.get("StaticHyperParameters", {}).get("sagemaker_program", "")
    try:  # framework estimators send it JSON-encoded
        program = str(json.loads(program))
    except ValueError:
        return program or resolve(image).name
    return program
