"""The resource classes of ``sagemaker.core.resources``, without the classes above them."""

from __future__ import annotations

from typing import Any

import botocore.exceptions
import pytest
from sagemaker.core import image_uris
from sagemaker.core.resources import (
    Endpoint,
    EndpointConfig,
    InferenceComponent,
    Model,
    ModelPackage,
    ModelPackageGroup,
    Tag,
    TrainingJob,
    TransformJob,
)
from sagemaker.core.shapes import (
    AlgorithmSpecification,
    Channel,
    ContainerDefinition,
    ContainersItem,
    DataSource,
    DesiredWeightAndCapacity,
    InferenceComponentComputeResourceRequirements,
    InferenceComponentRuntimeConfig,
    InferenceComponentSpecification,
    InferenceSpecification,
    OutputDataConfig,
    ProductionVariant,
    ProfilerConfigForUpdate,
    ResourceConfig,
    S3DataSource,
    StoppingCondition,
    TransformDataSource,
    TransformInput,
    TransformOutput,
    TransformResources,
    TransformS3DataSource,
)
from sagemaker.core.utils.exceptions import FailedStatusError

REGION = "us-east-1"
SKLEARN = image_uris.retrieve("sklearn", REGION, version="1.2-1")
XGBOOST = image_uris.retrieve("xgboost", REGION, version="1.7-1")


def put(session: Any, key: str, text: str) -> str:
    bucket = session.default_bucket()
    session.boto_session.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return f"s3://{bucket}/{key}"


def train(session: Any, role: str, name: str, **changes: Any) -> TrainingJob:
    values: dict[str, Any] = {
        "algorithm_specification": AlgorithmSpecification(
            training_image=SKLEARN,
            training_input_mode="File",
            container_entrypoint=["/bin/sh", "-c"],
            container_arguments=["echo ready; sleep 600"],
        ),
        "output_data_config": OutputDataConfig(s3_output_path=f"s3://{session.default_bucket()}/o"),
        "resource_config": ResourceConfig(
            instance_type="ml.m5.large", instance_count=1, volume_size_in_gb=30
        ),
        "stopping_condition": StoppingCondition(max_runtime_in_seconds=600),
    }
    return TrainingJob.create(training_job_name=name, role_arn=role, **{**values, **changes})


@pytest.fixture(scope="module")
def role(session: Any) -> str:
    return str(session.get_caller_identity_arn())


@pytest.fixture(scope="module")
def rings(session: Any, role: str) -> TrainingJob:
    """A small XGBoost model, trained."""
    rows = "".join(f"{number % 7},{number % 7},{number % 3}\n" for number in range(60))
    source = S3DataSource(
        s3_data_type="S3Prefix",
        s3_uri=put(session, "rings/rows.csv", rows),
        s3_data_distribution_type="FullyReplicated",
    )
    job = train(
        session,
        role,
        "rings-resource",
        algorithm_specification=AlgorithmSpecification(
            training_image=XGBOOST, training_input_mode="File"
        ),
        hyper_parameters={"num_round": "5", "objective": "reg:squarederror"},
        input_data_config=[
            Channel(
                channel_name="train",
                content_type="text/csv",
                data_source=DataSource(s3_data_source=source),
            )
        ],
    )
    job.wait(poll=1)
    return job


def test_training_job(session: Any, role: str, rings: TrainingJob) -> None:
    assert rings.training_job_status == "Completed"
    assert TrainingJob.get("rings-resource").model_artifacts == rings.model_artifacts
    assert "rings-resource" in [job.training_job_name for job in TrainingJob.get_all()]
    assert [
        job.training_job_name
        for job in TrainingJob.get_all(status_equals="Completed", name_contains="rings-res")
    ] == ["rings-resource"]
    sleeper = train(session, role, "sleeper")
    assert sleeper.training_job_status == "InProgress"
    assert sleeper.refresh() is sleeper
    sleeper.update(profiler_config=ProfilerConfigForUpdate(disable_profiler=True))
    assert sleeper.refresh().profiler_config.disable_profiler
    sleeper.stop()
    sleeper.wait(poll=1)
    assert sleeper.training_job_status == "Stopped"
    sleeper.delete()
    sleeper.wait_for_delete(poll=1)
    with pytest.raises(botocore.exceptions.ClientError, match="not found"):
        TrainingJob.get("sleeper")


