"""The model registry as an unmodified boto3 sees it, through a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, running_daemon
from bottega.testing.hosting import until


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, preload=False) as started:
        yield started


def test_a_model_from_its_registration_to_its_approval(daemon: TestDaemon) -> None:
    sagemaker: Any = daemon.client("sagemaker")
    bucket = daemon.config.bucket
    daemon.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=b"model")
    container = {"Image": "xgboost", "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }

    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    arns = [
        sagemaker.create_model_package(
            ModelPackageGroupName="churn", InferenceSpecification=specification
        )["ModelPackageArn"]
        for _ in range(2)
    ]

    def described() -> Any:
        return sagemaker.describe_model_package(ModelPackageName=arns[1])

    until(lambda: described()["ModelPackageStatus"] == "Completed")
    assert described()["ModelPackageVersion"] == 2
    assert described()["InferenceSpecification"] == specification
    sagemaker.update_model_package(
        ModelPackageArn=arns[1], ModelApprovalStatus="Approved", ApprovalDescription="Good."
    )
    assert described()["ApprovalDescription"] == "Good."

    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName="churn", PaginationConfig={"PageSize": 1}
    )
    listed = [item for page in pages for item in page["ModelPackageSummaryList"]]
    assert [item["ModelPackageArn"] for item in listed] == arns
    several = sagemaker.batch_describe_model_package(ModelPackageArnList=arns)
    assert sorted(several["ModelPackageSummaries"]) == sorted(arns)
    (group,) = sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert group["ModelPackageGroupName"] == "churn"

    sagemaker.create_model(
        ModelName="m",
        PrimaryContainer={"ModelPackageName": arns[1]},
        ExecutionRoleArn=daemon.config.role_arn,
    )
    assert sagemaker.describe_model(ModelName="m")["PrimaryContainer"]["Image"] == "xgboost"

    with pytest.raises(ClientError) as caught:
        sagemaker.delete_model_package_group(ModelPackageGroupName="churn")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    for arn in arns:
        sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="churn")
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package_group(ModelPackageGroupName="churn")
