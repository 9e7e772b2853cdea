"""PutMetricData, GetMetricStatistics, GetMetricData and ListMetrics."""

from __future__ import annotations

from typing import Any

import pytest

from bottega.errors import (
    InvalidNextToken,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingParameter,
)

NOW = 1_700_000_040.0


def statistics(cloudwatch: Any, **more: Any) -> list[Any]:
    request = {
        "Namespace": "N",
        "MetricName": "Latency",
        "StartTime": NOW - 600,
        "EndTime": NOW + 600,
        "Period": 60,
        "Statistics": ["Sum", "SampleCount"],
        **more,
    }
    wanted = {key: value for key, value in request.items() if value is not None}
    found = cloudwatch.do("GetMetricStatistics", **wanted)
    assert found["Label"] == "Latency"
    return list(found["Datapoints"])


def data(cloudwatch: Any, *queries: Any, **more: Any) -> Any:
    request = {"StartTime": NOW - 600, "EndTime": NOW + 600, **more}
    return cloudwatch.do("GetMetricData", MetricDataQueries=list(queries), **request)


def stat(name: str, metric: str = "Latency", **more: Any) -> dict[str, Any]:
    wanted = {"Metric": {"Namespace": "N", "MetricName": metric}, "Period": 60, "Stat": "Sum"}
    return {"Id": name, "MetricStat": wanted, **more}


def expression(name: str, text: str, **more: Any) -> dict[str, Any]:
    return {"Id": name, "Expression": text, **more}


