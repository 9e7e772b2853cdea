"""What CreateTrainingJob refuses beyond the constraints of its shape, and with which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from bottega.algorithms.hyperparameters import HyperparameterError
from bottega.algorithms.images import Image, UnsupportedImage, resolve
from bottega.algorithms.registry import algorithm
from bottega.errors import ValidationException
from bottega.features.training.checkpoints import DEFAULT_LOCAL_PATH
from bottega.features.training.debug_rules import check_debugger
from bottega.features.training.input_modes import check_mode, check_pipes, mode_of
from bottega.features.training.metrics import BadMetricDefinition, MetricScraper
from bottega.jobs.input_sources import (
    InputError,
    channel_objects,
    manifest_lines,
)
from bottega.jobs.output_places import check_bucket, check_folder
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing

MAX_RUNTIME_SECONDS = 28 * 24 * 3600
MAX_CHANNELS = 20
LINES_LOOKED_AT = 100
"""Of an augmented manifest, before a job is created."""

TAKEN = ("/opt/ml/input/config", "/opt/ml/input/data", "/opt/ml/model", "/opt/ml/output/data")
"""Where a job finds and leaves its files: checkpoints in their place would hide them."""

NOT_HERE = (
    "is not supported by this bottega; docs/coverage.md says what CreateTrainingJob takes. "
    "Remove it and send the request again."
)


def check_request(ports: Ports, request: Mapping[str, Any]) -> Image:
    """Refuse a request that could not become a job that runs.

    Returns:
        What the training image stands for.

    Raises:
        ValidationException: with what is wrong, where, and what to do.
    """
    image = check_image(request)
    check_resources(request)
    check_channels(request)
    for channel in request.get("InputDataConfig", []):
        check_channel(channel, request)
    check_hyperparameters(image, request)
    check_environment(request.get("Environment", {}))
    check_output(ports, request)
    check_debugger(ports, request, TAKEN)
    for channel in request.get("InputDataConfig", []):
        check_readable(ports, request, channel)
    return image


def script_mode(image: Image, request: Mapping[str, Any]) -> bool:
    """Whether the job runs the user's own program rather than a built-in algorithm."""
    specification = request["AlgorithmSpecification"]
    channels = {channel["ChannelName"] for channel in request.get("InputDataConfig", [])}
    return (
        not image.algorithm
        or "sagemaker_program" in request.get("HyperParameters", {})
        or "ContainerEntrypoint" in specification
        or "code" in channels
    )


def check_image(request: Mapping[str, Any]) -> Image:
    """Refuse an image that does not run here; returns what it stands for."""
    specification = request.get("AlgorithmSpecification")
    if not specification:
        raise ValidationException("AlgorithmSpecification is required; serverless jobs " + NOT_HERE)
    names = [n for n in ("TrainingImage", "AlgorithmName") if specification.get(n)]
    if len(names) != 1:
        raise ValidationException(
            "AlgorithmSpecification needs exactly one of TrainingImage and AlgorithmName; "
            f"it has {' and '.join(names) or 'neither'}."
        )
    try:
        image = resolve(specification[names[0]])
    except UnsupportedImage as error:
        raise ValidationException(str(error)) from error
    if image.kind == "preparation":
        raise ValidationException(
            f"The image {image.name} prepares tables, in processing jobs and inference pipelines; "
            "it trains nothing. Give the image of an algorithm or a framework."
        )
    return image


def check_resources(request: Mapping[str, Any]) -> None:
    """Refuse instances that there cannot be, and a time that is too long."""
    resources = request.get("ResourceConfig")
    if not resources:
        raise ValidationException("ResourceConfig is required; serverless jobs " + NOT_HERE)
    if "InstanceGroups" in resources:
        raise ValidationException(f"ResourceConfig.InstanceGroups {NOT_HERE}")
    if not resources.get("InstanceType"):
        raise ValidationException("ResourceConfig.InstanceType is required.")
    if resources.get("InstanceCount", 0) < 1:
        raise ValidationException(
            f"ResourceConfig.InstanceCount is {resources.get('InstanceCount', 'missing')}; "
            "it must be at least 1."
        )
    seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", 1)
    if seconds > MAX_RUNTIME_SECONDS:
        raise ValidationException(
            f"StoppingCondition.MaxRuntimeInSeconds is {seconds}; it must be at most "
            f"{MAX_RUNTIME_SECONDS} (28 days)."
        )


def check_channels(request: Mapping[str, Any]) -> None:
    """Refuse channels that cannot be told apart."""
    channels: Sequence[Mapping[str, Any]] = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(names) > MAX_CHANNELS:
        raise ValidationException(
            f"{len(names)} channels are given; at most {MAX_CHANNELS} can be."
        )
    for name in names:
        if names.count(name) > 1:
            raise ValidationException(
                f"Duplicate channel name: {name}. Each channel needs a name of its own."
            )
        if name in (".", ".."):
            raise ValidationException(f"A channel cannot be called {name!r}.")
    check_pipes(channels, request)


