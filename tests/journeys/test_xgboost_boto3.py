"""XGBoost through unmodified boto3 on RecordIO-protobuf: in pipes, requests and answers."""

from __future__ import annotations

import io
import json

import numpy
import pytest
import xgboost
from scipy import sparse

from bottega.algorithms.readers.record_protobuf import decode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import read_records
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1"
RECORDIO = "application/x-recordio-protobuf"
ROWS, COLUMNS = 400, 6
PARAMETERS = {"objective": "binary:logistic", "max_depth": 3, "nthread": 1}


@pytest.fixture(scope="module")
def rows() -> tuple[numpy.ndarray, numpy.ndarray]:
    random = numpy.random.default_rng(2)
    features = random.normal(size=(ROWS, COLUMNS)).astype(numpy.float32)
    return features, (features[:, 0] > features[:, 1]).astype(numpy.float32)


def records(features: object, labels: numpy.ndarray | None = None) -> bytes:
    file = io.BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def test_pipes_of_records_to_an_endpoint(
    plain_daemon: TestDaemon, rows: tuple[numpy.ndarray, numpy.ndarray]
) -> None:
    features, labels = rows
    environment = plain_daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = plain_daemon.client("s3"), plain_daemon.client("sagemaker")
    for number, part in enumerate((slice(0, 150), slice(150, 300))):
        body = records(features[part], labels[part])
        s3.put_object(Bucket=bucket, Key=f"rows/train/{number}.pbr", Body=body)
    text = "".join(
        ",".join(map(repr, [float(y), *map(float, row)])) + "\n"
        for y, row in zip(labels[300:], features[300:], strict=True)
    )
    s3.put_object(Bucket=bucket, Key="rows/validation/rows.csv", Body=text.encode())
    sagemaker.create_training_job(
        **training_job(
            "records-1",
            bucket,
            role,
            IMAGE,
            HyperParameters={
                **{name: str(value) for name, value in PARAMETERS.items()},
                "num_round": "20",
                "eval_metric": "logloss,auc",
            },
            InputDataConfig=[
                channel("train", f"s3://{bucket}/rows/train/", RECORDIO, mode="Pipe"),
                channel(
                    "validation", f"s3://{bucket}/rows/validation/", "text/csv", mode="FastFile"
                ),
            ],
        )
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="records-1", WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    job = sagemaker.describe_training_job(TrainingJobName="records-1")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    data = xgboost.DMatrix(features[:300], label=labels[:300])
    trained = xgboost.train(PARAMETERS, data, 20)
    expected = trained.predict(xgboost.DMatrix(features))
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    shown = trained.eval(xgboost.DMatrix(features[300:], label=labels[300:]))
    assert metrics["validation:logloss"] == pytest.approx(float(shown.rpartition(":")[2]), abs=1e-4)
    assert metrics["validation:auc"] > 0.9

    name = {"EndpointName": "records"}
    plain_daemon.deploy("records", IMAGE, job["ModelArtifacts"]["S3ModelArtifacts"])
    runtime = plain_daemon.client("sagemaker-runtime")

    def ask(content_type: str, accept: str, body: bytes) -> bytes:
        answer = runtime.invoke_endpoint(**name, ContentType=content_type, Accept=accept, Body=body)
        assert answer["ContentType"].partition(";")[0] == accept
        found: bytes = answer["Body"].read()
        return found

    lines = ["0 " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) for row in features]
    bodies = {
        "text/csv": "\n".join(",".join(map(repr, map(float, row))) for row in features).encode(),
        "text/libsvm": "\n".join(lines).encode(),
        RECORDIO: records(features),
        f"{RECORDIO}; of=sparse": records(sparse.csr_matrix(features)),
    }
    for content_type, body in bodies.items():
        found = numpy.loadtxt(io.BytesIO(ask(content_type, "text/csv", body)))
        numpy.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
    found = json.loads(ask(RECORDIO, "application/json", bodies[RECORDIO]))["predictions"]
    assert [row["score"] for row in found] == pytest.approx(expected.tolist(), abs=1e-6)
    found = [
        json.loads(line)
        for line in ask("text/csv", "application/jsonlines", bodies["text/csv"]).splitlines()
    ]
    assert [row["score"] for row in found] == pytest.approx(expected.tolist(), abs=1e-6)
    answer = io.BytesIO(ask(RECORDIO, RECORDIO, bodies[RECORDIO]))
    scores = [decode_record(payload).labels["score"][0] for payload in read_records(answer)]
    numpy.testing.assert_allclose(scores, expected, rtol=0, atol=1e-6)
    with pytest.raises(runtime.exceptions.ModelError) as error:
        ask(RECORDIO, "text/csv", b"1,2,3")
    assert error.value.response["OriginalStatusCode"] == 415
    sagemaker.delete_endpoint(**name)
