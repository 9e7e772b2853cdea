"""Laying out a transform job on the disk, and describing it to the runner."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from bottega.compute.runner import HostSpec, Mount, Program, WorkloadSpec
from bottega.features.transform.entities import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT_SECONDS,
    LOG_GROUP,
    Instance,
    JobFolders,
    TransformJob,
)
from bottega.features.transform.progress import Work
from bottega.features.transform.sources import InputObject, divided, input_objects, result_uri
from bottega.jobs.input_sources import InputError
from bottega.jobs.staging import Cancelled
from bottega.model_servers.staging import lay_out
from bottega.model_servers.staging import stage as stage_model
from bottega.model_servers.workload import server_workload
from bottega.ports import Ports
from bottega.serving.sockets import runtime_folder, socket_path
from bottega.storage.objects import BucketMissing, ObjectMissing

DRIVER_HOST = "driver"
_PAYLOAD_MB = 6
_UNLIMITED_MB = 1024
"""What a model server takes where MaxPayloadInMB is 0."""
_TIMEOUT_RESERVE_SECONDS = 30


def stage(
    ports: Ports, job: TransformJob, folders: JobFolders, cancelled: Callable[[], bool]
) -> None:
    """Lay out the model and the objects of every instance. The objects are linked, so they take no
    space and stay as they are whatever becomes of them.

    Raises:
        InputError: the input cannot be read.
        StagingError: the model cannot be laid out.
        Cancelled: ``cancelled()`` became true.
    """
    found = input_objects(ports.objects, job.source)
    for one in found:
        result_uri(job.output_path, one.name)
    stage_model(ports.objects, job.model, folders.model)
    for instance, mine in zip(
        folders.instances, divided(found, len(folders.instances)), strict=True
    ):
        lay_out_instance(ports, job, folders, instance, mine, cancelled)


def lay_out_instance(
    ports: Ports,
    job: TransformJob,
    folders: JobFolders,
    instance: Instance,
    found: Sequence[InputObject],
    cancelled: Callable[[], bool],
) -> None:
    """Lay out the files of one instance."""
    driver = instance.driver
    driver.inputs.mkdir(parents=True)
    driver.outputs.mkdir()
    for index, one in enumerate(found):
        if cancelled():
            raise Cancelled
        try:
            ports.objects.link(one.bucket, one.key, driver.input(index))
        except (BucketMissing, ObjectMissing) as error:
            raise InputError(f"{one.uri} was removed while the job started") from error
    instance.names.write_text(json.dumps([[one.bucket, one.key, one.name] for one in found]))
    _work(ports, job, instance, found).save(driver.task)
    if found:
        lay_out(folders.model, instance.ml_root)


def objects_of(instance: Instance) -> list[InputObject]:
    """The objects of an instance, in their order."""
    return [InputObject(*parts) for parts in json.loads(instance.names.read_text())]


def _work(
    ports: Ports, job: TransformJob, instance: Instance, found: Sequence[InputObject]
) -> Work:
    source, output = job.body["TransformInput"], job.body["TransformOutput"]
    client, processing = job.member("ModelClientConfig", default={}), job.member("DataProcessing")
    processing = processing or {}
    return Work(
        socket=str(socket_path(instance.socket_folder(ports.config))),
        objects=tuple(one.uri for one in found),
        content_type=source.get("ContentType", ""),
        accept=output.get("Accept", ""),
        gzip=source.get("CompressionType") == "Gzip",
        split=source.get("SplitType", "None"),
        strategy=job.member("BatchStrategy"),
        concurrency=job.member("MaxConcurrentTransforms") or None,
        payload_mb=job.member("MaxPayloadInMB"),
        timeout=float(client.get("InvocationsTimeoutInSeconds", DEFAULT_TIMEOUT_SECONDS)),
        retries=client.get("InvocationsMaxRetries", DEFAULT_RETRIES),
        assemble=output.get("AssembleWith") == "Line",
        input_filter=processing.get("InputFilter") or "$",
        output_filter=processing.get("OutputFilter") or "$",
        join=processing.get("JoinSource") == "Input",
        ids=bool(job.member("DataCaptureConfig", "GenerateInferenceId")),
    )


def model_workload(
    ports: Ports, job: TransformJob, instance: Instance, directory: Path
) -> WorkloadSpec:
    """The model server of one instance."""
    work = Work.load(instance.driver.task)
    payload = _PAYLOAD_MB if work.payload_mb is None else work.payload_mb
    environment = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(payload or _UNLIMITED_MB),
        "SAGEMAKER_BATCH_STRATEGY": (
            "SINGLE_RECORD" if work.strategy == "SingleRecord" else "MULTI_RECORD"
        ),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(work.concurrency or 1),
    }
    given = {name for container in job.model.containers for name in container.environment}
    if "SAGEMAKER_MODEL_SERVER_TIMEOUT" not in given:
        # The one who asks gives up first, so that it can say what was not answered.
        limit = work.timeout + _TIMEOUT_RESERVE_SECONDS
        environment["SAGEMAKER_MODEL_SERVER_TIMEOUT"] = f"{limit:g}"
    return server_workload(
        ports,
        job.model,
        directory=directory,
        ml_root=instance.ml_root,
        socket_folder=instance.socket_folder(ports.config),
        log=ports.logs.path(LOG_GROUP, instance.log_stream),
        owner_arn=job.resource.arn,
        environment=environment,
    )


def driver_workload(ports: Ports, instance: Instance, directory: Path) -> WorkloadSpec:
    """The program that sends the records of one instance."""
    config, folder = ports.config, instance.driver
    return WorkloadSpec(
        directory=directory,
        program=Program(module="bottega.features.transform.driver"),
        hosts=(
            HostSpec(
                name=DRIVER_HOST,
                log=ports.logs.path(LOG_GROUP, instance.data_log_stream),
                mounts=(
                    Mount(folder.root, "/opt/ml"),
                    Mount(folder.inputs, "/opt/ml/input", read_only=True),
                ),
            ),
        ),
        environment={"PYTHONUNBUFFERED": "1"},
        network=True,
        stop_grace_seconds=0.0,
        hidden=(*config.private_folders, runtime_folder(config.home)),
        sockets=(instance.socket_folder(config),),
    )
