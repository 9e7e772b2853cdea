"""CloudWatch as an unmodified boto3 sees it, and as an older client does."""

from __future__ import annotations

import urllib.error
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.hosting import ECHO, archive

_XML = {"c": "http://monitoring.amazonaws.com/doc/2010-08-01/"}
_OWN = [{"Name": "Service", "Value": "s"}]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as started:
        yield started


@pytest.fixture(scope="module")
def cloudwatch(daemon: TestDaemon) -> Any:
    return daemon.client("cloudwatch")


def around() -> dict[str, datetime]:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(minutes=10), "EndTime": now + timedelta(minutes=10)}


def test_values_go_in_and_statistics_come_out(cloudwatch: Any) -> None:
    datum = {"MetricName": "Latency", "Dimensions": _OWN, "Unit": "Milliseconds"}
    cloudwatch.put_metric_data(
        Namespace="Shop",
        MetricData=[
            {**datum, "Value": 10.0},
            {**datum, "Values": [20.0, 30.0], "Counts": [1.0, 2.0]},
        ],
    )
    asked = {"Namespace": "Shop", "MetricName": "Latency", "Dimensions": _OWN, "Period": 600}
    found = cloudwatch.get_metric_statistics(
        **asked, **around(), Statistics=["Sum", "SampleCount"], ExtendedStatistics=["p50"]
    )
    points = found["Datapoints"]
    assert sum(point["Sum"] for point in points) == 90
    assert sum(point["SampleCount"] for point in points) == 4
    assert {point["Unit"] for point in points} == {"Milliseconds"}
    assert all(10 <= point["ExtendedStatistics"]["p50"] <= 31 for point in points)
    listed = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace="Shop"))
    assert listed[0]["Metrics"] == [
        {"Namespace": "Shop", "MetricName": "Latency", "Dimensions": _OWN}
    ]
    assert cloudwatch.list_metrics(Namespace="Other")["Metrics"] == []


def test_a_large_batch_comes_compressed(cloudwatch: Any) -> None:
    sent: list[str] = []
    cloudwatch.meta.events.register_first(
        "before-send.cloudwatch.PutMetricData",
        lambda request, **_: sent.append(str(request.headers.get("Content-Encoding"))),
    )
    data = [{"MetricName": f"m{number}", "Value": 1.0, "Dimensions": _OWN} for number in range(300)]
    cloudwatch.put_metric_data(Namespace="Large", MetricData=data)
    assert any("gzip" in encoding for encoding in sent)
    assert len(cloudwatch.list_metrics(Namespace="Large")["Metrics"]) == 300


def test_metric_math(cloudwatch: Any) -> None:
    cloudwatch.put_metric_data(
        Namespace="Math", MetricData=[{"MetricName": "m", "Value": 4.0, "Dimensions": _OWN}]
    )
    metric = {"Namespace": "Math", "MetricName": "m", "Dimensions": _OWN}
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=[
            {"Id": "e1", "Expression": "m1 * 2", "Label": "double"},
            {
                "Id": "m1",
                "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
                "ReturnData": False,
            },
        ],
        **around(),
    )
    (result,) = [result for page in pages for result in page["MetricDataResults"]]
    assert (result["Id"], result["Label"], result["Values"]) == ("e1", "double", [8.0])
    assert result["Timestamps"][0].tzinfo is not None


def alarm(name: str, **more: Any) -> dict[str, Any]:
    return {
        "AlarmName": name,
        "MetricName": "Errors",
        "Namespace": "Shop",
        "Statistic": "Sum",
        "Period": 1,
        "EvaluationPeriods": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        **more,
    }


def wait_for(cloudwatch: Any, name: str, state: str) -> Any:
    """The alarm once it is in a state that errors, which go on meanwhile, bring it to."""
    datum = {"MetricName": "Errors", "Value": 1.0, "StorageResolution": 1}

    def found() -> Any:
        cloudwatch.put_metric_data(Namespace="Shop", MetricData=[datum])
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm if alarm["StateValue"] == state else None

    return eventually(found, f"the alarm is in {state}")


def test_an_alarm_from_its_making_to_its_end(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**alarm("errors"))
    found = wait_for(cloudwatch, "errors", "ALARM")
    assert "Threshold Crossed" in found["StateReason"]
    cloudwatch.set_alarm_state(AlarmName="errors", StateValue="OK", StateReason="a drill")
    for_metric = cloudwatch.describe_alarms_for_metric(Namespace="Shop", MetricName="Errors")
    assert [one["AlarmName"] for one in for_metric["MetricAlarms"]] == ["errors"]
    cloudwatch.disable_alarm_actions(AlarmNames=["errors"])
    assert not cloudwatch.describe_alarms()["MetricAlarms"][0]["ActionsEnabled"]
    cloudwatch.enable_alarm_actions(AlarmNames=["errors"])
    history = cloudwatch.describe_alarm_history(
        AlarmName="errors", HistoryItemType="ConfigurationUpdate", ScanBy="TimestampAscending"
    )
    assert history["AlarmHistoryItems"][0]["HistorySummary"] == 'Alarm "errors" created'
    cloudwatch.delete_alarms(AlarmNames=["errors"])
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_a_waiter_waits_for_an_alarm(cloudwatch: Any) -> None:
    cloudwatch.put_metric_alarm(**alarm("there", Period=60))
    cloudwatch.get_waiter("alarm_exists").wait(AlarmNames=["there"])
    cloudwatch.delete_alarms(AlarmNames=["there"])


