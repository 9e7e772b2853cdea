"""What passes, what is no JSON of the right kind, and what is never shown."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import pytest

from bottega.errors import (
    BottegaError,
    InvalidParameterException,
    SerializationException,
    ValidationError,
    ValidationException,
)
from bottega.specs import validate
from bottega.specs.models import UnknownOperation, UnknownService, operation_model
from bottega.specs.validation import _NESTING_LIMIT
from bottega.testing.sound_requests import ROLE, channel, endpoint_config, resources, training_job

TAGGED = "arn:aws:sagemaker:us-east-1:000000000000:model/m"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"TrainingJobName": 7},
            "NUMBER_VALUE can not be converted to a String (at 'trainingJobName')",
        ),
        (
            {"TrainingJobName": ["a"]},
            "Start of list found where not expected (at 'trainingJobName'; expected a String)",
        ),
        (
            {"TrainingJobName": {"a": 1}},
            "Start of structure or map found where not expected (at 'trainingJobName'; expected "
            "a String)",
        ),
        (
            {"TrainingJobName": "half \ud800"},
            "STRING_VALUE holds half a surrogate pair (at 'trainingJobName')",
        ),
        (
            {"HyperParameters": {"eta": 0.1}},
            "NUMBER_VALUE can not be converted to a String (at 'hyperParameters.eta.member')",
        ),
        (
            {"HyperParameters": [1]},
            "Start of list found where not expected (at 'hyperParameters'; expected a Map)",
        ),
        (
            {"HyperParameters": {3: "x"}},
            "NUMBER_VALUE can not be converted to a String (at 'hyperParameters')",
        ),
        (
            {"InputDataConfig": "train"},
            "STRING_VALUE can not be converted to a List (at 'inputDataConfig')",
        ),
        (
            {"InputDataConfig": ["train"]},
            "STRING_VALUE can not be converted to a Structure (at 'inputDataConfig.1.member')",
        ),
        (
            {"EnableNetworkIsolation": "true"},
            "STRING_VALUE can not be converted to a Boolean (at 'enableNetworkIsolation')",
        ),
        (
            {"EnableNetworkIsolation": 1},
            "NUMBER_VALUE can not be converted to a Boolean (at 'enableNetworkIsolation')",
        ),
        (
            resources(InstanceCount=True),
            "TRUE_VALUE can not be converted to an Integer (at 'resourceConfig.instanceCount')",
        ),
        (
            resources(InstanceCount="1"),
            "STRING_VALUE can not be converted to an Integer (at 'resourceConfig.instanceCount')",
        ),
        (
            resources(InstanceCount=1.5),
            "NUMBER_VALUE 1.5 can not be converted to an Integer "
            "(at 'resourceConfig.instanceCount')",
        ),
        (
            resources(InstanceCount=math.nan),
            "NUMBER_VALUE nan can not be converted to an Integer "
            "(at 'resourceConfig.instanceCount')",
        ),
        (
            resources(InstanceCount=2**31),
            "NUMBER_VALUE 2147483648 is out of range for an Integer "
            "(at 'resourceConfig.instanceCount')",
        ),
        (
            resources(InstanceCount=10**6000),
            "NUMBER_VALUE a number of 19932 bits is out of range for an Integer "
            "(at 'resourceConfig.instanceCount')",
        ),
    ],
)
def test_wrong_json_types(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SerializationException) as refusal:
        validate("sagemaker", "CreateTrainingJob", training_job(**changes))
    assert refusal.value.message == message


@pytest.mark.parametrize("weight", [math.nan, math.inf, -math.inf, 1e39, 10**400])
def test_no_float_is_infinite_or_not_a_number(weight: float) -> None:
    with pytest.raises(SerializationException, match="out of range for a Float"):
        validate("sagemaker", "CreateEndpointConfig", endpoint_config(InitialVariantWeight=weight))


@pytest.mark.parametrize("time", [math.nan, math.inf, -1e12, 1e12, 10**400])
def test_no_timestamp_is_beyond_the_calendar(time: float) -> None:
    with pytest.raises(SerializationException, match="out of range for a Timestamp"):
        validate("sagemaker", "ListTrainingJobs", {"CreationTimeAfter": time})


def test_a_timestamp_is_a_number_of_seconds() -> None:
    request = {"CreationTimeAfter": 1_700_000_000, "CreationTimeBefore": 1_700_000_000.25}
    checked = validate("sagemaker", "ListTrainingJobs", request)
    assert checked == request
    assert {type(value) for value in checked.values()} == {float}
    with pytest.raises(SerializationException, match="STRING_VALUE"):
        validate("sagemaker", "ListTrainingJobs", {"CreationTimeAfter": "2026-01-01T00:00:00Z"})


def test_a_whole_float_is_an_integer() -> None:
    checked = validate("sagemaker", "ListTrainingJobs", {"MaxResults": 5.0})
    assert type(checked["MaxResults"]) is int


def test_null_and_unknown_members_are_left_out() -> None:
    request = training_job(
        Tags=None, NoSuchMember=1, **resources(NoSuchMember=[], VolumeSizeInGB=None)
    )
    checked = validate("sagemaker", "CreateTrainingJob", request)
    assert "Tags" not in checked
    assert "NoSuchMember" not in checked
    assert checked["ResourceConfig"] == {"InstanceType": "ml.m5.large", "InstanceCount": 1}


def test_the_request_itself_is_left_alone() -> None:
    request = training_job(NoSuchMember=1)
    checked = validate("sagemaker", "CreateTrainingJob", request)
    checked["HyperParameters"]["eta"] = "changed"
    checked["InputDataConfig"].append({})
    assert request == training_job(NoSuchMember=1)


@pytest.mark.parametrize("request_", [[], "text", 3, None])
def test_a_request_is_a_structure(request_: Any) -> None:
    with pytest.raises(SerializationException, match="at the top of the request"):
        validate("sagemaker", "CreateTrainingJob", request_)
    with pytest.raises(SerializationException, match="at the top of the request"):
        validate("sts", "GetCallerIdentity", request_)


@pytest.mark.parametrize("set_members", [{}, {"NoSuchMember": {}}])
def test_a_union_has_one_member(set_members: dict[str, Any]) -> None:
    with pytest.raises(ValidationException) as refusal:
        validate("sagemaker", "CreateAIBenchmarkJob", {"BenchmarkTarget": set_members})
    assert (
        "Value '[]' at 'benchmarkTarget' failed to satisfy constraint: Member must have exactly "
        "one of its members set: [Endpoint]"
    ) in refusal.value.message


def test_a_union_has_no_two_members() -> None:
    config = {"TabularJobConfig": {"TargetAttributeName": "y"}, "ImageClassificationJobConfig": {}}
    request = {"AutoMLProblemTypeConfig": config}
    with pytest.raises(ValidationException) as refusal:
        validate("sagemaker", "CreateAutoMLJobV2", request)
    assert (
        "Value '[ImageClassificationJobConfig, TabularJobConfig]' at 'autoMLProblemTypeConfig'"
    ) in refusal.value.message


@pytest.mark.parametrize(
    ("service", "operation", "request_", "error"),
    [
        ("logs", "GetLogEvents", {"logStreamName": ":"}, InvalidParameterException),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "m"}, ValidationError),
        ("iam", "GetRole", {"RoleName": "a b"}, ValidationError),
        ("sts", "AssumeRole", {}, ValidationError),
        ("s3", "CreateBucket", {}, ValidationException),
    ],
)
def test_each_service_has_its_own_code(
    service: str, operation: str, request_: dict[str, Any], error: type[BottegaError]
) -> None:
    with pytest.raises(error, match="validation error"):
        validate(service, operation, request_)


def test_requests_of_the_other_services_pass() -> None:
    body = io.BytesIO(b"data")
    for service, operation, request in [
        ("sts", "GetCallerIdentity", {}),
        ("iam", "SimulatePrincipalPolicy", {"PolicySourceArn": ROLE, "ActionNames": ["s3:Get*"]}),
        ("s3", "PutObject", {"Bucket": "b", "Key": "k/é", "Body": body, "Metadata": {"a": "b"}}),
        ("s3", "DeleteObjects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "k"}]}}),
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "", "MaxKeys": 0}),
        ("logs", "FilterLogEvents", {"logGroupName": "/aws/g", "startTime": 2**40}),
        ("sagemaker-runtime", "InvokeEndpoint", {"EndpointName": "e", "Body": b"1,2"}),
        ("bottega", "DescribeStudio", {}),
    ]:
        assert validate(service, operation, request) == request


def test_a_body_has_a_limit_and_is_never_shown() -> None:
    request = {"EndpointName": "e", "Body": b"secret" * 1_100_000}
    with pytest.raises(ValidationError) as refusal:
        validate("sagemaker-runtime", "InvokeEndpoint", request)
    assert refusal.value.message == (
        "1 validation error detected: Value at 'body' failed to satisfy constraint: "
        "Member must have length less than or equal to 6291456"
    )


@pytest.mark.parametrize(
    "request_",
    [
        {"Content": "secret" * 20_000, "ModelCardName": "m", "ModelCardStatus": "Draft"},
        {"Content": "secret\n", "ModelCardName": "m", "ModelCardStatus": "Draft"},
    ],
)
def test_sensitive_text_is_never_shown(request_: dict[str, Any]) -> None:
    with pytest.raises(ValidationException, match="Value at 'content' failed") as refusal:
        validate("sagemaker", "CreateModelCard", request_)
    assert "secret" not in refusal.value.message


def test_a_container_with_sensitive_text_inside_is_never_shown() -> None:
    parameters = {"k" * 256: {"Values": ["secret"]}}
    request = {"WindowId": "w", "TaskArn": "a", "TaskType": "LAMBDA", "TaskParameters": parameters}
    with pytest.raises(ValidationException, match="Value at 'taskParameters' failed") as refusal:
        validate("ssm", "RegisterTaskWithMaintenanceWindow", request)
    assert "secret" not in refusal.value.message


def test_a_flood_of_wrong_elements_gives_a_short_message() -> None:
    tags = [{"Key": "?" * 1_000_000, "Value": "v"}] * 50
    request = {"ResourceArn": TAGGED, "Tags": tags}
    with pytest.raises(ValidationException) as refusal:
        validate("sagemaker", "AddTags", request)
    assert refusal.value.message.startswith("50 validation errors detected: ")
    assert refusal.value.message.endswith("; and 30 more")
    assert len(refusal.value.message) < 20_000


def test_a_flood_of_elements_is_not_walked() -> None:
    class Unreadable(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise AssertionError("looked at")

        def __iter__(self) -> Any:
            raise AssertionError("looked at")

        def __len__(self) -> int:
            return 1

    channels = [channel(ContentType="x" * 600)] + [Unreadable()] * 100
    with pytest.raises(ValidationException, match="length less than or equal to 20"):
        validate("sagemaker", "CreateTrainingJob", training_job(InputDataConfig=channels))


def nested_search(depth: int) -> dict[str, Any]:
    expression: dict[str, Any] = {"Operator": "And"}
    for _ in range(depth):
        expression = {"SubExpressions": [expression]}
    return {"Resource": "TrainingJob", "SearchExpression": expression}


def test_nesting_has_a_limit() -> None:
    assert validate("sagemaker", "Search", nested_search(10)) == nested_search(10)
    for depth in (_NESTING_LIMIT, 100_000):
        with pytest.raises(SerializationException, match="nested more than 64 levels"):
            validate("sagemaker", "Search", nested_search(depth))


def test_an_operation_without_input_takes_whatever_is_sent() -> None:
    model = operation_model("sagemaker", "EnableSagemakerServicecatalogPortfolio")
    assert model.input_shape is None or not model.input_shape.members
    assert (
        validate("sagemaker", "EnableSagemakerServicecatalogPortfolio", {"NoSuchMember": 1}) == {}
    )


def test_unknown_operations() -> None:
    with pytest.raises(UnknownOperation):
        validate("sagemaker", "Nope", {})
    with pytest.raises(UnknownService):
        validate("nope", "Nope", {})


def test_messages_hold_nothing_that_breaks_a_line_or_a_terminal() -> None:
    with pytest.raises(ValidationException) as refusal:
        validate("sagemaker", "DescribeModel", {"ModelName": "a\r\nInjected: header\x1b[31m\u202e"})
    assert refusal.value.message.isprintable()