def test_a_job_that_has_ended_is_not_updated(rings: TrainingJob) -> None:
    with pytest.raises(botocore.exceptions.ClientError, match="only a job that is InProgress"):
        rings.update()


def test_a_failed_training_job(session: Any, role: str) -> None:
    failing = AlgorithmSpecification(
        training_image=SKLEARN,
        training_input_mode="File",
        container_entrypoint=["/bin/bash", "-c"],
        container_arguments=["echo too dark > /opt/ml/output/failure; exit 4"],
    )
    job = train(session, role, "failing", algorithm_specification=failing)
    with pytest.raises(FailedStatusError, match="AlgorithmError: too dark"):
        job.wait(poll=1)
    assert job.failure_reason.startswith("AlgorithmError: too dark")
    with pytest.raises(botocore.exceptions.ClientError, match="already exists"):
        train(session, role, "failing")


def test_model_and_endpoint(role: str, rings: TrainingJob, timed: Any) -> None:
    model = Model.create(
        model_name="rings-resource",
        primary_container=ContainerDefinition(
            image=XGBOOST, model_data_url=rings.model_artifacts.s3_model_artifacts
        ),
        execution_role_arn=role,
    )
    assert Model.get("rings-resource").execution_role_arn == role
    configurations = [
        EndpointConfig.create(
            endpoint_config_name=name,
            production_variants=[
                ProductionVariant(
                    variant_name="AllTraffic",
                    model_name=model,
                    instance_type="ml.m5.large",
                    initial_instance_count=1,
                )
            ],
        )
        for name in ("rings-one", "rings-two")
    ]
    with timed("create an endpoint and wait for it"):
        endpoint = Endpoint.create(
            endpoint_name="rings-resource", endpoint_config_name=configurations[0]
        )
        endpoint.wait_for_status("InService")
    answer = endpoint.invoke(body="3,1", content_type="text/csv")
    assert 0 < float(answer.body.read()) < 6
    endpoint.update_weights_and_capacities(
        [DesiredWeightAndCapacity(variant_name="AllTraffic", desired_instance_count=2)]
    )
    endpoint.wait_for_status("InService")
    (variant,) = endpoint.production_variants
    assert variant.current_instance_count == 2
    with timed("update an endpoint"):
        endpoint.endpoint_config_name = "rings-two"
        endpoint.update()
        endpoint.wait_for_status("InService")
    assert Endpoint.get("rings-resource").endpoint_config_name == "rings-two"
    endpoint.delete()
    with timed("wait for the end of an endpoint"):
        endpoint.wait_for_delete()
    for configuration in configurations:
        configuration.delete()
    model.delete()
    with pytest.raises(botocore.exceptions.ClientError, match="Could not find"):
        Endpoint.get("rings-resource")


def test_inference_components(role: str, rings: TrainingJob, timed: Any) -> None:
    container = ContainerDefinition(
        image=XGBOOST, model_data_url=rings.model_artifacts.s3_model_artifacts
    )
    for name in ("part-one", "part-two"):
        Model.create(model_name=name, primary_container=container, execution_role_arn=role)
    configuration = EndpointConfig.create(
        endpoint_config_name="parts",
        execution_role_arn=role,
        production_variants=[
            ProductionVariant(
                variant_name="AllTraffic", instance_type="ml.m5.large", initial_instance_count=1
            )
        ],
    )
    endpoint = Endpoint.create(endpoint_name="parts", endpoint_config_name=configuration)
    endpoint.wait_for_status("InService")

    def specification(model: str) -> InferenceComponentSpecification:
        return InferenceComponentSpecification(
            model_name=model,
            compute_resource_requirements=InferenceComponentComputeResourceRequirements(
                min_memory_required_in_mb=256
            ),
        )

    with timed("create an inference component and wait for it"):
        component = InferenceComponent.create(
            inference_component_name="part",
            endpoint_name=endpoint,
            variant_name="AllTraffic",
            specification=specification("part-one"),
            runtime_config=InferenceComponentRuntimeConfig(copy_count=1),
        )
        component.wait_for_status("InService")
    answer = endpoint.invoke(body="3,1", content_type="text/csv", inference_component_name="part")
    assert 0 < float(answer.body.read()) < 6
    component.update_runtime_configs(InferenceComponentRuntimeConfig(copy_count=2))
    component.wait_for_status("InService")
    assert InferenceComponent.get("part").runtime_config.current_copy_count == 2
    component.update(specification=specification("part-two"))
    component.wait_for_status("InService")
    (found,) = InferenceComponent.get_all(endpoint_name_equals="parts")
    found.refresh()
    assert found.specification.model_name == "part-two"
    component.delete()
    component.wait_for_delete()
    endpoint.delete()
    endpoint.wait_for_delete()


