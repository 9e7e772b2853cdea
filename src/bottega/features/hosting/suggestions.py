"""SuggestInvocation: a request that an endpoint's model should understand."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.algorithms import registry
from bottega.algorithms.images import UnsupportedImage, resolve
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting import resources
from bottega.features.hosting.deployments import EndpointPlans, VariantPlan
from bottega.features.hosting.first_rows import CSV, Row, RowUnknown, first_row
from bottega.features.hosting.resources import ENDPOINT, MODEL
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.hosting import SuggestInvocationRequest, SuggestInvocationResponse
from bottega.storage import s3_uris
from bottega.storage.metadata import Resource, ResourceMissing
from bottega.storage.objects import BucketMissing, ObjectMissing

COLUMNS_TAG = "bottega:columns"
"""The tag of a job or a model that says where the order of its feature columns is kept."""
_TRAINING_JOB = "TrainingJob"
_LARGEST_COLUMNS = 1024 * 1024
"""Bytes of a list of columns that are read at most."""


@operation(
    "SuggestInvocation",
    service="bottega",
    note="From CSV and libsvm data of a training job; of scripts only where columns are known.",
)
def suggest_invocation(
    context: Context, request: SuggestInvocationRequest
) -> SuggestInvocationResponse:
    """The first row that the first variant's model learned from, without what it predicts."""
    plans = EndpointPlans.of(resources.find(context, ENDPOINT, request["EndpointName"]))
    deployment = plans.active or plans.target
    columns: tuple[str, ...] = ()
    try:
        if deployment is None:
            raise RowUnknown("The endpoint has no deployment that says which model it serves.")
        if not deployment.variants:
            raise RowUnknown("The endpoint is for inference components, which bring their models.")
        variant = deployment.variants[0]
        if variant.model.pipeline:
            raise RowUnknown(
                "The endpoint serves an inference pipeline: its model learned from rows that the "
                f"{variant.model.containers[0].runtime} container in front of it makes of yours."
            )
        job = _training_job(context.ports, variant)
        columns = _columns(context.ports, variant, job)
        row = _row(context.ports, variant, job, columns)
    except RowUnknown as unknown:
        answer: SuggestInvocationResponse = {
            "ContentType": CSV,
            "Body": "",
            "Source": f"{unknown} Write a request that the model server understands.",
        }
    else:
        answer = {"ContentType": row.content_type, "Body": row.text, "Source": row.source}
        if row.values is not None and len(row.values) != len(columns):
            columns = ()
    if columns:
        answer["Columns"] = list(columns)
    return answer


def _row(ports: Ports, variant: VariantPlan, job: Resource | None, columns: Sequence[str]) -> Row:
    if job is None:
        raise RowUnknown(
            f"No training job of this studio made the data of model {variant.model.name}, so that "
            "it is not known what it learned from."
        )
    channels = job.body.get("InputDataConfig", [])
    named = [channel for channel in channels if channel["ChannelName"] == "train"]
    if not (chosen := [*named, *channels][:1]):
        raise RowUnknown(f"The training job {job.name} read no data.")
    return first_row(
        ports.objects,
        job.name,
        chosen[0],
        columns=columns,
        labels=_labels(job.body, chosen[0]),
    )


def _labels(job: Mapping[str, Any], channel: Mapping[str, Any]) -> int | None:
    """How many values of a CSV row stand in front of the features; None where only a script
    knows."""
    algorithm = job["AlgorithmSpecification"]
    parameters = job.get("HyperParameters", {})
    try:
        image = resolve(algorithm.get("TrainingImage") or algorithm["AlgorithmName"])
    except UnsupportedImage:
        return None
    channels = {channel["ChannelName"] for channel in job.get("InputDataConfig", [])}
    if not image.algorithm or "sagemaker_program" in parameters or "code" in channels:
        return None
    if "label_size=0" in channel.get("ContentType", "").replace(" ", "").lower().split(";"):
        return 0
    return len(registry.algorithm(image.name).leading_columns(parameters))


def _training_job(ports: Ports, variant: VariantPlan) -> Resource | None:
    """The job that made the model's data: its name is in the URI, and the job must agree."""
    if variant.model.last.data is None:
        return None
    name = (["", "", "", *variant.model.last.data.uri.rstrip("/").split("/")])[-3]
    try:
        job = ports.store.get(_TRAINING_JOB, name)
    except ResourceMissing:
        return None
    made = job.body["ModelArtifacts"]["S3ModelArtifacts"]
    return job if made.rstrip("/") == variant.model.last.data.uri.rstrip("/") else None


def _columns(ports: Ports, variant: VariantPlan, job: Resource | None) -> tuple[str, ...]:
    """The model's feature columns in order, as the model or else the job has them; empty when
    nobody knows."""
    tags: Mapping[str, str] = {}
    with contextlib.suppress(ResourceMissing):  # a model may be deleted while it is served
        tags = ports.store.tags(ports.store.get(MODEL, variant.model.name).arn)
    if COLUMNS_TAG not in tags and job is not None:
        tags = ports.store.tags(job.arn)
    if (uri := tags.get(COLUMNS_TAG)) is None:
        return ()
    return _read_columns(ports, uri)


def _read_columns(ports: Ports, uri: str) -> tuple[str, ...]:
    """The list at ``uri``; empty when it is none, as a tag may say anything."""
    try:
        with ports.objects.open(*s3_uris.split(uri), length=_LARGEST_COLUMNS) as stream:
            found = json.loads(stream.read())
    except (ValidationException, BucketMissing, ObjectMissing, ValueError, RecursionError):
        return ()
    return tuple(map(str, found)) if isinstance(found, list) else ()
