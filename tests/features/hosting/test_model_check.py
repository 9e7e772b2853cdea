"""CheckModel: what is said of models before they are deployed."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.testing.hosting import HostingStudio, archive

MODEL_FN = "def model_fn(model_dir):\n    return None\n"
HERE = f"{sys.version_info[0]}.{sys.version_info[1]}.0"


def check(studio: HostingStudio, files: dict[str, bytes | str] | bytes, **more: Any) -> list[Any]:
    """What is found of a container with these files: severity, place and text of each."""
    ports = studio.studio.ports
    data = files if isinstance(files, bytes) else archive(files)
    ports.objects.put(ports.config.bucket, "m.tar.gz", data)
    container = {
        "Image": "python",
        "ModelDataUrl": f"s3://{ports.config.bucket}/m.tar.gz",
        **more,
    }
    found = studio.ask("CheckModel", Container=container)["Findings"]
    return [(one["Severity"], one["Where"], one["Message"]) for one in found]


def mlmodel(python: str = HERE, flavour: str = "python_function") -> str:
    return f"flavors:\n  {flavour}:\n    python_version: {python}\n"


@pytest.mark.parametrize(
    "files",
    [
        {"code/inference.py": MODEL_FN},
        {"code/inference.py": "from elsewhere import model_fn\n"},
        {"code/inference.py": "globals()['model_fn'] = print\n"},
        {"model.joblib": b"any"},
        {"saved/MLmodel": mlmodel()},
    ],
)
def test_nothing_is_found_of_what_is_right(
    still: HostingStudio, files: dict[str, bytes | str]
) -> None:
    if "saved/MLmodel" in files:
        pytest.importorskip("mlflow", reason="MLflow is not installed")
    assert check(still, files) == []


@pytest.mark.parametrize(
    ("files", "severity", "where", "text"),
    [
        ({"x": b""}, "Error", "code/inference.py", "model.onnx"),
        ({"code/inference.py": "def f(:\n"}, "Error", "code/inference.py", "(line 1)"),
        ({"code/inference.py": "x = 1\n"}, "Error", "code/inference.py", "no model_fn"),
        (
            {"code/inference.py": f"{MODEL_FN}transform_fn = input_fn = print\n"},
            "Error",
            "code/inference.py",
            "transform_fn together",
        ),
        (
            {"code/inference.py": MODEL_FN, "code/requirements.txt": "numpy\nno-such-one>=2\n"},
            "Warning",
            "code/requirements.txt",
            "no-such-one>=2",
        ),
        ({"code/serve": "", "model.pkl": b""}, "Warning", "code/serve", "chmod +x"),
        ({"MLmodel": mlmodel("2.7.1")}, "Warning", "MLmodel", "Python 2.7.1"),
        ({"MLmodel": mlmodel(flavour="spark")}, "Error", "MLmodel", "python_function"),
        ({"MLmodel": "a: [\n"}, "Error", "MLmodel", "cannot be read"),
    ],
)
def test_what_is_wrong_is_found(
    still: HostingStudio,
    files: dict[str, bytes | str],
    severity: str,
    where: str,
    text: str,
) -> None:
    found = check(still, files)
    assert [(one[0], one[1]) for one in found] == [(severity, where)]
    assert text in found[0][2]


def test_archives_that_cannot_be_read(still: HostingStudio) -> None:
    good = archive({"code/inference.py": MODEL_FN, "big": bytes(range(256)) * 400})
    for data in (b"no archive", good[: len(good) // 2]):
        ((severity, _, text),) = check(still, data)
        assert severity == "Error"
        assert "cannot be unpacked" in text
    ((_, _, text),) = check(still, good, ModelDataUrl="s3://nowhere/m.tar.gz")
    assert "no such object" in text


def test_an_image_and_a_program_that_are_not_there(still: HostingStudio) -> None:
    files: dict[str, bytes | str] = {"code/inference.py": MODEL_FN}
    ((severity, where, _),) = check(still, files, Image="1.dkr.ecr.eu-west-1.amazonaws.com/lda:1")
    assert (severity, where) == ("Error", "Image")
    ours = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3-cpu-py311"
    assert check(still, files, Image=ours) == []
    ((_, where, text),) = check(still, files, Environment={"SAGEMAKER_PROGRAM": "other.py"})
    assert where == "code/other.py"
    assert "code/inference.py" in text


def test_a_model_by_its_name(still: HostingStudio) -> None:
    ports = still.studio.ports
    ports.objects.put(ports.config.bucket, "n.tar.gz", archive({"x": b""}))
    url = f"s3://{ports.config.bucket}/n.tar.gz"
    still.call(
        "CreateModel", ModelName="m", PrimaryContainer={"Image": "python", "ModelDataUrl": url}
    )
    assert len(still.ask("CheckModel", ModelName="m")["Findings"]) == 1
    for request in ({}, {"ModelName": "m", "Container": {"Image": "python"}}):
        with pytest.raises(ValidationException, match="either ModelName or Container"):
            still.ask("CheckModel", **request)
