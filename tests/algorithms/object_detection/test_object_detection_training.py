"""Jobs on made images, with a small network where the network is not what matters."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.object_detection import training
from bottega.algorithms.object_detection.artifact import HYPERPARAMETERS, PARAMS, SYMBOL
from bottega.algorithms.object_detection.matching import Losses, Targets
from bottega.algorithms.readers.images import ImageItem
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

Job = Callable[..., JobFolder]
IMAGE = "application/x-image"
pytestmark = pytest.mark.usefixtures("small_network")


def train(folder: JobFolder) -> None:
    algorithm("object-detection").train(folder.read())


def weights(folder: JobFolder) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder.root / "model" / PARAMS, weights_only=True)
    return found


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        train(folder)
    return str(error.value)


def metric(name: str, log: str) -> list[float]:
    """What the definition of a metric finds in a log."""
    definition = next(
        each for each in algorithm("object-detection").metric_definitions if each.name == name
    )
    lines = (line.replace("\t", "#011") for line in log.splitlines())
    found = (re.search(definition.regex, line) for line in lines)
    return [float(match[1]) for match in found if match is not None]


def archive(folder: JobFolder, path: Path) -> bytes:
    """The artifact as the platform packs it."""
    with tarfile.open(path, "w:gz") as tar:
        for file in sorted((folder.root / "model").iterdir()):
            tar.add(file, file.name)
    return path.read_bytes()


def test_a_job_leaves_its_artifact_and_its_log(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job()
    train(folder)
    assert sorted(path.name for path in (folder.root / "model").iterdir()) == sorted(
        (HYPERPARAMETERS, PARAMS, SYMBOL)
    )
    symbol = json.loads((folder.root / "model" / SYMBOL).read_text())
    assert symbol["base_network"] == "resnet-50"
    assert (symbol["num_classes"], symbol["image_shape"], symbol["params"]) == (2, 300, PARAMS)
    values = json.loads((folder.root / "model" / HYPERPARAMETERS).read_text())
    assert (values["epochs"], values["nms_threshold"], values["lr_scheduler_step"]) == (2, 0.45, "")
    assert all(torch.isfinite(value).all() for value in weights(folder).values())

    log = capsys.readouterr().out
    assert len(metric("validation:mAP", log)) == 2
    assert all(0 <= value <= 1 for value in metric("validation:mAP", log))
    assert len(metric("train:cross_entropy", log)) == len(metric("train:smooth_l1", log)) == 2
    assert metric("train:progress", log) == [50, 100]
    assert all(value > 0 for value in metric("train:throughput", log))
    for line in (
        r"Epoch\[0\] Train-cross_entropy=\d+\.\d+",
        r"Epoch\[1\] Train-smooth_l1=\d+\.\d+",
        r"Epoch\[1\] Time cost=\d+\.\d+",
        r"Epoch\[1\] Validation-mAP=\d+\.\d+",
        r"#quality_metric: host=algo-1, epoch=0, validation mAP <score>=\(\d\S*\)",
        r"#quality_metric: host=algo-1, epoch=1, batch=1 train smooth_l1 <loss>=\d\S*",
        r"Updating the best model with validation-mAP=\d\S*",
        r'Saved checkpoint to "\S*model_algo_1-0000\.params"',
    ):
        assert re.search(line, log), line


def test_the_same_data_give_the_same_model(job: Job) -> None:
    first, again = job("first", epochs="1"), job("again", epochs="1")
    train(first)
    train(again)
    for name, value in weights(first).items():
        assert torch.equal(value, weights(again)[name]), name


def test_images_as_files_train_the_same_model_as_records(
    job: Job, made: Callable[..., Any]
) -> None:
    images = [made(seed) for seed in range(2)]
    files = job("files", train=images, validation=(), epochs="1")
    (files.root / "input" / "data" / "train" / "train.rec").unlink()
    files.channel("train", IMAGE, {image.name: image.data for image in images})
    notes = {image.name.replace(".jpg", ".json"): image.annotation for image in images}
    files.channel("train_annotation", IMAGE, notes)
    records = job("records", train=images, validation=(), epochs="1")
    train(files)
    train(records)
    for name, value in weights(records).items():
        torch.testing.assert_close(value, weights(files)[name], msg=name)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_learns_to_find_rectangles(
    job: Job, made: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(
        train=[made(seed) for seed in range(24)],
        validation=[made(seed) for seed in range(100, 108)],
        epochs="14",
        mini_batch_size="8",
        learning_rate="0.003",
        optimizer="adam",
    )
    train(folder)
    scores = metric("validation:mAP", capsys.readouterr().out)
    assert max(scores) > 0.5
    found = algorithm("object-detection")
    model = found.load(folder.root / "model", {})
    seen = total = 0
    for image in (made(seed) for seed in range(200, 206)):
        body, _ = found.predict(model, image.data, "image/jpeg", "application/json;annotation=1")
        answers = json.loads(body)["annotations"][: 2 * len(image.boxes)]
        seen += sum(any(hits(answer, box) for answer in answers) for box in image.boxes)
        total += len(image.boxes)
    assert seen > total / 2


def hits(answer: dict[str, float], box: tuple[int, int, int, int, int]) -> bool:
    """Whether an answer is of the class of a box and overlaps it by half."""
    kind, left, top, right, bottom = box
    wide = min(right, answer["left"] + answer["width"]) - max(left, answer["left"])
    high = min(bottom, answer["top"] + answer["height"]) - max(top, answer["top"])
    if answer["class_id"] != kind or min(wide, high) <= 0:
        return False
    union = (right - left) * (bottom - top) + answer["width"] * answer["height"] - wide * high
    return wide * high >= union / 2


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "adadelta"])
def test_every_optimizer_trains(
    job: Job, optimizer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(optimizer=optimizer, epochs="1", lr_scheduler_step="1", validation=())
    train(folder)
    assert np.isfinite(metric("train:cross_entropy", capsys.readouterr().out)).all()
    assert (folder.root / "model" / PARAMS).exists()


def test_without_validation_the_last_epoch_is_kept(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(validation=())
    train(folder)
    log = capsys.readouterr().out
    assert "WARNING" in log
    assert "no channel 'validation'" in log
    assert log.count("Saved checkpoint") == 2
    assert not metric("validation:mAP", log)


def test_frozen_parameters_stay_and_the_others_move(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    free = job("free", epochs="1")
    pattern = "^(conv1|bn1|layer1).*"
    frozen = job("frozen", epochs="1", freeze_layer_pattern=pattern)
    train(free)
    train(frozen)
    assert "Frozen: " in capsys.readouterr().out
    torch.manual_seed(0)
    fresh = training.starting_network(
        frozen.read(),
        training.Settings.of(frozen.read().raw_hyperparameters),
        training.Reporter("Object Detection", "algo-1", speaks=False),
    )[0].state_dict()
    for name, value in weights(frozen).items():
        if re.match(r"base\.(conv1|bn1|layer1)\.", name):
            assert torch.equal(value, fresh[name]), name
        elif "conv" in name and value.ndim > 1:
            assert not torch.equal(value, fresh[name]), name
    for name in ("base.conv1.weight", "base.bn1.running_mean"):
        assert not torch.equal(weights(free)[name], fresh[name]), name


def test_a_pattern_that_matches_nothing_is_told(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    train(job(epochs="1", validation=(), freeze_layer_pattern="stage9"))
    log = capsys.readouterr().out
    assert re.search(r"WARNING .*'stage9' matches the beginning of no parameter", log)


def test_early_stopping_ends_the_training(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(
        epochs="9",
        learning_rate="0.000001",
        early_stopping="True",
        early_stopping_min_epochs="1",
        early_stopping_patience="1",
        early_stopping_tolerance="1.0",
    )
    train(folder)
    log = capsys.readouterr().out
    assert len(metric("validation:mAP", log)) < 9
    assert "Early stopping after epoch" in log


def test_an_interrupted_job_goes_on_from_its_checkpoint(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = job("whole", epochs="3")
    train(whole)
    cut = job("cut", epochs="3")
    checkpoints = cut.root / "checkpoints"
    cut.config("checkpointconfig", {"LocalPath": str(checkpoints)})
    epoch = training.Run._epoch

    def killed(run: training.Run, number: int) -> training.EpochLosses:
        if number == 2:
            raise KeyboardInterrupt
        return epoch(run, number)

    monkeypatch.setattr(training.Run, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        train(cut)
    assert [path.name for path in cut.read().checkpoints.iterdir()] == ["checkpoint-0002.pt"]
    monkeypatch.setattr(training.Run, "_epoch", epoch)
    (cut.root / "model" / PARAMS).unlink()
    capsys.readouterr()
    train(cut)
    assert "Resuming from checkpoint-0002.pt, after 2 epochs." in capsys.readouterr().out
    for name, value in weights(whole).items():
        torch.testing.assert_close(value, weights(cut)[name], msg=name)
    # A job that was done already only writes its model.
    (cut.root / "model" / PARAMS).unlink()
    train(cut)
    assert (cut.root / "model" / PARAMS).exists()


def test_a_checkpoint_of_another_job_is_refused(job: Job) -> None:
    folder = job(epochs="1", validation=())
    folder.config("checkpointconfig", {"LocalPath": str(folder.root / "checkpoints")})
    train(folder)
    other = job("other", epochs="2", num_classes="3", validation=())
    other.config("checkpointconfig", {"LocalPath": str(folder.root / "checkpoints")})
    assert "of another network" in refused(other)
    (folder.root / "checkpoints" / "checkpoint-0001.pt").write_bytes(b"nonsense")
    assert "remove it to start anew" in refused(other)


def test_going_on_from_an_earlier_model(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = job("earlier", epochs="1")
    train(earlier)
    packed = {"model.tar.gz": archive(earlier, tmp_path / "model.tar.gz")}
    kind = "application/x-sagemaker-model"
    later = job("later", epochs="1", learning_rate="0.000001", use_pretrained_model="1")
    train(later.channel("model", kind, packed))
    assert "Going on from model_algo_1-0000.params" in capsys.readouterr().out
    before, after = weights(earlier), weights(later)
    torch.testing.assert_close(
        before["locations.0.weight"], after["locations.0.weight"], rtol=0, atol=1e-4
    )
    wider = job("wider", epochs="1", image_shape="320", validation=())
    train(wider.channel("model", kind, packed))
    assert re.search(r"\d+ of \d+ parameters are taken over", capsys.readouterr().out)

    classes = job("classes", num_classes="3").channel("model", kind, packed)
    assert "trained with num_classes 2, and this job has num_classes 3" in refused(classes)
    base = job("base", base_network="vgg-16").channel("model", kind, packed)
    assert "base_network resnet-50, and this job has base_network vgg-16" in refused(base)


def test_torchvisions_weights_are_a_start(
    job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from bottega.algorithms.object_detection import network

    given = {
        name: value * 0 + 0.01 if value.is_floating_point() else value
        for name, value in network.resnet(50).state_dict().items()
    }
    given["fc.weight"] = torch.zeros(1000, 32)
    torch.save(given, tmp_path / "resnet50.pth")
    folder = job(epochs="1", learning_rate="0.000001", validation=())
    content = (tmp_path / "resnet50.pth").read_bytes()
    folder.channel("model", "application/x-sagemaker-model", {"resnet50.pth": content})
    train(folder)
    assert "The base network starts from resnet50.pth" in capsys.readouterr().out
    torch.testing.assert_close(
        weights(folder)["base.conv1.weight"], given["conv1.weight"], rtol=0, atol=1e-4
    )
    other = job("other", base_network="vgg-16", validation=())
    other.channel("model", "application/x-sagemaker-model", {"resnet50.pth": content})
    assert "no weights for base_network vgg-16" in refused(other)


def test_weights_that_cannot_be_had(
    job: Job,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("bottega.algorithms.deep.pretrained._ADDRESS", "http://127.0.0.1:9/")
    asked = job("asked", epochs="1", validation=(), use_pretrained_model="1")
    message = refused(asked)
    assert message.startswith("Hyperparameter use_pretrained_model: The weights of resnet-50")
    assert "set use_pretrained_model to 0" in message
    default = job("default", epochs="1", validation=())
    values = json.loads((default.root / "input/config/hyperparameters.json").read_text())
    del values["use_pretrained_model"]
    default.config("hyperparameters", values)
    train(default)
    assert re.search(r"WARNING .*Training from scratch", capsys.readouterr().out)


def test_another_number_of_samples_is_told(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    train(job(epochs="1", validation=(), num_training_samples="100"))
    assert "num_training_samples is 100, but the channel train has 4" in capsys.readouterr().out


def test_fewer_images_than_a_batch_and_images_without_objects(
    job: Job, made: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    empty = made(7, count=0)
    folder = job(train=[made(1), empty, made(2)], validation=[made(3), empty], mini_batch_size="4")
    train(folder)
    assert np.isfinite(metric("train:smooth_l1", capsys.readouterr().out)).all()
    one = job("one", train=[made(1)], epochs="1", mini_batch_size="1", validation=())
    train(one)
    assert (one.root / "model" / PARAMS).exists()


def test_what_is_wrong_with_labels(job: Job, made: Callable[..., Any]) -> None:
    assert "has an object of class 1; with num_classes 1" in refused(job(num_classes="1"))
    message = refused(job("narrow", label_width="12"))
    assert "has 3 objects, and label_width 12 has room for 2; set label_width to 17" in message
    nothing = [made(seed, count=0) for seed in range(3)]
    assert "No image of the channel train has an object" in refused(job("none", train=nothing))
    hidden = job("hidden", validation=nothing)
    assert "No image of the channel validation has an object" in refused(hidden)


def test_a_broken_image_is_named(job: Job, made: Callable[..., Any]) -> None:
    whole = made(5).item
    cut = ImageItem("cut.jpg", whole.data[:600], whole.label)
    message = refused(job(train=[made(1), cut]))
    assert message.startswith("The image record 2 of train.rec cannot be used: it is damaged")


def test_a_job_without_images(job: Job) -> None:
    folder = job()
    folder.config("inputdataconfig", {})
    assert "no channel 'train'" in refused(folder)
    assert not list((folder.root / "model").iterdir())


def test_a_training_that_diverges_is_told(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(offsets: torch.Tensor, logits: torch.Tensor, targets: Targets) -> Losses:
        return Losses(logits.sum() * float("inf"), offsets.sum())

    monkeypatch.setattr(training, "losses", endless)
    folder = job(learning_rate="0.5", epochs="1", validation=())
    assert re.search(r"diverges\. Set a lower learning_rate than 0\.5\.", refused(folder))
    assert not list((folder.root / "model").iterdir())


def test_images_that_do_not_fit_into_memory_train_the_same_model(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = job("kept", epochs="1", validation=())
    train(kept)
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "1")
    anew = job("anew", epochs="1", validation=())
    train(anew)
    assert "1 of 4 images fit into memory" in capsys.readouterr().out
    for name, value in weights(kept).items():
        assert torch.equal(value, weights(anew)[name]), name
