"""``ModelBuilder``: what was trained, what was uploaded and what is in memory, as endpoints."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import botocore.exceptions
import numpy as np
import pytest
from packaging.version import InvalidVersion
from sagemaker.core import image_uris
from sagemaker.core.deserializers import JSONDeserializer
from sagemaker.core.inference_config import AsyncInferenceConfig, ServerlessInferenceConfig
from sagemaker.core.resources import Endpoint, EndpointConfig, Model, ModelPackage, TrainingJob
from sagemaker.core.serializers import CSVSerializer, JSONSerializer, NumpySerializer
from sagemaker.core.shapes import ModelArtifacts
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.serve import ModelBuilder
from sagemaker.serve.builder.schema_builder import SchemaBuilder
from sagemaker.serve.utils.types import ModelServer
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import InputData, SourceCode
from sklearn.linear_model import LinearRegression

REGION = "us-east-1"
SKLEARN = image_uris.retrieve("sklearn", REGION, version="1.2-1")
XGBOOST = image_uris.retrieve("xgboost", REGION, version="1.7-1")
INSTANCE = "ml.m5.large"

INFERENCE = """
import json, os

def model_fn(folder):
    with open(os.path.join(folder, "model.json")) as file:
        return json.load(file)["factor"]

def predict_fn(data, factor):
    return data * factor
