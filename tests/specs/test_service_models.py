from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.loaders import Loader

from bottega.specs import models


def test_a_model_is_read_once_whoever_asks() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(models.service_model, ["sagemaker", "logs"] * 20))
    assert {id(model) for model in found} == {
        id(models.service_model("sagemaker")),
        id(models.service_model("logs")),
    }


@pytest.mark.parametrize(
    ("service", "operation", "there"),
    [
        ("sagemaker", "CreateTrainingJob", True),
        ("sagemaker", "createTrainingJob", False),
        ("sagemaker", "GetCallerIdentity", False),
        ("sagemaker-runtime", "InvokeEndpoint", True),
        ("bottega", "DescribeStudio", True),
        ("bottega", "CreateTrainingJob", False),
        ("no-such-service", "CreateTrainingJob", False),
        ("../sagemaker", "CreateTrainingJob", False),
    ],
)
def test_exists(service: str, operation: str, there: bool) -> None:
    assert models.exists(service, operation) is there


def test_unknown_names_are_told_apart() -> None:
    with pytest.raises(models.UnknownOperation, match="sagemaker has no operation 'Nope'"):
        models.operation_model("sagemaker", "Nope")
    with pytest.raises(models.UnknownService, match="no service 'nope'"):
        models.operation_model("nope", "Nope")


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("sagemaker", "sagemaker"),
        ("sagemaker-runtime", "sagemaker"),
        ("sagemaker-metrics", "sagemaker"),
        ("bottega", "sagemaker"),
        ("s3", "s3"),
        ("logs", "logs"),
        ("sts", "sts"),
        ("iam", "iam"),
        ("cloudwatch", "monitoring"),
    ],
)
def test_signing_name(service: str, name: str) -> None:
    assert models.signing_name(service) == name


def test_every_known_target_is_the_one_botocore_sends() -> None:
    loader = Loader()
    for prefix, service in models._TARGETS.items():
        if service != models.OWN_SERVICE:
            metadata = loader.load_service_model(service, "service-2")["metadata"]
            assert metadata["targetPrefix"] == prefix
            assert models.service_for_target(prefix) == service
    assert models.service_for_target("Bottega") == "bottega"
    assert models.service_for_target("sagemaker") is None
    assert models.service_for_target("") is None


def test_our_own_model_is_whole() -> None:
    model = models.service_model("bottega")
    assert model.metadata["targetPrefix"] == "Bottega"
    for name in model.operation_names:
        operation = model.operation_model(name)
        for shape in (operation.input_shape, operation.output_shape):
            assert shape is not None
            assert set(shape.required_members) <= set(shape.members)
            assert all(member.documentation for member in shape.members.values())
