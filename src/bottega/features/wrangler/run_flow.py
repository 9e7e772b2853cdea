"""RunFlow: a flow over the whole data as a processing job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bottega.context import Context
from bottega.errors import (
    AccessDeniedException,
    ResourceInUse,
    ValidationException,
)
from bottega.features.wrangler.workers import folder_of
from bottega.identifiers import short_id
from bottega.registry import operation
from bottega.specs.generated.wrangler import RunFlowRequest, RunFlowResponse
from bottega.storage import s3_uris
from bottega.storage.metadata import ResourceMissing
from bottega.storage.objects import BucketMissing, ObjectMissing
from bottega.wrangler.errors import FlowError, at_node, refuse_untrusted
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.sources.nodes import Source

IMAGE = "sagemaker-data-wrangler-container"
PREFIX = "data_wrangler_flows"
"""Below it in the default bucket is what jobs run with, as SageMaker's notebooks have it."""
DEFAULT_INSTANCE_TYPE = "ml.m5.4xlarge"
CSV, PARQUET = "text/csv", "application/x-parquet"
_LOCAL = "/opt/ml/processing"
_JOB = "ProcessingJob"
"""The kind of resource that CreateProcessingJob makes."""
_FITTED_OUTPUT = "fitted_flow"
_VOLUME_GB = 30
_FORMATS = {CSV: "CSV", PARQUET: "PARQUET"}


@operation("RunFlow", service="bottega")
def run_flow(context: Context, request: RunFlowRequest) -> RunFlowResponse:
    """Run a flow up to a node in a processing job, which leaves the table and the fitted flow."""
    name = request.get("Name") or f"data-wrangler-{short_id(10)}"
    content_type = request.get("ContentType", CSV)
    if content_type not in _FORMATS:
        raise ValidationException(
            f"ContentType {content_type!r} is neither {CSV} nor {PARQUET}.",
        )
    _refuse_taken(context, name)  # before its files would replace those of the job that has it
    try:
        flow = Flow.parse(request["Flow"])
        node = flow.node(request["NodeId"])
        _refuse_code(flow, node, trusted=request.get("Trusted", False))
        staged = _staged(context, flow, node, name, folder_of(request.get("Folder")))
    except FlowError as error:
        members = {"NodeId": error.node} if error.node else {}
        raise ValidationException(error.message, members=members) from error
    bucket = context.ports.config.bucket
    home = f"{PREFIX}/{name}"
    context.ports.objects.put(bucket, f"{home}/{name}.flow", staged.flow.text().encode())
    output_uri = request.get("OutputS3Uri") or f"s3://{bucket}/{home}/output"
    fitted_uri = f"s3://{bucket}/{home}/fitted"
    output_name = f"{node.id}.{request.get('OutputName', 'default')}"
    config = {"content_type": _FORMATS[content_type], "header": request.get("Header", True)}
    if request.get("Label"):
        config["label"] = request["Label"]
    cluster = {
        "InstanceCount": 1,
        "InstanceType": request.get("InstanceType", DEFAULT_INSTANCE_TYPE),
        "VolumeSizeInGB": _VOLUME_GB,
    }
    job = {
        "ProcessingJobName": name,
        "RoleArn": context.ports.config.role_arn,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerArguments": ["--output-config", json.dumps({output_name: config})],
        },
        "ProcessingInputs": [
            _input("flow", f"s3://{bucket}/{home}/{name}.flow", "flow"),
            *(
                _input(f"source-{number}", uri, f"sources/{number}")
                for number, uri in enumerate(staged.uris, 1)
            ),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                _output(output_name, output_uri, "output/table"),
                _output(_FITTED_OUTPUT, fitted_uri, "output/fitted"),
            ]
        },
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    created = context.call("sagemaker", "CreateProcessingJob", job)
    return {
        "ProcessingJobName": name,
        "ProcessingJobArn": created["ProcessingJobArn"],
        "OutputS3Uri": output_uri,
        "FittedFlowS3Uri": f"{fitted_uri}/fitted.flow",
    }


