"""The exact messages of broken constraints, on real shapes."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import (
    ValidationException,
)
from bottega.specs import validate
from bottega.testing.sound_requests import channel, endpoint_config, resources, training_job

JOB_NAME_PATTERN = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
TAG_PATTERN = r"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"
TAGGED = "arn:aws:sagemaker:us-east-1:000000000000:model/m"
TAGGED_PATTERN = "arn:aws[a-z-]*:sagemaker:[a-z0-9-]*:[0-9]{12}:.+"


def pattern(value: str, path: str, wanted: str) -> str:
    return (
        f"Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must satisfy regular expression pattern: {wanted}"
    )


def missing(path: str) -> str:
    return f"Value null at '{path}' failed to satisfy constraint: Member must not be null"


def bound(value: str, path: str, what: str, relation: str, limit: float) -> str:
    return (
        f"Value '{value}' at '{path}' failed to satisfy constraint: "
        f"Member must have {what} {relation} than or equal to {limit}"
    )


def test_the_request_used_below_is_sound() -> None:
    assert validate("sagemaker", "CreateTrainingJob", training_job()) == training_job()


JOBS: list[tuple[dict[str, Any], list[str]]] = [
    (training_job(TrainingJobName=None), [missing("trainingJobName")]),
    (training_job(RoleArn=None), [missing("roleArn")]),
    (
        {},
        [missing("trainingJobName"), missing("roleArn"), missing("outputDataConfig")],
    ),
    (
        training_job(TrainingJobName="my_job"),
        [pattern("my_job", "trainingJobName", JOB_NAME_PATTERN)],
    ),
    (
        training_job(TrainingJobName="../../etc"),
        [pattern("../../etc", "trainingJobName", JOB_NAME_PATTERN)],
    ),
    (
        training_job(TrainingJobName="job\n"),
        [pattern("job\\n", "trainingJobName", JOB_NAME_PATTERN)],
    ),
    (
        training_job(TrainingJobName=""),
        [
            bound("", "trainingJobName", "length", "greater", 1),
            pattern("", "trainingJobName", JOB_NAME_PATTERN),
        ],
    ),
    (
        training_job(TrainingJobName="a" * 64),
        [
            bound("a" * 64, "trainingJobName", "length", "less", 63),
            pattern("a" * 64, "trainingJobName", JOB_NAME_PATTERN),
        ],
    ),
    (training_job(OutputDataConfig={}), [missing("outputDataConfig.s3OutputPath")]),
    (
        training_job(OutputDataConfig={"S3OutputPath": "/tmp/out"}),
        [pattern("/tmp/out", "outputDataConfig.s3OutputPath", "(https|s3)://([^/]+)/?(.*)")],
    ),
    (
        training_job(AlgorithmSpecification={"TrainingImage": "x"}),
        [missing("algorithmSpecification.trainingInputMode")],
    ),
    (
        training_job(AlgorithmSpecification={"TrainingInputMode": "Tape"}),
        [
            "Value 'Tape' at 'algorithmSpecification.trainingInputMode' failed to satisfy "
            "constraint: Member must satisfy enum value set: [Pipe, File, FastFile]"
        ],
    ),
    (
        training_job(InputDataConfig=[channel(), channel(ChannelName="a b")]),
        [pattern("a b", "inputDataConfig.2.member.channelName", r"[A-Za-z0-9\.\-_]+")],
    ),
    (
        training_job(InputDataConfig=[{"ChannelName": "train"}]),
        [missing("inputDataConfig.1.member.dataSource")],
    ),
    (
        training_job(InputDataConfig=[channel(CompressionType="Zip")]),
        [
            "Value 'Zip' at 'inputDataConfig.1.member.compressionType' failed to satisfy "
            "constraint: Member must satisfy enum value set: [None, Gzip]"
        ],
    ),
    (
        training_job(InputDataConfig=[channel(DataSource={"S3DataSource": {"S3Uri": "s3://b"}})]),
        [missing("inputDataConfig.1.member.dataSource.s3DataSource.s3DataType")],
    ),
    (training_job(InputDataConfig=[]), [bound("[]", "inputDataConfig", "length", "greater", 1)]),
    (training_job(InputDataConfig=[None]), [missing("inputDataConfig.1.member")]),
    (
        training_job(**resources(InstanceCount=-1)),
        [bound("-1", "resourceConfig.instanceCount", "value", "greater", 0)],
    ),
    (
        training_job(**resources(KeepAlivePeriodInSeconds=21601)),
        [bound("21601", "resourceConfig.keepAlivePeriodInSeconds", "value", "less", 21600)],
    ),
    (
        training_job(StoppingCondition={"MaxRuntimeInSeconds": 0}),
        [bound("0", "stoppingCondition.maxRuntimeInSeconds", "value", "greater", 1)],
    ),
    (
        training_job(HyperParameters={"eta": "0" * 2501}),
        [
            f"Value '{{eta={'0' * 507}...' at 'hyperParameters' failed to satisfy constraint: Map "
            "value must satisfy constraint: [Member must have length less than or equal to 2500, "
            "Member must have length greater than or equal to 0, Member must satisfy regular "
            "expression pattern: .*]"
        ],
    ),
    (
        training_job(HyperParameters={"a": "1", "b": None}),
        [missing("hyperParameters.b.member")],
    ),
    (
        training_job(Environment={"1X": "y"}),
        [
            "Value '{1X=y}' at 'environment' failed to satisfy constraint: Map keys must satisfy "
            "constraint: [Member must have length less than or equal to 512, Member must have "
            "length greater than or equal to 0, Member must satisfy regular expression pattern: "
            "[a-zA-Z_][a-zA-Z0-9_]*]"
        ],
    ),
    (
        training_job(VpcConfig={"SecurityGroupIds": ["sg-1"], "Subnets": ["a b", "c"]}),
        [
            "Value '[a b, c]' at 'vpcConfig.subnets' failed to satisfy constraint: Member must "
            "satisfy constraint: [Member must have length less than or equal to 32, Member must "
            "have length greater than or equal to 0, Member must satisfy regular expression "
            "pattern: [-0-9a-zA-Z]+]"
        ],
    ),
    (
        training_job(RetryStrategy={"MaximumRetryAttempts": 31}),
        [bound("31", "retryStrategy.maximumRetryAttempts", "value", "less", 30)],
    ),
    (
        training_job(TrainingJobName="a_b", StoppingCondition={"MaxRuntimeInSeconds": -1}),
        [
            pattern("a_b", "trainingJobName", JOB_NAME_PATTERN),
            bound("-1", "stoppingCondition.maxRuntimeInSeconds", "value", "greater", 1),
        ],
    ),
]

OTHERS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("CreateModel", {"ModelName": None}, [missing("modelName")]),
    (
        "CreateModel",
        {"ModelName": "m" * 64},
        [bound("m" * 64, "modelName", "length", "less", 63)],
    ),
    (
        "CreateModel",
        {"ModelName": "m", "ExecutionRoleArn": "role"},
        [
            bound("role", "executionRoleArn", "length", "greater", 20),
            pattern(
                "role",
                "executionRoleArn",
                r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+",
            ),
        ],
    ),
    (
        "CreateModel",
        {"ModelName": "m", "PrimaryContainer": {"Mode": "Several"}},
        [
            "Value 'Several' at 'primaryContainer.mode' failed to satisfy constraint: Member must "
            "satisfy enum value set: [SingleModel, MultiModel]"
        ],
    ),
    (
        "CreateModel",
        {"ModelName": "m", "Containers": [{"Image": "a image"}]},
        [pattern("a image", "containers.1.member.image", "[\\S]+")],
    ),
    (
        "CreateEndpointConfig",
        {"EndpointConfigName": "config"},
        [missing("productionVariants")],
    ),
    (
        "CreateEndpointConfig",
        {"EndpointConfigName": "config", "ProductionVariants": []},
        [bound("[]", "productionVariants", "length", "greater", 1)],
    ),
    (
        "CreateEndpointConfig",
        endpoint_config(VariantName=None),
        [missing("productionVariants.1.member.variantName")],
    ),
    (
        "CreateEndpointConfig",
        endpoint_config(InitialVariantWeight=-0.5),
        [bound("-0.5", "productionVariants.1.member.initialVariantWeight", "value", "greater", 0)],
    ),
    (
        "CreateEndpointConfig",
        endpoint_config(ServerlessConfig={"MemorySizeInMB": 512, "MaxConcurrency": 1}),
        [
            bound(
                "512",
                "productionVariants.1.member.serverlessConfig.memorySizeInMB",
                "value",
                "greater",
                1024,
            )
        ],
    ),
    ("AddTags", {"Tags": []}, [missing("resourceArn")]),
    (
        "AddTags",
        {"ResourceArn": TAGGED, "Tags": [{"Key": "k"}]},
        [missing("tags.1.member.value")],
    ),
    (
        "AddTags",
        {"ResourceArn": TAGGED, "Tags": [{"Key": "a?", "Value": ""}]},
        [pattern("a?", "tags.1.member.key", TAG_PATTERN)],
    ),
    (
        "AddTags",
        {"ResourceArn": "name", "Tags": [{"Key": "k", "Value": "v" * 257}]},
        [
            pattern("name", "resourceArn", TAGGED_PATTERN),
            bound("v" * 257, "tags.1.member.value", "length", "less", 256),
        ],
    ),
]


def test_every_table_entry_says_what_aws_says() -> None:
    assert len(JOBS) + len(OTHERS) > 30


@pytest.mark.parametrize(
    ("operation", "request_", "sentences"),
    [("CreateTrainingJob", *case) for case in JOBS] + OTHERS,
)
def test_message(operation: str, request_: dict[str, Any], sentences: list[str]) -> None:
    with pytest.raises(ValidationException) as refusal:
        validate("sagemaker", operation, request_)
    noun = "error" if len(sentences) == 1 else "errors"
    expected = f"{len(sentences)} validation {noun} detected: {'; '.join(sentences)}"
    assert refusal.value.message == expected
