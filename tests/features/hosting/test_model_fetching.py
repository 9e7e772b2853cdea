"""Models of a multi-model variant are brought to a server when they are first asked for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ValidationError
from bottega.model_servers.staging import StagingError, stage_target, target_folder
from bottega.serving.routing import VariantRoute
from bottega.testing.hosting import HostingStudio

SCRIPT = """
import os

def model_fn(model_dir):
    path = model_dir + "/answer"
    return open(path).read() if os.path.exists(path) else "nobody"

def input_fn(body, content_type):
    return body if isinstance(body, str) else body.decode()

def predict_fn(data, model):
    return f"{model}: {data}"

def output_fn(prediction, accept):
    return prediction
"""


def deploy(hosting: HostingStudio, name: str) -> VariantRoute:
    """A multi-model endpoint over ``s3://<bucket>/<name>/``."""
    code = hosting.put_model(f"{name}-code.tar.gz", {"inference.py": SCRIPT})
    container = {
        "Image": "python",
        "Mode": "MultiModel",
        "ModelDataUrl": f"s3://{hosting.studio.ports.config.bucket}/{name}/",
        "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": code,
        },
    }
    hosting.call("CreateModel", ModelName=name, PrimaryContainer=container)
    hosting.config(name, name)
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    hosting.wait(name, "InService")
    route = hosting.studio.ports.routes.get(name)
    assert route is not None
    ((_, variant),) = route.variants()
    return variant


def fetch(hosting: HostingStudio, endpoint: str, instance: str, *targets: str) -> list[Any]:
    hook = hosting.studio.ports.routes.fetch_model
    assert hook is not None

    async def together() -> list[Any]:
        return await asyncio.gather(*(hook(endpoint, "v0", instance, one) for one in targets))

    return asyncio.run(together())


def test_a_model_is_fetched_whole_and_once(hosting: HostingStudio) -> None:
    variant = deploy(hosting, "several")
    assert variant.multi_model
    (instance,) = variant.instances
    hosting.put_model("several/a.tar.gz", {"answer": "a"})
    hosting.put_model("several/team/b.tar.gz", {"answer": "b"})

    fetch(hosting, "several", instance.id, "a.tar.gz", "a.tar.gz", "team/b.tar.gz")

    (root,) = [path for path in hosting.work if path.name == "ml" and "several" in path.parts]
    for name, answer in (("a.tar.gz", "a"), ("team/b.tar.gz", "b")):
        assert (root / target_folder(name) / "answer").read_text() == answer
    assert len(list((root / "models").iterdir())) == 2
    for name, words in (
        ("absent.tar.gz", "Could not find model data at s3://.*/several/absent.tar.gz"),
        ("../several-code.tar.gz", "is no name of an object below"),
    ):
        with pytest.raises(ValidationError, match=words):
            fetch(hosting, "several", instance.id, name)
    with pytest.raises(ValidationError, match="i-0 is being stopped"):
        fetch(hosting, "several", "i-0", "a.tar.gz")
    assert len(list((root / "models").iterdir())) == 2


@pytest.mark.parametrize("name", ["", "/", "..", "a/../b", "a//b", "./a", "a\0b", "a/"])
def test_names_that_lead_elsewhere_are_refused(
    still: HostingStudio, tmp_path: Path, name: str
) -> None:
    (tmp_path / "models").mkdir()
    with pytest.raises(StagingError, match="is no name of an object below"):
        stage_target(still.studio.ports.objects, "s3://b/p/", name, tmp_path)
    assert list((tmp_path / "models").iterdir()) == []
