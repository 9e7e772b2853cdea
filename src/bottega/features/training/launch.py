"""From a staged job to a workload: the files a container expects, its environment, its program."""

from __future__ import annotations

import json
import posixpath
from pathlib import Path
from typing import Any

from bottega.algorithms.images import resolve
from bottega.algorithms.kernel_cache import KernelCache
from bottega.algorithms.registry import algorithm
from bottega.compute.runner import HostSpec, Mount, Program, WorkloadSpec
from bottega.features.training.channel_staging import channel_mounts
from bottega.features.training.checkpoints import DEFAULT_LOCAL_PATH
from bottega.features.training.entities import (
    LOG_GROUP,
    SYSTEM_METRICS_GROUP,
    JobFolders,
    TrainingJob,
)
from bottega.features.training.input_modes import mode_of
from bottega.features.training.rules import script_mode
from bottega.jobs.debugging.configuration import hook_of, told_profiler_of
from bottega.jobs.hyperparameters import plain_text
from bottega.jobs.input_sources import InputError
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing

PARTS = ("input/config", "input/data", "model", "output/data", "code", "checkpoints")


def prepare_host(ports: Ports, job: TrainingJob, folders: JobFolders, host: str) -> None:
    """Write what ``/opt/ml`` of one host holds besides its channels.

    Raises:
        InputError: the archive with the user's code is not there.
    """
    root = folders.host(host)
    for part in PARTS:
        (root / part).mkdir(parents=True, exist_ok=True)
    config = root / "input" / "config"
    for name, value in config_files(job, host).items():
        _write(config / name, value)
    _fetch_code(ports, job, config / "sourcedir.tar.gz")
    image = resolve(job.image)
    if not script_mode(image, job.body) and algorithm(image.name).compiled:
        KernelCache().copy(root)


def config_files(job: TrainingJob, host: str) -> dict[str, Any]:
    """The JSON documents that a host finds in ``/opt/ml/input/config``, by the names of files."""
    found = {
        "hyperparameters.json": dict(job.hyperparameters),
        "inputdataconfig.json": _input_data(job),
        "resourceconfig.json": _resources(job, host),
    }
    for member, name in (
        ("CheckpointConfig", "checkpointconfig.json"),
        ("TensorBoardOutputConfig", "tensorboardoutputconfig.json"),
    ):
        if member in job.body:
            found[name] = job.body[member]
    # With the collections that the rules need; SDK 2.x sends both with every job, wanted or not.
    if (hook := hook_of(job.body)) is not None:
        found["debughookconfig.json"] = hook
    if (profiler := told_profiler_of(job.body)) is not None:
        found["profilerconfig.json"] = profiler
    return found


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _input_data(job: TrainingJob) -> dict[str, Any]:
    channels = {}
    for channel in job.body.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        entry = {
            "TrainingInputMode": mode_of(channel, job.body),
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
        }
        if "ContentType" in channel:
            entry["ContentType"] = channel["ContentType"]
        channels[channel["ChannelName"]] = entry
    return channels


def _resources(job: TrainingJob, host: str) -> dict[str, Any]:
    hosts = sorted(job.host_names)
    instance_type = job.body["ResourceConfig"]["InstanceType"]
    group = "homogeneousCluster"
    return {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": group,
        "hosts": hosts,
        "instance_groups": [
            {"instance_group_name": group, "instance_type": instance_type, "hosts": hosts}
        ],
        "network_interface_name": "lo",
    }


def _fetch_code(ports: Ports, job: TrainingJob, target: Path) -> None:
    """Place the user's archive where the container unpacks it, so that it needs no network."""
    uri = plain_text(job.hyperparameters.get("sagemaker_submit_directory", ""))
    if not uri.startswith("s3://"):
        return
    try:
        ports.objects.download(*s3_uris.split(uri), target)
    except (BucketMissing, ObjectMissing) as error:
        raise InputError(
            f"the hyperparameter sagemaker_submit_directory names {uri}, which does not exist"
        ) from error


def workload(ports: Ports, job: TrainingJob, folders: JobFolders) -> WorkloadSpec:
    """What the runner shall run for this job."""
    config = ports.config
    specification = job.body["AlgorithmSpecification"]
    entrypoint = specification.get("ContainerEntrypoint")
    arguments = tuple(specification.get("ContainerArguments", ()))
    if entrypoint:
        command = (*entrypoint, *arguments)
        program = Program(module="bottega.container.entrypoint", arguments=command)
    else:
        program = Program(module="bottega.container.train", arguments=arguments)
    limit = job.body["StoppingCondition"].get("MaxRuntimeInSeconds")
    return WorkloadSpec(
        directory=folders.supervisor,
        program=program,
        hosts=tuple(_host(ports, job, folders, host) for host in job.host_names),
        environment=environment(ports, job),
        network=not job.body.get("EnableNetworkIsolation", False),
        max_runtime_seconds=float(limit) if limit else None,
        stop_grace_seconds=config.stop_grace_seconds,
        hidden=config.private_folders,
    )


def _host(ports: Ports, job: TrainingJob, folders: JobFolders, host: str) -> HostSpec:
    root = folders.host(host)
    local = job.body.get("CheckpointConfig", {}).get("LocalPath", DEFAULT_LOCAL_PATH)
    mounts = [Mount(root, "/opt/ml")]
    if ports.runner.shows_mounts():
        mounts += channel_mounts(job, folders, host)
    if (target := posixpath.normpath(local)) != DEFAULT_LOCAL_PATH:
        mounts.append(Mount(root / "checkpoints", target))
    return HostSpec(
        name=host,
        log=ports.logs.path(LOG_GROUP, job.log_stream(host)),
        metrics=ports.logs.path(SYSTEM_METRICS_GROUP, job.log_stream(host)),
        profile=folders.profile(host),
        mounts=tuple(mounts),
    )


def environment(ports: Ports, job: TrainingJob) -> dict[str, str]:
    """The variables of the job: SageMaker's, those that lead AWS clients here, and the user's
    own.
    """
    config = ports.config
    values = {
        **plain_variables(job),
        "AWS_REGION": config.region,
        "AWS_DEFAULT_REGION": config.region,
    }
    if job.cores is not None:
        values["BOTTEGA_CPUS"] = str(job.cores)
    if not job.body.get("EnableNetworkIsolation", False):
        keys = ports.credentials.session(job.resource.arn)
        values |= {
            "AWS_ENDPOINT_URL": f"http://{config.host}:{config.port}",
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
        }
        if ports.tracking is not None:
            values |= ports.tracking.client_environment
            if job.run_id:
                values["MLFLOW_RUN_ID"] = job.run_id
    return values | dict(job.body.get("Environment", {}))


def plain_variables(job: TrainingJob) -> dict[str, str]:
    """The variables that say which job it is, wherever it runs."""
    return {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.resource.arn,
        "BOTTEGA_IMAGE": resolve(job.image).name,
        "PYTHONUNBUFFERED": "1",
    }
