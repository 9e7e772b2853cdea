"""``ModelTrainer``: scripts with the SDK's own drivers, built-in algorithms, refusals."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from sagemaker.core import image_uris
from sagemaker.core.resources import TrainingJob
from sagemaker.core.shapes import CheckpointConfig, TensorBoardOutputConfig
from sagemaker.core.utils.exceptions import FailedStatusError
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    Compute,
    InfraCheckConfig,
    InputData,
    InstanceGroup,
    MetricDefinition,
    Networking,
    RemoteDebugConfig,
    RetryStrategy,
    SessionChainingConfig,
    SourceCode,
    StoppingCondition,
    Tag,
)
from sagemaker.train.distributed import MPI, Torchrun

REGION = "us-east-1"
INSTANCE = "ml.m5.large"
SKLEARN = image_uris.retrieve("sklearn", REGION, version="1.2-1")
XGBOOST = image_uris.retrieve("xgboost", REGION, version="1.7-1")
PYTORCH = image_uris.retrieve(
    "pytorch",
    REGION,
    version="2.3",
    py_version="py311",
    instance_type=INSTANCE,
    image_scope="training",
)

TRAIN = """
import argparse, json, os
import greeting
import pandas
from sklearn.linear_model import LinearRegression

parser = argparse.ArgumentParser()
parser.add_argument("--alpha", type=float)
parser.add_argument("--title")
arguments = parser.parse_args()
folder = os.environ["SM_CHANNEL_TRAIN"]
table = pandas.concat(
    pandas.read_csv(os.path.join(folder, name), header=None) for name in os.listdir(folder)
)
model = LinearRegression().fit(table.iloc[:, 1:-1], table.iloc[:, -1])
print(greeting.WORD, len(table), "rows; score", model.score(table.iloc[:, 1:-1], table.iloc[:, -1]))
found = {
    "alpha": arguments.alpha,
    "title": arguments.title,
    "coefficients": list(model.coef_),
    "host": os.environ["SM_CURRENT_HOST"],
    "hosts": json.loads(os.environ["SM_HOSTS"]),
    "own": os.environ["OWN_VARIABLE"],
}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
    json.dump(found, file)
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "note.txt"), "w") as file:
    file.write("done")
