"""Groups, and the lists of groups and packages."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import ConflictException, ValidationException
from bottega.features.registry.controller import ModelPackageController
from bottega.testing.hosting import HostingStudio

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package-group"
SPECIFICATION = {"Containers": [{"Image": "xgboost"}]}


def group(studio: HostingStudio, name: str, versions: int = 0) -> str:
    created = studio.call("CreateModelPackageGroup", ModelPackageGroupName=name)
    for number in range(versions):
        status = "Approved" if number % 2 else "Rejected"
        studio.call(
            "CreateModelPackage",
            ModelPackageGroupName=name,
            InferenceSpecification=SPECIFICATION,
            ModelApprovalStatus=status,
        )
    return str(created["ModelPackageGroupArn"])


def pages(studio: HostingStudio, **request: Any) -> list[str]:
    """The names on all pages of ListModelPackages."""
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = studio.call("ListModelPackages", **request, **token)
        assert len(page["ModelPackageSummaryList"]) <= request.get("MaxResults", 10)
        found += [item["ModelPackageName"] for item in page["ModelPackageSummaryList"]]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_a_group_from_its_creation_to_its_end(registry: HostingStudio) -> None:
    registry.call(
        "CreateModelPackageGroup",
        ModelPackageGroupName="Life",
        ModelPackageGroupDescription="Of all models.",
        Tags=[{"Key": "k", "Value": "v"}],
    )
    found = registry.call("DescribeModelPackageGroup", ModelPackageGroupName=f"{ARN}/life")
    assert isinstance(found.pop("CreationTime"), float)
    assert found.pop("CreatedBy")["IamIdentity"]["Arn"].endswith("/owner")
    assert found == {
        "ModelPackageGroupName": "Life",
        "ModelPackageGroupArn": f"{ARN}/life",
        "ModelPackageGroupDescription": "Of all models.",
        "ModelPackageGroupStatus": "Completed",
    }
    assert registry.call("ListTags", ResourceArn=f"{ARN}/life")["Tags"]
    with pytest.raises(ValidationException, match=f"already exists: {ARN}/life"):
        group(registry, "Life")
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="Life")
    for operation in ("DescribeModelPackageGroup", "DeleteModelPackageGroup"):
        with pytest.raises(ValidationException, match=f"{ARN}/life does not exist"):
            registry.call(operation, ModelPackageGroupName="Life")


def test_a_group_with_versions_stays(registry: HostingStudio) -> None:
    group(registry, "kept", versions=1)
    group(registry, "kept-empty")
    with pytest.raises(ConflictException, match="still contains 1 Model Packages"):
        registry.call("DeleteModelPackageGroup", ModelPackageGroupName="kept")
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="kept-empty")
    registry.call("DeleteModelPackage", ModelPackageName="kept/1")
    registry.call("DeleteModelPackageGroup", ModelPackageGroupName="kept")


def test_a_version_goes_whose_group_was_deleted_beside_it(registry: HostingStudio) -> None:
    group(registry, "raced", versions=1)
    ports = registry.studio.ports
    ports.store.delete("ModelPackageGroup", "raced")
    ports.store.modify("ModelPackage", "raced/1", lambda it: replace(it, status="Pending"))
    ModelPackageController(ports).reconcile("raced/1")
    assert not ports.store.get_many("ModelPackage", ["raced/1"])


def test_groups_are_listed_in_pages(registry: HostingStudio) -> None:
    for name in ("list-c", "list-a", "list-b"):
        group(registry, name)
    asked = {"NameContains": "LIST-", "SortBy": "Name", "MaxResults": 2}
    first = registry.call("ListModelPackageGroups", **asked)
    rest = registry.call("ListModelPackageGroups", **asked, NextToken=first["NextToken"])
    names = [
        item["ModelPackageGroupName"]
        for page in (first, rest)
        for item in page["ModelPackageGroupSummaryList"]
    ]
    assert names == ["list-a", "list-b", "list-c"]
    assert "NextToken" not in rest
    elsewhere = registry.call("ListModelPackageGroups", CrossAccountFilterOption="CrossAccount")
    assert elsewhere == {"ModelPackageGroupSummaryList": []}


@pytest.fixture(scope="module")
def listed(registry: HostingStudio) -> HostingStudio:
    group(registry, "paged", versions=11)
    registry.call(
        "CreateModelPackage", ModelPackageName="paged", InferenceSpecification=SPECIFICATION
    )
    return registry


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 12),
    st.sampled_from(["Name", "CreationTime"]),
    st.booleans(),
    st.sampled_from(["", "Approved", "Rejected", "PendingManualApproval"]),
)
def test_pages_have_every_version_once_and_in_order(
    listed: HostingStudio, limit: int, sort_by: str, descending: bool, status: str
) -> None:
    request: dict[str, Any] = {
        "ModelPackageGroupName": "paged",
        "SortBy": sort_by,
        "SortOrder": "Descending" if descending else "Ascending",
        "MaxResults": limit,
    }
    kept = {"Approved": (0,), "Rejected": (1,), "": (0, 1)}.get(status, ())
    if status:
        request["ModelApprovalStatus"] = status
    numbers = [number for number in range(1, 12) if number % 2 in kept]
    numbers.sort(reverse=descending)
    assert pages(listed, **request) == [f"paged/{number}" for number in numbers]


def test_the_type_says_what_is_listed(listed: HostingStudio) -> None:
    asked = {"NameContains": "paged", "MaxResults": 100}
    assert pages(listed, **asked) == ["paged"]
    assert pages(listed, **asked, ModelPackageType="Unversioned") == ["paged"]
    assert len(pages(listed, **asked, ModelPackageType="Versioned")) == 11
    assert len(pages(listed, **asked, ModelPackageType="Both")) == 12
    assert pages(listed, **asked, CreationTimeAfter=math.floor(4e9)) == []
    with pytest.raises(ValidationException, match="no-such does not exist"):
        pages(listed, ModelPackageGroupName="no-such")


def test_a_token_of_another_question_is_refused(listed: HostingStudio) -> None:
    token = listed.call("ListModelPackages", ModelPackageGroupName="paged", MaxResults=1)
    with pytest.raises(ValidationException):
        listed.call("ListModelPackages", NextToken=token["NextToken"])
