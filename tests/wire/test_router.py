"""Where requests go, by their heads."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.wire.message import WireRequest
from bottega.wire.router import route

AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=A/20260101/r/{}/aws4_request, SignedHeaders=host"
JSON = {"content-type": "application/x-amz-json-1.1"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def routed(
    method: str = "POST",
    path: str = "/",
    *,
    target: str = "",
    scope: str = "",
    query: str = "",
    **headers: str,
) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if target:
        named["x-amz-target"] = target
    if scope:
        named["authorization"] = AUTHORIZATION.format(scope)
    return route(WireRequest(method, path, query, named))


@pytest.mark.parametrize(
    ("target", "service", "operation", "signing_name"),
    [
        ("SageMaker.CreateModel", "sagemaker", "CreateModel", "sagemaker"),
        ("Logs_20140328.GetLogEvents", "logs", "GetLogEvents", "logs"),
        ("Bottega.DescribeStudio", "bottega", "DescribeStudio", "sagemaker"),
        (
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents",
            "cloudtrail",
            "LookupEvents",
            "cloudtrail",
        ),
        (
            "GraniteServiceVersion20100801.PutMetricData",
            "cloudwatch",
            "PutMetricData",
            "monitoring",
        ),
    ],
)
@pytest.mark.parametrize("scope", ["", "s3", "sagemaker"])
def test_the_target_comes_first(
    target: str, service: str, operation: str, signing_name: str, scope: str
) -> None:
    found = routed(target=target, scope=scope)
    assert (found.protocol, found.service, found.operation) == ("json", service, operation)
    assert found.signing_name == signing_name
    assert found.refusal is None


@pytest.mark.parametrize(
    ("method", "path", "service", "operation", "parameters"),
    [
        (
            "POST",
            "/endpoints/a%20b/invocations",
            "sagemaker-runtime",
            "InvokeEndpoint",
            {"EndpointName": "a b"},
        ),
        (
            "POST",
            "/endpoints/e/invocations-response-stream",
            "sagemaker-runtime",
            "InvokeEndpointWithResponseStream",
            {"EndpointName": "e"},
        ),
        (
            "PUT",
            "/FeatureGroup/a%2Fb",
            "sagemaker-featurestore-runtime",
            "PutRecord",
            {"FeatureGroupName": "a/b"},
        ),
        ("POST", "/human-loops/stop", "sagemaker-a2i-runtime", "StopHumanLoop", {}),
        (
            "GET",
            "/human-loops/stop",
            "sagemaker-a2i-runtime",
            "DescribeHumanLoop",
            {"HumanLoopName": "stop"},
        ),
        ("PUT", "/BatchPutMetrics", "sagemaker-metrics", "BatchPutMetrics", {}),
    ],
)
@pytest.mark.parametrize("scope", ["", "sagemaker"])
def test_the_path_tells_sagemakers_services_apart(
    method: str,
    path: str,
    service: str,
    operation: str,
    parameters: dict[str, str],
    scope: str,
) -> None:
    found = routed(method, path, scope=scope)
    assert (found.protocol, found.service, found.operation) == ("rest-json", service, operation)
    assert found.path_parameters == parameters
    assert found.signing_name == "sagemaker"


@pytest.mark.parametrize(
    ("scope", "protocol", "service"),
    [("sts", "query", "sts"), ("iam", "query", "iam"), ("monitoring", "query", "cloudwatch")],
)
def test_the_scope_tells_query_services(scope: str, protocol: str, service: str) -> None:
    for found in (routed(scope=scope, **FORM), routed("GET", scope=scope)):
        assert (found.protocol, found.service, found.refusal) == (protocol, service, None)


def test_a_bucket_may_have_the_name_of_an_operations_path() -> None:
    found = routed("POST", "/endpoints/e/invocations", scope="s3")
    assert found.protocol == "s3"


@pytest.mark.parametrize(
    "query",
    [
        "AWSAccessKeyId=A&Signature=s&Expires=1",
        "X-Amz-Algorithm=x&X-Amz-Credential=A%2F20260101%2Fr%2Fs3%2Faws4_request",
    ],
)
def test_presigned_urls_are_routed_by_their_query(query: str) -> None:
    assert routed("GET", "/endpoints/e/invocations", query=query).protocol == "s3"


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD", "PROPFIND"])
def test_what_is_left_is_for_the_object_face(method: str) -> None:
    assert routed(method, "/bucket/key").protocol == "s3"
    assert routed(method, "/").protocol == "s3"


def test_unsigned_requests_are_answered_in_their_own_protocol() -> None:
    assert routed(**FORM).protocol == "query"
    assert routed(**JSON).protocol == "json"


@pytest.mark.parametrize("scope", ["lambda", "ec2", "x" * 500, ""])
def test_services_that_are_not_there(scope: str) -> None:
    found = routed(target="Nobody.Does", scope=scope)
    assert found.refusal.code == "UnknownOperationException"
    if scope:
        found = routed(scope=scope, **FORM)
        assert (found.protocol, found.refusal.status) == ("query", 400)
        assert "docs/coverage.md" in found.refusal.message
