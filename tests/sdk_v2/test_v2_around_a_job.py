"""What estimators, models and sessions do besides training and deploying."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv
from botocore.exceptions import ClientError
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import ModelPackage
from sagemaker.serializers import CSVSerializer

INSTANCE = "ml.m5.large"
NOT_IMPLEMENTED = "is not implemented by this bottega"


@pytest.fixture(scope="module")
def train_uri(session: Any, shared_data: Path) -> str:
    body = as_csv(abalone_rows(shared_data, 200))
    bucket = session.default_bucket()
    return str(session.upload_string_as_file_body(body, bucket, "around/train.csv"))


@pytest.fixture(scope="module")
def booster(session: Any, role: str, train_uri: str) -> Estimator:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, INSTANCE, sagemaker_session=session)
    estimator.set_hyperparameters(num_round=2, objective="reg:squarederror")
    estimator.fit({"train": TrainingInput(train_uri, content_type="text/csv")}, logs=False)
    return estimator


def test_what_an_estimator_says_of_its_job(booster: Estimator, session: Any) -> None:
    assert booster.hyperparameters() == {"num_round": 2, "objective": "reg:squarederror"}
    assert booster.training_image_uri() == booster.image_uri
    assert booster.enable_network_isolation() is False
    assert booster.get_vpc_config() is None
    assert booster.get_remote_debug_config() is None
    assert booster.get_session_chaining_config() is None


def test_registering_a_model_and_deploying_the_version(
    booster: Estimator, session: Any, role: str
) -> None:
    package = booster.register(
        content_types=["text/csv"],
        response_types=["text/csv"],
        inference_instances=[INSTANCE],
        transform_instances=[INSTANCE],
        model_package_group_name="rings",
        approval_status="Approved",
    )
    described = session.sagemaker_client.describe_model_package(
        ModelPackageName=package.model_package_arn
    )
    assert described["ModelPackageGroupName"] == "rings"
    latest = session.get_most_recently_created_approved_model_package("rings")
    assert latest.model_package_arn == package.model_package_arn
    model = ModelPackage(
        role=role, model_package_arn=package.model_package_arn, sagemaker_session=session
    )
    model.deploy(1, INSTANCE, endpoint_name="of-a-package")
    answer = session.sagemaker_runtime_client.invoke_endpoint(
        EndpointName="of-a-package",
        ContentType="text/csv",
        Body=CSVSerializer().serialize([0, 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15]),
    )
    assert float(answer["Body"].read()) > 0
    session.delete_endpoint("of-a-package")
    session.delete_endpoint_config("of-a-package")


def test_a_session_describes_lists_and_tags(booster: Estimator, session: Any) -> None:
    name = booster.latest_training_job.name
    assert session.describe_training_job(name)["TrainingJobName"] == name
    model = booster.create_model(name="around-a-job")
    model.create(instance_type=INSTANCE, tags=[{"Key": "team", "Value": "blue"}])
    described = session.describe_model("around-a-job")
    assert session.list_tags(described["ModelArn"]) == [{"Key": "team", "Value": "blue"}]
    model.add_tags({"Key": "stage", "Value": "test"})
    model.remove_tag_with_key("team")
    assert model.prepare_container_def()["Image"] == booster.image_uri
    found = session.search(
        "TrainingJob",
        {"Filters": [{"Name": "TrainingJobName", "Operator": "Equals", "Value": name}]},
    )
    assert found["Results"][0]["TrainingJob"]["TrainingJobName"] == name
    session.delete_model("around-a-job")
    with pytest.raises(ClientError, match="Could not find"):
        session.describe_model("around-a-job")
    assert session.expand_role("SomeRole").endswith(":role/SomeRole")
    assert session.endpoint_in_service_or_not("no-such-endpoint") is False


def test_capturing_what_an_endpoint_is_asked(booster: Estimator, session: Any) -> None:
    predictor = booster.deploy(1, INSTANCE, serializer=CSVSerializer())
    predictor.enable_data_capture()
    config = session.describe_endpoint_config(
        session.describe_endpoint(predictor.endpoint_name)["EndpointConfigName"]
    )
    assert config["DataCaptureConfig"]["EnableCapture"] is True
    predictor.disable_data_capture()
    config = session.describe_endpoint_config(
        session.describe_endpoint(predictor.endpoint_name)["EndpointConfigName"]
    )
    assert config["DataCaptureConfig"]["EnableCapture"] is False
    assert predictor.predict([0, 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15])
    predictor.delete_predictor()


REFUSED: dict[str, Callable[[Any, Estimator], Any]] = {
    "compile_model": lambda session, booster: booster.compile_model(
        "ml_m5", {"data": [1, 8]}, "s3://b/out", framework="xgboost", framework_version="1.7"
    ),
    "list_feature_groups": lambda session, booster: session.list_feature_groups(*[None] * 9),
    "list_monitoring_schedules": lambda session, booster: session.list_monitoring_schedules(),
    "list_hubs": lambda session, booster: session.list_hubs(),
    "list_training_plans": lambda session, booster: session.sagemaker_client.list_training_plans(),
    "describe_auto_ml_job": lambda session, booster: session.describe_auto_ml_job("job"),
    "describe_feature_group": lambda session, booster: session.describe_feature_group("group"),
}


@pytest.mark.parametrize("method", REFUSED)
def test_what_is_not_there_is_refused_by_its_name(
    session: Any, booster: Estimator, method: str
) -> None:
    with pytest.raises((ClientError, ValueError)) as refusal:
        REFUSED[method](session, booster)
    assert NOT_IMPLEMENTED in str(refusal.value), refusal.value
