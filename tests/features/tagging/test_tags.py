"""AddTags, ListTags and DeleteTags."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.errors import ResourceLimitExceeded, ValidationException
from bottega.features.tagging import tags
from bottega.testing.metadata_store_samples import resource
from bottega.testing.operations import Operations

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/m"


@pytest.fixture
def operations(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path, tags) as operations:
        operations.ports.store.create(resource("m"), tags={"b": "2", "a": "1"})
        yield operations


def tag(key: str, value: str = "") -> dict[str, str]:
    return {"Key": key, "Value": value}


def listed(operations: Operations) -> dict[str, str]:
    answer = operations.call("sagemaker", "ListTags", ResourceArn=ARN)
    return {item["Key"]: item["Value"] for item in answer["Tags"]}


def test_tags_are_listed_by_key(operations: Operations) -> None:
    answer = operations.call("sagemaker", "ListTags", ResourceArn=ARN)
    assert answer == {"Tags": [tag("a", "1"), tag("b", "2")]}


def test_adding_overwrites_and_answers_with_all(operations: Operations) -> None:
    answer = operations.call(
        "sagemaker", "AddTags", ResourceArn=ARN, Tags=[tag("c", "3"), tag("a", "new")]
    )
    assert answer == {"Tags": [tag("a", "new"), tag("b", "2"), tag("c", "3")]}
    assert listed(operations) == {"a": "new", "b": "2", "c": "3"}


def test_deleting_passes_over_what_is_not_there(operations: Operations) -> None:
    answer = operations.call("sagemaker", "DeleteTags", ResourceArn=ARN, TagKeys=["a", "zzz"])
    assert answer == {}
    assert listed(operations) == {"b": "2"}


def test_an_arn_in_mixed_case_is_found(operations: Operations) -> None:
    mixed = ARN.removesuffix("m") + "M"
    answer = operations.call("sagemaker", "ListTags", ResourceArn=mixed)
    assert len(answer["Tags"]) == 2


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("ListTags", {}),
        ("AddTags", {"Tags": [tag("k", "v")]}),
        ("DeleteTags", {"TagKeys": ["k"]}),
    ],
)
def test_an_unknown_resource_is_refused(
    operations: Operations, name: str, members: dict[str, object]
) -> None:
    arn = ARN.removesuffix("m") + "other"
    with pytest.raises(ValidationException) as refused:
        operations.call("sagemaker", name, ResourceArn=arn, **members)
    assert refused.value.message == f'Could not find resource "{arn}".'


def test_a_resource_has_at_most_fifty_tags(operations: Operations) -> None:
    more = [tag(f"k{number}") for number in range(48)]
    operations.call("sagemaker", "AddTags", ResourceArn=ARN, Tags=more)
    with pytest.raises(ResourceLimitExceeded, match="more than 50 tags"):
        operations.call("sagemaker", "AddTags", ResourceArn=ARN, Tags=[tag("one too many")])
    assert len(listed(operations)) == 50
    operations.call("sagemaker", "AddTags", ResourceArn=ARN, Tags=[tag("a", "changed")])
    assert listed(operations)["a"] == "changed"


@pytest.mark.parametrize("key", ["aws:x", "AWS:x"])
def test_keys_of_aws_are_refused(operations: Operations, key: str) -> None:
    with pytest.raises(ValidationException, match="reserved"):
        operations.call("sagemaker", "AddTags", ResourceArn=ARN, Tags=[tag("ok"), tag(key)])
    with pytest.raises(ValidationException, match="reserved"):
        operations.call("sagemaker", "DeleteTags", ResourceArn=ARN, TagKeys=["a", key])
    assert listed(operations) == {"a": "1", "b": "2"}


def test_a_key_given_twice_is_refused(operations: Operations) -> None:
    with pytest.raises(ValidationException, match="'k' is given more than once"):
        operations.call(
            "sagemaker", "AddTags", ResourceArn=ARN, Tags=[tag("k", "1"), tag("k", "2")]
        )
    assert "k" not in listed(operations)


def test_a_foreign_token_is_refused(operations: Operations) -> None:
    with pytest.raises(ValidationException, match="NextToken"):
        operations.call("sagemaker", "ListTags", ResourceArn=ARN, NextToken="made up")


def test_tags_come_in_pages_where_there_are_more_than_a_page(operations: Operations) -> None:
    # No operation makes more than fifty; jobs' internal tags may.
    operations.ports.store.set_tags(ARN, {f"k{number:02}": "" for number in range(60)})
    first = operations.call("sagemaker", "ListTags", ResourceArn=ARN, MaxResults=50)
    second = operations.call("sagemaker", "ListTags", ResourceArn=ARN, NextToken=first["NextToken"])
    keys = [item["Key"] for item in (*first["Tags"], *second["Tags"])]
    assert keys == sorted(["a", "b", *(f"k{number:02}" for number in range(60))])
    assert "NextToken" not in second
