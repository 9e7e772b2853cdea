"""What CreateProcessingJob refuses beyond the constraints of its shape, and with which words."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.algorithms.images import DATA_WRANGLER, DOCKER, Image, UnsupportedImage
from bottega.config import Config
from bottega.errors import ValidationException
from bottega.features.processing.entities import ours
from bottega.jobs.input_sources import InputError, channel_objects
from bottega.jobs.job_files import below_ml_root
from bottega.jobs.output_places import check_bucket
from bottega.model_servers.images import resolve
from bottega.ports import Ports
from bottega.storage import s3_uris
from bottega.storage.objects import BucketMissing, ObjectMissing

LOCAL_ROOT = "/opt/ml/processing"
NOT_HERE = (
    "is not supported by this bottega; docs/coverage.md says what CreateProcessingJob takes. "
    "Remove it and send the request again."
)


def check_request(ports: Ports, request: Mapping[str, Any]) -> Image:
    """Refuse a request that could not become a job that runs.

    Returns:
        What the image stands for.

    Raises:
        ValidationException: with what is wrong, where, and what to do.
    """
    image = check_image(ports.config, request["AppSpecification"])
    check_resources(request["ProcessingResources"]["ClusterConfig"])
    _check_containers(image, request)
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    _check_unique("ProcessingInputs", [entry["InputName"] for entry in inputs])
    _check_unique("ProcessingOutputConfig.Outputs", [entry["OutputName"] for entry in outputs])
    for number, entry in enumerate(inputs):
        _check_input(f"ProcessingInputs[{number}] {entry['InputName']!r}", entry)
    for number, entry in enumerate(outputs):
        _check_output(ports, f"Outputs[{number}] {entry['OutputName']!r}", entry)
    _check_places(ours(inputs), ours(outputs))
    for name, value in request.get("Environment", {}).items():
        if "\0" in value:
            raise ValidationException(
                f"Environment: the value of {name} has a NUL in it, which no program can be given."
            )
    for entry in ours(inputs):
        _check_readable(ports, request, entry["S3Input"])
    return image


def check_image(config: Config, specification: Mapping[str, Any]) -> Image:
    """Refuse an image that runs no processing job here; returns what it stands for."""
    entrypoint = specification.get("ContainerEntrypoint", ())
    arguments = specification.get("ContainerArguments", ())
    for part in (*entrypoint, *arguments):
        if "\0" in part:
            raise ValidationException(
                f"AppSpecification: {part!r} has a NUL in it, which no program can be given."
            )
    _check_spark(specification["ImageUri"], entrypoint)
    try:
        image = resolve(config, specification["ImageUri"])
    except UnsupportedImage as error:
        raise ValidationException(f"AppSpecification.ImageUri: {error}") from error
    if image.name == DOCKER:
        return image
    if image.name == DATA_WRANGLER:
        if entrypoint:
            raise ValidationException(
                f"AppSpecification.ContainerEntrypoint: the image {image.name} runs a flow and no "
                "program of yours. Remove it, or use the image scikit-learn or python."
            )
        return image
    if not image.script_mode:
        raise ValidationException(
            f"AppSpecification.ImageUri: the image {image.name} runs no program of yours. Use "
            "scikit-learn, xgboost, python, or sagemaker-data-wrangler-container."
        )
    if not entrypoint:
        raise ValidationException(
            f"AppSpecification.ContainerEntrypoint is missing: the image {image.name} has no "
            'program of its own. Give one, such as ["python3", '
            '"/opt/ml/processing/input/code/script.py"].'
        )
    return image


def _check_spark(image: str, entrypoint: Sequence[str]) -> None:
    """Refuse the jobs of PySparkProcessor and SparkJarProcessor."""
    repository = image.strip().partition("@")[0].rpartition("/")[2].partition(":")[0]
    if repository == "sagemaker-spark-processing" or "smspark-submit" in entrypoint:
        raise ValidationException(
            f"AppSpecification.ImageUri: the image {image!r} runs Spark, and there is no Spark "
            "engine here: PySparkProcessor and SparkJarProcessor do not work yet. Use "
            "ScriptProcessor or SKLearnProcessor with a program that reads its inputs with pandas "
            "or DuckDB."
        )


def _check_containers(image: Image, request: Mapping[str, Any]) -> None:
    """Refuse what containers of the Docker engine cannot do."""
    count = request["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
    isolated = request.get("NetworkConfig", {}).get("EnableNetworkIsolation", False)
    if image.name == DOCKER and isolated and count > 1:
        raise ValidationException(
            f"NetworkConfig.EnableNetworkIsolation: {request['AppSpecification']['ImageUri']!r} is "
            "run by Docker, and containers without any network cannot reach one another. Set "
            "InstanceCount to 1 or EnableNetworkIsolation to false."
        )


def check_resources(cluster: Mapping[str, Any]) -> None:
    """Refuse instances that there cannot be."""
    if "InstancePreferences" in cluster:
        raise ValidationException(
            f"ProcessingResources.ClusterConfig.InstancePreferences {NOT_HERE}"
        )
    for member in ("InstanceCount", "InstanceType"):
        if member not in cluster:
            raise ValidationException(f"ProcessingResources.ClusterConfig.{member} is required.")


def _check_unique(where: str, names: Sequence[str]) -> None:
    name, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > 1:
        raise ValidationException(f"{where}: the name {name!r} is used {count} times.")
    if any(not name.strip() for name in names):
        raise ValidationException(f"{where}: a name is empty.")


def _check_input(where: str, entry: Mapping[str, Any]) -> None:
    if "DatasetDefinition" in entry:
        raise ValidationException(
            f"{where}: DatasetDefinition reads from Athena or Redshift, which are not here. Put "
            "the data into a bucket and give it as S3Input."
        )
    source = entry.get("S3Input")
    if not source:
        raise ValidationException(f"{where}: S3Input is missing.")
    _split(f"{where}: S3Input.S3Uri", source["S3Uri"])
    if entry.get("AppManaged"):
        return
    if source.get("S3InputMode", "File") != "File":
        raise ValidationException(
            f"{where}: S3InputMode {source['S3InputMode']} is not supported by this bottega, which "
            "gives processing jobs their inputs as files. Use File."
        )
    if source.get("S3CompressionType", "None") != "None":
        raise ValidationException(
            f"{where}: S3CompressionType {source['S3CompressionType']} can be used only if "
            "S3InputMode is Pipe; it is File. Use None and have the program decompress the files."
        )
    if not source.get("LocalPath"):
        raise ValidationException(
            f"{where}: S3Input.LocalPath is missing: it says where the program finds the files."
        )
    _check_local_path(f"{where}: S3Input.LocalPath", source["LocalPath"])


def _check_output(ports: Ports, where: str, entry: Mapping[str, Any]) -> None:
    if "FeatureStoreOutput" in entry:
        raise ValidationException(f"{where}: FeatureStoreOutput {NOT_HERE}")
    target = entry.get("S3Output")
    if not target:
        raise ValidationException(f"{where}: S3Output is missing.")
    if not entry.get("AppManaged"):
        if not target.get("LocalPath"):
            raise ValidationException(
                f"{where}: S3Output.LocalPath is missing: it says where the program leaves the "
                "files."
            )
        _check_local_path(f"{where}: S3Output.LocalPath", target["LocalPath"])
    check_bucket(ports.objects, f"{where}: S3Output.S3Uri", target["S3Uri"])


def _check_local_path(where: str, path: str) -> None:
    inside = posixpath.normpath(path)
    if (
        not f"{inside}/".startswith(f"{LOCAL_ROOT}/")
        or inside == LOCAL_ROOT
        or ".." in path.split("/")
        or "\0" in path
    ):
        raise ValidationException(
            f"{where} is {path!r}; it must be a folder below {LOCAL_ROOT}/, such as "
            f"{LOCAL_ROOT}/input/data."
        )


def _check_places(
    inputs: Sequence[Mapping[str, Any]], outputs: Sequence[Mapping[str, Any]]
) -> None:
    """Refuse folders that would hide one another."""
    taken = {f"input {e['InputName']!r}": e["S3Input"]["LocalPath"] for e in inputs}
    taken |= {f"output {e['OutputName']!r}": e["S3Output"]["LocalPath"] for e in outputs}
    places = [(who, f"{below_ml_root(path)}/") for who, path in taken.items()]
    for index, (who, path) in enumerate(places):
        for other, other_path in places[:index]:
            both_inputs = who.startswith("input") and other.startswith("input")
            if path == other_path or (
                not both_inputs and (path.startswith(other_path) or other_path.startswith(path))
            ):
                inner, outer = (who, other) if path.startswith(other_path) else (other, who)
                raise ValidationException(
                    f"The LocalPath of {inner} is that of {outer}, or inside it; give each a "
                    "folder of its own."
                )


def _check_readable(ports: Ports, request: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    bucket, prefix = s3_uris.split(source["S3Uri"])
    try:
        if source["S3DataType"] == "ManifestFile":
            channel_objects(ports.objects, as_channel("", source))
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


def as_channel(name: str, source: Mapping[str, Any]) -> dict[str, Any]:
    """An S3Input as ``bottega.jobs`` reads inputs: a member of a training job's InputDataConfig."""
    found = {"S3DataType": source["S3DataType"], "S3Uri": source["S3Uri"]}
    if "S3DataDistributionType" in source:
        found["S3DataDistributionType"] = source["S3DataDistributionType"]
    return {"ChannelName": name, "DataSource": {"S3DataSource": found}}


def _split(where: str, uri: str) -> str:
    try:
        return s3_uris.split(uri)[0]
    except ValidationException as error:
        raise ValidationException(f"{where}: {error.message}") from error
