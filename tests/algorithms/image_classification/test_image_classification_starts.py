"""What a job begins with: checkpoints, an earlier model, weights from elsewhere."""

from __future__ import annotations

import io
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep import checkpoints
from bottega.algorithms.deep.resnet import resnet
from bottega.algorithms.image_classification.algorithm import ImageClassification
from bottega.testing.job_folder import JobFolder

ALGORITHM = ImageClassification()
MODEL_TYPE = "application/x-sagemaker-model"


def train(job: JobFolder) -> None:
    ALGORITHM.train(job.read())


def packed_model(job: JobFolder) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for path in sorted((job.root / "model").iterdir()):
            tar.add(path, path.name)
    return stream.getvalue()


def checkpointed(folder: JobFolder, target: Path) -> JobFolder:
    folder.config("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": str(target)})
    return folder


def test_an_interrupted_job_goes_on_as_if_it_had_not_been(
    job: Any, tmp_path: Path, capsys: Any, weights: Any, same: Any
):
    settings = {
        "augmentation_type": "crop",
        "lr_scheduler_step": "2",
        "checkpoint_frequency": "1",
    }
    whole = job(settings | {"epochs": "4"}, name="whole")
    train(whole)
    folder = tmp_path / "checkpoints"
    first = checkpointed(job(settings | {"epochs": "2"}, name="first"), folder)
    train(first)
    shutil.rmtree(first.root)
    second = checkpointed(job(settings | {"epochs": "4"}, name="second"), folder)
    capsys.readouterr()
    train(second)
    log = capsys.readouterr().out
    assert "Resuming from checkpoint-0002.pt, after 2 epochs." in log
    assert "Epoch[1] " not in log
    names = [sorted(p.name for p in (j.root / "model").iterdir()) for j in (whole, second)]
    assert names[0] == names[1]
    assert same(weights(whole), weights(second))
    last = "image-classification-0004.params"
    assert same(
        checkpoints.load(whole.root / "model" / last),
        checkpoints.load(second.root / "model" / last),
    )


def test_a_job_that_was_done_has_its_model_again(job: Any, tmp_path: Path, weights: Any, same: Any):
    folder = tmp_path / "checkpoints"
    first = checkpointed(job(name="first"), folder)
    train(first)
    again = checkpointed(job(name="again"), folder)
    train(again)
    assert same(weights(first), weights(again))
    ALGORITHM.load(again.root / "model", {})


def test_a_checkpoint_of_another_network_is_refused(job: Any, tmp_path: Path):
    folder = tmp_path / "checkpoints"
    train(checkpointed(job(name="first"), folder))
    with pytest.raises(CustomerError, match="not of a job with these hyperparameters"):
        train(checkpointed(job({"num_layers": "32", "epochs": "9"}, name="other"), folder))


def test_going_on_from_a_model(job: Any, capsys: Any, weights: Any, same: Any):
    first = job({"epochs": "5"}, name="first")
    train(first)
    # Nothing is learned, so that what is there is what was there.
    second = job({"epochs": "1", "learning_rate": "0"}, name="second")
    second.channel("model", MODEL_TYPE, {"model.tar.gz": packed_model(first)})
    capsys.readouterr()
    train(second)
    log = capsys.readouterr().out
    assert "Going on from image-classification-" in log
    assert same(
        {name: value for name, value in weights(second).items() if name.endswith("weight")},
        {name: value for name, value in weights(first).items() if name.endswith("weight")},
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"num_layers": "32"}, "has num_layers 20, and this job has 32"),
        ({"image_shape": "3,8,9"}, "has image_shape 3,8,8, and this job has 3,8,9"),
        ({"num_classes": "3"}, "has num_classes 2, and this job has 3"),
    ],
)
def test_going_on_needs_the_same_network(job: Any, change: dict[str, str], reason: str):
    first = job({"epochs": "1"}, name="first")
    train(first)
    second = job(change, name="second")
    second.channel("model", MODEL_TYPE, {"model.tar.gz": packed_model(first)})
    with pytest.raises(CustomerError, match=reason):
        train(second)


def saved(state: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()


def test_torchvisions_weights_get_a_new_final_layer(job: Any, capsys: Any, weights: Any):
    torch.manual_seed(7)
    source = resnet(18, 1000)
    settings = {
        "num_layers": "18",
        "image_shape": "3,16,16",
        "learning_rate": "0",
        "epochs": "1",
    }
    folder = job(settings)
    folder.channel("model", MODEL_TYPE, {"resnet18.pth": saved(source.state_dict())})
    train(folder)
    assert "Starting from resnet18.pth (channel model) with a new final" in capsys.readouterr().out
    found = weights(folder)
    assert torch.equal(found["layer4.1.conv2.weight"], source.layer4[1].conv2.weight)
    assert found["fc.weight"].shape == (2, 512)


def test_pretrained_weights_from_torchs_cache(
    job: Any, tmp_path: Path, monkeypatch: Any, weights: Any
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    source = resnet(18, 1000)
    (cache / "resnet18-f37072fd.pth").write_bytes(saved(source.state_dict()))
    settings = {
        "num_layers": "18",
        "image_shape": "3,16,16",
        "learning_rate": "0",
        "epochs": "1",
        "use_pretrained_model": "1",
    }
    folder = job(settings)
    train(folder)
    assert torch.equal(weights(folder)["conv1.weight"], source.conv1.weight)


def test_pretrained_weights_that_cannot_be_had(job: Any, tmp_path: Path, monkeypatch: Any):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", refuse)
    with pytest.raises(CustomerError, match=r"resnet18-f37072fd\.pth.*channel 'model'"):
        train(job({"num_layers": "18", "use_pretrained_model": "1"}))


def test_weights_of_another_network_are_refused(job: Any):
    folder = job({"num_layers": "18", "image_shape": "3,16,16"})
    folder.channel("model", MODEL_TYPE, {"r.pth": saved(resnet(34, 10).state_dict() | {"fc": 1})})
    with pytest.raises(CustomerError, match="no state dict"):
        train(folder)
    folder = job({"num_layers": "34", "image_shape": "3,16,16"}, name="other")
    folder.channel("model", MODEL_TYPE, {"r.pth": saved(resnet(18, 10).state_dict())})
    with pytest.raises(CustomerError, match="another network"):
        train(folder)


def test_a_training_that_diverges_says_so(job: Any):
    first = job({"epochs": "1"}, name="first")
    train(first)
    path = next((first.root / "model").glob("*.params"))
    state = checkpoints.load(path)
    # As after steps that were much too large.
    state["fc.weight"].fill_(torch.inf)
    checkpoints.save(state, path)
    second = job({"epochs": "3"}, name="second")
    second.channel("model", MODEL_TYPE, {"model.tar.gz": packed_model(first)})
    with pytest.raises(CustomerError, match=r"diverged in epoch 0.*Lower learning_rate"):
        train(second)
