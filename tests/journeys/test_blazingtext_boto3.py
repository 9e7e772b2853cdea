"""BlazingText through unmodified boto3: train, deploy and ask, for each of its two models."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
TOPICS = {
    "sea": ["ship", "wave", "harbour", "sailor", "tide", "whale", "anchor", "reef"],
    "sky": ["cloud", "wing", "pilot", "storm", "moon", "plane", "kite", "star"],
}
PAIRS = "ship wave 9\nship sailor 8\ncloud wing 9\nship cloud 1\nkite tide 0\n"


@pytest.fixture(scope="module")
def texts() -> list[tuple[str, str]]:
    rnd = random.Random(5)
    topics = [rnd.choice(list(TOPICS)) for _ in range(600)]
    return [(topic, " ".join(rnd.choices(TOPICS[topic], k=8))) for topic in topics]


def train(daemon: TestDaemon, name: str, hyperparameters: dict[str, str], channels: list[Any]):
    environment = daemon.environment()
    sagemaker = daemon.client("sagemaker")
    request = training_job(
        name,
        environment["BOTTEGA_BUCKET"],
        environment["BOTTEGA_ROLE_ARN"],
        HyperParameters=hyperparameters,
        InputDataConfig=channels,
    )
    request["AlgorithmSpecification"]["TrainingImage"] = IMAGE
    sagemaker.create_training_job(**request)
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    job = sagemaker.describe_training_job(TrainingJobName=name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job


def ask(daemon: TestDaemon, name: str, body: str, content_type: str) -> str:
    answer = daemon.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType=content_type, Accept=content_type, Body=body
    )
    assert answer["ContentType"] == content_type
    return answer["Body"].read().decode()


def upload(daemon: TestDaemon, key: str, content: str) -> str:
    bucket = daemon.environment()["BOTTEGA_BUCKET"]
    daemon.client("s3").put_object(Bucket=bucket, Key=key, Body=content.encode())
    return f"s3://{bucket}/{key}"


def artifact(daemon: TestDaemon, uri: str, folder: Path) -> set[str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    content = daemon.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")
    return {path.name for path in folder.iterdir()}


def test_text_classification(daemon: TestDaemon, texts, tmp_path: Path) -> None:
    lines = [f"__label__{topic} {text}\n" for topic, text in texts]
    channels = [
        channel(name, upload(daemon, f"{name}/{name}.txt", "".join(part)), "text/plain")
        for name, part in (("train", lines[:500]), ("validation", lines[500:]))
    ]
    hyperparameters = {
        "mode": "supervised", "epochs": "10", "learning_rate": "0.5", "vector_dim": "16",
        "word_ngrams": "2", "buckets": "10000", "early_stopping": "True", "min_epochs": "3",
    }  # fmt: skip
    job = train(daemon, "topics-1", hyperparameters, channels)
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["validation:accuracy"] == 1.0
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact(daemon, uri, tmp_path) == {"model.bin"}

    daemon.deploy("topics", IMAGE, uri)
    body = {"instances": ["ship tide reef", "moon kite star"], "configuration": {"k": 2}}
    first, second = json.loads(ask(daemon, "topics", json.dumps(body), "application/json"))
    assert first["label"] == ["__label__sea", "__label__sky"]
    assert second["label"] == ["__label__sky", "__label__sea"]
    assert sum(first["prob"]) == pytest.approx(1, abs=1e-4)
    lines_of = '{"source": "ship tide reef"}\n{"source": "moon kite star", "k": 2}\n'
    answer = ask(daemon, "topics", lines_of, "application/jsonlines").splitlines()
    assert [json.loads(line)["label"] for line in answer] == [
        ["__label__sea"],
        ["__label__sky", "__label__sea"],
    ]
    with pytest.raises(daemon.client("sagemaker-runtime").exceptions.ModelError) as error:
        ask(daemon, "topics", '{"texts": []}', "application/json")
    assert error.value.response["OriginalStatusCode"] == 400
    assert "instances" in error.value.response["OriginalMessage"]


def test_word_vectors(daemon: TestDaemon, texts, tmp_path: Path) -> None:
    plain = upload(daemon, "plain/text.txt", "".join(f"{text}\n" for _, text in texts))
    pairs = upload(daemon, "eval/EN-WS-353-ALL.txt", PAIRS)
    hyperparameters = {
        "mode": "skipgram", "epochs": "20", "vector_dim": "16", "subwords": "True",
        "buckets": "10000", "sampling_threshold": "0",
    }  # fmt: skip
    channels = [
        channel("train", plain, "text/plain"),
        channel("eval", pairs.rpartition("/")[0], "text/plain"),
    ]
    job = train(daemon, "vectors-1", hyperparameters, channels)
    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert artifact(daemon, uri, tmp_path) == {"vectors.txt", "vectors.bin", "eval.json"}
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    found = json.loads((tmp_path / "eval.json").read_text())["mean_rho"]
    assert metrics["train:mean_rho"] == pytest.approx(found)
    assert found > 0.5

    daemon.deploy("vectors", IMAGE, uri)
    body = json.dumps({"instances": ["ship", "shipp"]})
    answers = json.loads(ask(daemon, "vectors", body, "application/json"))
    assert [answer["word"] for answer in answers] == ["ship", "shipp"]
    known = {
        line.split()[0]: [float(value) for value in line.split()[1:]]
        for line in (tmp_path / "vectors.txt").read_text().splitlines()[1:]
    }
    assert answers[0]["vector"] == pytest.approx(known["ship"], abs=1e-5)
    assert len(answers[1]["vector"]) == 16
    assert any(answers[1]["vector"])


@pytest.mark.parametrize("wrapped", [False, True], ids=["values", "records"])
def test_augmented_manifest_through_a_pipe(daemon: TestDaemon, texts, wrapped: bool) -> None:
    numbers = {"sea": 1, "sky": [2]}
    lines = [json.dumps({"source": text, "label": numbers[topic]}) for topic, text in texts]
    channels = []
    for name, part in (("train", lines[:500]), ("validation", lines[500:])):
        key = f"piped/{wrapped}-{name}.manifest"
        channels.append(
            channel(
                name,
                upload(daemon, key, "\n".join(part)),
                mode="Pipe",
                records=wrapped,
                S3DataType="AugmentedManifestFile",
                AttributeNames=["source", "label"],
            )
        )
    hyperparameters = {
        "mode": "supervised", "learning_rate": "0.5", "vector_dim": "16", "buckets": "10000",
    }  # fmt: skip
    job = train(daemon, f"piped-{wrapped}", hyperparameters, channels)
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics["validation:accuracy"] == 1.0
