"""The operations on transform jobs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from bottega import listing
from bottega.context import Context
from bottega.errors import ResourceInUse, ValidationException
from bottega.features.transform.entities import KIND, TransformJob, arn_of
from bottega.features.transform.rules import check_request
from bottega.registry import Settling, operation
from bottega.specs.generated.transform import (
    CreateTransformJobRequest,
    CreateTransformJobResponse,
    DescribeTransformJobRequest,
    DescribeTransformJobResponse,
    ListTransformJobsRequest,
    ListTransformJobsResponse,
    StopTransformJobRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

_ECHOED = (
    "ModelName",
    "MaxConcurrentTransforms",
    "ModelClientConfig",
    "MaxPayloadInMB",
    "BatchStrategy",
    "Environment",
    "TransformInput",
    "TransformOutput",
    "DataCaptureConfig",
    "TransformResources",
    "DataProcessing",
    "ExperimentConfig",
)


@operation(
    "CreateTransformJob",
    note="S3Prefix and ManifestFile. Lines end at line breaks, also inside quotes; empty lines are "
    "not sent. Keys, instance types and TransformAmiVersion are recorded but change nothing here.",
)
def create_transform_job(
    context: Context, request: CreateTransformJobRequest
) -> CreateTransformJobResponse:
    """Accept a job; the controller runs it."""
    ports = context.ports
    model = check_request(context, request)
    now = ports.clock.now()
    name = request["TransformJobName"]
    arn = arn_of(ports.config, name)
    body: dict[str, Any] = {
        **{member: request[member] for member in _ECHOED if member in request},  # type: ignore[literal-required]
        "TransformJobName": name,
        "TransformJobArn": arn,
        "TransformJobStatus": "InProgress",
        "CreationTime": now,
    }
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    resource = Resource(
        KIND,
        name,
        arn,
        "InProgress",
        created=now,
        modified=now,
        body=body,
        private={"phase": "Starting", "model": asdict(model)},
    )
    try:
        ports.store.create(resource, tags=tags)
    except ResourceExists as error:
        raise ResourceInUse(
            "Transform job names must be unique within an AWS account and region, and a transform "
            f"job with this name already exists ({error.existing.arn})"
        ) from error
    return {"TransformJobArn": arn}


@operation(
    "DescribeTransformJob",
    settling=Settling(KIND, "TransformJobName", frozenset({"InProgress", "Stopping"})),
)
def describe_transform_job(
    context: Context, request: DescribeTransformJobRequest
) -> DescribeTransformJobResponse:
    """Everything that is known of a job."""
    name = request["TransformJobName"]
    try:
        resource = context.ports.store.get(KIND, name)
    except ResourceMissing as error:
        raise _not_found(name) from error
    answer: Any = dict(resource.body)
    return cast(DescribeTransformJobResponse, answer)


@operation("ListTransformJobs")
def list_transform_jobs(
    context: Context, request: ListTransformJobsRequest
) -> ListTransformJobsResponse:
    """One page of jobs."""
    page = listing.page(context, "ListTransformJobs", KIND, request)
    answer: Any = {"TransformJobSummaries": [_summary(resource) for resource in page.resources]}
    if page.next_token:
        answer["NextToken"] = page.next_token
    return cast(ListTransformJobsResponse, answer)


def _summary(resource: Resource) -> dict[str, Any]:
    summary = {
        "TransformJobName": resource.name,
        "TransformJobArn": resource.arn,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
        "TransformJobStatus": resource.status,
    }
    for member in ("TransformEndTime", "FailureReason"):
        if member in resource.body:
            summary[member] = resource.body[member]
    return summary


@operation("StopTransformJob")
def stop_transform_job(context: Context, request: StopTransformJobRequest) -> None:
    """Ask a job to stop; the objects that are done by then are kept."""
    ports, name = context.ports, request["TransformJobName"]

    def stopping(present: Resource) -> Resource:
        job = TransformJob(present)
        if job.status == "Stopping":
            return present
        if job.status != "InProgress":
            raise ValidationException(
                f"The request was rejected because the transform job is in status {job.status}."
            )
        return job.moved("Stopping", ports.clock.now()).resource

    try:
        ports.store.modify(KIND, name, stopping)
    except ResourceMissing as error:
        raise _not_found(name) from error


def _not_found(name: str) -> ValidationException:
    return ValidationException(f"Could not find requested job with name: {name}")
