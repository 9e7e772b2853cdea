"""CreateModel, DescribeModel, DeleteModel, ListModels."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.testing.hosting import HostingStudio

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model/my-model"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
CONTAINER = {"Image": XGBOOST, "ModelDataUrl": "s3://bucket/model.tar.gz"}
SOURCE = {"S3Uri": "s3://b/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}


def test_a_model_is_described_as_it_was_created(still: HostingStudio) -> None:
    container = {**CONTAINER, "Environment": {"A": "1"}}
    role = "arn:aws:iam::000000000000:role/BottegaExecutionRole"
    created = still.call(
        "CreateModel", ModelName="my-model", PrimaryContainer=container, ExecutionRoleArn=role
    )
    described = still.call("DescribeModel", ModelName="my-model")

    assert created == {"ModelArn": ARN}
    assert isinstance(described.pop("CreationTime"), float)
    assert described == {
        "ModelName": "my-model",
        "ModelArn": ARN,
        "PrimaryContainer": container,
        "ExecutionRoleArn": role,
        "EnableNetworkIsolation": False,
    }


def test_a_single_entry_of_containers_is_a_model_too(still: HostingStudio) -> None:
    still.call("CreateModel", ModelName="my-model", Containers=[CONTAINER])
    described = still.call("DescribeModel", ModelName="my-model")
    assert described["Containers"] == [CONTAINER]
    assert "PrimaryContainer" not in described


def test_a_taken_name_is_refused_with_the_words_that_clients_match(still: HostingStudio) -> None:
    still.call("CreateModel", ModelName="my-model", PrimaryContainer=CONTAINER)
    with pytest.raises(ValidationException, match="Cannot create already existing model") as caught:
        still.call("CreateModel", ModelName="my-model", PrimaryContainer={"Image": "python"})
    assert caught.value.message == f'Cannot create already existing model "{ARN}".'
    assert still.call("DescribeModel", ModelName="my-model")["PrimaryContainer"] == CONTAINER


@pytest.mark.parametrize("operation", ["DescribeModel", "DeleteModel"])
def test_an_absent_model_could_not_be_found(still: HostingStudio, operation: str) -> None:
    with pytest.raises(ValidationException) as caught:
        still.call(operation, ModelName="my-model")
    assert caught.value.message == f'Could not find model "{ARN}".'


def test_a_deleted_model_is_gone_and_its_name_is_free(still: HostingStudio) -> None:
    still.call("CreateModel", ModelName="my-model", PrimaryContainer=CONTAINER)
    still.call("DeleteModel", ModelName="my-model")
    assert still.call("ListModels") == {"Models": []}
    still.call("CreateModel", ModelName="my-model", PrimaryContainer=CONTAINER)


def test_tags_are_kept(still: HostingStudio) -> None:
    tags = [{"Key": "team", "Value": "risk"}]
    still.call("CreateModel", ModelName="my-model", PrimaryContainer=CONTAINER, Tags=tags)
    assert still.studio.ports.store.tags(ARN) == {"team": "risk"}


def test_models_are_listed_newest_first_page_by_page(still: HostingStudio) -> None:
    for number in range(12):
        still.call("CreateModel", ModelName=f"m-{number:02}", PrimaryContainer=CONTAINER)
    first = still.call("ListModels")
    second = still.call("ListModels", NextToken=first["NextToken"])
    by_name = still.call("ListModels", SortBy="Name", SortOrder="Ascending", NameContains="M-0")

    names = [model["ModelName"] for page in (first, second) for model in page["Models"]]
    assert names == [f"m-{number:02}" for number in reversed(range(12))]
    assert len(first["Models"]) == 10
    assert "NextToken" not in second
    assert [m["ModelName"] for m in by_name["Models"]] == [f"m-{n:02}" for n in range(10)]
    assert set(first["Models"][0]) == {"ModelName", "ModelArn", "CreationTime"}


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "PrimaryContainer is missing"),
        ({"PrimaryContainer": CONTAINER, "Containers": [CONTAINER]}, "both given"),
        ({"Containers": [CONTAINER, {}]}, r"Containers\[1\].Image is missing"),
        ({"Containers": [CONTAINER, {"Image": "nginx"}]}, r"Containers\[1\].Image: .*nginx"),
        (
            {"Containers": [CONTAINER] * 2, "InferenceExecutionConfig": {"Mode": "Direct"}},
            "Mode Direct needs a ContainerHostname for each",
        ),
        (
            {"Containers": [{"Image": "sagemaker-data-wrangler-container"}, CONTAINER]},
            "ModelDataUrl is missing.*fitted flow",
        ),
        ({"PrimaryContainer": {}}, "PrimaryContainer.Image is missing"),
        ({"PrimaryContainer": {"Image": "nginx"}}, "'nginx' does not run here"),
        (
            {"PrimaryContainer": {"Image": XGBOOST, "Mode": "MultiModel"}},
            "Mode MultiModel needs either PrimaryContainer.ModelDataUrl or",
        ),
        (
            {
                "PrimaryContainer": {
                    "Image": XGBOOST,
                    "Mode": "MultiModel",
                    "ModelDataSource": {"S3DataSource": {**SOURCE, "S3DataType": "S3Object"}},
                }
            },
            "Mode MultiModel needs S3DataType S3Prefix",
        ),
        (
            {"Containers": [CONTAINER, {**CONTAINER, "Mode": "MultiModel"}]},
            r"Containers\[1\].Mode MultiModel of several containers is not there yet",
        ),
        (
            {"PrimaryContainer": {**CONTAINER, "ModelPackageName": "p"}},
            "Image and PrimaryContainer.ModelPackageName are both given",
        ),
        (
            {"PrimaryContainer": {**CONTAINER, "InferenceSpecificationName": "p"}},
            "InferenceSpecificationName needs PrimaryContainer.ModelPackageName",
        ),
        (
            {
                "PrimaryContainer": {
                    **CONTAINER,
                    "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
                }
            },
            "MultiModelConfig needs PrimaryContainer.Mode MultiModel",
        ),
        (
            {"PrimaryContainer": CONTAINER, "InferenceExecutionConfig": {"Mode": "Direct"}},
            "InferenceExecutionConfig.Mode Direct needs several Containers",
        ),
        (
            {"Containers": [{**CONTAINER, "ContainerHostname": "a"}] * 2},
            "ContainerHostname 'a' twice",
        ),
        ({"PrimaryContainer": {**CONTAINER, "ModelDataUrl": "https://b/k"}}, "not an S3 URI"),
        ({"PrimaryContainer": {**CONTAINER, "ModelDataUrl": "s3://b/"}}, "names no object"),
        ({"PrimaryContainer": {**CONTAINER, "ModelDataUrl": "s3://b/dir/"}}, "names no object"),
        (
            {"PrimaryContainer": {**CONTAINER, "ModelDataSource": {"S3DataSource": SOURCE}}},
            "use one of them",
        ),
        (
            {
                "PrimaryContainer": {
                    "Image": "python",
                    "ModelDataSource": {"S3DataSource": {**SOURCE, "CompressionType": "Gzip"}},
                }
            },
            "CompressionType Gzip needs S3DataType S3Object",
        ),
        (
            {"PrimaryContainer": {**CONTAINER, "Environment": {"BOTTEGA_SOCKET": "/tmp/x"}}},
            "BOTTEGA_SOCKET is reserved",
        ),
    ],
)
def test_what_cannot_be_served_is_refused_and_leaves_no_trace(
    still: HostingStudio, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationException) as caught:
        still.call("CreateModel", ModelName="my-model", **request_)
    assert re.search(words, caught.value.message), caught.value.message
    assert still.call("ListModels") == {"Models": []}
