"""The operations on training jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bottega import listing
from bottega.algorithms.images import Image
from bottega.algorithms.registry import algorithm
from bottega.context import Context
from bottega.errors import ResourceInUse, ResourceNotFound, ValidationException
from bottega.features.training import tracker
from bottega.features.training.entities import KIND, MESSAGES, TrainingJob
from bottega.features.training.rules import check_request, script_mode
from bottega.identifiers import sagemaker_arn
from bottega.jobs.debugging import session as debugging
from bottega.jobs.debugging.configuration import PROFILER_RULES, profiling_status
from bottega.jobs.debugging.evaluations import first_statuses
from bottega.registry import Settling, operation
from bottega.specs.generated.training import (
    CreateTrainingJobRequest,
    CreateTrainingJobResponse,
    DeleteTrainingJobRequest,
    DescribeTrainingJobRequest,
    DescribeTrainingJobResponse,
    ListTrainingJobsRequest,
    ListTrainingJobsResponse,
    StopTrainingJobRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing

DEFAULT_MAX_RUNTIME_SECONDS = 86_400

SHOWN_METRICS = 40
"""The most metric definitions that a job has."""

ECHOED = (
    "AlgorithmSpecification",
    "RoleArn",
    "HyperParameters",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "Environment",
    "RetryStrategy",
    "ExperimentConfig",
    "DebugHookConfig",
    "DebugRuleConfigurations",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "TensorBoardOutputConfig",
    "RemoteDebugConfig",
    "InfraCheckConfig",
)
"""What Describe gives back as Create got it."""


@operation(
    "CreateTrainingJob",
    note="File, FastFile and Pipe mode; xgboost as a built-in, scikit-learn, xgboost and Python as "
    "script mode. "
    "VpcConfig, volume keys, instance types and spot are recorded but change nothing here. "
    "A DebugHookConfig without collections, parameters and rules saves nothing, and a "
    "ProfilerConfig without an interval, parameters and rules profiles nothing: the SDK sends them "
    "with every job.",
)
def create_training_job(
    context: Context, request: CreateTrainingJobRequest
) -> CreateTrainingJobResponse:
    """Accept a job; the controller runs it."""
    ports = context.ports
    image = check_request(ports, request)
    now = ports.clock.now()
    name = request["TrainingJobName"]
    arn = sagemaker_arn(ports.config.region, ports.config.account, "training-job", name)
    echoed: dict[str, Any] = {member: request[member] for member in ECHOED if member in request}  # type: ignore[literal-required]
    # SDK 2.x reads the key of a job that it attaches to, also where there is none.
    echoed["OutputDataConfig"] = {"KmsKeyId": "", **echoed["OutputDataConfig"]}
    echoed.setdefault("StoppingCondition", {})
    echoed["StoppingCondition"] = {
        "MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS,
        **echoed["StoppingCondition"],
    }
    if not script_mode(image, request):
        echoed["AlgorithmSpecification"] = {
            **echoed["AlgorithmSpecification"],
            "MetricDefinitions": _metric_definitions(image, request.get("HyperParameters", {})),
        }
    body = {
        **echoed,
        "TrainingJobName": name,
        "TrainingJobArn": arn,
        "CreationTime": now,
        "EnableNetworkIsolation": request.get("EnableNetworkIsolation", False),
        "EnableInterContainerTrafficEncryption": request.get(
            "EnableInterContainerTrafficEncryption", False
        ),
        "EnableManagedSpotTraining": request.get("EnableManagedSpotTraining", False),
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": now, "StatusMessage": MESSAGES["Starting"]}
        ],
        "ModelArtifacts": {"S3ModelArtifacts": _model_uri(name, echoed["OutputDataConfig"])},
    }
    body |= first_statuses(ports.config, name, now, body)
    if "ProfilerConfig" in body or PROFILER_RULES in body:
        body["ProfilingStatus"] = profiling_status(body)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    private: dict[str, Any] = {}
    if (errand := context.errand) is not None:
        body["TuningJobArn"] = errand.arn
        private = {"cores": errand.cores, "live_seconds": errand.live_seconds}
    resource = Resource(
        KIND, name, arn, "InProgress", created=now, modified=now, body=body, private=private
    )
    try:
        ports.store.create(resource, tags=tags)
    except ResourceExists as error:
        raise ResourceInUse(
            "Training job names must be unique within an AWS account and region, and a training "
            f"job with this name already exists ({error.existing.arn})"
        ) from error
    return {"TrainingJobArn": arn}


def _metric_definitions(image: Image, hyperparameters: Mapping[str, str]) -> list[dict[str, str]]:
    """The metrics of an algorithm, as many as SageMaker shows: what the job is judged by first."""
    chosen = algorithm(image.name)
    judges = {name.rpartition(":")[2] for name in chosen.judged_by(hyperparameters)}
    ordered = sorted(
        chosen.metric_definitions, key=lambda metric: metric.name.rpartition(":")[2] not in judges
    )
    return [{"Name": metric.name, "Regex": metric.regex} for metric in ordered[:SHOWN_METRICS]]


def _model_uri(name: str, output: Mapping[str, Any]) -> str:
    prefix = f"{output['S3OutputPath'].rstrip('/')}/{name}/output"
    plain = output.get("CompressionType", "GZIP") == "NONE"
    return f"{prefix}/model" if plain else f"{prefix}/model.tar.gz"


@operation(
    "DescribeTrainingJob",
    settling=Settling(KIND, "TrainingJobName", frozenset({"InProgress", "Stopping"})),
)
def describe_training_job(
    context: Context, request: DescribeTrainingJobRequest
) -> DescribeTrainingJobResponse:
    """Everything that is known of a job."""
    resource = find_job(context, request["TrainingJobName"]).resource
    answer: Any = {**resource.body, "LastModifiedTime": resource.modified}
    return cast(DescribeTrainingJobResponse, answer)


def find_job(context: Context, name: str) -> TrainingJob:
    """The job of this name.

    Raises:
        ValidationException: there is none, in SageMaker's words.
    """
    try:
        return TrainingJob(context.ports.store.get(KIND, name))
    except ResourceMissing as error:
        raise ValidationException("Requested resource not found.") from error


@operation("ListTrainingJobs", note="WarmPoolStatusEquals and TrainingPlanArnEquals match no job.")
def list_training_jobs(
    context: Context, request: ListTrainingJobsRequest
) -> ListTrainingJobsResponse:
    """One page of jobs."""
    if "WarmPoolStatusEquals" in request or "TrainingPlanArnEquals" in request:
        return {"TrainingJobSummaries": []}
    page = listing.page(context, "ListTrainingJobs", KIND, request)
    answer: Any = {"TrainingJobSummaries": [_summary(resource) for resource in page.resources]}
    if page.next_token:
        answer["NextToken"] = page.next_token
    return cast(ListTrainingJobsResponse, answer)


def _summary(resource: Resource) -> dict[str, Any]:
    summary = {
        "TrainingJobName": resource.name,
        "TrainingJobArn": resource.arn,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
        "TrainingJobStatus": resource.status,
        "SecondaryStatus": resource.body["SecondaryStatus"],
    }
    if "TrainingEndTime" in resource.body:
        summary["TrainingEndTime"] = resource.body["TrainingEndTime"]
    return summary


@operation("StopTrainingJob")
def stop_training_job(context: Context, request: StopTrainingJobRequest) -> None:
    """Ask a job to stop: SIGTERM, then SIGKILL after the grace; what it saved is uploaded."""
    ports = context.ports

    def stopping(present: Resource) -> Resource:
        job = TrainingJob(present)
        if job.status == "Stopping":
            return present
        if job.status != "InProgress":
            raise ValidationException(
                f"The request was rejected because the training job is in status {job.status}."
            )
        return job.moved("Stopping", ports.clock.now()).resource

    try:
        ports.store.modify(KIND, request["TrainingJobName"], stopping)
    except ResourceMissing as error:
        raise ValidationException("Requested resource not found.") from error


@operation("DeleteTrainingJob", note="Logs and artifacts stay where they are.")
def delete_training_job(context: Context, request: DeleteTrainingJobRequest) -> None:
    """Forget a job that has ended."""
    ports = context.ports
    name = request["TrainingJobName"]
    try:
        job = TrainingJob(ports.store.get(KIND, name))
        if not job.ended:
            raise ResourceInUse(
                f"The training job {name} is in status {job.status}; stop it and wait for its end "
                "before you delete it."
            )
        tracker.note_deletion(ports, job)
        debugging.forget(ports, job.resource)
        # Before it is gone: a new job of the name has the same ARN, and may have slots at once.
        ports.capacity.release(job.resource.arn)
        ports.store.delete(KIND, name)
    except ResourceMissing as error:
        raise ResourceNotFound("Requested resource not found.") from error