def test_every_form_of_values_counts(cloudwatch: Any) -> None:
    forms: list[dict[str, Any]] = [
        {"Value": 2.0},
        {"Values": [1.0, 4.0], "Counts": [2.0, 1.0]},
        {"StatisticValues": {"SampleCount": 3, "Sum": 9, "Minimum": 1, "Maximum": 5}},
    ]
    cloudwatch.do(
        "PutMetricData",
        Namespace="N",
        MetricData=[{"MetricName": "Latency", "Timestamp": NOW, **form} for form in forms],
    )
    (point,) = statistics(
        cloudwatch, Statistics=["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    )
    assert point == {
        "Timestamp": NOW,
        "Unit": "None",
        "SampleCount": 7,
        "Sum": 17,
        "Average": 17 / 7,
        "Minimum": 1,
        "Maximum": 5,
    }


def test_a_value_without_time_is_of_now(cloudwatch: Any) -> None:
    cloudwatch.do(
        "PutMetricData", Namespace="N", MetricData=[{"MetricName": "Latency", "Value": 1}]
    )
    assert [point["Timestamp"] for point in statistics(cloudwatch)] == [NOW]


def test_dimensions_tell_metrics_apart_in_any_order(cloudwatch: Any) -> None:
    both = [{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}]
    cloudwatch.put(1.0)
    cloudwatch.put(10.0, Dimensions=both)
    assert [point["Sum"] for point in statistics(cloudwatch)] == [1]
    assert [point["Sum"] for point in statistics(cloudwatch, Dimensions=both[::-1])] == [10]


def test_percentiles_and_units(cloudwatch: Any) -> None:
    cloudwatch.put(*range(1, 101), Unit="Milliseconds")
    cloudwatch.put(5.0, Unit="Seconds")
    wanted = {"Statistics": None, "ExtendedStatistics": ["p90", "tm50"]}
    milliseconds, seconds = statistics(cloudwatch, **wanted)
    assert (milliseconds["Unit"], seconds["Unit"]) == ("Milliseconds", "Seconds")
    assert milliseconds["ExtendedStatistics"] == {
        "p90": pytest.approx(90, rel=0.02),
        "tm50": pytest.approx(25.5, rel=0.02),
    }
    (only,) = statistics(cloudwatch, Unit="Seconds")
    assert only["Sum"] == 5


def test_high_resolution_is_found_by_the_second(cloudwatch: Any) -> None:
    cloudwatch.put(1.0, at=NOW + 3, StorageResolution=1)
    cloudwatch.put(2.0, at=NOW + 3)
    (second,) = statistics(cloudwatch, Period=1, EndTime=NOW + 60)
    assert (second["Timestamp"], second["Sum"]) == (NOW + 3, 1)
    (minute,) = statistics(cloudwatch)
    assert minute["Sum"] == 3


@pytest.mark.parametrize(
    ("wrong", "refusal", "message"),
    [
        ({"Value": 1e200}, InvalidParameterValue, "number from"),
        ({"Value": 1.0, "Values": [1.0]}, InvalidParameterCombination, "mutually exclusive"),
        ({}, MissingParameter, "At least one"),
        ({"Values": [1.0], "Counts": [1.0, 2.0]}, InvalidParameterValue, "same size"),
        ({"Values": [1.0], "Counts": [-1.0]}, InvalidParameterValue, "below 0"),
        ({"Value": 1.0, "Timestamp": NOW - 16 * 86400}, InvalidParameterValue, "two weeks"),
        ({"Value": 1.0, "Timestamp": NOW + 10_000}, InvalidParameterValue, "two hours"),
        ({"Value": 1.0, "StorageResolution": 5}, InvalidParameterValue, "1 or 60"),
        (
            {"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}},
            InvalidParameterValue,
            "not above the Maximum",
        ),
        (
            {
                "Value": 1.0,
                "Dimensions": [{"Name": "A", "Value": "1"}, {"Name": "A", "Value": "2"}],
            },
            InvalidParameterValue,
            "twice",
        ),
    ],
)
def test_a_bad_value_is_refused_and_nothing_is_stored(
    cloudwatch: Any, wrong: dict[str, Any], refusal: type[Exception], message: str
) -> None:
    good = {"MetricName": "Latency", "Value": 1.0}
    with pytest.raises(refusal, match=message):
        cloudwatch.do(
            "PutMetricData", Namespace="N", MetricData=[good, {"MetricName": "Latency", **wrong}]
        )
    assert statistics(cloudwatch) == []


def test_the_namespaces_of_aws_are_its_own(cloudwatch: Any) -> None:
    with pytest.raises(InvalidParameterValue, match="AWS/"):
        cloudwatch.do(
            "PutMetricData",
            Namespace="AWS/SageMaker",
            MetricData=[{"MetricName": "Invocations", "Value": 1}],
        )


@pytest.mark.parametrize(
    ("wrong", "refusal", "message"),
    [
        ({"Period": 45}, InvalidParameterValue, "multiple of 60"),
        ({"Statistics": None}, MissingParameter, "either"),
        ({"EndTime": NOW - 600}, InvalidParameterValue, "less than"),
        ({"Period": 1, "EndTime": NOW + 3000}, InvalidParameterCombination, "3,600 datapoints"),
        ({"ExtendedStatistics": ["p200"]}, InvalidParameterValue, "no statistic"),
        ({"ExtendedStatistics": ["Sum"]}, InvalidParameterValue, "not an extended"),
    ],
)
def test_a_bad_question_is_refused(
    cloudwatch: Any, wrong: dict[str, Any], refusal: type[Exception], message: str
) -> None:
    with pytest.raises(refusal, match=message):
        statistics(cloudwatch, **wrong)


def test_metric_data_has_metrics_and_what_follows_from_them(cloudwatch: Any) -> None:
    cloudwatch.put(4.0)
    cloudwatch.put(8.0, at=NOW + 60)
    cloudwatch.put(2.0, name="Requests")
    found = data(
        cloudwatch,
        expression("e1", "FILL(m2, 0) + m1", Label="both ${LAST} of ${PROP('Period')}"),
        stat("m1"),
        stat("m2", "Requests", ReturnData=False),
        expression("e2", "e1 * 2"),
        ScanBy="TimestampAscending",
    )["MetricDataResults"]
    shown = {one["Id"]: (one["Label"], one["Timestamps"], one["Values"]) for one in found}
    assert shown == {
        "e1": ("both 8 of 60", [NOW, NOW + 60], [6, 8]),
        "m1": ("Latency", [NOW, NOW + 60], [4, 8]),
        "e2": ("e2", [NOW, NOW + 60], [12, 16]),
    }
    assert {one["StatusCode"] for one in found} == {"Complete"}


def test_the_newest_come_first(cloudwatch: Any) -> None:
    cloudwatch.put(4.0)
    cloudwatch.put(8.0, at=NOW + 60)
    (found,) = data(cloudwatch, stat("m1"))["MetricDataResults"]
    assert found["Values"] == [8, 4]


def test_metric_data_comes_in_pages(cloudwatch: Any) -> None:
    for minute in range(5):
        cloudwatch.put(float(minute), at=NOW + 60 * minute)
        cloudwatch.put(10.0 + minute, at=NOW + 60 * minute, name="Requests")
    queries = (stat("m1"), stat("m2", "Requests"))
    values: dict[str, list[float]] = {"m1": [], "m2": []}
    token: dict[str, str] = {}
    pages = 0
    while True:
        page = data(cloudwatch, *queries, MaxDatapoints=3, **token)
        pages += 1
        assert sum(len(one["Values"]) for one in page["MetricDataResults"]) <= 3
        for one in page["MetricDataResults"]:
            values[one["Id"]] += one["Values"]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert pages == 4
    assert values == {"m1": [4, 3, 2, 1, 0], "m2": [14, 13, 12, 11, 10]}
    with pytest.raises(InvalidNextToken):
        data(cloudwatch, stat("m1"), MaxDatapoints=3, **token)


@pytest.mark.parametrize(
    ("queries", "message"),
    [
        ([stat("M1")], "small letter"),
        ([stat("m1"), stat("m1")], "unique"),
        ([{"Id": "m1"}], "either a MetricStat or an Expression"),
        ([expression("e1", "m1")], "refers to m1"),
        ([expression("e1", "e2"), expression("e2", "e1")], "circle"),
        ([expression("e1", "1 +")], "Error in expression 'e1'"),
        ([expression("e1", "SUM(1)")], "Error in expression 'e1'"),
        ([stat("m1"), expression("e1", "[m1, m1]"), expression("e2", "e1 + 1")], "an array"),
        (
            [
                stat("m1"),
                {
                    "Id": "m2",
                    "MetricStat": {**stat("x")["MetricStat"], "Period": 300},
                },
                expression("e1", "m1 + m2"),
            ],
            "different periods",
        ),
        (
            [{"Id": "m1", "MetricStat": {**stat("x")["MetricStat"], "Stat": "Median"}}],
            "no statistic",
        ),
    ],
)
def test_queries_that_make_no_sense_are_refused(
    cloudwatch: Any, queries: list[Any], message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        data(cloudwatch, *queries)


def test_metrics_are_listed_by_what_they_have(cloudwatch: Any) -> None:
    cloudwatch.put(1.0)
    cloudwatch.put(1.0, Dimensions=[{"Name": "A", "Value": "1"}, {"Name": "B", "Value": "2"}])
    cloudwatch.put(1.0, name="Requests", Dimensions=[{"Name": "A", "Value": "2"}])

    def names(**request: Any) -> list[tuple[str, dict[str, str]]]:
        return [
            (one["MetricName"], {d["Name"]: d["Value"] for d in one["Dimensions"]})
            for one in cloudwatch.do("ListMetrics", **request)["Metrics"]
        ]

    assert names() == [
        ("Latency", {}),
        ("Latency", {"A": "1", "B": "2"}),
        ("Requests", {"A": "2"}),
    ]
    assert names(MetricName="Requests", Namespace="N") == [("Requests", {"A": "2"})]
    assert names(Dimensions=[{"Name": "A"}])[0] == ("Latency", {"A": "1", "B": "2"})
    assert names(Dimensions=[{"Name": "A", "Value": "2"}]) == [("Requests", {"A": "2"})]
    assert names(Namespace="Other") == []
    cloudwatch.clock.advance(4 * 3600)
    cloudwatch.put(1.0, at=cloudwatch.clock.now())
    assert names(RecentlyActive="PT3H") == [("Latency", {})]


def test_many_metrics_come_in_pages(cloudwatch: Any) -> None:
    for start in range(0, 600, 300):
        cloudwatch.do(
            "PutMetricData",
            Namespace="N",
            MetricData=[
                {"MetricName": f"m{number:03}", "Value": 1} for number in range(start, start + 300)
            ],
        )
    first = cloudwatch.do("ListMetrics", Namespace="N")
    second = cloudwatch.do("ListMetrics", Namespace="N", NextToken=first["NextToken"])
    found = [one["MetricName"] for one in (*first["Metrics"], *second["Metrics"])]
    assert found == [f"m{number:03}" for number in range(600)]
    assert "NextToken" not in second
    with pytest.raises(InvalidNextToken):
        cloudwatch.do("ListMetrics", NextToken=first["NextToken"])
