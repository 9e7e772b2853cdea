"""DescribeProcessingJobReplay: everything that a host of a job had, for doing again what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bottega.algorithms.images import resolve
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.processing import launch
from bottega.features.processing.entities import ProcessingJob
from bottega.features.processing.jobs import find_job
from bottega.features.processing.rules import as_channel
from bottega.jobs.job_files import below_ml_root
from bottega.jobs.replays import alone, differences, present_files, secret_names
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.processing import (
    DescribeProcessingJobReplayRequest,
    DescribeProcessingJobReplayResponse,
    ReplayChannel,
)

_TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


@operation("DescribeProcessingJobReplay", service="bottega")
def describe_processing_job_replay(
    context: Context, request: DescribeProcessingJobReplayRequest
) -> DescribeProcessingJobReplayResponse:
    """What it takes to do again what one host of a job did. Nothing is started or written."""
    job = find_job(context, request["ProcessingJobName"])
    if job.status not in _TERMINAL:
        raise ValidationException(
            f"The processing job {job.name} is {job.status}; it can be replayed when it has ended."
        )
    if job.docker:
        raise ValidationException(
            f"The processing job {job.name} ran in a container of the image {job.image}, which a "
            "replay has not."
        )
    if launch.runs_flow(job):
        raise ValidationException(
            f"The processing job {job.name} ran a flow and no program; open the flow itself."
        )
    host = request.get("HostName", job.host_names[0])
    if host not in job.host_names:
        names = ", ".join(job.host_names)
        raise ValidationException(
            f"The processing job {job.name} has no host {host!r}; it has {names}."
        )
    given: Mapping[str, str] = job.body.get("Environment", {})
    secrets = secret_names(given)
    shown = {name: value for name, value in given.items() if name not in secrets}
    channels, notes = _channels(context.ports, job, job.host_names.index(host))
    return {
        "HostName": host,
        "Image": resolve(job.image).name,
        "Command": list(launch.command(job)),
        "Files": _files(job, host, shown),
        "Folders": [below_ml_root(one["S3Output"]["LocalPath"]) for one in job.outputs],
        "Variables": {**launch.plain_variables(job), **shown},
        "Secrets": secrets,
        "SecretHyperParameters": [],
        "Channels": channels,
        "Notes": [*notes, *alone(len(job.host_names), host)],
    }


def _files(job: ProcessingJob, host: str, shown: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, value in launch.config_files(job, host).items():
        if value.get("Environment"):
            value = {**value, "Environment": shown}
        found[f"config/{name}"] = json.dumps(value, indent=2)
    return found


def _channels(ports: Ports, job: ProcessingJob, host: int) -> tuple[list[ReplayChannel], list[str]]:
    channels: list[ReplayChannel] = []
    notes: list[str] = []
    started = float(job.body.get("ProcessingStartTime", job.resource.created))
    for entry in job.inputs:
        name, source = entry["InputName"], entry["S3Input"]
        channel: dict[str, Any] = as_channel(name, source)
        files, problem = present_files(ports.objects, channel, host, len(job.host_names))
        if problem:
            notes.append(problem)
        notes += differences(ports.objects, name, files, None, started)
        channels.append(
            {
                "ChannelName": name,
                "Folder": below_ml_root(source["LocalPath"]),
                "Objects": [
                    {"Bucket": file.bucket, "Key": file.key, "Path": file.name} for file in files
                ],
                "TotalBytes": sum(file.size for file in files),
            }
        )
    return channels, notes
