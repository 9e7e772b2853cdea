"""Real boto3 clients against the pure core, one per protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import botocore.exceptions
import pytest


def test_json_round_trip(bench: Any) -> None:
    sagemaker = bench.client("sagemaker")
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/xgboost:1.7-1"
    made = sagemaker.create_model(
        ModelName="first", PrimaryContainer={"Image": image, "Environment": {"A": "é/ü"}}
    )
    assert made["ModelArn"].endswith(":model/first")
    assert made["ResponseMetadata"]["RequestId"]

    shown = sagemaker.describe_model(ModelName="first")
    assert shown["PrimaryContainer"]["Environment"] == {"A": "é/ü"}
    assert shown["CreationTime"].timestamp() == bench.ports.clock.now()
    assert "VpcConfig" not in shown  # an empty structure is left out
    assert "ExecutionRoleArn" not in shown  # and so is None

    deleted = sagemaker.delete_model(ModelName="first")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert sagemaker.list_models()["Models"] == []


def test_a_timestamp_reaches_the_operation_as_seconds(bench: Any) -> None:
    sagemaker = bench.client("sagemaker")
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "a"})
    long_ago = datetime(2001, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    far_off = datetime(2101, 1, 1, tzinfo=UTC)
    assert len(sagemaker.list_models(CreationTimeAfter=long_ago)["Models"]) == 1
    assert sagemaker.list_models(CreationTimeAfter=far_off)["Models"] == []


def test_errors_reach_the_client_with_code_and_message(bench: Any) -> None:
    sagemaker = bench.client("sagemaker")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sagemaker.describe_model(ModelName="absent")
    error = caught.value.response
    assert error["Error"]["Code"] == "ValidationException"
    assert "Could not find" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["ResponseMetadata"]["RequestId"]


def test_constraints_are_checked_by_the_server(bench: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="regular expression") as caught:
        bench.client("sagemaker").create_model(ModelName="no_good")
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert bench.snapshot() == ([], {})


def test_an_operation_that_is_not_implemented_names_the_coverage_page(bench: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match=r"docs/coverage\.md") as caught:
        bench.client("sagemaker").list_domains()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("service", "call"),
    [
        ("dynamodb", "list_tables"),
        ("lambda", "list_functions"),
        ("ec2", "describe_instances"),
        ("kms", "list_keys"),
        ("ecr", "describe_repositories"),
        ("cloudwatch", "list_metrics"),
        ("iam", "list_users"),
        ("sts", "get_session_token"),
        ("sagemaker-metrics", "batch_get_metrics"),
    ],
)
def test_services_that_are_not_implemented_say_so(bench: Any, service: str, call: str) -> None:
    arguments = {}
    if service == "sagemaker-metrics":
        query = {"MetricName": "m", "ResourceArn": "a", "MetricStat": "Max", "Period": "OneHour"}
        arguments = {"MetricQueries": [query | {"XAxisType": "Timestamp"}]}
    with pytest.raises(botocore.exceptions.ClientError, match=r"coverage\.md") as caught:
        getattr(bench.client(service), call)(**arguments)
    assert caught.value.response["Error"]["Code"] in ("UnknownOperationException", "InvalidAction")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_breaks_unexpectedly_is_an_internal_failure_with_a_request_id(bench: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        bench.client("sagemaker").describe_training_job(TrainingJobName="x")
    response = caught.value.response
    assert response["Error"]["Code"] == "InternalFailure"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert response["ResponseMetadata"]["RequestId"] in response["Error"]["Message"]


def test_invocations_carry_bytes_and_headers(bench: Any) -> None:
    answer = bench.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", Body=b"\x00\xff12", ContentType="text/csv", CustomAttributes="trace=1"
    )
    assert answer["Body"].read() == b"21\xff\x00"
    assert answer["ContentType"] == "text/csv"
    assert answer["CustomAttributes"] == "trace=1"
    # What a model server says cannot start a header of its own.
    assert answer["InvokedProductionVariant"] == "AllTraffic  X-Injected: yes"
    assert "x-injected" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_a_model_error_has_its_members(bench: Any) -> None:
    runtime = bench.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="e", Body=b"fail")
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    assert response["OriginalMessage"] == "Traceback"
    assert response["LogStreamArn"].startswith("arn:aws:logs:")


def test_the_runtime_has_its_own_word_for_a_bad_request(bench: Any) -> None:
    runtime = bench.client("sagemaker-runtime")
    with pytest.raises(runtime.exceptions.ValidationError):
        runtime.invoke_endpoint(EndpointName="a" * 64, Body=b"1")


def test_members_in_path_and_query(bench: Any) -> None:
    answer = bench.client("sagemaker-featurestore-runtime").get_record(
        FeatureGroupName="group",
        RecordIdentifierValueAsString="a b/c+é",
        FeatureNames=["z", "a", "m"],
    )
    assert answer["Record"] == [
        {"FeatureName": name, "ValueAsString": "a b/c+é"} for name in ("z", "a", "m")
    ]


def test_query_protocol(bench: Any) -> None:
    identity = bench.client("sts").get_caller_identity()
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/BottegaExecutionRole/owner"
    assert identity["UserId"].endswith(":owner")
    assert identity["ResponseMetadata"]["RequestId"]

    role = bench.client("iam").get_role(RoleName="R")["Role"]
    assert role["CreateDate"] == datetime.fromtimestamp(1_700_000_000, UTC)
    assert role["Description"] == "<&\ufffd>"

    answer = bench.client("iam").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::000000000000:role/R",
        ActionNames=[f"s3:Get{n}" for n in range(12)],
    )
    named = [result["EvalActionName"] for result in answer["EvaluationResults"]]
    assert named == [f"s3:Get{n}" for n in range(12)]  # in the order of their numbers, not as text


def test_query_errors_have_the_query_services_words(bench: Any) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        bench.client("iam").get_role(RoleName="no spaces")
    assert caught.value.response["Error"]["Code"] == "ValidationError"
    assert caught.value.response["Error"]["Type"] == "Sender"


def test_logs_and_own_service(bench: Any) -> None:
    streams = bench.client("logs").describe_log_streams(logGroupName="/aws/sagemaker/TrainingJobs")
    assert streams["logStreams"][0]["creationTime"] == 1_700_000_000_123
    response = bench.answer(bench.signed("Bottega.DescribeStudio"))
    assert response.status == 200


def test_objects_reach_the_object_face_with_their_signature(bench: Any) -> None:
    s3 = bench.client("s3")
    s3.put_object(Bucket="bucket", Key="a b/é.txt", Body=b"hello")
    assert bench.objects.objects == {"/bucket/a%20b/%C3%A9.txt": b"hello"}
    assert s3.get_object(Bucket="bucket", Key="a b/é.txt")["Body"].read() == b"hello"
    signature = bench.objects.signatures[-1]
    assert signature.identity.owner
    assert signature.service == "s3"
    assert signature.scope.endswith("/us-east-1/s3/aws4_request")
    assert len(signature.signing_key) == 32
    assert len(signature.seed_signature) == 64
