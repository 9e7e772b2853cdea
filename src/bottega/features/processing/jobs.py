"""The operations on processing jobs."""

from __future__ import annotations

from typing import Any, cast

from bottega import listing
from bottega.algorithms.images import DOCKER
from bottega.context import Context
from bottega.errors import ResourceInUse, ResourceNotFound, ValidationException
from bottega.features.processing import tracker
from bottega.features.processing.entities import KIND, ProcessingJob
from bottega.features.processing.rules import check_request
from bottega.identifiers import sagemaker_arn
from bottega.jobs.debugging.evaluations import KIND as RULE_EVALUATION
from bottega.jobs.debugging.evaluations import RuleEvaluation
from bottega.ports import Ports
from bottega.registry import Settling, operation
from bottega.specs.generated.processing import (
    CreateProcessingJobRequest,
    CreateProcessingJobResponse,
    DeleteProcessingJobRequest,
    DescribeProcessingJobRequest,
    DescribeProcessingJobResponse,
    ListProcessingJobsRequest,
    ListProcessingJobsResponse,
    StopProcessingJobRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
_ECHOED = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)


@operation(
    "CreateProcessingJob",
    note="Programs in the scikit-learn, xgboost and Python images, flows in "
    "sagemaker-data-wrangler-container, any other image where there is a Docker engine; no Spark. "
    "Inputs in File mode; no DatasetDefinition and no FeatureStoreOutput. A job with an "
    "ExperimentConfig gets an MLflow run. VpcConfig, volume keys and instance types are recorded "
    "but change nothing here.",
)
def create_processing_job(
    context: Context, request: CreateProcessingJobRequest
) -> CreateProcessingJobResponse:
    """Accept a job; the controller runs it."""
    ports = context.ports
    image = check_request(ports, request)
    now = ports.clock.now()
    name = request["ProcessingJobName"]
    arn = sagemaker_arn(ports.config.region, ports.config.account, "processing-job", name)
    body: dict[str, Any] = {
        **{member: request[member] for member in _ECHOED if member in request},  # type: ignore[literal-required]
        "StoppingCondition": request.get(
            "StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS}
        ),
        "ProcessingJobName": name,
        "ProcessingJobArn": arn,
        "ProcessingJobStatus": "InProgress",
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
        private={"phase": "Starting", "docker": image.name == DOCKER},
    )
    try:
        ports.store.create(resource, tags=tags)
    except ResourceExists as error:
        raise ResourceInUse(
            "Processing job names must be unique within an AWS account and region, and a "
            f"processing job with this name already exists ({error.existing.arn})"
        ) from error
    return {"ProcessingJobArn": arn}


@operation(
    "DescribeProcessingJob",
    settling=Settling(KIND, "ProcessingJobName", frozenset({"InProgress", "Stopping"})),
)
def describe_processing_job(
    context: Context, request: DescribeProcessingJobRequest
) -> DescribeProcessingJobResponse:
    """Everything that is known of a job."""
    name = request["ProcessingJobName"]
    resource = _found(context.ports, name)
    answer: Any = {**resource.body, "LastModifiedTime": resource.modified}
    return cast(DescribeProcessingJobResponse, answer)


@operation("ListProcessingJobs")
def list_processing_jobs(
    context: Context, request: ListProcessingJobsRequest
) -> ListProcessingJobsResponse:
    """One page of jobs."""
    page = listing.page(context, "ListProcessingJobs", KIND, request)
    answer: Any = {"ProcessingJobSummaries": [_summary(resource) for resource in page.resources]}
    if page.next_token:
        answer["NextToken"] = page.next_token
    return cast(ListProcessingJobsResponse, answer)


def _summary(resource: Resource) -> dict[str, Any]:
    summary = {
        "ProcessingJobName": resource.name,
        "ProcessingJobArn": resource.arn,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
        "ProcessingJobStatus": resource.status,
    }
    for member in ("ProcessingEndTime", "FailureReason", "ExitMessage"):
        if member in resource.body:
            summary[member] = resource.body[member]
    return summary


@operation("StopProcessingJob")
def stop_processing_job(context: Context, request: StopProcessingJobRequest) -> None:
    """Ask a job to stop: SIGTERM, then SIGKILL after the grace; what it wrote is uploaded."""
    ports, name = context.ports, request["ProcessingJobName"]
    kind = _found(ports, name).kind

    def stopping(present: Resource) -> Resource:
        if kind == RULE_EVALUATION and present.status == "InProgress":
            return RuleEvaluation(present).moved("Stopping", ports.clock.now()).resource
        job = ProcessingJob(present)
        if job.status == "Stopping":
            return present
        if job.status != "InProgress":
            raise ValidationException(
                f"The request was rejected because the processing job is in status {job.status}."
            )
        return job.moved("Stopping", ports.clock.now()).resource

    try:
        ports.store.modify(kind, name, stopping)
    except ResourceMissing as error:
        raise _not_found(name) from error


def find_job(context: Context, name: str) -> ProcessingJob:
    """A job that was created by a request.

    Raises:
        ValidationException: there is none of this name.
    """
    try:
        return ProcessingJob(context.ports.store.get(KIND, name))
    except ResourceMissing as error:
        raise _not_found(name) from error


def _found(ports: Ports, name: str) -> Resource:
    """A job by its name: also one that evaluates a rule of the Debugger's, which no list has.

    Raises:
        ValidationException: there is none.
    """
    for kind in (KIND, RULE_EVALUATION):
        try:
            return ports.store.get(kind, name)
        except ResourceMissing:
            continue
    raise _not_found(name)


@operation("DeleteProcessingJob", note="Logs and outputs stay where they are.")
def delete_processing_job(context: Context, request: DeleteProcessingJobRequest) -> None:
    """Forget a job that has ended."""
    ports, name = context.ports, request["ProcessingJobName"]
    try:
        job = ProcessingJob(ports.store.get(KIND, name))
        if not job.ended:
            raise ResourceInUse(
                f"The processing job {name} is in status {job.status}; stop it and wait for its "
                "end before you delete it."
            )
        tracker.note_deletion(ports, job)
        # Before it is gone: a new job of the name has the same ARN, and may have slots at once.
        ports.capacity.release(job.resource.arn)
        ports.store.delete(KIND, name)
    except ResourceMissing as error:
        raise ResourceNotFound(_COULD_NOT_FIND.format(name)) from error


_COULD_NOT_FIND = "Could not find requested job with name: {}"


def _not_found(name: str) -> ValidationException:
    return ValidationException(_COULD_NOT_FIND.format(name))
