"""Search and GetSearchSuggestions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.errors import ValidationException
from bottega.features.search import search
from bottega.storage.metadata import Resource, ResourceQuery
from bottega.testing.operations import Operations

START = 1_700_000_000.0  # 2023-11-14T22:13:20Z


def channel(name: str, uri: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}}


def store_job(
    operations: Operations,
    name: str,
    *,
    status: str = "Completed",
    at: float = START,
    hyperparameters: dict[str, str] | None = None,
    metrics: dict[str, float] | None = None,
    tags: dict[str, str] | None = None,
    **members: Any,
) -> None:
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name.lower()}"
    body = {
        "TrainingJobName": name,
        "TrainingJobArn": arn,
        "TrainingJobStatus": status,
        "CreationTime": at,
        **members,
    }
    if hyperparameters is not None:
        body["HyperParameters"] = hyperparameters
    if metrics is not None:
        body["FinalMetricDataList"] = [
            {"MetricName": key, "Value": value, "Timestamp": at} for key, value in metrics.items()
        ]
    operations.ports.store.create(
        Resource("TrainingJob", name, arn, status, created=at, modified=at, body=body), tags=tags
    )


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, search, clock=ManualClock(START)) as operations:
        store_job(
            operations,
            "one",
            hyperparameters={"eta": "0.1", "objective": "reg:squarederror", "a.b": "dotted"},
            metrics={"validation:rmse": 2.5, "train:rmse": 1.0},
            tags={"team": "shells", "cost.center": "7"},
            InputDataConfig=[channel("train", "s3://b/one"), channel("test", "s3://b/other")],
            EnableNetworkIsolation=True,
            ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        )
        store_job(
            operations,
            "two",
            status="Failed",
            at=START + 60.25,
            hyperparameters={"eta": "0.30", "objective": "binary:logistic"},
            metrics={"validation:rmse": 10.0},
            tags={"team": "Birds"},
            InputDataConfig=[channel("train", "s3://b/two"), channel("test", "s3://b/one")],
            EnableNetworkIsolation=False,
            ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 4},
            FailureReason="AlgorithmError: no data",
        )
        store_job(operations, "three", status="InProgress", at=START + 120, hyperparameters={})
        yield operations


def names(operations: Operations, **members: Any) -> list[str]:
    answer = operations.call("sagemaker", "Search", Resource="TrainingJob", **members)
    return [record["TrainingJob"]["TrainingJobName"] for record in answer["Results"]]


def matching(operations: Operations, **expression: Any) -> list[str]:
    return sorted(names(operations, SearchExpression=expression, MaxResults=100))


def where(operations: Operations, name: str, comparison: str, value: str | None = None) -> Any:
    item = {"Name": name, "Operator": comparison}
    return matching(operations, Filters=[item if value is None else {**item, "Value": value}])


def test_without_an_expression_all_are_found_last_modified_first(operations: Operations) -> None:
    assert names(operations) == ["three", "two", "one"]


def test_a_result_is_what_describe_shows_with_the_tags(operations: Operations) -> None:
    answer = operations.call(
        "sagemaker",
        "Search",
        Resource="TrainingJob",
        SearchExpression={"Filters": [{"Name": "TrainingJobName", "Value": "one"}]},
    )
    (result,) = answer["Results"]
    stored = operations.ports.store.get("TrainingJob", "one")
    assert result == {
        "TrainingJob": {
            **stored.body,
            "LastModifiedTime": stored.modified,
            "Tags": [
                {"Key": "cost.center", "Value": "7"},
                {"Key": "team", "Value": "shells"},
            ],
        }
    }
    assert answer["TotalHits"] == {"Value": 1, "Relation": "EqualTo"}
    assert "NextToken" not in answer


def test_what_the_record_does_not_have_is_left_out(operations: Operations) -> None:
    store_job(operations, "four", VpcConfig={}, ProfilerRuleConfigurations=[])
    answer = operations.call(
        "sagemaker",
        "Search",
        Resource="TrainingJob",
        SearchExpression={"Filters": [{"Name": "TrainingJobName", "Value": "four"}]},
    )
    record = answer["Results"][0]["TrainingJob"]
    assert record.keys().isdisjoint({"VpcConfig", "ProfilerRuleConfigurations", "Tags"})


@pytest.mark.parametrize(
    ("name", "comparison", "value", "expected"),
    [
        # text
        ("TrainingJobStatus", "Equals", "Completed", ["one"]),
        ("TrainingJobStatus", "Equals", "completed", []),
        ("TrainingJobStatus", "NotEquals", "Completed", ["three", "two"]),
        ("TrainingJobStatus", "In", "Completed, Failed", ["one", "two"]),
        ("TrainingJobName", "Contains", "T", ["three", "two"]),
        ("FailureReason", "Exists", None, ["two"]),
        ("FailureReason", "NotExists", None, ["one", "three"]),
        ("FailureReason", "NotEquals", "x", ["one", "three", "two"]),
        ("ResourceConfig.InstanceType", "Equals", "ml.m5.xlarge", ["two"]),
        # numbers
        ("ResourceConfig.InstanceCount", "Equals", "4", ["two"]),
        ("ResourceConfig.InstanceCount", "Equals", "4.0", ["two"]),
        ("ResourceConfig.InstanceCount", "LessThan", "4", ["one"]),
        ("ResourceConfig.InstanceCount", "GreaterThanOrEqualTo", "1", ["one", "two"]),
        # metrics: numerically, where 10 > 2.5
        ("Metrics.validation:rmse", "GreaterThan", "2.5", ["two"]),
        ("Metrics.validation:rmse", "LessThanOrEqualTo", "2.5", ["one"]),
        ("Metrics.validation:rmse", "Equals", "10", ["two"]),
        ("Metrics.train:rmse", "Exists", None, ["one"]),
        ("FinalMetricDataList.MetricName", "Equals", "train:rmse", ["one"]),
        ("FinalMetricDataList.Value", "GreaterThan", "5", ["two"]),
        # hyperparameters: text, or numbers where both are
        ("HyperParameters.eta", "Equals", "0.3", ["two"]),
        ("HyperParameters.eta", "LessThan", "0.2", ["one"]),
        ("HyperParameters.eta", "LessThan", "1", ["one", "two"]),
        ("HyperParameters.eta", "Equals", "0", ["one", "two"]),
        ("HyperParameters.objective", "Contains", "SQUARED", ["one"]),
        ("HyperParameters.objective", "LessThan", "1", []),
        ("HyperParameters.a.b", "Equals", "dotted", ["one"]),
        ("HyperParameters.none", "NotExists", None, ["one", "three", "two"]),
        # tags
        ("Tags.team", "Equals", "shells", ["one"]),
        ("Tags.team", "Contains", "bird", ["two"]),
        ("Tags.cost.center", "Equals", "7", ["one"]),
        ("Tags.team", "NotExists", None, ["three"]),
        # times, in UTC where nothing else is said
        ("CreationTime", "Equals", "2023-11-14T22:13:20", ["one"]),
        ("CreationTime", "Equals", "2023-11-14T22:14:20Z", ["two"]),
        ("CreationTime", "GreaterThan", "2023-11-14T22:13:20", ["three", "two"]),
        ("CreationTime", "LessThan", "2023-11-14T23:14:00+01:00", ["one"]),
        ("LastModifiedTime", "GreaterThanOrEqualTo", "2023-11-14T22:15:20", ["three"]),
        # truth
        ("EnableNetworkIsolation", "Equals", "true", ["one"]),
        ("EnableNetworkIsolation", "NotEquals", "True", ["three", "two"]),
        # any element of a list
        ("InputDataConfig.ChannelName", "Equals", "test", ["one", "two"]),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", "b/two", ["two"]),
        ("InputDataConfig.DataSource.S3DataSource.S3Uri", "NotEquals", "s3://b/two", ["one",
        "three"]),
        # structures can only exist
        ("ResourceConfig", "Exists", None, ["one", "two"]),
        ("InputDataConfig", "NotExists", None, ["three"]),
    ],
)  # fmt: skip
def test_filters(
    operations: Operations, name: str, comparison: str, value: str | None, expected: list[str]
) -> None:
    assert where(operations, name, comparison, value) == expected


def test_the_operator_is_equals_unless_given(operations: Operations) -> None:
    filters = [{"Name": "TrainingJobStatus", "Value": "Failed"}]
    assert matching(operations, Filters=filters) == ["two"]


@pytest.mark.parametrize(
    ("name", "comparison", "value", "message"),
    [
        ("Nonsense", "Equals", "1", "Unknown property name: Nonsense"),
        ("trainingJobName", "Equals", "1", "Unknown property name: trainingJobName"),
        ("ResourceConfig.None", "Exists", None, "Unknown property name: ResourceConfig.None"),
        ("TrainingJobName.x", "Exists", None, "Unknown property name: TrainingJobName.x"),
        ("A..B", "Exists", None, "Unknown property name: A..B"),
        ("TrainingJobName", "GreaterThan", "a", "not supported for the text property"),
        ("Tags.team", "LessThan", "1", "not supported for the text property Tags.team"),
        ("ResourceConfig", "Equals", "x", "not supported for the structure property"),
        ("CreationTime", "Contains", "2023", "Contains is not supported for the time property"),
        ("Metrics.a", "In", "1,2", "In is not supported for the number property"),
        ("EnableNetworkIsolation", "LessThan", "true", "not supported for the boolean"),
        ("Metrics.a", "Equals", "high", "must be an integer or floating-point decimal"),
        ("Metrics.a", "Equals", "nan", "must be an integer or floating-point decimal"),
        ("HyperParameters.eta", "LessThan", "small", "must be an integer"),
        ("CreationTime", "LessThan", "yesterday", "must be an ISO 8601 time"),
        ("EnableNetworkIsolation", "Equals", "1", "must be true or false"),
        ("TrainingJobName", "Equals", None, "has no Value, which the operator Equals needs"),
    ],
)
def test_filters_that_make_no_sense_are_refused(
    operations: Operations, name: str, comparison: str, value: str | None, message: str
) -> None:
    with pytest.raises(ValidationException) as refused:
        where(operations, name, comparison, value)
    assert message in refused.value.message


def test_a_nested_filter_wants_one_element_that_satisfies_all(operations: Operations) -> None:
    def nested(channel: str, uri: str) -> list[str]:
        filters = [
            {"Name": "InputDataConfig.ChannelName", "Value": channel},
            {
                "Name": "InputDataConfig.DataSource.S3DataSource.S3Uri",
                "Operator": "Contains",
                "Value": uri,
            },
        ]
        return matching(
            operations,
            NestedFilters=[{"NestedPropertyName": "InputDataConfig", "Filters": filters}],
        )

    assert nested("train", "b/one") == ["one"]
    assert nested("test", "b/one") == ["two"]
    assert nested("train", "b/other") == []


@pytest.mark.parametrize(
    ("outer", "inner", "message"),
    [
        ("InputDataConfig", "ChannelName", "must begin with InputDataConfig."),
        ("InputDataConfig", "InputDataConfig.Nonsense", "Unknown property name"),
        ("Nonsense", "Nonsense.x", "Unknown property name: Nonsense"),
        ("ResourceConfig", "ResourceConfig.InstanceType", "is not a list"),
    ],
)
def test_nested_filters_that_make_no_sense_are_refused(
    operations: Operations, outer: str, inner: str, message: str
) -> None:
    filters = [{"Name": inner, "Value": "x"}]
    with pytest.raises(ValidationException) as refused:
        matching(operations, NestedFilters=[{"NestedPropertyName": outer, "Filters": filters}])
    assert message in refused.value.message


def test_everything_in_an_expression_is_joined_by_its_operator(operations: Operations) -> None:
    def equals(name: str, value: str) -> dict[str, str]:
        return {"Name": name, "Value": value}

    parts: dict[str, Any] = {
        "Filters": [equals("TrainingJobName", "one")],
        "SubExpressions": [
            {
                "Operator": "And",
                "Filters": [equals("TrainingJobStatus", "Failed"), equals("Tags.team", "Birds")],
            }
        ],
    }
    assert matching(operations, Operator="Or", **parts) == ["one", "two"]
    assert matching(operations, Operator="And", **parts) == []
    assert matching(operations, **parts) == []


def test_an_expression_must_say_something(operations: Operations) -> None:
    for expression in ({}, {"Operator": "Or"}):
        with pytest.raises(ValidationException, match="at least one"):
            matching(operations, **expression)


def test_an_expression_has_at_most_fifty_conditions(operations: Operations) -> None:
    one = {"Name": "TrainingJobName", "Value": "one"}
    part = {"Filters": [one] * 15}
    assert matching(operations, SubExpressions=[part] * 3) == ["one"]
    with pytest.raises(ValidationException, match="more than 50"):
        matching(operations, SubExpressions=[part] * 3, Filters=[one] * 3)


@pytest.mark.parametrize(
    ("sort_by", "ascending"),
    [
        ("CreationTime", ["one", "two", "three"]),
        ("TrainingJobName", ["one", "three", "two"]),
        ("ResourceConfig.InstanceCount", ["one", "two", "three"]),
        ("Metrics.validation:rmse", ["one", "two", "three"]),
        ("HyperParameters.eta", ["one", "two", "three"]),
        ("Tags.team", ["two", "one", "three"]),
        ("EnableNetworkIsolation", ["two", "one", "three"]),
    ],
)
def test_results_can_be_sorted_by_any_property(
    operations: Operations, sort_by: str, ascending: list[str]
) -> None:
    assert names(operations, SortBy=sort_by, SortOrder="Ascending") == ascending
    lacking = ascending[2:] if sort_by not in ("CreationTime", "TrainingJobName") else []
    having = ascending[: 3 - len(lacking)]
    assert names(operations, SortBy=sort_by) == [*reversed(having), *lacking]


def test_what_has_no_order_is_refused_as_one(operations: Operations) -> None:
    with pytest.raises(ValidationException, match="Unknown property name: Nonsense"):
        names(operations, SortBy="Nonsense")
    with pytest.raises(ValidationException, match="has no order"):
        names(operations, SortBy="ResourceConfig")


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40
)
@given(
    values=st.lists(
        st.none() | st.sampled_from([1.0, 2.0, float("inf"), float("nan")]), max_size=12
    ),
    limit=st.integers(1, 5),
    order=st.sampled_from(["Ascending", "Descending"]),
)
def test_pages_add_up_to_the_whole(
    operations: Operations, values: list[float | None], limit: int, order: str
) -> None:
    store = operations.ports.store
    for job in store.each(ResourceQuery("TrainingJob")):
        store.delete("TrainingJob", job.name)
    for number, value in enumerate(values):
        metrics = None if value is None else {"loss": value}
        store_job(operations, f"job-{number}", metrics=metrics)
    question: dict[str, Any] = {"SortBy": "Metrics.loss", "SortOrder": order}
    whole = names(operations, MaxResults=100, **question)
    assert len(whole) == len(values)
    ranks = [value for value in _losses(operations, whole) if value is not None]
    assert ranks == sorted(ranks, reverse=order == "Descending")
    found: list[str] = []
    while True:
        answer = operations.call(
            "sagemaker", "Search", Resource="TrainingJob", MaxResults=limit, **question
        )
        found += [record["TrainingJob"]["TrainingJobName"] for record in answer["Results"]]
        if "NextToken" not in answer:
            break
        question["NextToken"] = answer["NextToken"]
    assert found == whole


def _losses(operations: Operations, jobs: list[str]) -> list[float | None]:
    """The loss of each job; None where it has none, or none that is a number."""
    found: list[float | None] = []
    for job in jobs:
        listed = operations.ports.store.get("TrainingJob", job).body.get("FinalMetricDataList", [])
        loss = listed[0]["Value"] if listed else None
        found.append(None if loss is None or math.isnan(loss) else loss)
    return found


def test_a_page_goes_on_behind_a_result_that_is_gone(operations: Operations) -> None:
    question: dict[str, Any] = {"SortBy": "TrainingJobName", "SortOrder": "Ascending"}
    first = operations.call("sagemaker", "Search", Resource="TrainingJob", MaxResults=1, **question)
    operations.ports.store.delete("TrainingJob", "one")
    store_job(operations, "a-new-first")
    rest = names(operations, NextToken=first["NextToken"], **question)
    assert rest == ["three", "two"]


def test_long_texts_sort_and_page(operations: Operations) -> None:
    for number in range(3):
        store_job(operations, f"long-{number}", FailureReason="ü" * 1024)
    question: dict[str, Any] = {"SortBy": "FailureReason", "SortOrder": "Descending"}
    first = operations.call("sagemaker", "Search", Resource="TrainingJob", MaxResults=2, **question)
    assert len(first["NextToken"]) < 8192
    assert names(operations, NextToken=first["NextToken"], **question)[0] == "long-0"


def test_a_token_serves_only_its_own_question(operations: Operations) -> None:
    answer = operations.call("sagemaker", "Search", Resource="TrainingJob", MaxResults=1)
    token = answer["NextToken"]
    for members in ({"SortBy": "TrainingJobName"}, {"SortOrder": "Ascending"}):
        with pytest.raises(ValidationException, match="NextToken"):
            names(operations, NextToken=token, **members)
    with pytest.raises(ValidationException, match="NextToken"):
        names(operations, NextToken="made up")
    assert names(operations, NextToken=token, MaxResults=5) == ["two", "one"]


def test_other_accounts_have_shared_nothing(operations: Operations) -> None:
    assert names(operations, CrossAccountFilterOption="CrossAccount") == []
    assert len(names(operations, CrossAccountFilterOption="SameAccount")) == 3


def test_visibility_hides_what_has_another_value_of_a_tag(operations: Operations) -> None:
    conditions = [{"Key": "Tags.team", "Value": "Birds"}]
    assert names(operations, VisibilityConditions=conditions) == ["three", "two"]
    with pytest.raises(ValidationException, match=r"Tags\.<key>"):
        names(operations, VisibilityConditions=[{"Key": "team", "Value": "Birds"}])


def test_what_cannot_be_searched_is_refused_by_name(operations: Operations) -> None:
    for name in ("Search", "GetSearchSuggestions"):
        with pytest.raises(ValidationException, match="searches TrainingJob"):
            operations.call("sagemaker", name, Resource="Pipeline")


def test_suggestions_are_the_names_that_jobs_have(operations: Operations) -> None:
    def suggested(hint: str) -> list[str]:
        answer = operations.call(
            "sagemaker",
            "GetSearchSuggestions",
            Resource="TrainingJob",
            SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": hint}},
        )
        return [item["PropertyName"] for item in answer["PropertyNameSuggestions"]]

    assert suggested("HyperParameters.") == [
        "HyperParameters.a.b",
        "HyperParameters.eta",
        "HyperParameters.objective",
    ]
    assert suggested("Metrics.val") == ["Metrics.validation:rmse"]
    assert suggested("Tags.") == ["Tags.cost.center", "Tags.team"]
    every = operations.call("sagemaker", "GetSearchSuggestions", Resource="TrainingJob")
    assert len(every["PropertyNameSuggestions"]) == 7