def check_channel(channel: Mapping[str, Any], request: Mapping[str, Any]) -> None:
    """Refuse a channel of a kind that is not read here, or not in its mode."""
    where = f"InputDataConfig channel {channel['ChannelName']!r}"
    source = channel["DataSource"].get("S3DataSource")
    if not source:
        raise ValidationException(f"{where}: a data source other than S3DataSource {NOT_HERE}")
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile", "AugmentedManifestFile"):
        raise ValidationException(f"{where}: S3DataType {source['S3DataType']} {NOT_HERE}")
    mode = mode_of(channel, request)
    check_mode(channel, mode)
    entrypoint = request.get("AlgorithmSpecification", {}).get("ContainerEntrypoint")
    if channel["ChannelName"] == "code" and mode == "Pipe" and not entrypoint:
        raise ValidationException(
            f"{where}: a program is read from files; give the channel the InputMode File."
        )


def check_hyperparameters(image: Image, request: Mapping[str, Any]) -> None:
    """Refuse what the image cannot run, and what its algorithm does not take."""
    specification = request["AlgorithmSpecification"]
    definitions = specification.get("MetricDefinitions", [])
    if script_mode(image, request):
        if not image.script_mode and "ContainerEntrypoint" not in specification:
            raise ValidationException(
                f"The image {image.name} of this generation has no script mode. Use the URI of "
                "sagemaker-xgboost with a version such as 1.7-1."
            )
        if "ContainerEntrypoint" not in specification and not _program(request):
            raise ValidationException(
                f"The image {image.name} runs a script: give the hyperparameters sagemaker_program "
                "and sagemaker_submit_directory, a channel 'code', or ContainerEntrypoint."
            )
        try:
            MetricScraper.of(definitions)
        except BadMetricDefinition as error:
            raise ValidationException(str(error)) from error
        return
    if definitions:
        raise ValidationException(
            "You can't override the metric definitions for Amazon SageMaker algorithms. "
            "Please retry the request without specifying metric definitions."
        )
    builtin = algorithm(image.name)
    if missing := builtin.missing():
        raise ValidationException(missing)
    try:
        builtin.hyperparameters.check(request.get("HyperParameters", {}))
    except HyperparameterError as error:
        raise ValidationException(str(error)) from error
    given = {channel["ChannelName"] for channel in request.get("InputDataConfig", [])}
    for channel in builtin.channels:
        if channel.required and channel.name not in given:
            raise ValidationException(
                f"The algorithm {builtin.name} needs a channel {channel.name!r}; "
                f"given: {', '.join(sorted(given)) or 'none'}."
            )


def check_environment(environment: Mapping[str, str]) -> None:
    """Refuse variables that no program can be given."""
    for name, value in environment.items():
        if "\0" in value:
            raise ValidationException(
                f"Environment: the value of {name} has a NUL in it, which no program can be given."
            )


def _program(request: Mapping[str, Any]) -> bool:
    names = {channel["ChannelName"] for channel in request.get("InputDataConfig", [])}
    return "sagemaker_program" in request.get("HyperParameters", {}) or "code" in names


def check_output(ports: Ports, request: Mapping[str, Any]) -> None:
    """Refuse places for results that there are not."""
    uris = {"OutputDataConfig.S3OutputPath": request["OutputDataConfig"]["S3OutputPath"]}
    checkpoint = request.get("CheckpointConfig", {})
    if checkpoint:
        uris["CheckpointConfig.S3Uri"] = checkpoint["S3Uri"]
        local = checkpoint.get("LocalPath", DEFAULT_LOCAL_PATH)
        check_folder("CheckpointConfig.LocalPath", local, DEFAULT_LOCAL_PATH, TAKEN)
    for member, uri in uris.items():
        check_bucket(ports.objects, member, uri)


def check_readable(ports: Ports, request: Mapping[str, Any], channel: Mapping[str, Any]) -> None:
    """Refuse a channel that has no data."""
    source = channel["DataSource"]["S3DataSource"]
    bucket, prefix = s3_uris.split(source["S3Uri"])
    try:
        if source["S3DataType"] == "ManifestFile":
            channel_objects(ports.objects, channel)
            return
        if source["S3DataType"] == "AugmentedManifestFile":
            # The rest is read when the job is staged: it may be long.
            list(islice(manifest_lines(ports.objects, source), LINES_LOOKED_AT))
            return
        found = bool(ports.objects.page(bucket, prefix=prefix, limit=1).objects)
    except (BucketMissing, ObjectMissing):
        found = False
    except InputError as error:
        raise ValidationException(str(error)) from error
    if not found:
        raise ValidationException(
            f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({ports.config.region}), "
            f"that objects exist under that S3 prefix, and that the role "
            f'"{request["RoleArn"]}" has "s3:ListBucket" permissions on bucket "{bucket}".'
        )
