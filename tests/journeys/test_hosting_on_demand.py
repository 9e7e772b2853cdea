"""Capacity that comes when it is asked for: serverless and asynchronous endpoints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from botocore.exceptions import ClientError

from bottega.serving.sockets import runtime_folder
from bottega.testing.async_inference import SCRIPT
from bottega.testing.boto_hosting import BotoHosting
from bottega.testing.daemon import eventually, running_daemon

IDLE_SECONDS = 2.0
_PERIOD = 1
SLOW = """
import time

def model_fn(model_dir):
    return "slow"

def transform_fn(model, data, content_type, accept):
    time.sleep(0.5)
    return "done"
"""


@pytest.fixture(scope="module")
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BotoHosting]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(
        home,
        tracking=False,
        serverless_idle_seconds=IDLE_SECONDS,
        autoscaling_period_seconds=_PERIOD,
    ) as daemon:
        yield BotoHosting(daemon)


def servers(hosting: BotoHosting) -> int:
    """How many processes listen on sockets of model servers."""
    sockets = str(runtime_folder(hosting.daemon.home) / "model-")
    assert hosting.daemon.process is not None
    return sum(
        str(found.laddr).startswith(sockets) and found.status == psutil.CONN_NONE
        for found in psutil.net_connections("unix")
        if found.pid not in (None, hosting.daemon.process.pid)
    )


def test_a_serverless_endpoint_sleeps_and_wakes(hosting: BotoHosting) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 2}
    variant = {"VariantName": "v", "ServerlessConfig": serverless}
    hosting.endpoint("naps", {**variant, "ModelName": hosting.script("naps")})
    colds = []
    for number in range(3):
        eventually(lambda: servers(hosting) == 0, "no server is left", 20)
        began = time.monotonic()
        assert hosting.invoke("naps", "x") == b"naps: x"
        colds.append(time.monotonic() - began)
        began = time.monotonic()
        assert hosting.invoke("naps", "x") == b"naps: x"
        assert servers(hosting) > 0
        warm = time.monotonic() - began
        print(f"cold {colds[-1] * 1000:.0f} ms, warm {warm * 1000:.1f} ms ({number})")
        hosting.settled("naps")


def test_more_at_once_than_its_concurrency_is_refused(hosting: BotoHosting) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 2}
    variant = {"VariantName": "v", "ServerlessConfig": serverless}
    hosting.endpoint("two", {**variant, "ModelName": hosting.script("two", SLOW)})

    once = hosting.daemon.client("sagemaker-runtime", retries={"total_max_attempts": 1})

    def ask(_: int) -> tuple[int, str]:
        try:
            return 200, once.invoke_endpoint(EndpointName="two", Body=b"x")["Body"].read().decode()
        except ClientError as error:
            told = error.response["ResponseMetadata"]
            assert int(told["HTTPHeaders"]["retry-after"]) >= 1
            return told["HTTPStatusCode"], error.response["Error"]["Code"]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(6)))
    assert found.count((200, "done")) == 2
    assert found.count((429, "ThrottlingException")) == 4, found
    assert ask(0) == (200, "done")
    hosting.sagemaker.delete_endpoint(EndpointName="two")


@pytest.mark.slow
def test_an_asynchronous_endpoint_scales_to_zero_and_comes_back(hosting: BotoHosting) -> None:
    output = {
        "S3OutputPath": f"s3://{hosting.bucket}/later/out",
        "S3FailurePath": f"s3://{hosting.bucket}/later/failed",
    }
    hosting.endpoint(
        "later",
        {"VariantName": "v", "ModelName": hosting.script("later", SCRIPT)},
        AsyncInferenceConfig={
            "OutputConfig": output,
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 4},
        },
    )

    def put(text: str) -> tuple[str, str]:
        """Where the answer to a request will lie, and where its failure."""
        key = f"later/in/{text.replace(' ', '-')}"
        hosting.s3.put_object(Bucket=hosting.bucket, Key=key, Body=text.encode())
        told = hosting.runtime.invoke_endpoint_async(
            EndpointName="later",
            InputLocation=f"s3://{hosting.bucket}/{key}",
            ContentType="text/plain",
        )
        prefix = f"s3://{hosting.bucket}/"
        return (
            told["OutputLocation"].removeprefix(prefix),
            told["FailureLocation"].removeprefix(prefix),
        )

    texts = [f"request {number}" for number in range(50)]
    places = {text: put(text)[0] for text in texts}
    failed = put("raise")[1]
    eventually(lambda: len(hosting.keys("later/out/")) == 50, "fifty answers", 40)
    for text, key in places.items():
        assert hosting.read(key) == f"later: {text}".encode()
    eventually(lambda: hosting.keys("later/failed/"), "the failure", 10)
    assert hosting.keys("later/failed/") == [failed]
    assert b"no such customer" in hosting.read(failed)

    scaling = hosting.daemon.client("application-autoscaling")
    target = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/later/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**target, MinCapacity=0, MaxCapacity=2)
    own = [{"Name": "EndpointName", "Value": "later"}]
    scaling.put_scaling_policy(
        **target,
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Namespace": "AWS/SageMaker",
                "Dimensions": own,
                "Statistic": "Average",
            },
            "ScaleInCooldown": 0,
            "ScaleOutCooldown": 0,
        },
    )
    policy = scaling.put_scaling_policy(
        **target,
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ExactCapacity",
            "Cooldown": 0,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
    )["PolicyARN"]
    hosting.cloudwatch.put_metric_alarm(
        AlarmName="has-backlog",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=own,
        Statistic="Maximum",
        Period=10,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[policy],
    )
    eventually(lambda: hosting.instances("later") == 0, "it has scaled to zero", 60)
    assert hosting.settled("later")["EndpointStatus"] == "InService"
    began = time.monotonic()
    key, _ = put("wake up")
    eventually(lambda: hosting.keys(key), "the answer of who was woken", 60)
    print(f"from zero to an answer {time.monotonic() - began:.1f} s")
    assert hosting.read(key) == b"later: wake up"
    causes = [
        one["Cause"]
        for one in scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
            "ScalingActivities"
        ]
    ]
    assert any("has-backlog" in cause for cause in causes), causes
    assert any("below its target" in cause for cause in causes), causes
