"""From a stored job to a workload: the files a container expects, its environment, its program."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bottega.algorithms.images import DATA_WRANGLER, resolve
from bottega.compute.docker.container import PLAN_VARIABLE
from bottega.compute.docker.engine import address
from bottega.compute.docker.job import JobRun
from bottega.compute.runner import HostSpec, Mount, Program, WorkloadSpec
from bottega.features.processing.entities import (
    LOG_GROUP,
    SYSTEM_METRICS_GROUP,
    JobFolders,
    ProcessingJob,
)
from bottega.features.processing.rules import as_channel
from bottega.jobs.job_files import ML_ROOT, below_ml_root
from bottega.jobs.staging import stage_channel
from bottega.ports import Ports

_CONFIG_MEMBERS = (
    "ProcessingJobName",
    "ProcessingJobArn",
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)


def stage(
    ports: Ports,
    job: ProcessingJob,
    folders: JobFolders,
    cancelled: Callable[[], bool],
    *,
    shown: bool,
) -> None:
    """Lay out ``/opt/ml`` of every host: configuration, inputs, empty folders for the outputs.

    A program may write to its inputs, so it gets copies. The image of the Data Wrangler only reads:
    where the runner shows mounts, its inputs are the objects themselves, linked.

    Args:
        shown: ``Runner.shows_mounts`` of the runner that will start the job.

    Raises:
        InputError: an input cannot be staged.
        Cancelled: ``cancelled()`` became true.
    """
    for host in job.host_names:
        root = folders.host(host)
        for part in ("config", "output", "processing"):
            (root / part).mkdir(parents=True, exist_ok=True)
        for name, value in config_files(job, host).items():
            (root / "config" / name).write_text(json.dumps(value))
        for output in job.outputs:
            path = root / below_ml_root(output["S3Output"]["LocalPath"])
            path.mkdir(parents=True, exist_ok=True)
    link = shown and runs_flow(job)
    for number, entry in enumerate(job.inputs):
        source = entry["S3Input"]
        below = [folders.host(host) / below_ml_root(source["LocalPath"]) for host in job.host_names]
        if link:
            for path in below:
                path.mkdir(parents=True, exist_ok=True)
            below = [folders.linked(host, number) for host in job.host_names]
        channel = as_channel(entry["InputName"], source)
        stage_channel(ports.objects, channel, below, cancelled, link=link, apart=True)


def runs_flow(job: ProcessingJob) -> bool:
    """Whether it is a flow of the Data Wrangler, whose program only reads its inputs."""
    return not job.docker and resolve(job.image).name == DATA_WRANGLER


def config_files(job: ProcessingJob, host: str) -> dict[str, dict[str, Any]]:
    """What is in ``/opt/ml/config`` of a host, by file name."""
    return {
        "processingjobconfig.json": {member: job.body.get(member) for member in _CONFIG_MEMBERS},
        "resourceconfig.json": _resources(job, host),
    }


def _resources(job: ProcessingJob, host: str) -> dict[str, Any]:
    cluster = job.body["ProcessingResources"]["ClusterConfig"]
    return {
        "current_host": host,
        "current_instance_type": cluster["InstanceType"],
        "hosts": sorted(job.host_names),
        "network_interface_name": "lo",
    }


def workload(ports: Ports, job: ProcessingJob, folders: JobFolders) -> WorkloadSpec:
    """What the runner shall run for this job."""
    config = ports.config
    limits: dict[str, Any] = {
        "directory": folders.supervisor,
        "max_runtime_seconds": float(job.body["StoppingCondition"]["MaxRuntimeInSeconds"]),
        "stop_grace_seconds": config.stop_grace_seconds,
    }
    if job.docker:
        engine = address(config.docker)
        return WorkloadSpec(
            **limits,
            program=Program(module="bottega.compute.docker.job"),
            hosts=tuple(_attended(ports, job, folders, host) for host in job.host_names),
            environment={"PYTHONUNBUFFERED": "1"},
            aftermath=Program(
                module="bottega.compute.docker.remover",
                arguments=(engine, str(folders.supervisor)),
            ),
            trusted=True,
        )
    return WorkloadSpec(
        **limits,
        program=_program(job),
        hosts=tuple(_host(ports, job, folders, host) for host in job.host_names),
        environment={"BOTTEGA_IMAGE": resolve(job.image).name, **environment(ports, job)},
        network=not job.isolated,
        hidden=config.private_folders,
    )


def _program(job: ProcessingJob) -> Program:
    if runs_flow(job):
        arguments = tuple(job.body["AppSpecification"].get("ContainerArguments", ()))
        return Program(module="bottega.wrangler.job", arguments=arguments)
    return Program(module="bottega.container.processing", arguments=command(job))


def command(job: ProcessingJob) -> tuple[str, ...]:
    """The program of a job that brings its own, with its arguments."""
    specification = job.body["AppSpecification"]
    return (*specification["ContainerEntrypoint"], *specification.get("ContainerArguments", ()))


def _host(ports: Ports, job: ProcessingJob, folders: JobFolders, host: str) -> HostSpec:
    mounts = [Mount(folders.host(host), ML_ROOT)]
    if ports.runner.shows_mounts() and runs_flow(job):
        mounts += [
            Mount(
                folders.linked(host, number),
                f"{ML_ROOT}/{below_ml_root(entry['S3Input']['LocalPath'])}",
                read_only=True,
            )
            for number, entry in enumerate(job.inputs)
        ]
    return HostSpec(
        name=host,
        log=ports.logs.path(LOG_GROUP, job.log_stream(host)),
        metrics=ports.logs.path(SYSTEM_METRICS_GROUP, job.log_stream(host)),
        mounts=tuple(mounts),
    )


def _attended(ports: Ports, job: ProcessingJob, folders: JobFolders, host: str) -> HostSpec:
    """A host that is a container of the Docker engine's: the workload is who attends it."""
    config, specification = ports.config, job.body["AppSpecification"]
    run = JobRun(
        engine=address(config.docker),
        image=job.image.strip(),
        entrypoint=tuple(specification.get("ContainerEntrypoint", ())),
        arguments=tuple(specification.get("ContainerArguments", ())),
        environment=environment(ports, job),
        folder=str(folders.host(host)),
        hosts=job.host_names,
        network=not job.isolated,
        # The attendant has to be there a little longer than its container.
        stop_seconds=max(1, int(config.stop_grace_seconds) - 3),
        home=str(config.home),
        workload=str(folders.supervisor),
    )
    return HostSpec(
        name=host,
        log=ports.logs.path(LOG_GROUP, job.log_stream(host)),
        environment={PLAN_VARIABLE: run.dumps()},
    )


def environment(ports: Ports, job: ProcessingJob) -> dict[str, str]:
    """The variables of the job: SageMaker's, those that lead AWS clients here, and the user's
    own."""
    config = ports.config
    values = {
        **plain_variables(job),
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
    }
    if not job.isolated:
        keys = ports.credentials.session(job.resource.arn)
        values |= {
            "AWS_ENDPOINT_URL": f"http://{config.host}:{config.port}",
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
        }
        if ports.tracking is not None:
            values |= ports.tracking.client_environment
            if job.run_id and job.body.get("ExperimentConfig"):
                values["MLFLOW_RUN_ID"] = job.run_id
    return values | dict(job.body.get("Environment", {}))


def plain_variables(job: ProcessingJob) -> dict[str, str]:
    """The variables that say which job it is, wherever it runs."""
    return {
        "PROCESSING_JOB_NAME": job.name,
        "PROCESSING_JOB_ARN": job.resource.arn,
        "PYTHONUNBUFFERED": "1",
    }
