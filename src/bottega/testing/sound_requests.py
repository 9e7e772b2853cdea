"""Requests that pass every check, for tests to spoil in one place."""

from __future__ import annotations

from typing import Any

ROLE = "arn:aws:iam::000000000000:role/BottegaExecutionRole"


def training_job(**changes: Any) -> dict[str, Any]:
    """A sound CreateTrainingJob request with these members replaced or added."""
    request: dict[str, Any] = {
        "TrainingJobName": "job-1",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": "xgboost", "TrainingInputMode": "File"},
        "InputDataConfig": [channel()],
        "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {"num_round": "10", "eta": "0.1"},
        "EnableNetworkIsolation": False,
        "Tags": [{"Key": "team", "Value": "Größe"}],
    }
    return {**request, **changes}


def channel(**changes: Any) -> dict[str, Any]:
    """One sound member of InputDataConfig, with these members."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train/"}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **changes}


def resources(**changes: Any) -> dict[str, Any]:
    """ResourceConfig with these members, as a change of a request."""
    return {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, **changes}}


def endpoint_config(**variant: Any) -> dict[str, Any]:
    """A sound CreateEndpointConfig request whose variant has these members."""
    base = {"VariantName": "all", "ModelName": "m", "InstanceType": "ml.m5.large"}
    return {"EndpointConfigName": "config", "ProductionVariants": [{**base, **variant}]}