def test_refusals_have_the_codes_of_the_query_protocol(cloudwatch: Any) -> None:
    with pytest.raises(cloudwatch.exceptions.InvalidParameterValueException) as wrong:
        cloudwatch.get_metric_statistics(
            Namespace="N", MetricName="m", Period=45, Statistics=["Sum"], **around()
        )
    error = wrong.value.response["Error"]
    assert (error["Code"], error["Type"]) == ("InvalidParameterValue", "Sender")
    with pytest.raises(cloudwatch.exceptions.ResourceNotFound):
        cloudwatch.delete_alarms(AlarmNames=["unknown"])
    with pytest.raises(cloudwatch.exceptions.InvalidNextToken):
        cloudwatch.describe_alarms(NextToken="x")
    with pytest.raises(ClientError) as short:
        cloudwatch.set_alarm_state(AlarmName="a", StateValue="WRONG", StateReason="r")
    assert short.value.response["Error"]["Code"] == "ValidationError"


def query(daemon: TestDaemon, action: str, **parameters: Any) -> tuple[int, ElementTree.Element]:
    """Call an operation as clients do that speak the query protocol."""
    body = urlencode({"Action": action, "Version": "2010-08-01", **parameters})
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", daemon.url + "/", headers=headers, data=body)
    keys = daemon.client("cloudwatch")._request_signer._credentials
    frozen = keys.get_frozen_credentials()
    signer = Credentials(frozen.access_key, frozen.secret_key, frozen.token)
    SigV4Auth(signer, "monitoring", daemon.config.region).add_auth(request)
    sent = urllib.request.Request(daemon.url + "/", body.encode(), dict(request.headers))
    try:
        with urllib.request.urlopen(sent) as answer:
            return answer.status, ElementTree.fromstring(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, ElementTree.fromstring(refused.read())


def test_an_older_client_speaks_query(daemon: TestDaemon) -> None:
    status, _ = query(
        daemon,
        "PutMetricData",
        **{
            "Namespace": "Old",
            "MetricData.member.1.MetricName": "m",
            "MetricData.member.1.Values.member.1": "1.5",
            "MetricData.member.1.Values.member.2": "2.5",
            "MetricData.member.1.Dimensions.member.1.Name": "Service",
            "MetricData.member.1.Dimensions.member.1.Value": "s",
        },
    )
    assert status == 200
    times = {name: moment.isoformat() for name, moment in around().items()}
    status, found = query(
        daemon,
        "GetMetricStatistics",
        **{
            "Namespace": "Old",
            "MetricName": "m",
            "Period": 3600,
            "Statistics.member.1": "Sum",
            "ExtendedStatistics.member.1": "p100",
            "Dimensions.member.1.Name": "Service",
            "Dimensions.member.1.Value": "s",
            **times,
        },
    )
    assert status == 200
    path = "c:GetMetricStatisticsResult/c:Datapoints/c:member"
    assert [float(one.text or "") for one in found.iterfind(f"{path}/c:Sum", _XML)] == [4.0]
    assert found.findtext(f"{path}/c:ExtendedStatistics/c:entry/c:key", "", _XML) == "p100"
    assert found.findtext("c:ResponseMetadata/c:RequestId", "", _XML)
    status, refused = query(daemon, "DeleteAlarms", **{"AlarmNames.member.1": "unknown"})
    assert status == 400
    assert [one.text for one in refused.iter() if one.tag.endswith("Code")] == ["ResourceNotFound"]


def test_an_endpoint_has_metrics(daemon: TestDaemon, cloudwatch: Any) -> None:
    sagemaker, bucket = daemon.client("sagemaker"), daemon.config.bucket
    body = archive({"answer": "a", "code/inference.py": ECHO})
    daemon.client("s3").put_object(Bucket=bucket, Key="m.tar.gz", Body=body)
    sagemaker.create_model(
        ModelName="m",
        PrimaryContainer={"Image": "python", "ModelDataUrl": f"s3://{bucket}/m.tar.gz"},
        ExecutionRoleArn=daemon.config.role_arn,
    )
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="e", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    runtime = daemon.client("sagemaker-runtime")
    for _ in range(5):
        runtime.invoke_endpoint(EndpointName="e", Body=b"x", ContentType="text/plain")
    own = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "v"}]
    wanted = {
        ("AWS/SageMaker", "Invocations"): 5,
        ("AWS/SageMaker", "ModelLatency"): 5,
        ("/aws/sagemaker/Endpoints", "CPUUtilization"): 1,
        ("/aws/sagemaker/Endpoints", "MemoryUtilization"): 1,
    }

    def told() -> bool:
        for (namespace, name), count in list(wanted.items()):
            found = cloudwatch.get_metric_statistics(
                Namespace=namespace,
                MetricName=name,
                Dimensions=own,
                Period=60,
                Statistics=["SampleCount", "Average"],
                **around(),
            )["Datapoints"]
            if sum(point["SampleCount"] for point in found) >= count:
                del wanted[namespace, name]
        return not wanted

    eventually(told, "its requests and what its server uses are told")
    by_config = [*own, {"Name": "EndpointConfigName", "Value": "c"}]
    listed = cloudwatch.list_metrics(MetricName="Invocations", Dimensions=by_config)["Metrics"]
    assert len(listed) == 1
    sagemaker.delete_endpoint(EndpointName="e")
