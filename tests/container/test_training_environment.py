"""What a job knows of itself, and the variables a script sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bottega.container.environment import ConfigurationMissing, TrainingEnvironment
from bottega.container.paths import ContainerPaths
from bottega.testing.job_folder import JobFolder

RAW = {
    "epochs": "3",
    "learning_rate": "0.1",
    "batch-size": "16",
    "name": "x y",
    "flag": "true",
    "layers": "[1, 2]",
    "options": '{"b": 2, "a": 1}',
    "v": "5",
    "sagemaker_program": "train.py",
    "sagemaker_submit_directory": "s3://bucket/job/source/sourcedir.tar.gz",
    "sagemaker_container_log_level": "10",
    "sagemaker_job_name": "job-1",
    "sagemaker_region": "us-east-1",
    "sagemaker_mpi_enabled": "false",
    "_tuning_objective_metric": "loss",
}


def environment(root: Path, raw: dict[str, str] = RAW) -> TrainingEnvironment:
    folder = JobFolder(root / "ml", raw, hosts=("algo-1", "algo-2"), host="algo-2")
    folder.channel("validation", None, {"b": "1"}).channel("train-data", "text/csv", {"a": "1"})
    return folder.read()


def test_every_variable_of_the_table(tmp_path: Path) -> None:
    found = environment(tmp_path)
    root = str(tmp_path / "ml")
    variables = found.variables()
    parsed = {"SM_HPS", "SM_RESOURCE_CONFIG", "SM_INPUT_DATA_CONFIG", "SM_TRAINING_ENV"}
    parsed |= {"SM_FRAMEWORK_PARAMS", "SM_INSTANCE_GROUPS_DICT", "SM_USER_ARGS"}
    assert {name: variables[name] for name in variables if name not in parsed} == {
        "SM_MODEL_DIR": f"{root}/model",
        "SM_INPUT_DIR": f"{root}/input",
        "SM_INPUT_CONFIG_DIR": f"{root}/input/config",
        "SM_OUTPUT_DIR": f"{root}/output",
        "SM_OUTPUT_DATA_DIR": f"{root}/output/data",
        "SM_OUTPUT_INTERMEDIATE_DIR": f"{root}/output/intermediate",
        "SM_CHANNELS": '["train-data","validation"]',
        "SM_CHANNEL_TRAIN-DATA": f"{root}/input/data/train-data",
        "SM_CHANNEL_VALIDATION": f"{root}/input/data/validation",
        "SM_HP_EPOCHS": "3",
        "SM_HP_LEARNING_RATE": "0.1",
        "SM_HP_BATCH-SIZE": "16",
        "SM_HP_NAME": "x y",
        "SM_HP_FLAG": "true",
        "SM_HP_LAYERS": "[1,2]",
        "SM_HP_OPTIONS": '{"a":1,"b":2}',
        "SM_HP_V": "5",
        "SM_USER_ENTRY_POINT": "train.py",
        "SM_MODULE_NAME": "train",
        "SM_MODULE_DIR": "s3://bucket/job/source/sourcedir.tar.gz",
        "SM_FRAMEWORK_MODULE": "",
        "SM_HOSTS": '["algo-1","algo-2"]',
        "SM_CURRENT_HOST": "algo-2",
        "SM_NETWORK_INTERFACE_NAME": "lo",
        "SM_CURRENT_INSTANCE_TYPE": "ml.m5.large",
        "SM_CURRENT_INSTANCE_GROUP": "homogeneousCluster",
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": '["algo-1","algo-2"]',
        "SM_INSTANCE_GROUPS": '["homogeneousCluster"]',
        "SM_DISTRIBUTION_INSTANCE_GROUPS": "[]",
        "SM_IS_HETERO": "false",
        "SM_NUM_CPUS": str(found.cpus),
        "SM_NUM_GPUS": str(found.gpus),
        "SM_NUM_NEURONS": "0",
        "SM_LOG_LEVEL": "10",
    }
    hyperparameters = {
        "epochs": 3,
        "learning_rate": 0.1,
        "batch-size": 16,
        "name": "x y",
        "flag": True,
        "layers": [1, 2],
        "options": {"a": 1, "b": 2},
        "v": 5,
    }
    values = {name: json.loads(variables[name]) for name in parsed}
    assert values["SM_HPS"] == hyperparameters
    assert values["SM_FRAMEWORK_PARAMS"] == {"sagemaker_mpi_enabled": False}
    assert values["SM_RESOURCE_CONFIG"]["current_host"] == "algo-2"
    assert values["SM_INPUT_DATA_CONFIG"]["train-data"]["ContentType"] == "text/csv"
    assert values["SM_INSTANCE_GROUPS_DICT"]["homogeneousCluster"]["hosts"] == ["algo-1", "algo-2"]
    training = values["SM_TRAINING_ENV"]
    assert training["hyperparameters"] == hyperparameters
    assert training["job_name"] == tmp_path.name
    assert training["is_master"] is False
    assert training["channel_input_dirs"]["validation"] == f"{root}/input/data/validation"
    # The order of the names, a one-letter name with one dash, values as Python writes them.
    assert values["SM_USER_ARGS"] == [
        *("--batch-size", "16", "--epochs", "3", "--flag", "True", "--layers", "[1, 2]"),
        *("--learning_rate", "0.1", "--name", "x y", "--options", "a=1,b=2", "-v", "5"),
    ]


def test_both_ways_to_write_a_hyperparameter(tmp_path: Path) -> None:
    plain = environment(tmp_path / "a", {"a": "1", "b": "x", "c": "x,y", "d": ""})
    encoded = environment(tmp_path / "b", {"a": "1", "b": '"x"', "c": '"x,y"', "d": '""'})
    assert plain.user_hyperparameters == encoded.user_hyperparameters
    assert plain.user_arguments() == encoded.user_arguments()


def test_the_first_host_leads(tmp_path: Path) -> None:
    found = environment(tmp_path)
    assert (found.master, found.is_master) == ("algo-1", False)
    assert found.address("algo-1") == "127.0.0.1"
    assert found.address("somewhere") == "somewhere"


def test_checkpoints_lie_below_the_root(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path / "ml")
    assert folder.read().checkpoints is None
    folder.config("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints/x"})
    assert folder.read().checkpoints == tmp_path / "ml" / "checkpoints" / "x"
    folder.config("checkpointconfig", {"S3Uri": "s3://b/c"})
    assert folder.read().checkpoints == tmp_path / "ml" / "checkpoints"


def test_the_root_is_opt_ml_unless_told_otherwise() -> None:
    assert ContainerPaths.of({}).model == Path("/opt/ml/model")
    assert ContainerPaths.of({"BOTTEGA_ML_ROOT": "/x"}).failure == Path("/x/output/failure")


@pytest.mark.parametrize("content", [None, "no json", "[]"])
def test_a_missing_or_broken_file_is_named(tmp_path: Path, content: str | None) -> None:
    folder = JobFolder(tmp_path / "ml")
    path = folder.read().paths.resource_config_file
    if content is None:
        path.unlink()
    else:
        path.write_text(content)
    with pytest.raises(ConfigurationMissing, match="resourceconfig"):
        folder.read()
