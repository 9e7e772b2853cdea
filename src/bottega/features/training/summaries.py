"""What a list shows of each job, worked out once for each version of it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple

from bottega.algorithms.images import Image, UnsupportedImage, resolve
from bottega.features.training.entities import KIND, TrainingJob
from bottega.features.training.job_log import judged_by
from bottega.features.training.objective import Objective
from bottega.features.training.other_jobs import overview
from bottega.features.training.rules import script_mode
from bottega.jobs.kept_views import KeptViews
from bottega.ports import Ports
from bottega.specs.generated.training import JobKind, JobOverview
from bottega.storage.metadata import MetadataStore, Outline, Resource

RESOURCES: Mapping[JobKind, str] = {
    "Training": KIND,
    "Processing": "ProcessingJob",
    "Transform": "TransformJob",
}
"""What each kind of job is called in the store."""


class Listed(NamedTuple):
    """One job of a list, before its document is read."""

    kind: JobKind
    outline: Outline


@dataclass(frozen=True, slots=True)
class JobSummary:
    """One version of a job."""

    overview: JobOverview
    """Without what changes while the version stays: the objective of a running job."""
    running: bool
    """Whether it has not ended."""
    objective: Objective | None
    """As its end left it; None while it runs."""
    started: float | None
    """When its instances were started."""
    ended: float | None

    def seconds(self, now: float) -> float | None:
        """How long its instances have run; None before they began."""
        if self.started is None:
            return None
        return (now if self.ended is None else self.ended) - self.started


class JobSummaries:
    """The summaries of one studio's jobs."""

    def __init__(self, store: MetadataStore) -> None:
        self._views = {
            kind: KeptViews(store, resource, partial(_summary, kind))
            for kind, resource in RESOURCES.items()
        }

    def of(self, listed: Sequence[Listed]) -> list[JobSummary]:
        """The summaries of these jobs in this order, without those deleted since."""
        found = {
            kind: views.of(one.outline for one in listed if one.kind == kind)
            for kind, views in self._views.items()
        }
        return [found[kind][one.name] for kind, one in listed if one.name in found[kind]]

    def keep_only(self, kind: JobKind, outlines: Iterable[Outline]) -> None:
        """Forget the jobs of a kind that are not among these, which are all there are."""
        self._views[kind].keep_only(outlines)


def job_summaries(ports: Ports) -> JobSummaries:
    """The summaries of a studio's jobs."""
    return ports.memory.of(JobSummaries, lambda: JobSummaries(ports.store))


def _summary(kind: JobKind, resource: Resource) -> JobSummary:
    if kind == "Training":
        return _training_summary(TrainingJob(resource))
    shown = overview(kind, resource)
    return JobSummary(
        overview=shown,
        running="EndTime" not in shown,
        objective=None,
        started=shown.get("StartTime"),
        ended=shown.get("EndTime"),
    )


def _training_summary(job: TrainingJob) -> JobSummary:
    body, resources = job.body, job.body["ResourceConfig"]
    overview: JobOverview = {
        "JobName": job.name,
        "JobArn": job.resource.arn,
        "Kind": "Training",
        "Status": job.status,
        "SecondaryStatus": job.secondary,
        "Algorithm": algorithm_of(job),
        "Image": job.image,
        "CreationTime": job.resource.created,
        "LastModifiedTime": job.resource.modified,
        "InstanceType": resources["InstanceType"],
        "InstanceCount": resources["InstanceCount"],
    }
    if "TrainingStartTime" in body:
        overview["StartTime"] = body["TrainingStartTime"]
    if "TrainingEndTime" in body:
        overview["EndTime"] = body["TrainingEndTime"]
    if "FailureReason" in body:
        overview["FailureReason"] = body["FailureReason"]
    if experiment := body.get("ExperimentConfig", {}).get("ExperimentName"):
        overview["ExperimentName"] = experiment
    return JobSummary(
        overview=overview,
        running=not job.ended,
        objective=_kept_objective(job) if job.ended else None,
        started=body.get("TrainingStartTime"),
        ended=body.get("TrainingEndTime"),
    )


def algorithm_of(job: TrainingJob) -> str:
    """The built-in algorithm, or the script or command that runs."""
    image = _image(job.image)
    if image is not None and not script_mode(image, job.body):
        return image.name
    command = job.body["AlgorithmSpecification"].get("ContainerEntrypoint")
    if command:
        return posixpath.basename(str(command[0]))
    program = job.hyperparameters.get("sagemaker_program", "")
    try:  # framework estimators send it JSON-encoded
        program = str(json.loads(program))
    except ValueError:
        return program or (image.name if image else job.image)
    return program


@lru_cache(maxsize=1024)
def _image(name: str) -> Image | None:
    """What an image stands for; None for one that an earlier bottega knew."""
    try:
        return resolve(name)
    except UnsupportedImage:
        return None


def _kept_objective(job: TrainingJob) -> Objective | None:
    if (kept := job.resource.private.get("objective")) is not None:
        return Objective.from_json(kept)
    # It ended before objectives were kept.
    final = {item["MetricName"]: item["Value"] for item in job.body.get("FinalMetricDataList", [])}
    if not final or _image(job.image) is None:
        return None
    name = judged_by(job, final)
    return None if name is None else Objective(name, final[name], ())
