"""Models of a multi-model variant are brought to a server when they are first asked for."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ValidationError
from bottega.features.hosting.model_fetching import ModelFetcher
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


class AtOnce(Executor):
    """Has done everything by the time it is asked for."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.mark.timeout(20)
def test_a_model_that_is_there_at_once_holds_nobody_up(
    hosting: HostingStudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher = ModelFetcher(hosting.studio.ports)
    fetcher.close()
    monkeypatch.setattr(fetcher, "_pool", AtOnce())

    for _ in range(2):
        with pytest.raises(ValidationError, match="being deleted"):
            asyncio.run(fetcher.fetch("nowhere", "v", "i", "m.tar.gz"))