"""


@pytest.fixture(scope="module")
def artifact(session: Any) -> str:
    """The URI of a model.tar.gz with one number in it."""
    packed = io.BytesIO()
    text = json.dumps({"factor": 2.5}).encode()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo("model.json")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    bucket = session.default_bucket()
    session.boto_session.client("s3").put_object(
        Bucket=bucket, Key="factor/model.tar.gz", Body=packed.getvalue()
    )
    return f"s3://{bucket}/factor/model.tar.gz"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> SourceCode:
    folder = tmp_path_factory.mktemp("code")
    (folder / "inference.py").write_text(INFERENCE)
    return SourceCode(source_dir=str(folder), entry_script="inference.py")


@pytest.fixture
def built(artifact: str, code: SourceCode, request: pytest.FixtureRequest) -> ModelBuilder:
    """A builder of the model and its code; what a builder was told once, it keeps."""
    builder = ModelBuilder(
        image_uri=SKLEARN, s3_model_data_url=artifact, source_code=code, instance_type=INSTANCE
    )
    builder.build(model_name=request.node.name.replace("_", "-"))
    return builder


def in_service(endpoint: Endpoint) -> Endpoint:
    endpoint.wait_for_status("InService")
    return endpoint


def deleted(endpoint: Endpoint) -> None:
    """Delete an endpoint and its configuration, and see that they are gone."""
    configuration = EndpointConfig.get(endpoint.endpoint_config_name)
    endpoint.delete()
    endpoint.wait_for_delete()
    configuration.delete()
    assert endpoint.endpoint_name not in [found.endpoint_name for found in Endpoint.get_all()]


def test_train_deploy_and_predict(
    session: Any, shared_data: Path, tmp_path: Path, timed: Any
) -> None:
    rows = (shared_data / "abalone" / "abalone.libsvm").read_text().splitlines(keepends=True)
    (tmp_path / "rows.libsvm").write_text("".join(rows[:500]))
    uri = session.upload_data(str(tmp_path / "rows.libsvm"), key_prefix="rows")
    trainer = ModelTrainer(
        training_image=XGBOOST,
        base_job_name="rings",
        hyperparameters={"objective": "reg:squarederror", "num_round": 10},
    )
    with timed("train, deploy and predict"):
        trainer.train([InputData(channel_name="train", data_source=uri, content_type="libsvm")])
        builder = ModelBuilder(model=trainer, image_uri=XGBOOST, instance_type=INSTANCE)
        model = builder.build(model_name="rings")
        endpoint = in_service(builder.deploy(endpoint_name="rings", wait=False))
        answer = endpoint.invoke(body="".join(rows[500:502]), content_type="text/libsvm")
    assert all(5 < float(ring) < 25 for ring in answer.body.read().decode().split())
    assert model.primary_container.model_data_url == (
        trainer._latest_training_job.model_artifacts.s3_model_artifacts
    )
    deleted(endpoint)
    model.delete()
    assert "rings" not in [found.model_name for found in Model.get_all()]


def test_code_of_ones_own_with_every_serializer(built: ModelBuilder, timed: Any) -> None:
    with timed("deploy"):
        endpoint = in_service(built.deploy(endpoint_name="factor", wait=False))
    asked = [[1.0, 2.0], [3.0, 4.0]]
    for serializer in (JSONSerializer(), CSVSerializer(), NumpySerializer()):
        endpoint.serializer, endpoint.deserializer = serializer, JSONDeserializer()
        answer = endpoint.invoke(
            body=np.array(asked),
            content_type=serializer.CONTENT_TYPE,
            accept="application/json",
        )
        assert answer.body == [[2.5, 5.0], [7.5, 10.0]]
    described = EndpointConfig.get(endpoint.endpoint_config_name)
    assert described.production_variants[0].instance_type == INSTANCE
    deleted(endpoint)


def test_waiting_as_deploy_does(built: ModelBuilder, timed: Any) -> None:
    """``deploy`` itself sleeps 30 s before it asks for the first time."""
    with timed("deploy of a serverless endpoint, wait=True"):
        endpoint = built.deploy(
            endpoint_name="serverless",
            inference_config=ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=2),
        )
    answer = endpoint.invoke(body="[[1.0]]", content_type="application/json")
    assert json.loads(answer.body.read()) == [[2.5]]
    assert endpoint.production_variants[0].current_serverless_config.max_concurrency == 2
    deleted(endpoint)


def test_asynchronous_requests(session: Any, built: ModelBuilder, tmp_path: Path) -> None:
    bucket = session.default_bucket()
    endpoint = in_service(
        built.deploy(
            endpoint_name="asynchronous",
            wait=False,
            inference_config=AsyncInferenceConfig(output_path=f"s3://{bucket}/answers"),
        )
    )
    (tmp_path / "request.json").write_text("[[4.0]]")
    asked = session.upload_data(str(tmp_path / "request.json"), key_prefix="asked")
    answer = endpoint.invoke_async(input_location=asked, content_type="application/json")
    key = answer.output_location.removeprefix(f"s3://{bucket}/")
    s3 = session.boto_session.client("s3")
    s3.get_waiter("object_exists").wait(
        Bucket=bucket, Key=key, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert json.load(s3.get_object(Bucket=bucket, Key=key)["Body"]) == [[10.0]]
    deleted(endpoint)


def test_models_in_a_row(built: ModelBuilder) -> None:
    first = built.built_model
    chain = ModelBuilder(model=[first, first], instance_type=INSTANCE)
    model = chain.build(model_name="chain")
    assert len(model.containers) == 2
    endpoint = in_service(chain.deploy(endpoint_name="chain", wait=False))
    answer = endpoint.invoke(
        body="[[2.0]]", content_type="application/json", accept="application/json"
    )
    assert json.loads(answer.body.read()) == [[12.5]]
    deleted(endpoint)
    model.delete()


def test_batch_transform(session: Any, built: ModelBuilder, tmp_path: Path, timed: Any) -> None:
    (tmp_path / "rows.csv").write_text("1,2\n3,4\n")
    uri = session.upload_data(str(tmp_path / "rows.csv"), key_prefix="batch")
    transformer = built.transformer(
        1, INSTANCE, accept="text/csv", assemble_with="Line", strategy="SingleRecord"
    )
    with timed("transform"):
        transformer.transform(uri, content_type="text/csv", split_type="Line")
    bucket, _, prefix = transformer.output_path.removeprefix("s3://").partition("/")
    written = session.read_s3_file(bucket, f"{prefix}/rows.csv.out")
    assert [[float(cell) for cell in row.split(",")] for row in written.split()] == [
        [2.5, 5.0],
        [7.5, 10.0],
    ]


def test_register(built: ModelBuilder) -> None:
    arn = built.register(
        model_package_group_name="factors",
        content_types=["application/json"],
        response_types=["application/json"],
        inference_instances=[INSTANCE],
        transform_instances=[INSTANCE],
        approval_status="Approved",
        description="a factor",
    )
    assert arn.endswith("model-package/factors/1")
    package = ModelPackage.get(arn)
    assert package.model_approval_status == "Approved"
    assert package.inference_specification.containers[0].image == SKLEARN


def test_a_model_in_memory_needs_the_sdk_in_its_container(timed: Any) -> None:
    """What the SDK writes around such a model imports ``sagemaker.serve``: the container would have
    to install it, and the failure says so."""
    model = LinearRegression().fit(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]))
    builder = ModelBuilder(
        model=model,
        schema_builder=SchemaBuilder(np.array([[1.0]]), np.array([2.0])),
        image_uri=SKLEARN,
        model_server=ModelServer.TORCHSERVE,
        instance_type=INSTANCE,
        dependencies={"auto": False},
    )
    builder.build(model_name="memory")
    endpoint = builder.deploy(endpoint_name="memory", wait=False)
    with pytest.raises(FailedStatusError, match="No module named 'sagemaker'"):
        endpoint.wait_for_status("InService")
    deleted(endpoint)


def test_what_the_sdk_itself_does_not_do(
    built: ModelBuilder, code: SourceCode, artifact: str
) -> None:
    """Facts of the SDK, whatever the service answers: when one changes, docs/sdk.md has to."""
    job = TrainingJob(
        training_job_name="none", model_artifacts=ModelArtifacts(s3_model_artifacts=artifact)
    )
    with pytest.raises(ValueError, match="base_model_name is required"):
        ModelBuilder(model=job, image_uri=SKLEARN, instance_type=INSTANCE).build()
    trainer = ModelTrainer(training_image=SKLEARN, base_job_name="none")
    trainer._latest_training_job = job
    # It repacks an artifact of which it has made up the name.
    with pytest.raises(botocore.exceptions.ClientError, match="Not Found"):
        ModelBuilder(
            model=trainer, image_uri=SKLEARN, source_code=code, instance_type=INSTANCE
        ).build()
    detected = ModelBuilder(
        model=LinearRegression(),
        schema_builder=SchemaBuilder(np.array([[1.0]]), np.array([2.0])),
        instance_type=INSTANCE,
    )
    with pytest.raises(InvalidVersion):
        detected.build(model_name="detected")
    endpoint = in_service(built.deploy(endpoint_name="stream", wait=False))
    with pytest.raises(AttributeError, match="EventStream"):
        endpoint.invoke_with_response_stream(body="[[1.0]]", content_type="application/json")
    deleted(endpoint)
