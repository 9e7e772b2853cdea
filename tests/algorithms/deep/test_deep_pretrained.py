"""Where weights to start from come from, and what is said when there are none."""

from __future__ import annotations

import io
import json
import tarfile
import urllib.error
from pathlib import Path
from typing import Any

import pytest
import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import pretrained
from bottega.testing.job_folder import JobFolder

STATE = {"conv1.weight": torch.arange(4.0)}
MODEL_TYPE = "application/x-sagemaker-model"


def saved(state: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def given(tmp_path: Path, files: dict[str, bytes]) -> pretrained.Start | None:
    job = JobFolder(tmp_path / "ml").channel("model", MODEL_TYPE, files)
    return pretrained.given_model(job.read(), "-symbol.json")


def test_no_channel_is_no_start(tmp_path: Path):
    assert pretrained.given_model(JobFolder(tmp_path / "ml").read(), "-symbol.json") is None


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "epoch": 3},
        {"model": {"module.conv1.weight": STATE["conv1.weight"]}},
    ],
)
def test_a_plain_file_of_weights(tmp_path: Path, content: Any):
    found = given(tmp_path, {"resnet18.pth": saved(content)})
    assert found is not None
    assert found.description is None
    assert torch.equal(found.state["conv1.weight"], STATE["conv1.weight"])
    assert "resnet18.pth" in found.origin


def test_an_artifact_names_its_weights(tmp_path: Path):
    files = {
        "a-symbol.json": json.dumps({"params": "a-0002.params"}).encode(),
        "a-0002.params": saved(STATE),
        "a-0001.params": b"not looked at",
    }
    found = given(tmp_path, {"model.tar.gz": packed(files)})
    assert found is not None
    assert found.description == {"params": "a-0002.params"}
    assert found.origin == "a-0002.params"


def test_an_archive_with_one_plain_file_of_weights(tmp_path: Path):
    found = given(tmp_path, {"model.tar.gz": packed({"weights/r.pth": saved(STATE)})})
    assert found is not None
    assert found.description is None


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "it has nothing"),
        ({"a.txt": b"x"}, "it has a.txt"),
        ({"r.pth": b"nothing"}, "r.pth"),
        ({"r.pth": saved([1, 2])}, "no state dict"),
        ({"r.pth": saved({"a": "text"})}, "no state dict"),
        ({"model.tar.gz": packed({"readme": b"x"})}, r"no file \*-symbol.json"),
        ({"model.tar.gz": packed({"a-symbol.json": b"{}"})}, "MXNet"),
        ({"model.tar.gz": packed({"a-symbol.json": b'{"params": "../b"}'})}, "names b, which"),
        ({"model.tar.gz": b"x"}, "cannot be unpacked"),
    ],
)
def test_other_channels_are_refused(tmp_path: Path, files: dict[str, bytes], reason: str):
    with pytest.raises(CustomerError, match=reason):
        given(tmp_path, files)


def _cache(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    monkeypatch.setenv("TORCH_HOME", str(folder))
    target = folder / "hub" / "checkpoints"
    target.mkdir(parents=True)
    return target


def _no_network(*_: object, **__: object) -> None:
    raise urllib.error.URLError("no route")


@pytest.mark.parametrize("name", ["resnet18-f37072fd.pth", "resnet18-5c106cde.pth"])
def test_torchs_cache_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str):
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", _no_network)
    (_cache(monkeypatch, tmp_path) / name).write_bytes(saved(STATE))
    state, origin = pretrained.torchvision_weights("resnet-18")
    assert torch.equal(state["conv1.weight"], STATE["conv1.weight"])
    assert origin == name


def test_a_broken_file_in_the_cache_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = _cache(monkeypatch, tmp_path) / "resnet18-f37072fd.pth"
    file.write_bytes(b"half a download")
    with pytest.raises(pretrained.NoWeights, match=f"Remove {file}"):
        pretrained.torchvision_weights("resnet-18")


def test_without_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _cache(monkeypatch, tmp_path)
    monkeypatch.setattr("torch.hub.load_state_dict_from_url", _no_network)
    with pytest.raises(pretrained.NoWeights) as caught:
        pretrained.torchvision_weights("vgg-16")
    text = str(caught.value)
    assert "https://download.pytorch.org/models/vgg16-397923af.pth" in text
    assert "no route" in text
    assert "channel 'model'" in text
    assert "use_pretrained_model to 0" in text


def test_a_download_is_checked_and_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import socket

    _cache(monkeypatch, tmp_path)
    seen: dict[str, Any] = {}

    def download(url: str, **options: Any) -> dict[str, Any]:
        seen.update(options, url=url, patience=socket.getdefaulttimeout())
        return STATE

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", download)
    before = socket.getdefaulttimeout()
    _, origin = pretrained.torchvision_weights("resnet-50")
    assert origin == "resnet50-0676ba61.pth"
    assert seen["check_hash"] is True
    assert seen["weights_only"] is True
    assert seen["patience"] > 0
    assert socket.getdefaulttimeout() == before


def test_a_network_without_public_weights(tmp_path: Path):
    with pytest.raises(pretrained.NoWeights, match="resnet-200"):
        pretrained.torchvision_weights("resnet-200")