def _input(name: str, uri: str, folder: str) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": f"{_LOCAL}/{folder}", "S3DataType": "S3Prefix"}
    return {"InputName": name, "S3Input": {**source, "S3InputMode": "File"}}


def _output(name: str, uri: str, folder: str) -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": f"{_LOCAL}/{folder}", "S3UploadMode": "EndOfJob"}
    return {"OutputName": name, "S3Output": target}


def _refuse_taken(context: Context, name: str) -> None:
    try:
        context.ports.store.get(_JOB, name)
    except ResourceMissing:
        return
    raise ResourceInUse(f"There is a processing job {name!r} already; choose another name.")


def _refuse_code(flow: Flow, node: Node, *, trusted: bool) -> None:
    from bottega.wrangler.transforms.registry import transform_of

    for above in flow.upstream(node.id):
        if above.type != "TRANSFORM" or above.disabled:
            continue
        transform = transform_of(above.operator, above.parameters)
        with at_node(above.id):
            refuse_untrusted(transform.name, runs_code=transform.runs_code, trusted=trusted)


@dataclass(frozen=True)
class _Staged:
    """A flow whose sources a job can read."""

    flow: Flow
    uris: tuple[str, ...]
    """What the job's inputs have to be."""


def _staged(context: Context, flow: Flow, node: Node, name: str, folder: str | None) -> _Staged:
    """Upload what lies on this machine.

    Raises:
        FlowError: a source cannot be read; names the node.
        AccessDeniedException: files of this machine and databases are the owner's alone.
    """
    uris: list[str] = []
    changed: dict[str, Mapping[str, Any]] = {}
    for above in flow.upstream(node.id):
        if above.type != "SOURCE":
            continue
        with at_node(above.id):
            source = Source.of(above)
            found = _readable(context, above, source, name, folder)
        if found.kind == "s3" and found.uri not in uris:
            uris.append(found.uri)
        if found is not source:
            changed[above.id] = found.node(above.id, above.raw)
    nodes = [changed.get(one.id, one.raw) for one in flow.nodes]
    return _Staged(Flow({**flow.raw, "nodes": nodes}), tuple(uris))


def _readable(
    context: Context, node: Node, source: Source, name: str, folder: str | None
) -> Source:
    """The source as a job can read it."""
    if source.kind == "s3":
        if source.is_manifest:
            raise FlowError("A source that is a manifest cannot be read by a job; name its prefix.")
        return replace(source, uri=_exact(context, source.uri))
    if context.caller.is_workload or not context.caller.owner:
        raise AccessDeniedException(
            "Only the owner of this machine may run a flow over its files and databases; put the "
            "data into a bucket."
        )
    if source.kind == "sql":
        return source
    bucket, prefix = context.ports.config.bucket, f"{PREFIX}/{name}/sources/{node.id}"
    path = Path(source.uri).expanduser()
    if not path.is_absolute():
        if folder is None:
            raise FlowError(f"{source.uri!r} says no folder, and the flow has none.")
        path = Path(folder) / path
    files = list(_files(path))
    if not files:
        raise FlowError(f"There is no file {source.uri!r}.")
    try:
        for file in files:
            context.ports.objects.put(bucket, f"{prefix}/{file.name}", file)
    except OSError as error:
        raise FlowError(f"{source.uri!r} cannot be read: {error.strerror}.") from error
    ending = "/" if path.is_dir() else f"/{path.name}"
    return replace(source, kind="s3", uri=f"s3://{bucket}/{prefix}{ending}", name=source.shown_name)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        for file in sorted(path.iterdir()):
            if file.is_file() and not file.name.startswith(("_", ".")):
                yield file


def _exact(context: Context, uri: str) -> str:
    """The URI of an object, or of a prefix with a slash at its end: a job's input is anything that
    begins so."""
    bucket, key = s3_uris.split(uri)
    if not key or key.endswith("/"):
        return uri
    try:
        context.ports.objects.info(bucket, key)
    except (BucketMissing, ObjectMissing):
        return f"{uri}/"
    return uri
