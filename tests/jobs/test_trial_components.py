"""What a job says in its trial component."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.jobs import trial_components as components


@pytest.mark.parametrize(
    ("config", "place"),
    [
        ({}, ("own", "j-aws-training-job", False, None, "j")),
        ({"ExperimentName": "e"}, ("e", "j-aws-training-job", False, "", "j")),
        ({"TrialName": "t"}, ("own", "j-aws-training-job", False, "t", "j")),
        ({"RunName": "r"}, ("own", "r", True, None, "r")),
        (
            {"ExperimentName": "e", "TrialName": "t", "TrialComponentDisplayName": "d"},
            ("e", "j-aws-training-job", False, "t", "d"),
        ),
    ],
)
def test_where_a_job_belongs(config: dict[str, str], place: tuple[Any, ...]) -> None:
    found = components.placement("TrainingJob", "j", config, "own")
    assert found == components.Placement(*place)


def test_the_facts_of_a_training_job() -> None:
    parameters, artifacts = components.training_facts(
        {
            "AlgorithmSpecification": {"TrainingImage": "xgboost"},
            "HyperParameters": {"eta": "0.1"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
            "InputDataConfig": [
                {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3Uri": "s3://a"}}},
                {"ChannelName": "other", "DataSource": {"FileSystemDataSource": {}}},
            ],
            "ModelArtifacts": {"S3ModelArtifacts": "s3://m"},
            "DebugHookConfig": {"S3OutputPath": "s3://d"},
        }
    )
    assert parameters == {
        "eta": "0.1",
        "SageMaker.InstanceType": "ml.m5.large",
        "SageMaker.InstanceCount": "2",
        "SageMaker.ImageUri": "xgboost",
    }
    assert artifacts == {
        "bottega.input.train": "s3://a",
        "bottega.input.SageMaker.ImageUri": "xgboost",
        "bottega.output.SageMaker.ModelArtifact": "s3://m",
        "bottega.output.SageMaker.DebugHookOutput": "s3://d",
    }


NAMES = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=5)


@settings(max_examples=30)
@given(st.dictionaries(NAMES, st.text(max_size=5).filter(lambda v: not v.startswith("--"))))
def test_options_become_parameters(options: dict[str, str]) -> None:
    apart = [part for name, value in options.items() for part in (f"--{name}", value)]
    joined = [f"--{name}={value}" for name, value in options.items()]
    assert components.options(apart) == components.options(joined) == options
    flags = [f"--{name}" for name in options]
    assert components.options(["a.csv", *flags, "--"]) == dict.fromkeys(options, "true")
