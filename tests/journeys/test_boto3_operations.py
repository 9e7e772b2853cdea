"""Every further operation through unmodified boto3, in the order a user would meet them."""

from __future__ import annotations

import time

import botocore.exceptions
import pytest

from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.requests import channel, code_archive, script_job, training_job


@pytest.fixture(scope="module")
def model_uri(plain_daemon: TestDaemon) -> str:
    """A small trained model."""
    config, sagemaker = plain_daemon.config, plain_daemon.client("sagemaker")
    body = b"\n".join(b"%d,%d" % (n % 2, n) for n in range(50))
    plain_daemon.client("s3").put_object(Bucket=config.bucket, Key="d/train.csv", Body=body)
    request = training_job(
        "small",
        config.bucket,
        config.role_arn,
        HyperParameters={"num_round": "3"},
        InputDataConfig=[channel("train", f"s3://{config.bucket}/d", "text/csv")],
    )
    sagemaker.create_training_job(**request)

    def completed() -> str:
        job = sagemaker.describe_training_job(TrainingJobName="small")
        assert job["TrainingJobStatus"] != "Failed", job["FailureReason"]
        done = job["TrainingJobStatus"] == "Completed"
        return job["ModelArtifacts"]["S3ModelArtifacts"] if done else ""

    return eventually(completed, "the model is trained")


def test_models_configurations_and_endpoints(plain_daemon: TestDaemon, model_uri: str):
    sagemaker = plain_daemon.client("sagemaker")
    role = plain_daemon.config.role_arn
    for name in ("one", "two"):
        container = {"Image": "xgboost", "ModelDataUrl": model_uri}
        arn = sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container
        )["ModelArn"]
        assert sagemaker.describe_model(ModelName=name)["ModelArn"] == arn
        sagemaker.create_endpoint_config(
            EndpointConfigName=name,
            ProductionVariants=[
                {
                    "VariantName": "v",
                    "ModelName": name,
                    "InstanceType": "ml.m5.large",
                    "InitialInstanceCount": 1,
                }
            ],
        )
    with pytest.raises(botocore.exceptions.ClientError, match="Cannot create already existing"):
        sagemaker.create_model(ModelName="one", ExecutionRoleArn=role, PrimaryContainer=container)
    assert {m["ModelName"] for m in sagemaker.list_models()["Models"]} == {"one", "two"}
    configs = sagemaker.list_endpoint_configs(SortBy="Name", SortOrder="Ascending")
    assert [c["EndpointConfigName"] for c in configs["EndpointConfigs"]] == ["one", "two"]
    variants = sagemaker.describe_endpoint_config(EndpointConfigName="one")["ProductionVariants"]
    assert variants[0]["InitialVariantWeight"] == 1.0

    sagemaker.add_tags(
        ResourceArn=sagemaker.describe_model(ModelName="one")["ModelArn"],
        Tags=[{"Key": "stage", "Value": "test"}],
    )
    arn = sagemaker.describe_model(ModelName="one")["ModelArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "stage", "Value": "test"}]

    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="one")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName="e", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    sagemaker.update_endpoint(EndpointName="e", EndpointConfigName="two")
    waiter.wait(EndpointName="e", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    endpoint = sagemaker.describe_endpoint(EndpointName="e")
    assert endpoint["EndpointConfigName"] == "two"
    listed = sagemaker.list_endpoints(StatusEquals="InService")["Endpoints"]
    assert [item["EndpointName"] for item in listed] == ["e"]
    answer = plain_daemon.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="e", ContentType="text/csv", Body=b"7\n8"
    )
    assert len(answer["Body"].read().split()) == 2
    assert answer["InvokedProductionVariant"] == "v"

    sagemaker.delete_endpoint(EndpointName="e")
    gone = sagemaker.get_waiter("endpoint_deleted")
    gone.wait(EndpointName="e", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    for name in ("one", "two"):
        sagemaker.delete_endpoint_config(EndpointConfigName=name)
        sagemaker.delete_model(ModelName=name)
    with pytest.raises(botocore.exceptions.ClientError, match="Could not find"):
        sagemaker.describe_endpoint(EndpointName="e")
    assert sagemaker.list_models()["Models"] == []


def test_logs_are_found_and_filtered(plain_daemon: TestDaemon):
    config, sagemaker = plain_daemon.config, plain_daemon.client("sagemaker")
    text = "import time\nfor n in range(5):\n    print('step', n, 'ERROR' if n == 3 else 'fine')\n"
    archive = code_archive(train__py=text)
    plain_daemon.client("s3").put_object(Bucket=config.bucket, Key="logs.tgz", Body=archive)
    started = int(time.time() * 1000) - 1000
    sagemaker.create_training_job(
        **script_job("logged", config.bucket, config.role_arn, f"s3://{config.bucket}/logs.tgz")
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName="logged", WaiterConfig={"Delay": 0.2, "MaxAttempts": 300})
    logs = plain_daemon.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert "/aws/sagemaker/TrainingJobs" in groups
    found = logs.filter_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs",
        logStreamNamePrefix="logged/",
        filterPattern="ERROR",
        startTime=started,
    )
    assert [event["message"] for event in found["events"]] == ["step 3 ERROR"]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.describe_log_streams(logGroupName="/aws/sagemaker/ProcessingJobs")


def test_search_suggests_property_names(plain_daemon: TestDaemon, model_uri: str):
    answer = plain_daemon.client("sagemaker").get_search_suggestions(
        Resource="TrainingJob",
        SuggestionQuery={"PropertyNameQuery": {"PropertyNameHint": "HyperParameters."}},
    )
    names = [item["PropertyName"] for item in answer["PropertyNameSuggestions"]]
    assert "HyperParameters.num_round" in names


def test_a_part_can_be_copied(plain_daemon: TestDaemon):
    s3, bucket = plain_daemon.client("s3"), plain_daemon.config.bucket
    s3.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="copy")["UploadId"]
    part = s3.upload_part_copy(
        Bucket=bucket,
        Key="copy",
        UploadId=upload,
        PartNumber=1,
        CopySource={"Bucket": bucket, "Key": "source"},
        CopySourceRange="bytes=2-5",
    )["CopyPartResult"]
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key="copy",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"2345"


def test_what_is_not_implemented_says_where_to_look(plain_daemon: TestDaemon):
    sagemaker = plain_daemon.client("sagemaker")
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        sagemaker.list_domains()
    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "docs/coverage.md" in caught.value.response["Error"]["Message"]
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
