"""Deploying with the SDK: endpoints, predictors with their serializers, updates, deletion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import sources
from abalone import abalone_rows, as_csv
from botocore.exceptions import ClientError
from sagemaker import image_uris
from sagemaker.async_inference import AsyncInferenceConfig, WaiterConfig
from sagemaker.compute_resource_requirements.resource_requirements import ResourceRequirements
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, NumpyDeserializer
from sagemaker.enums import EndpointType
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.lineage.context import EndpointContext
from sagemaker.model import Model
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.pytorch import PyTorch, PyTorchModel
from sagemaker.serializers import CSVSerializer, JSONSerializer, NumpySerializer
from sagemaker.serverless import ServerlessInferenceConfig
from sagemaker.sklearn import SKLearn, SKLearnModel
from sagemaker.xgboost import XGBoost, XGBoostModel

INSTANCE = "ml.m5.large"
ROWS = 3


@pytest.fixture(scope="module")
def table(shared_data: Path) -> list[list[float]]:
    return abalone_rows(shared_data)


@pytest.fixture(scope="module")
def train_uri(session: Any, table: list[list[float]]) -> str:
    bucket = session.default_bucket()
    return str(session.upload_string_as_file_body(as_csv(table), bucket, "endpoints/train.csv"))


@pytest.fixture(scope="module")
def questions(table: list[list[float]]) -> Any:
    return numpy.array(table[:ROWS])[:, 1:]


@pytest.fixture(scope="module")
def booster(session: Any, role: str, train_uri: str) -> Estimator:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    estimator = Estimator(image, role, 1, INSTANCE, sagemaker_session=session)
    estimator.set_hyperparameters(num_round=5, objective="reg:squarederror")
    estimator.fit({"train": TrainingInput(train_uri, content_type="text/csv")}, logs=False)
    return estimator


@pytest.fixture(scope="module")
def scikit(
    session: Any, role: str, train_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> SKLearn:
    folder = tmp_path_factory.mktemp("scikit")
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=str(sources.sklearn_source(folder / "source")),
        dependencies=[str(sources.dependency(folder / "libraries"))],
        role=role,
        instance_type=INSTANCE,
        framework_version="1.2-1",
        hyperparameters={"alpha": 0.5, "label": "rings"},
        sagemaker_session=session,
    )
    estimator.fit({"train": train_uri}, logs=False)
    return estimator


def removed(predictor: Predictor) -> None:
    """Delete what a deployment made, as notebooks end."""
    predictor.delete_model()
    predictor.delete_endpoint()


def test_train_deploy_predict_delete(
    session: Any, role: str, train_uri: str, questions: Any, timed: Any
) -> None:
    image = image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1")
    with timed("train, deploy and predict"):
        estimator = Estimator(image, role, 1, INSTANCE, sagemaker_session=session)
        estimator.set_hyperparameters(num_round=5, objective="reg:squarederror")
        with timed("fit"):
            estimator.fit({"train": TrainingInput(train_uri, content_type="text/csv")})
        with timed("deploy"):
            predictor = estimator.deploy(
                1, INSTANCE, serializer=CSVSerializer(), deserializer=CSVDeserializer()
            )
        with timed("predict"):
            answer = predictor.predict(questions)
    numbers = [float(cell) for row in answer for cell in row]
    assert len(numbers) == ROWS
    assert all(0 < number < 40 for number in numbers)
    again = Predictor(predictor.endpoint_name, session, CSVSerializer(), JSONDeserializer())
    assert len(again.predict(questions)["predictions"]) == ROWS
    name = predictor.endpoint_name
    context = EndpointContext.load(f"{name}-aws-endpoint", sagemaker_session=session)
    (summary,) = context.models()
    (model,) = context.models_v2()
    assert summary.destination_arn == model.artifact_arn
    assert model.source.source_uri == estimator.model_data
    assert estimator.latest_training_job.name in context.training_job_arns()[0]
    removed(predictor)
    with timed("boto3's waiter endpoint_deleted"):
        session.sagemaker_client.get_waiter("endpoint_deleted").wait(EndpointName=name)
    with pytest.raises(ClientError, match="Could not find"):
        session.sagemaker_client.describe_endpoint(EndpointName=name)


def test_sklearn_endpoint_with_json_csv_and_numpy(
    session: Any, scikit: SKLearn, questions: Any, timed: Any
) -> None:
    with timed("SKLearn.deploy"):
        predictor = scikit.deploy(1, INSTANCE)  # numpy both ways, as SKLearnPredictor has it
    plain = predictor.predict(questions)
    assert numpy.shape(plain) == (ROWS,)
    predictor.serializer, predictor.deserializer = JSONSerializer(), JSONDeserializer()
    assert numpy.allclose(predictor.predict(questions.tolist()), plain)
    predictor.serializer, predictor.deserializer = CSVSerializer(), CSVDeserializer()
    cells = [float(cell) for row in predictor.predict(questions) for cell in row]
    assert numpy.allclose(cells, plain)
    predictor.serializer, predictor.deserializer = NumpySerializer(), NumpyDeserializer()
    assert numpy.allclose(predictor.predict(questions), plain)
    removed(predictor)


def test_framework_models_of_stored_artifacts(
    session: Any, role: str, scikit: SKLearn, questions: Any, tmp_path: Path, timed: Any
) -> None:
    folder = sources.sklearn_source(tmp_path / "source")
    model = SKLearnModel(
        model_data=scikit.model_data,
        role=role,
        entry_point="train.py",
        source_dir=str(folder),
        dependencies=[str(sources.dependency(tmp_path / "libraries"))],
        framework_version="1.2-1",
        sagemaker_session=session,
    )
    with timed("SKLearnModel.deploy"):
        predictor = model.deploy(1, INSTANCE)
    assert numpy.shape(predictor.predict(questions)) == (ROWS,)
    removed(predictor)


def test_models_that_share_an_endpoint(
    session: Any, role: str, scikit: SKLearn, questions: Any, tmp_path: Path, timed: Any
) -> None:
    folder = sources.sklearn_source(tmp_path / "source")
    made = []
    for name in ("share-one", "share-two"):
        model = SKLearnModel(
            model_data=scikit.model_data,
            role=role,
            entry_point="train.py",
            source_dir=str(folder),
            dependencies=[str(sources.dependency(tmp_path / f"libraries-{name}"))],
            framework_version="1.2-1",
            sagemaker_session=session,
        )
        with timed("deploy an inference component"):
            predictor = model.deploy(
                1,
                INSTANCE,
                endpoint_name="shared",
                endpoint_type=EndpointType.INFERENCE_COMPONENT_BASED,
                inference_component_name=name,
                resources=ResourceRequirements(requests={"memory": 256, "copies": 1}),
            )
        made.append(predictor)
    for predictor in made:
        assert numpy.shape(predictor.predict(questions)) == (ROWS,)
    listed = session.list_inference_components(endpoint_name_equals="shared")
    names = {one["InferenceComponentName"] for one in listed["InferenceComponents"]}
    assert names == {"share-one", "share-two"}
    specification = session.describe_inference_component("share-one")["Specification"]
    session.update_inference_component("share-one", specification, {"CopyCount": 2}, wait=True)
    described = session.describe_inference_component("share-one")
    assert described["RuntimeConfig"] == {"DesiredCopyCount": 2, "CurrentCopyCount": 2}
    for name in names:
        session.delete_inference_component(name, wait=True)
    session.delete_endpoint("shared")


def test_xgboost_script_and_model(
    session: Any, role: str, train_uri: str, questions: Any, tmp_path: Path, timed: Any
) -> None:
    folder = sources.script(tmp_path / "source", sources.XGBOOST)
    estimator = XGBoost(
        entry_point="train.py",
        source_dir=str(folder),
        framework_version="1.7-1",
        role=role,
        instance_type=INSTANCE,
        instance_count=1,
        sagemaker_session=session,
    )
    estimator.fit({"train": train_uri}, logs=False)
    model = XGBoostModel(
        model_data=estimator.model_data,
        role=role,
        entry_point=str(folder / "train.py"),
        framework_version="1.7-1",
        sagemaker_session=session,
    )
    with timed("XGBoostModel.deploy"):
        predictor = model.deploy(
            1, INSTANCE, serializer=CSVSerializer(), deserializer=CSVDeserializer()
        )
    cells = [float(cell) for row in predictor.predict(questions) for cell in row]
    assert len(cells) == ROWS
    removed(predictor)


def test_pytorch_estimator_and_model(
    session: Any, role: str, train_uri: str, questions: Any, tmp_path: Path, timed: Any
) -> None:
    folder = sources.script(tmp_path / "source", sources.PYTORCH)
    common = {"role": role, "framework_version": "2.3", "py_version": "py311"}
    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(folder),
        instance_type=INSTANCE,
        instance_count=1,
        sagemaker_session=session,
        **common,
    )
    estimator.fit({"train": train_uri}, logs=False)
    model = PyTorchModel(
        model_data=estimator.model_data,
        entry_point="train.py",
        source_dir=str(folder),
        sagemaker_session=session,
        **common,
    )
    with timed("PyTorchModel.deploy"):
        predictor = model.deploy(1, INSTANCE)
    assert numpy.shape(predictor.predict(questions)) == (ROWS, 1)
    removed(predictor)


def test_updating_an_endpoint(
    session: Any, role: str, booster: Estimator, questions: Any, timed: Any
) -> None:
    predictor = booster.deploy(1, INSTANCE, serializer=CSVSerializer())
    former = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    model = booster.create_model(name="of-the-update", role=role)
    model.create(instance_type=INSTANCE)
    with timed("update_endpoint"):
        predictor.update_endpoint(
            initial_instance_count=2, instance_type=INSTANCE, model_name="of-the-update"
        )
    present = session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
    assert present["EndpointStatus"] == "InService"
    assert present["EndpointConfigName"] != former["EndpointConfigName"]
    assert present["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert predictor.predict(questions)
    removed(predictor)


def test_a_serverless_endpoint(booster: Estimator, questions: Any, timed: Any) -> None:
    with timed("deploy(serverless_inference_config=...)"):
        predictor = booster.deploy(
            serverless_inference_config=ServerlessInferenceConfig(2048, 2),
            serializer=CSVSerializer(),
            deserializer=CSVDeserializer(),
        )
    with timed("the first request to a serverless endpoint"):
        answer = predictor.predict(questions)
    assert sum(len(row) for row in answer) == ROWS
    removed(predictor)


def test_an_asynchronous_endpoint(
    session: Any, booster: Estimator, questions: Any, timed: Any
) -> None:
    bucket = session.default_bucket()
    predictor = booster.deploy(
        1,
        INSTANCE,
        async_inference_config=AsyncInferenceConfig(f"s3://{bucket}/asynchronous"),
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    soon = WaiterConfig(max_attempts=60, delay=1)  # the SDK's own is 15 seconds
    with timed("AsyncPredictor.predict"):
        answer = predictor.predict(data=questions, waiter_config=soon)
    assert sum(len(row) for row in answer) == ROWS
    response = predictor.predict_async(data=questions)
    assert response.output_path.startswith(f"s3://{bucket}/asynchronous")
    with timed("AsyncInferenceResponse.get_result"):
        later = response.get_result(soon)
    assert later == answer
    predictor.delete_model()
    predictor.delete_endpoint()


def test_a_plain_model(session: Any, role: str, booster: Estimator, questions: Any) -> None:
    model = Model(
        image_uri=booster.image_uri,
        model_data=booster.model_data,
        role=role,
        predictor_cls=Predictor,
        sagemaker_session=session,
    )
    predictor = model.deploy(1, INSTANCE, endpoint_name="plain-model", serializer=CSVSerializer())
    assert predictor.predict(questions)
    removed(predictor)


def test_a_pipeline_of_models(
    session: Any, role: str, booster: Estimator, questions: Any, tmp_path: Path, timed: Any
) -> None:
    doubling = tmp_path / "inference.py"
    doubling.write_text(
        "def model_fn(model_dir):\n    return None\n\n"
        "def input_fn(body, content_type):\n"
        "    text = body if isinstance(body, str) else body.decode()\n"
        "    return [float(x) for x in text.replace('\\n', ',').split(',') if x.strip()]\n\n"
        "def predict_fn(data, model):\n    return [2 * value for value in data]\n\n"
        "def output_fn(answer, accept):\n"
        "    return '\\n'.join(str(value) for value in answer), 'text/csv'\n"
    )
    second = SKLearnModel(
        model_data=booster.model_data,
        role=role,
        entry_point=str(doubling),
        framework_version="1.2-1",
        sagemaker_session=session,
    )
    both = PipelineModel([booster.create_model(role=role), second], role, sagemaker_session=session)
    with timed("PipelineModel.deploy"):
        predictor = both.deploy(1, INSTANCE)
    chain = Predictor(both.endpoint_name, session, CSVSerializer(), CSVDeserializer())
    cells = [float(cell) for row in chain.predict(questions) for cell in row]
    assert len(cells) == ROWS
    assert predictor is None
    chain.delete_endpoint()
    both.delete_model()


def test_many_models_behind_one_endpoint(
    session: Any, role: str, booster: Estimator, questions: Any, timed: Any
) -> None:
    prefix = f"s3://{session.default_bucket()}/many/"
    many = MultiDataModel(
        name="many-models",
        model_data_prefix=prefix,
        model=booster.create_model(role=role),
        sagemaker_session=session,
    )
    with timed("MultiDataModel.deploy"):
        predictor = many.deploy(
            1, INSTANCE, serializer=CSVSerializer(), deserializer=CSVDeserializer()
        )
    many.add_model(booster.model_data, "first.tar.gz")
    assert list(many.list_models()) == ["first.tar.gz"]
    assert predictor.predict(questions, target_model="first.tar.gz")
    with pytest.raises(ClientError, match="second"):
        predictor.predict(questions, target_model="second.tar.gz")
    removed(predictor)


def test_not_waiting_for_a_deployment(booster: Estimator, session: Any, questions: Any) -> None:
    predictor = booster.deploy(1, INSTANCE, wait=False, serializer=CSVSerializer())
    session.wait_for_endpoint(predictor.endpoint_name)
    assert predictor.predict(questions)
    removed(predictor)
