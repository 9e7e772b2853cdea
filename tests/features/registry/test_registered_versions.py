"""Packages: numbers, approval, validation, changes, and models made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bottega.errors import ConflictException, ValidationException
from bottega.testing.hosting import HostingStudio, until

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


def inference(studio: HostingStudio, **more: Any) -> Mapping[str, Any]:
    uri = f"s3://{studio.studio.ports.config.bucket}/model.tar.gz"
    return {"Containers": [{"Image": "xgboost", "ModelDataUrl": uri, **more}]}


def register(studio: HostingStudio, group: str, **more: Any) -> str:
    """A version of a group; the group is made where there is none."""
    groups = studio.call("ListModelPackageGroups", NameContains=group)
    if group not in [g["ModelPackageGroupName"] for g in groups["ModelPackageGroupSummaryList"]]:
        studio.call("CreateModelPackageGroup", ModelPackageGroupName=group)
    request = {"InferenceSpecification": inference(studio), **more}
    created = studio.call("CreateModelPackage", ModelPackageGroupName=group, **request)
    return str(created["ModelPackageArn"])


def describe(studio: HostingStudio, name: str) -> Any:
    return studio.call("DescribeModelPackage", ModelPackageName=name)


def validated(studio: HostingStudio, name: str) -> Any:
    until(lambda: describe(studio, name)["ModelPackageStatus"] in ("Completed", "Failed"))
    return describe(studio, name)


def test_versions_are_numbered_and_wait_for_approval(registry: HostingStudio) -> None:
    assert register(registry, "Churn") == f"{ARN}/churn/1"
    assert register(registry, "Churn", ModelApprovalStatus="Approved") == f"{ARN}/churn/2"
    first = validated(registry, f"{ARN}/churn/1")
    assert (first["ModelPackageGroupName"], first["ModelPackageVersion"]) == ("Churn", 1)
    assert first["ModelApprovalStatus"] == "PendingManualApproval"
    assert first["ModelPackageStatus"] == "Completed"
    assert first["ModelPackageStatusDetails"]["ValidationStatuses"] == [
        {"Name": "container-1-image", "Status": "Completed"},
        {"Name": "container-1-model-data", "Status": "Completed"},
    ]
    assert first["CreatedBy"]["IamIdentity"]["Arn"].endswith("/owner")
    assert first["InferenceSpecification"] == inference(registry)
    assert describe(registry, "Churn/2")["ModelApprovalStatus"] == "Approved"


def test_a_deleted_version_leaves_its_number(registry: HostingStudio) -> None:
    for _ in range(2):
        last = register(registry, "numbers")
    registry.call("DeleteModelPackage", ModelPackageName=last)
    with pytest.raises(ValidationException, match="numbers/2 does not exist"):
        describe(registry, last)
    assert register(registry, "numbers") == f"{ARN}/numbers/3"
    with pytest.raises(ValidationException, match=r"Name one of its versions, as in numbers/1"):
        describe(registry, "numbers")


def test_a_request_sent_again_creates_nothing_new(registry: HostingStudio) -> None:
    first = register(registry, "again", ClientToken="t-1")
    assert register(registry, "again", ClientToken="t-1") == first
    assert register(registry, "again", ClientToken="t-2") == f"{ARN}/again/2"
    with pytest.raises(ConflictException, match="came with another request, which created vers"):
        register(registry, "again", ClientToken="t-1", Domain="COMPUTER_VISION")


def test_a_version_is_made_up_for_that_was_numbered_before_a_kill(
    registry: HostingStudio,
) -> None:
    first = register(registry, "killed", ClientToken="t-1")
    registry.studio.ports.store.delete("ModelPackage", "killed/1")  # as if it was never written
    assert register(registry, "killed", ClientToken="t-1") == first
    assert describe(registry, first)["ModelPackageVersion"] == 1


def test_what_cannot_run_fails_with_its_reasons(registry: HostingStudio) -> None:
    containers = [
        {"Image": "no/such-image", "ModelDataUrl": "s3://no-such-bucket/m.tar.gz"},
        {
            "Image": "python",
            "ModelDataSource": {
                "S3DataSource": {
                    "S3Uri": f"s3://{registry.studio.ports.config.bucket}/none/",
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                }
            },
        },
    ]
    failed = validated(
        registry, register(registry, "failing", InferenceSpecification={"Containers": containers})
    )
    assert failed["ModelPackageStatus"] == "Failed"
    reasons = {
        item["Name"]: item.get("FailureReason", "")
        for item in failed["ModelPackageStatusDetails"]["ValidationStatuses"]
    }
    assert "InferenceSpecification.Containers[0].Image" in reasons["container-1-image"]
    assert "could not find model data at s3://no-such" in reasons["container-1-model-data"]
    assert reasons["container-2-image"] == ""
    assert "there is no model data under" in reasons["container-2-model-data"]


def test_a_validation_can_be_left_out(registry: HostingStudio) -> None:
    spec = {"Containers": [{"Image": "no/such-image"}]}
    arn = register(registry, "skip", InferenceSpecification=spec, SkipModelValidation="All")
    found = validated(registry, arn)
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelPackageStatusDetails"]["ValidationStatuses"] == []


def test_approval_keeps_who_decided_and_why(registry: HostingStudio) -> None:
    arn = register(registry, "approval")
    validated(registry, arn)
    assert "LastModifiedBy" not in describe(registry, arn)
    answer = registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="Better on every segment.",
    )
    assert answer == {"ModelPackageArn": arn}
    found = describe(registry, arn)
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["ApprovalDescription"] == "Better on every segment."
    assert found["LastModifiedBy"]["IamIdentity"]["Arn"].endswith("/owner")
    assert found["LastModifiedTime"] >= found["CreationTime"]
    assert found["ModelPackageStatus"] == "Completed"


def test_properties_are_merged_and_removed(registry: HostingStudio) -> None:
    arn = register(registry, "properties", CustomerMetadataProperties={"a": "1", "b": "2"})
    registry.call(
        "UpdateModelPackage",
        ModelPackageArn=arn,
        CustomerMetadataProperties={"b": "3", "c": "4"},
        CustomerMetadataPropertiesToRemove=["a", "never"],
    )
    assert describe(registry, arn)["CustomerMetadataProperties"] == {"b": "3", "c": "4"}
    many = {f"k{number}": "v" for number in range(49)}
    with pytest.raises(ValidationException, match="it would have 51"):
        registry.call("UpdateModelPackage", ModelPackageArn=arn, CustomerMetadataProperties=many)
    assert describe(registry, arn)["CustomerMetadataProperties"] == {"b": "3", "c": "4"}


def test_a_further_specification_is_validated_too(registry: HostingStudio) -> None:
    arn = register(registry, "further")
    validated(registry, arn)
    more = {"Name": "small", "Containers": [{"Image": "no/such-image"}]}
    registry.call(
        "UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[more]
    )
    found = validated(registry, arn)
    assert found["ModelPackageStatus"] == "Failed"
    assert found["AdditionalInferenceSpecifications"] == [more]
    with pytest.raises(ValidationException, match="the Name 'small' twice"):
        registry.call(
            "UpdateModelPackage", ModelPackageArn=arn, AdditionalInferenceSpecificationsToAdd=[more]
        )


def test_metrics_baselines_and_the_rest_come_back(registry: HostingStudio) -> None:
    source = {"ContentType": "application/json", "S3Uri": "s3://b/statistics.json"}
    given = {
        "ModelPackageDescription": "Spring.",
        "ModelMetrics": {"ModelQuality": {"Statistics": source}},
        "DriftCheckBaselines": {"ModelQuality": {"Statistics": source}},
        "MetadataProperties": {"GeneratedBy": "a-job", "CommitId": "c"},
        "Domain": "MACHINE_LEARNING",
        "Task": "REGRESSION",
        "SamplePayloadUrl": "s3://b/sample.tar.gz",
        "SourceUri": "s3://b/source",
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Open"},
        "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
    }
    arn = register(registry, "everything", **given)
    assert {key: describe(registry, arn)[key] for key in given} == given
    short = registry.call("DescribeModelPackage", ModelPackageName=arn, IncludedData="MetadataOnly")
    assert short["ModelCard"] == {"ModelCardStatus": "Draft"}


def test_a_package_without_a_group_has_a_name(registry: HostingStudio) -> None:
    request = {"ModelPackageName": "Alone", "InferenceSpecification": inference(registry)}
    tags = [{"Key": "k", "Value": "v"}]
    created = registry.call("CreateModelPackage", **request, Tags=tags, ClientToken="t")
    assert created == {"ModelPackageArn": f"{ARN}/alone"}
    assert registry.call("CreateModelPackage", **request, Tags=tags, ClientToken="t") == created
    with pytest.raises(ConflictException, match="Alone already exists"):
        registry.call("CreateModelPackage", **request)
    found = validated(registry, "Alone")
    assert "ModelApprovalStatus" not in found
    assert registry.call("ListTags", ResourceArn=f"{ARN}/alone")["Tags"] == tags
    with pytest.raises(ValidationException, match="does not apply to a package without a group"):
        registry.call(
            "UpdateModelPackage", ModelPackageArn=f"{ARN}/alone", ModelApprovalStatus="Approved"
        )


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "Exactly one of ModelPackageName and ModelPackageGroupName"),
        ({"ModelPackageName": "n"}, "InferenceSpecification is missing"),
        (
            {"ModelPackageName": "n", "ModelApprovalStatus": "Approved"},
            "does not apply to a package without a group",
        ),
        (
            {"ModelPackageName": "n", "InferenceSpecification": {"Containers": [{}]}},
            r"InferenceSpecification.Containers\[0\].Image is missing",
        ),
        ({"ModelPackageName": "n", "CertifyForMarketplace": True}, "is not there yet"),
        (
            {
                "ModelPackageGroupName": "no-group",
                "InferenceSpecification": {"Containers": [{"Image": "xgboost"}]},
            },
            "ModelPackageGroup arn:.*/no-group does not exist",
        ),
        (
            {"ModelPackageGroupName": "g", "Tags": [{"Key": "k", "Value": "v"}]},
            "Tag its group instead",
        ),
    ],
)
def test_a_refused_package_leaves_nothing(
    registry: HostingStudio, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationException, match=words):
        registry.call("CreateModelPackage", **request_)
    assert not registry.studio.ports.store.get_many("ModelPackage", ["n", "g/1", "no-group/1"])


def test_an_arn_of_somewhere_else_is_not_found(registry: HostingStudio) -> None:
    arn = register(registry, "elsewhere")
    other = arn.replace("us-east-1", "eu-west-1")
    with pytest.raises(ValidationException, match=f"ModelPackage {other} does not exist"):
        describe(registry, other)


def test_several_are_described_at_once(registry: HostingStudio) -> None:
    arn = register(registry, "batch")
    absent = f"{ARN}/batch/9"
    answer = registry.call("BatchDescribeModelPackage", ModelPackageArnList=[arn, absent])
    assert answer["ModelPackageSummaries"][arn]["ModelPackageVersion"] == 1
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == inference(registry)
    assert list(answer["BatchDescribeModelPackageErrorMap"]) == [absent]
    assert answer["BatchDescribeModelPackageErrorMap"][absent]["ErrorCode"] == "ValidationException"


def test_a_model_is_made_of_an_approved_version(registry: HostingStudio) -> None:
    arn = register(registry, "deployed")
    model = {"ModelName": "of-package", "PrimaryContainer": {"ModelPackageName": arn}}
    with pytest.raises(ValidationException, match="only an approved one can be deployed"):
        registry.call("CreateModel", **model)
    registry.call("UpdateModelPackage", ModelPackageArn=arn, ModelApprovalStatus="Approved")
    registry.call("CreateModel", **model)
    container = registry.call("DescribeModel", ModelName="of-package")["PrimaryContainer"]
    assert container == {"ModelPackageName": arn, **inference(registry)["Containers"][0]}


def test_search_finds_versions_and_groups(registry: HostingStudio) -> None:
    arn = register(registry, "searched", ModelApprovalStatus="Rejected")
    filters = [{"Name": "ModelPackageGroupName", "Value": "searched"}]
    found = registry.call("Search", Resource="ModelPackage", SearchExpression={"Filters": filters})[
        "Results"
    ]
    assert [item["ModelPackage"]["ModelPackageArn"] for item in found] == [arn]
    found = registry.call(
        "Search", Resource="ModelPackageGroup", SearchExpression={"Filters": filters}
    )["Results"]
    assert [item["ModelPackageGroup"]["ModelPackageGroupName"] for item in found] == ["searched"]