"""


def wheel(folder: Path) -> str:
    """A wheel of a module ``greeting``, for jobs that may not ask the network."""
    name = "greeting-1.0-py3-none-any.whl"
    info = "greeting-1.0.dist-info"
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.writestr("greeting.py", 'WORD = "welcome"\n')
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(
            f"{info}/RECORD", f"greeting.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n"
        )
    return name


def script(folder: Path, text: str) -> str:
    (folder / "train.py").write_text(text)
    return str(folder)


def archive(session: Any, uri: str) -> tarfile.TarFile:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    body = session.boto_session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return tarfile.open(fileobj=io.BytesIO(body))


def test_a_script_with_requirements(
    session: Any, shared_data: Path, tmp_path: Path, timed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """The SDK's drivers: bash, python3, a writable /opt/ml/input, packages into the running
    Python."""
    (tmp_path / "requirements.txt").write_text(f"./{wheel(tmp_path)}\n")
    caplog.set_level(logging.INFO, "sagemaker")
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(
            source_dir=script(tmp_path, TRAIN),
            entry_script="train.py",
            requirements="requirements.txt",
        ),
        base_job_name="script",
        hyperparameters={"alpha": 0.5, "title": "two words"},
        environment={"OWN_VARIABLE": "$HOME stays as it is"},
        tags=[Tag(key="team", value="shellfish")],
    )
    data = str(shared_data / "abalone" / "abalone.csv")
    with timed("train, 1 second of work"):
        trainer.train(input_data_config=[InputData(channel_name="train", data_source=data)])
    job = trainer._latest_training_job
    assert job.training_job_status == "Completed"
    assert "welcome 4177 rows; score 0.5" in caplog.text
    with archive(session, job.model_artifacts.s3_model_artifacts) as model:
        found = json.load(model.extractfile("model.json"))
    assert found["alpha"] == 0.5
    assert found["title"] == "two words"
    assert found["hosts"] == [found["host"]] == ["algo-1"]
    assert found["own"] == "$HOME stays as it is"
    assert len(found["coefficients"]) == 7
    with archive(session, trainer.output_data) as output:
        assert output.extractfile("note.txt").read() == b"done"
    described = TrainingJob.get(job.training_job_name)
    assert described.stopping_condition.max_runtime_in_seconds == 3600
    assert described.hyper_parameters == {"alpha": "0.5", "title": "two words"}
    tags = session.sagemaker_client.list_tags(ResourceArn=job.training_job_arn)["Tags"]
    assert tags == [{"Key": "team", "Value": "shellfish"}]


def test_a_command_on_two_hosts_without_network(
    session: Any, tmp_path: Path, timed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sagemaker")
    (tmp_path / "hello.txt").write_text("hello")
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(
            source_dir=str(tmp_path),
            command='echo "$(cat hello.txt) from $SM_CURRENT_HOST_RANK of $SM_HOST_COUNT"',
        ),
        base_job_name="command",
        compute=Compute(instance_type="ml.m5.large", instance_count=2),
        networking=Networking(enable_network_isolation=True),
        stopping_condition=StoppingCondition(max_runtime_in_seconds=600),
        checkpoint_config=CheckpointConfig(s3_uri=f"s3://{session.default_bucket()}/checkpoints"),
    )
    with timed("train on two hosts"):
        trainer.train()
    assert trainer._latest_training_job.training_job_status == "Completed"
    assert "hello from 0 of 2" in caplog.text
    assert "hello from 1 of 2" in caplog.text


def test_a_script_that_fails(tmp_path: Path, timed: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sagemaker")
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(
            source_dir=script(tmp_path, "raise RuntimeError('no shells today')"),
            entry_script="train.py",
        ),
        base_job_name="fails",
    )
    with timed("a failing job"), pytest.raises(FailedStatusError, match="AlgorithmError"):
        trainer.train()
    assert "RuntimeError: no shells today" in caplog.text
    assert trainer._latest_training_job.training_job_status == "Failed"


def test_a_built_in_algorithm(
    session: Any, shared_data: Path, tmp_path: Path, timed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sagemaker")
    lines = (shared_data / "abalone" / "abalone.libsvm").read_text().splitlines(keepends=True)
    for name, part in (("train", lines[:3300]), ("validation", lines[3300:])):
        (tmp_path / f"{name}.libsvm").write_text("".join(part))
    trainer = ModelTrainer(
        training_image=XGBOOST,
        base_job_name="builtin",
        hyperparameters={"objective": "reg:squarederror", "num_round": 20, "max_depth": 4},
    )
    channels = [
        InputData(
            channel_name=name,
            data_source=session.upload_data(str(tmp_path / f"{name}.libsvm"), key_prefix=name),
            content_type="text/libsvm",
        )
        for name in ("train", "validation")
    ]
    with timed("train XGBoost"):
        trainer.train(input_data_config=channels)
    job = TrainingJob.get(trainer._latest_training_job.training_job_name)
    metrics = {metric.metric_name: metric.value for metric in job.final_metric_data_list}
    assert 1.5 < metrics["validation:rmse"] < 2.6
    assert "validation-rmse" in caplog.text
    assert job.secondary_status_transitions[-1].status_message == "Training job completed"


def test_a_run_without_waiting_is_waited_for_later(tmp_path: Path, timed: Any) -> None:
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(
            source_dir=script(tmp_path, "print('quick')"), entry_script="train.py"
        ),
        base_job_name="later",
    )
    assert trainer.train(dry_run=True) is None
    assert trainer._latest_training_job is None
    trainer.train(wait=False, logs=False)
    job = trainer._latest_training_job
    with timed("wait"):
        job.wait(logs=True)
    assert job.training_job_status == "Completed"


def test_what_is_refused(tmp_path: Path) -> None:
    unknown = image_uris.retrieve("ntm", REGION)
    trainer = ModelTrainer(training_image=unknown, base_job_name="refused")
    with pytest.raises(botocore.exceptions.ClientError, match="does not run here"):
        trainer.train()
    bad = ModelTrainer(
        training_image=XGBOOST, base_job_name="refused", hyperparameters={"num_round": "many"}
    )
    with pytest.raises(botocore.exceptions.ClientError, match="num_round"):
        bad.train()
    with pytest.raises(ValueError, match="Invalid 'entry_script'"):
        ModelTrainer(
            training_image=SKLEARN,
            source_code=SourceCode(source_dir=str(tmp_path), entry_script="absent.py"),
        )


def test_what_a_job_may_be_configured_with(session: Any, tmp_path: Path) -> None:
    bucket = session.default_bucket()
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(
            source_dir=script(tmp_path, "print('loss: 0.25;')"), entry_script="train.py"
        ),
        base_job_name="configured",
        compute=Compute(enable_managed_spot_training=True, keep_alive_period_in_seconds=60),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=60, max_wait_time_in_seconds=90
        ),
        networking=Networking(subnets=["subnet-1234"], security_group_ids=["sg-1234"]),
    )
    trainer.with_metric_definitions([MetricDefinition(name="loss", regex="loss: ([0-9.]+);")])
    trainer.with_checkpoint_config(CheckpointConfig(s3_uri=f"s3://{bucket}/kept"))
    trainer.with_tensorboard_output_config(
        TensorBoardOutputConfig(s3_output_path=f"s3://{bucket}/board")
    )
    trainer.with_retry_strategy(RetryStrategy(maximum_retry_attempts=2))
    trainer.with_infra_check_config(InfraCheckConfig(enable_infra_check=False))
    trainer.with_remote_debug_config(RemoteDebugConfig(enable_remote_debug=False))
    trainer.with_session_chaining_config(SessionChainingConfig(enable_session_tag_chaining=False))
    trainer.train()
    job = TrainingJob.get(trainer._latest_training_job.training_job_name)
    (metric,) = job.final_metric_data_list
    assert (metric.metric_name, metric.value) == ("loss", 0.25)
    assert job.enable_managed_spot_training is True
    assert job.stopping_condition.max_wait_time_in_seconds == 90
    assert job.resource_config.keep_alive_period_in_seconds == 60
    assert job.vpc_config.subnets == ["subnet-1234"]
    assert job.checkpoint_config.s3_uri == f"s3://{bucket}/kept"
    assert job.tensor_board_output_config.s3_output_path == f"s3://{bucket}/board"
    assert job.retry_strategy.maximum_retry_attempts == 2
    groups = [InstanceGroup(instance_type=INSTANCE, instance_count=1, instance_group_name="a")]
    grouped = ModelTrainer(
        training_image=SKLEARN, base_job_name="groups", compute=Compute(instance_groups=groups)
    )
    with pytest.raises(botocore.exceptions.ClientError, match="InstanceGroups is not supported"):
        grouped.train()


def test_processes_of_torchrun(
    tmp_path: Path, timed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sagemaker")
    # One write a line: the processes share their output.
    text = "import os\nprint('rank {RANK} of {WORLD_SIZE}\\n'.format_map(os.environ), end='')\n"
    trainer = ModelTrainer(
        training_image=PYTORCH,
        source_code=SourceCode(source_dir=script(tmp_path, text), entry_script="train.py"),
        base_job_name="torchrun",
        distributed=Torchrun(process_count_per_node=2),
    )
    with timed("train with torchrun"):
        trainer.train()
    assert "rank 0 of 2" in caplog.text
    assert "rank 1 of 2" in caplog.text


def test_mpi_is_not_in_the_container(tmp_path: Path) -> None:
    trainer = ModelTrainer(
        training_image=SKLEARN,
        source_code=SourceCode(source_dir=script(tmp_path, ""), entry_script="train.py"),
        base_job_name="mpi",
        distributed=MPI(process_count_per_node=1),
    )
    with pytest.raises(FailedStatusError, match="AlgorithmError"):
        trainer.train()
