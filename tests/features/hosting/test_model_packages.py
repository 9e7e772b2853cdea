"""Models made of a version of a model package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.hosting.model_packages import with_package
from bottega.testing.hosting import HostingStudio

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/group/1"
CONTAINER = {
    "Image": "xgboost",
    "ModelDataUrl": "s3://b/model.tar.gz",
    "Environment": {"A": "1", "B": "1"},
}


def asking(studio: HostingStudio, **package: Any) -> Context:
    """A context in which there is one model package."""

    def describe(
        service: str, name: str, request: Mapping[str, Any], context: Context
    ) -> Mapping[str, Any]:
        assert (service, name, request) == (
            "sagemaker",
            "DescribeModelPackage",
            {"ModelPackageName": ARN},
        )
        return {"ModelPackageArn": ARN, **package}

    return replace(studio.studio.owner("sdk"), operations=describe)


def test_a_package_says_image_data_and_environment(still: HostingStudio) -> None:
    context = asking(still, InferenceSpecification={"Containers": [CONTAINER]})
    wanted = {"ModelPackageName": ARN, "Environment": {"B": "2"}}
    assert with_package(context, "PrimaryContainer.", wanted) == {
        "ModelPackageName": ARN,
        "Image": "xgboost",
        "ModelDataUrl": "s3://b/model.tar.gz",
        "Environment": {"A": "1", "B": "2"},
    }


def test_another_specification_can_be_named(still: HostingStudio) -> None:
    more = {"Name": "small", "Containers": [{**CONTAINER, "Image": "python"}]}
    context = asking(still, AdditionalInferenceSpecifications=[more])
    wanted = {"ModelPackageName": ARN, "InferenceSpecificationName": "small"}
    assert with_package(context, "PrimaryContainer.", wanted)["Image"] == "python"
    with pytest.raises(ValidationException, match="has no specification of the name 'large'"):
        with_package(
            context, "PrimaryContainer.", {**wanted, "InferenceSpecificationName": "large"}
        )


@pytest.mark.parametrize(
    ("package", "words"),
    [
        ({"ModelApprovalStatus": "PendingManualApproval"}, "only an approved one can be deployed"),
        ({"ModelApprovalStatus": "Rejected"}, "approval status Rejected"),
        ({}, "has no InferenceSpecification"),
        ({"InferenceSpecification": {"Containers": [CONTAINER] * 2}}, "describes 2 containers"),
    ],
)
def test_a_package_that_cannot_be_deployed_is_refused(
    still: HostingStudio, package: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationException, match=words):
        with_package(asking(still, **package), "PrimaryContainer.", {"ModelPackageName": ARN})
