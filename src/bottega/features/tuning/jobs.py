"""The operations on tuning jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from bottega import listing
from bottega.context import Context
from bottega.errors import (
    ResourceInUse,
    ResourceLimitExceeded,
    ResourceNotFound,
    ValidationException,
)
from bottega.features.tuning import warm_starts
from bottega.features.tuning.entities import (
    ARN_TYPE,
    KIND,
    TuningJob,
    as_shown,
    definitions,
)
from bottega.features.tuning.plans import TuningPlan
from bottega.features.tuning.rules import check_request
from bottega.features.tuning.tally import tallied
from bottega.identifiers import sagemaker_arn
from bottega.registry import Settling, operation
from bottega.specs.generated.tuning import (
    CreateHyperParameterTuningJobRequest,
    CreateHyperParameterTuningJobResponse,
    DeleteHyperParameterTuningJobRequest,
    DescribeHyperParameterTuningJobRequest,
    DescribeHyperParameterTuningJobResponse,
    ListHyperParameterTuningJobsRequest,
    ListHyperParameterTuningJobsResponse,
    StopHyperParameterTuningJobRequest,
)
from bottega.storage.metadata import Resource, ResourceExists, ResourceMissing, VersionConflict

MOST_RUNNING = 100
"""Tuning jobs at once."""


@operation(
    "CreateHyperParameterTuningJob",
    note="All strategies, Autotune and warm start; training jobs share the machine's slots.",
)
def create_hyper_parameter_tuning_job(
    context: Context, request: CreateHyperParameterTuningJobRequest
) -> CreateHyperParameterTuningJobResponse:
    """Accept a tuning job; the controller runs it."""
    ports = context.ports
    name = request["HyperParameterTuningJobName"]
    _refuse_present(context, name)
    plan = check_request(request, context.call)
    _check_quota(context)
    now = ports.clock.now()
    arn = sagemaker_arn(ports.config.region, ports.config.account, ARN_TYPE, name)
    private = {"plan": plan.as_json()}
    body = _body(request, plan, arn, now)
    job = TuningJob(
        Resource(
            KIND, name, arn, "InProgress", created=now, modified=now, body=body, private=private
        )
    )
    prior = warm_starts.prior(ports, job, request)
    if prior is not None:
        job = job.with_private(prior=prior.as_json())
    job = tallied(job, [], None if prior is None else prior.best)
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
    try:
        ports.store.create(job.resource, tags=tags)
    except ResourceExists as error:
        raise _in_use(error.existing.arn) from error
    return {"HyperParameterTuningJobArn": arn}


def _refuse_present(context: Context, name: str) -> None:
    """A name that is taken is refused first, whatever else is wrong."""
    try:
        raise _in_use(context.ports.store.get(KIND, name).arn)
    except ResourceMissing:
        return


def _in_use(arn: str) -> ResourceInUse:
    return ResourceInUse(
        "Hyper parameter tuning job names must be unique within an AWS account and region, and a "
        f"hyper parameter tuning job with this name already exists ({arn})"
    )


def _check_quota(context: Context) -> None:
    counts = context.ports.store.counts(KIND)
    running = counts.get("InProgress", 0) + counts.get("Stopping", 0)
    if running >= MOST_RUNNING:
        raise ResourceLimitExceeded(
            "The account-level service limit 'Number of concurrent hyperparameter tuning jobs' is "
            f"{MOST_RUNNING} Jobs, with current utilization of {running} Jobs and a request delta "
            "of 1 Jobs. Stop some, or wait for their end."
        )


def _body(request: Mapping[str, Any], plan: TuningPlan, arn: str, now: float) -> dict[str, Any]:
    echoed = {
        member: request[member]
        for member in ("HyperParameterTuningJobConfig", "WarmStartConfig", "Autotune")
        if member in request
    }
    found = [
        as_shown(definition, one.metric)
        for definition, one in zip(definitions(request), plan.definitions, strict=True)
    ]
    shown = (
        {"TrainingJobDefinitions": found}
        if "TrainingJobDefinitions" in request
        else {"TrainingJobDefinition": found[0]}
    )
    return {
        **echoed,
        **shown,
        "HyperParameterTuningJobName": request["HyperParameterTuningJobName"],
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": now,
    }


def find_tuning_job(context: Context, name: str) -> TuningJob:
    """The tuning job of this name.

    Raises:
        ResourceNotFound: there is none.
    """
    try:
        return TuningJob(context.ports.store.get(KIND, name))
    except ResourceMissing as error:
        raise _missing(name) from error


def _missing(name: str) -> ResourceNotFound:
    return ResourceNotFound(f"Amazon SageMaker can't find a tuning job with the name {name}.")


@operation(
    "DescribeHyperParameterTuningJob",
    settling=Settling(KIND, "HyperParameterTuningJobName", frozenset({"InProgress", "Stopping"})),
)
def describe_hyper_parameter_tuning_job(
    context: Context, request: DescribeHyperParameterTuningJobRequest
) -> DescribeHyperParameterTuningJobResponse:
    """Everything that is known of a tuning job."""
    job = find_tuning_job(context, request["HyperParameterTuningJobName"])
    answer: Any = {
        **job.body,
        "LastModifiedTime": job.resource.modified,
        "ConsumedResources": {"RuntimeInSeconds": job.seconds(context.ports.clock.now())},
    }
    return cast(DescribeHyperParameterTuningJobResponse, answer)


@operation("ListHyperParameterTuningJobs")
def list_hyper_parameter_tuning_jobs(
    context: Context, request: ListHyperParameterTuningJobsRequest
) -> ListHyperParameterTuningJobsResponse:
    """One page of tuning jobs."""
    page = listing.page(context, "ListHyperParameterTuningJobs", KIND, request)
    answer: Any = {
        "HyperParameterTuningJobSummaries": [_summary(TuningJob(one)) for one in page.resources]
    }
    if page.next_token:
        answer["NextToken"] = page.next_token
    return cast(ListHyperParameterTuningJobsResponse, answer)


def _summary(job: TuningJob) -> dict[str, Any]:
    shown = (
        "HyperParameterTuningJobName",
        "HyperParameterTuningJobArn",
        "HyperParameterTuningJobStatus",
        "CreationTime",
        "HyperParameterTuningEndTime",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
    )
    return {
        **{member: job.body[member] for member in shown if member in job.body},
        "Strategy": job.config["Strategy"],
        "ResourceLimits": job.config["ResourceLimits"],
        "LastModifiedTime": job.resource.modified,
    }


@operation("StopHyperParameterTuningJob")
def stop_hyper_parameter_tuning_job(
    context: Context, request: StopHyperParameterTuningJobRequest
) -> None:
    """Start no more training jobs, and stop those that run."""
    ports, name = context.ports, request["HyperParameterTuningJobName"]

    def stopping(present: Resource) -> Resource:
        job = TuningJob(present)
        if job.status == "Stopping":
            return present
        if job.status != "InProgress":
            raise ValidationException(
                "The request was rejected because the hyperparameter tuning job is in status "
                f"{job.status}."
            )
        return job.moved("Stopping", ports.clock.now()).resource

    try:
        ports.store.modify(KIND, name, stopping)
    except ResourceMissing as error:
        raise _missing(name) from error


@operation("DeleteHyperParameterTuningJob", note="Its training jobs stay.")
def delete_hyper_parameter_tuning_job(
    context: Context, request: DeleteHyperParameterTuningJobRequest
) -> None:
    """Forget a tuning job that has ended."""
    ports, name = context.ports, request["HyperParameterTuningJobName"]

    while True:
        try:
            job = TuningJob(ports.store.get(KIND, name))
            if not job.ended:
                raise ResourceInUse(
                    f"The hyperparameter tuning job {name} is in status {job.status}; stop it and "
                    "wait for its end before you delete it."
                )
            ports.store.delete(KIND, name, seen=job.resource)
            return
        except ResourceMissing as error:
            raise _missing(name) from error
        except VersionConflict:
            continue
