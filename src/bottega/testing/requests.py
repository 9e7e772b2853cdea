"""Requests that tests send again and again."""

from __future__ import annotations

import io
import tarfile
from typing import Any

XGBOOST_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SKLEARN_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"


def training_job(
    name: str, bucket: str, role: str, image: str = XGBOOST_IMAGE, **changes: Any
) -> dict[str, Any]:
    """A CreateTrainingJob request; ``changes`` replace or add top-level members."""
    request: dict[str, Any] = {
        "TrainingJobName": name,
        "RoleArn": role,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/output"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 10,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return {**request, **changes}


def channel(
    name: str,
    uri: str,
    content_type: str = "",
    *,
    mode: str = "",
    records: bool = False,
    packed: bool = False,
    seed: int | None = None,
    **source: Any,
) -> dict[str, Any]:
    """One member of InputDataConfig.

    Args:
        mode: its InputMode; empty for that of the job.
        records: RecordWrapperType is RecordIO.
        packed: CompressionType is Gzip.
        seed: of its ShuffleConfig.
        source: further members of S3DataSource.
    """
    found: dict[str, Any] = {
        "ChannelName": name,
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}},
    }
    if content_type:
        found["ContentType"] = content_type
    if mode:
        found["InputMode"] = mode
    if records:
        found["RecordWrapperType"] = "RecordIO"
    if packed:
        found["CompressionType"] = "Gzip"
    if seed is not None:
        found["ShuffleConfig"] = {"Seed": seed}
    return found


def code_archive(**files: str) -> bytes:
    """A ``sourcedir.tar.gz``; keys are file names with ``__`` for the dot."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            data = text.encode()
            member = tarfile.TarInfo(name.replace("__", "."))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def script_job(name: str, bucket: str, role: str, code_uri: str, **changes: Any) -> dict[str, Any]:
    """A script-mode request for ``train.py`` in the archive at ``code_uri``."""
    values = {"sagemaker_program": "train.py", "sagemaker_submit_directory": code_uri}
    values |= changes.pop("HyperParameters", {})
    return training_job(name, bucket, role, SKLEARN_IMAGE, HyperParameters=values, **changes)


def processing_job(
    name: str,
    bucket: str,
    role: str,
    command: list[str],
    image: str = SKLEARN_IMAGE,
    **changes: Any,
) -> dict[str, Any]:
    """A CreateProcessingJob request that runs a command; ``changes`` replace or add top-level
    members.
    """
    specification: dict[str, Any] = {"ImageUri": image}
    if command:
        specification["ContainerEntrypoint"] = command
    request: dict[str, Any] = {
        "ProcessingJobName": name,
        "RoleArn": role,
        "AppSpecification": specification,
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 10,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    }
    return {**request, **changes}


def processing_input(name: str, uri: str, path: str = "", **source: Any) -> dict[str, Any]:
    """One member of ProcessingInputs; below ``/opt/ml/processing/input`` unless ``path`` says
    where.
    """
    found = {
        "S3Uri": uri,
        "LocalPath": path or f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
    }
    return {"InputName": name, "S3Input": {**found, **source}}


def processing_outputs(mode: str = "EndOfJob", **uris: str) -> dict[str, Any]:
    """A ProcessingOutputConfig: for each name ``/opt/ml/processing/<name>`` goes to an URI."""
    return {
        "Outputs": [
            {
                "OutputName": name,
                "S3Output": {
                    "S3Uri": uri,
                    "LocalPath": f"/opt/ml/processing/{name}",
                    "S3UploadMode": mode,
                },
            }
            for name, uri in uris.items()
        ]
    }
