"""The main job through unmodified boto3 on real data: upload, train, download, deploy, predict."""

from __future__ import annotations

import io
from pathlib import Path

import numpy
import pandas
import pytest
import xgboost

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import XGBOOST_IMAGE, channel, training_job

PARAMETERS = {
    "num_round": "300",
    "max_depth": "5",
    "eta": "0.08",
    "objective": "reg:squarederror",
    "eval_metric": "rmse",
    "seed": "0",
}
BASELINE_RMSE = 2.21


@pytest.fixture(scope="module")
def abalone(shared_data: Path) -> tuple[pandas.DataFrame, pandas.DataFrame]:
    """Label first, 80/20 split with seed 0, as the baseline was measured."""
    from sklearn.model_selection import train_test_split

    names = ["sex", *(f"c{n}" for n in range(1, 8)), "rings"]
    frame = pandas.read_csv(shared_data / "abalone" / "abalone.csv", header=None, names=names)
    frame["sex"] = frame["sex"].map({"M": 1, "F": 2, "I": 3})
    frame = frame[["rings", *names[:-1]]]
    return tuple(train_test_split(frame, test_size=0.2, random_state=0))


def test_train_deploy_predict(daemon: TestDaemon, abalone, tmp_path: Path):
    train, test = abalone
    environment = daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = daemon.client("s3"), daemon.client("sagemaker")
    for name, frame in (("train", train), ("validation", test)):
        file = tmp_path / f"{name}.csv"
        frame.to_csv(file, index=False, header=False)
        s3.upload_file(str(file), bucket, f"abalone/{name}/{name}.csv")

    created = sagemaker.create_training_job(
        **training_job(
            "abalone-1",
            bucket,
            role,
            HyperParameters=PARAMETERS,
            InputDataConfig=[
                channel("train", f"s3://{bucket}/abalone/train", "text/csv"),
                channel("validation", f"s3://{bucket}/abalone/validation", "text/csv"),
            ],
            Tags=[{"Key": "team", "Value": "shellfish"}],
        )
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="abalone-1", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    job = sagemaker.describe_training_job(TrainingJobName="abalone-1")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed"
    assert job["TrainingJobArn"] == created["TrainingJobArn"]
    statuses = [step["Status"] for step in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]

    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["validation:rmse"] == pytest.approx(BASELINE_RMSE, rel=0.03)

    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    key = uri.removeprefix(f"s3://{bucket}/")
    archive = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path / "model", filter="data")
    booster = xgboost.Booster()
    booster.load_model(bytearray((tmp_path / "model" / "xgboost-model").read_bytes()))
    features = test.iloc[:, 1:]
    local = booster.predict(xgboost.DMatrix(features.to_numpy()))
    rmse = float(numpy.sqrt(numpy.mean((local - test.iloc[:, 0].to_numpy()) ** 2)))
    assert rmse == pytest.approx(BASELINE_RMSE, rel=0.03)

    sagemaker.create_model(
        ModelName="abalone",
        ExecutionRoleArn=role,
        PrimaryContainer={"Image": XGBOOST_IMAGE, "ModelDataUrl": uri},
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName="abalone",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "abalone",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName="abalone", EndpointConfigName="abalone")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="abalone", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    body = features.to_csv(index=False, header=False)
    answer = daemon.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="abalone", ContentType="text/csv", Body=body
    )
    served = numpy.loadtxt(io.BytesIO(answer["Body"].read()), delimiter=",")
    numpy.testing.assert_allclose(served, local, rtol=0, atol=1e-5)

    sagemaker.delete_endpoint(EndpointName="abalone")
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="abalone", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
