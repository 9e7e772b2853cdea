"""DescribeTrainingJobReplay: everything that a host of a job had, for doing again what it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bottega.algorithms.images import resolve
from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.training import launch
from bottega.features.training.entities import TrainingJob
from bottega.features.training.input_modes import mode_of
from bottega.features.training.jobs import find_job
from bottega.features.training.rules import script_mode
from bottega.jobs.hyperparameters import plain_text
from bottega.jobs.replays import alone, differences, present_files, secret_names
from bottega.ports import Ports
from bottega.registry import operation
from bottega.specs.generated.training import (
    DescribeTrainingJobReplayRequest,
    DescribeTrainingJobReplayResponse,
    ReplayChannel,
)
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing

_CONFIG = "input/config"
_WATCHING = frozenset({"debughookconfig.json", "profilerconfig.json"})
"""What has a job watched while it runs: nobody reads what a replay would write for it."""


@operation("DescribeTrainingJobReplay", service="bottega")
def describe_training_job_replay(
    context: Context, request: DescribeTrainingJobReplayRequest
) -> DescribeTrainingJobReplayResponse:
    """What it takes to do again what one host of a job did. Nothing is started or written."""
    ports, job = context.ports, find_job(context, request["TrainingJobName"])
    if not job.ended:
        raise ValidationException(
            f"The training job {job.name} is {job.status}; it can be replayed when it has ended."
        )
    host = request.get("HostName", job.host_names[0])
    if host not in job.host_names:
        raise ValidationException(
            f"The training job {job.name} has no host {host!r}; it has {', '.join(job.host_names)}."
        )
    channels, notes = _channels(ports, job, job.host_names.index(host))
    hidden = secret_names(job.hyperparameters)
    variables, secrets = _variables(job)
    answer: DescribeTrainingJobReplayResponse = {
        "HostName": host,
        "Image": resolve(job.image).name,
        "Files": _files(job, host, hidden),
        "Variables": variables,
        "Secrets": secrets,
        "SecretHyperParameters": hidden,
        "Channels": channels,
        "Notes": [*notes, *_code_notes(ports, job), *_checkpoint_notes(job)],
    }
    specification = job.body["AlgorithmSpecification"]
    if entrypoint := specification.get("ContainerEntrypoint"):
        answer["Command"] = [*entrypoint, *specification.get("ContainerArguments", ())]
    elif script_mode(resolve(job.image), job.body):
        answer["Program"] = plain_text(job.hyperparameters.get("sagemaker_program", ""))
    if uri := _code_uri(job):
        answer["CodeUri"] = uri
    answer["Notes"] += alone(len(job.host_names), host)
    return answer


def _files(job: TrainingJob, host: str, hidden: list[str]) -> dict[str, str]:
    found = {}
    for name, value in launch.config_files(job, host).items():
        if name == "hyperparameters.json":
            value = {key: text for key, text in value.items() if key not in hidden}
        elif name in _WATCHING:
            continue
        elif name == "inputdataconfig.json":  # everything comes as files
            value = {key: {**one, "TrainingInputMode": "File"} for key, one in value.items()}
        found[f"{_CONFIG}/{name}"] = json.dumps(value, indent=2)
    return found


def _variables(job: TrainingJob) -> tuple[dict[str, str], list[str]]:
    """The job's variables, and the names of the user's that look like secrets.

    Without credentials, and without the run: a replay is no part of the job's history.
    """
    given: Mapping[str, str] = job.body.get("Environment", {})
    secrets = secret_names(given)
    found = {
        **launch.plain_variables(job),
        **{name: value for name, value in given.items() if name not in secrets},
    }
    return found, secrets


def _channels(ports: Ports, job: TrainingJob, host: int) -> tuple[list[ReplayChannel], list[str]]:
    channels: list[ReplayChannel] = []
    notes: list[str] = []
    started = float(job.body.get("TrainingStartTime", job.resource.created))
    known: Mapping[str, Mapping[str, int]] = job.resource.private.get("inputs", {})
    for channel in job.body.get("InputDataConfig", []):
        name = channel["ChannelName"]
        source: Mapping[str, Any] = channel["DataSource"]["S3DataSource"]
        if source["S3DataType"] == "AugmentedManifestFile":
            notes.append(
                f"The channel {name} is an augmented manifest, which only comes through a pipe; it "
                "is not brought."
            )
            continue
        if mode_of(channel, job.body) == "Pipe":
            notes.append(
                f"The channel {name} was a pipe; a replay has its objects as files in its folder."
            )
        files, problem = present_files(ports.objects, channel, host, len(job.host_names))
        if problem:
            notes.append(problem)
        # What was had is known of the first host only.
        before = known.get(name) if host == 0 else None
        notes += differences(ports.objects, name, files, before, started)
        channels.append(
            {
                "ChannelName": name,
                "Objects": [
                    {"Bucket": file.bucket, "Key": file.key, "Path": file.name} for file in files
                ],
                "TotalBytes": sum(file.size for file in files),
            }
        )
    return channels, notes


def _checkpoint_notes(job: TrainingJob) -> list[str]:
    if (config := job.body.get("CheckpointConfig")) is None:
        return []
    return [f"The checkpoints under {config['S3Uri']} are not brought: a replay begins anew."]


def _code_uri(job: TrainingJob) -> str:
    uri = plain_text(job.hyperparameters.get("sagemaker_submit_directory", ""))
    return uri if uri.startswith("s3://") else ""


def _code_notes(ports: Ports, job: TrainingJob) -> list[str]:
    """What is to be said of the code: that it is gone, or was written anew."""
    uri = _code_uri(job)
    if not uri:
        return []
    try:
        found = ports.objects.info(*s3_uris.split(uri))
    except (BucketMissing, ObjectMissing):
        return [f"The code {uri} is not there any more; put the script into the folder code."]
    if found.modified > float(job.body.get("TrainingStartTime", job.resource.created)):
        return [f"The code {uri} was written anew since the job ran."]
    return []
