"""Translation through unmodified boto3 on real data: upload, train, deploy, translate."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest

from bottega.algorithms.readers.record_protobuf import decode_record, encode_record
from bottega.algorithms.readers.recordio import frame, read_records
from bottega.algorithms.registry import algorithm
from bottega.algorithms.seq2seq.prepare import Text
from bottega.algorithms.seq2seq.prepare import main as prepare
from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega.testing.requests import channel, training_job

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/seq2seq:1"
RECORDIO = "application/x-recordio-protobuf"
PARAMETERS = {
    "max_seq_len_source": "20",
    "max_seq_len_target": "20",
    "rnn_num_hidden": "64",
    "num_embed_source": "48",
    "num_embed_target": "48",
    "learning_rate": "0.005",
    "batch_size": "32",
    "optimized_metric": "bleu",
    "bleu_sample_size": "50",
    "checkpoint_frequency_num_batches": "30",
    "max_num_batches": "60",
}
PAIRS = 1000


@pytest.fixture(scope="module")
def files(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The channels of the first captions of Multi30k."""
    folder = tmp_path_factory.mktemp("multi30k")
    texts = []
    for part, count in (("train", PAIRS), ("val", 100)):
        for language in ("en", "de"):
            path = shared_data / "multi30k-en-de" / f"{part}.{language}.gz"
            lines = [" ".join(tokens) for tokens in Text(True, True).read(path)]
            text = folder / f"{part}.{language}"
            text.write_text("\n".join(lines[:count]) + "\n", encoding="utf-8")
            texts.append(str(text))
    names = ("--source", "--target", "--val-source", "--val-target")
    arguments = [word for pair in zip(names, texts, strict=True) for word in pair]
    more = ["--word-min-count-source", "2", "--word-min-count-target", "2"]
    assert prepare([*arguments, "--output", str(folder), *more]) == 0
    return folder


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_train_deploy_translate(daemon: TestDaemon, files: Path, tmp_path: Path):
    environment = daemon.environment()
    bucket, role = environment["BOTTEGA_BUCKET"], environment["BOTTEGA_ROLE_ARN"]
    s3, sagemaker = daemon.client("s3"), daemon.client("sagemaker")
    for name, key in (
        ("train.rec", "train"),
        ("val.rec", "validation"),
        ("vocab.src.json", "vocab"),
        ("vocab.trg.json", "vocab"),
    ):
        s3.upload_file(str(files / name), bucket, f"multi30k/{key}/{name}")
    sagemaker.create_training_job(
        **training_job(
            "translate-1",
            bucket,
            role,
            IMAGE,
            HyperParameters=PARAMETERS,
            InputDataConfig=[
                channel("train", f"s3://{bucket}/multi30k/train", RECORDIO),
                channel("validation", f"s3://{bucket}/multi30k/validation", RECORDIO),
                channel("vocab", f"s3://{bucket}/multi30k/vocab", "application/json"),
            ],
        )
    )
    sagemaker.get_waiter("training_job_completed_or_stopped").wait(
        TrainingJobName="translate-1", WaiterConfig={"Delay": 1, "MaxAttempts": 150}
    )
    job = sagemaker.describe_training_job(TrainingJobName="translate-1")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = {item["MetricName"]: item["Value"] for item in job["FinalMetricDataList"]}
    assert metrics.keys() == {"validation:perplexity", "validation:accuracy", "validation:bleu"}
    # Guessing by the frequencies of words has a perplexity of about 200.
    assert metrics["validation:perplexity"] < 100
    assert 0.15 < metrics["validation:accuracy"] < 1
    assert 0 < metrics["validation:bleu"] < 1

    uri = job["ModelArtifacts"]["S3ModelArtifacts"]
    archive = s3.get_object(Bucket=bucket, Key=uri.removeprefix(f"s3://{bucket}/"))["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tmp_path / "model", filter="data")
    local = algorithm("seq2seq")
    model = local.load(tmp_path / "model", {})
    sentences = ["a man in a red shirt .", "two dogs are playing in the snow ."]
    lines = "".join(json.dumps({"source": text}) + "\n" for text in sentences).encode()
    expected = local.predict(model, lines, "application/jsonlines", "")[0]
    targets = [json.loads(line)["target"] for line in expected.splitlines()]

    daemon.deploy("translate", IMAGE, uri)
    runtime = daemon.client("sagemaker-runtime")

    def ask(body: bytes, content_type: str) -> bytes:
        answer = runtime.invoke_endpoint(
            EndpointName="translate", ContentType=content_type, Body=body
        )
        assert answer["ContentType"] == content_type
        return bytes(answer["Body"].read())

    assert ask(lines, "application/jsonlines") == expected
    configuration = {"attention_matrix": "true"}
    instances = [{"data": text, "configuration": configuration} for text in sentences]
    body = json.dumps({"instances": instances}).encode()
    predictions = json.loads(ask(body, "application/json"))["predictions"]
    assert [row["target"] for row in predictions] == targets
    for row, text in zip(predictions, sentences, strict=True):
        matrix = np.array(row["matrix"])
        assert matrix.shape == (len(row["target"].split()), len(text.split()))
    records = b"".join(
        frame(encode_record({"source": np.array(model.source.encode(text.split()), np.int32)}))
        for text in sentences
    )
    answers = read_records(io.BytesIO(ask(records, RECORDIO)))
    ids = [decode_record(payload).features["target"] for payload in answers]
    assert [" ".join(model.target.decode(found)) for found in ids] == targets

    sagemaker.delete_endpoint(EndpointName="translate")
    sagemaker.get_waiter("endpoint_deleted").wait(
        EndpointName="translate", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