def test_transform_job(session: Any, role: str, rings: TrainingJob) -> None:
    model = Model.create(
        model_name="rings-batch",
        primary_container=ContainerDefinition(
            image=XGBOOST, model_data_url=rings.model_artifacts.s3_model_artifacts
        ),
        execution_role_arn=role,
    )
    source = TransformS3DataSource(
        s3_data_type="S3Prefix", s3_uri=put(session, "in/rows.csv", "3,1\n4,2\n")
    )
    bucket = session.default_bucket()
    job = TransformJob.create(
        transform_job_name="rings-batch",
        model_name=model,
        transform_input=TransformInput(
            data_source=TransformDataSource(s3_data_source=source),
            content_type="text/csv",
            split_type="Line",
        ),
        transform_output=TransformOutput(s3_output_path=f"s3://{bucket}/out", assemble_with="Line"),
        transform_resources=TransformResources(instance_type="ml.m5.large", instance_count=1),
    )
    job.wait(poll=1)
    assert TransformJob.get("rings-batch").transform_job_status == "Completed"
    assert len(session.read_s3_file(bucket, "out/rows.csv.out").split()) == 2
    found = TransformJob.get_all(name_contains="rings")
    assert [job.transform_job_name for job in found] == ["rings-batch"]
    model.delete()


def test_model_packages(rings: TrainingJob) -> None:
    group = ModelPackageGroup.create(
        model_package_group_name="shells", model_package_group_description="of abalones"
    )
    container = ContainersItem(
        image=XGBOOST, model_data_url=rings.model_artifacts.s3_model_artifacts
    )
    # The package is made; then the SDK asks its answer for a member that there is not.
    with pytest.raises(KeyError, match="ModelPackageName"):
        ModelPackage.create(
            model_package_group_name="shells",
            inference_specification=InferenceSpecification(containers=[container]),
            model_approval_status="PendingManualApproval",
        )
    (package,) = ModelPackage.get_all(model_package_group_name="shells")
    package.wait_for_status("Completed", poll=1)
    package.update(model_approval_status="Approved", approval_description="well done")
    again = ModelPackage.get(package.model_package_arn)
    assert (again.model_package_version, again.model_approval_status) == (1, "Approved")
    assert [
        found.model_package_group_name
        for found in ModelPackageGroup.get_all(name_contains="shells")
    ] == ["shells"]
    listed = ModelPackage.get_all(model_package_group_name="shells")
    assert [found.model_package_version for found in listed] == [1]
    package.delete()
    group.delete()
    assert list(ModelPackageGroup.get_all(name_contains="shells")) == []


def test_tags(rings: TrainingJob) -> None:
    arn = rings.training_job_arn
    assert arn == f"arn:aws:sagemaker:{REGION}:000000000000:training-job/rings-resource"
    Tag.add_tags(resource_arn=arn, tags=[{"key": "a", "value": "b"}])
    assert [(tag.key, tag.value) for tag in Tag.get_all(resource_arn=arn)] == [("a", "b")]
    Tag.delete_tags(resource_arn=arn, tag_keys=["a"])
    assert list(Tag.get_all(resource_arn=arn)) == []
