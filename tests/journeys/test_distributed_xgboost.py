"""XGBoost over two hosts through the API: one model, nearly that of one host, saved once."""

from __future__ import annotations

import io
import tarfile

import numpy
import pytest
import xgboost
from sklearn.datasets import load_diabetes

from bottega.testing.daemon import TestDaemon, eventually
from bottega.testing.requests import XGBOOST_IMAGE, channel, training_job

ROUNDS = 40


@pytest.mark.slow
def test_two_hosts_train_one_model(plain_daemon: TestDaemon):
    features, target = load_diabetes(return_X_y=True)
    rows = numpy.column_stack([target, features])
    config, s3 = plain_daemon.config, plain_daemon.client("s3")
    sagemaker = plain_daemon.client("sagemaker")
    for number, part in enumerate(numpy.array_split(rows, 4)):
        text = io.StringIO()
        numpy.savetxt(text, part, delimiter=",")
        body = text.getvalue().encode()
        s3.put_object(Bucket=config.bucket, Key=f"diabetes/part-{number}.csv", Body=body)
    errors = {}
    for hosts, isolated in ((1, False), (2, False), (2, True)):
        name = f"hosts-{hosts}-{'isolated' if isolated else 'open'}"
        source = {"S3DataDistributionType": "ShardedByS3Key"} if hosts > 1 else {}
        request = training_job(
            name,
            config.bucket,
            config.role_arn,
            XGBOOST_IMAGE,
            HyperParameters={"num_round": str(ROUNDS), "max_depth": "3", "tree_method": "hist"},
            InputDataConfig=[
                channel("train", f"s3://{config.bucket}/diabetes/", "text/csv", **source)
            ],
            ResourceConfig={
                "InstanceType": "ml.m5.large",
                "InstanceCount": hosts,
                "VolumeSizeInGB": 1,
            },
            EnableNetworkIsolation=isolated,
        )
        sagemaker.create_training_job(**request)

        def ended(name: str = name) -> dict | None:
            job = sagemaker.describe_training_job(TrainingJobName=name)
            return job if job["TrainingJobStatus"] in ("Completed", "Failed") else None

        job = eventually(ended, f"{name} ends")
        reason = job.get("FailureReason", "")
        if isolated and "network" in reason:
            pytest.skip(f"this machine cannot isolate: {reason}")
        assert job["TrainingJobStatus"] == "Completed", reason
        key = f"output/{name}/output/model.tar.gz"
        archive = s3.get_object(Bucket=config.bucket, Key=key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            model = tar.extractfile("xgboost-model").read()
        booster = xgboost.Booster()
        booster.load_model(bytearray(model))
        assert booster.num_boosted_rounds() == ROUNDS
        predicted = booster.predict(xgboost.DMatrix(features))
        errors[name] = float(numpy.sqrt(numpy.mean((predicted - target) ** 2)))
    alone = errors["hosts-1-open"]
    assert errors["hosts-2-open"] == pytest.approx(alone, rel=0.1)
    assert errors["hosts-2-isolated"] == pytest.approx(alone, rel=0.1)
