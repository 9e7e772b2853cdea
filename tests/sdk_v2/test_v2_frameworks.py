"""Scripts of the user's own, with the SDK's framework estimators."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import sources
from abalone import abalone_rows, as_csv
from sagemaker.exceptions import UnexpectedStatusException
from sagemaker.pytorch import PyTorch
from sagemaker.sklearn import SKLearn
from sagemaker.xgboost import XGBoost

INSTANCE = "ml.m5.large"


@pytest.fixture(scope="module")
def train_uri(session: Any, shared_data: Path) -> str:
    bucket = session.default_bucket()
    body = as_csv(abalone_rows(shared_data))
    return str(session.upload_string_as_file_body(body, bucket, "frameworks/train.csv"))


def sklearn(session: Any, role: str, folder: Path, **arguments: Any) -> SKLearn:
    return SKLearn(
        role=role,
        instance_type=INSTANCE,
        framework_version="1.2-1",
        sagemaker_session=session,
        hyperparameters={"alpha": 0.5, "label": "rings"},
        dependencies=[str(sources.dependency(folder / "libraries"))],
        metric_definitions=[{"Name": "r2", "Regex": "r2=([0-9.]+);"}],
        **arguments,
    )


def test_sklearn_with_a_source_folder_dependencies_and_requirements(
    session: Any,
    role: str,
    train_uri: str,
    tmp_path: Path,
    timed: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = sources.sklearn_source(tmp_path / "source")
    estimator = sklearn(session, role, tmp_path, entry_point="train.py", source_dir=str(folder))
    with timed("SKLearn.fit with requirements.txt"):
        estimator.fit({"train": train_uri})
    assert "label=rings wheel=42 dependency=beside" in capsys.readouterr().out
    job = estimator.latest_training_job.describe()
    assert job["HyperParameters"]["label"] == '"rings"'
    assert [metric["MetricName"] for metric in job["FinalMetricDataList"]] == ["r2"]
    attached = SKLearn.attach(job["TrainingJobName"], sagemaker_session=session)
    assert attached.hyperparameters()["label"] == '"rings"'
    assert attached.model_data == estimator.model_data


def test_xgboost_script(
    session: Any, role: str, train_uri: str, tmp_path: Path, timed: Any, capsys: Any
) -> None:
    folder = sources.script(tmp_path / "source", sources.XGBOOST)
    estimator = XGBoost(
        entry_point=str(folder / "train.py"),
        framework_version="1.7-1",
        role=role,
        instance_type=INSTANCE,
        instance_count=1,
        hyperparameters={"num-round": 6},
        sagemaker_session=session,
    )
    with timed("XGBoost.fit of a script"):
        estimator.fit({"train": train_uri})
    assert "rounds 6" in capsys.readouterr().out


def test_pytorch_script(
    session: Any, role: str, train_uri: str, tmp_path: Path, timed: Any, capsys: Any
) -> None:
    folder = sources.script(tmp_path / "source", sources.PYTORCH)
    estimator = PyTorch(
        entry_point="train.py",
        source_dir=str(folder),
        framework_version="2.3",
        py_version="py311",
        role=role,
        instance_type=INSTANCE,
        instance_count=1,
        sagemaker_session=session,
        disable_profiler=True,
    )
    with timed("PyTorch.fit"):
        estimator.fit({"train": train_uri})
    assert "loss=" in capsys.readouterr().out


def test_a_failing_script_says_where(
    session: Any, role: str, train_uri: str, tmp_path: Path
) -> None:
    folder = sources.script(tmp_path / "source", "def f():\n    return 1 / 0\n\n\nf()\n")
    estimator = sklearn(session, role, tmp_path, entry_point="train.py", source_dir=str(folder))
    with pytest.raises(UnexpectedStatusException, match="ZeroDivisionError"):
        estimator.fit({"train": train_uri}, logs=False)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An https address that Git finds in a folder of this machine."""
    work = tmp_path / "remote" / "code.git"
    sources.sklearn_source(work)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(work)]
    for step in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "code"]):
        subprocess.run([*git, *step], check=True)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.file://{work.parent}/.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://git.example.com/")
    return "https://git.example.com/code.git"


def test_code_from_a_git_repository(
    session: Any, role: str, train_uri: str, tmp_path: Path, repository: str
) -> None:
    estimator = SKLearn(
        entry_point="train.py",
        source_dir=".",
        git_config={"repo": repository, "branch": "main"},
        role=role,
        instance_type=INSTANCE,
        framework_version="1.2-1",
        sagemaker_session=session,
        hyperparameters={"alpha": 0.5, "label": "rings"},
    )
    # The code came; its dependency is in another folder and was not given.
    with pytest.raises(UnexpectedStatusException, match="No module named 'dependency'"):
        estimator.fit({"train": train_uri}, logs=False)


def test_a_repository_that_cannot_be_reached_is_refused_by_git(
    session: Any, role: str, tmp_path: Path
) -> None:
    estimator = SKLearn(
        entry_point="train.py",
        git_config={"repo": "https://127.0.0.1:9/code.git"},
        role=role,
        instance_type=INSTANCE,
        framework_version="1.2-1",
        sagemaker_session=session,
    )
    with pytest.raises(subprocess.CalledProcessError, match="clone"):
        estimator.fit(wait=False)
