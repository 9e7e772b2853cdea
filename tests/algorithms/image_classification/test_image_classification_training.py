"""Training jobs on small pictures: what they print, keep, refuse and learn."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bottega.algorithms.base import CustomerError
from bottega.algorithms.image_classification.algorithm import ImageClassification
from bottega.algorithms.readers.recordio import frame
from bottega.testing.job_folder import JobFolder, finish

ALGORITHM = ImageClassification()


def train(job: JobFolder) -> None:
    ALGORITHM.train(job.read())


def found_metrics(log: str) -> dict[str, list[float]]:
    """What the metric definitions find, as the platform searches."""
    return {
        definition.name: [
            float(match.group(1))
            for line in log.splitlines()
            if (match := re.search(definition.regex, line.replace("\t", "#011")))
        ]
        for definition in ALGORITHM.metric_definitions
    }


def test_colours_are_learned_and_reported(job: Any, picture: Any, capsys: Any):
    folder = job({"epochs": "5", "augmentation_type": "crop", "lr_scheduler_step": "3"})
    train(folder)
    log = capsys.readouterr().out
    metrics = found_metrics(log)
    assert len(metrics["train:accuracy"]) == len(metrics["validation:accuracy"]) == 5
    assert max(metrics["validation:accuracy"]) >= 0.9
    assert metrics["train:top_k_accuracy"] == []
    path = folder.root / "model" / "image-classification-0001.params"
    for line in (
        r"INFO \d+\] Epoch\[0\] Train-accuracy=[01]\.?\d*$",
        r"INFO \d+\] Epoch\[0\] Time cost=\d+\.\d{3}$",
        r"INFO \d+\] Epoch\[0\] Validation-accuracy=[01]\.?\d*$",
        r"Storing the best model with validation accuracy: [01]\.?\d*$",
        rf'Saved checkpoint to "{re.escape(str(path))}"$',
    ):
        assert re.search(line, log, re.MULTILINE), line

    files = sorted(path.name for path in (folder.root / "model").iterdir())
    best = 1 + int(np.argmax(metrics["validation:accuracy"]))
    assert files == [
        f"image-classification-{best:04d}.params",
        "image-classification-symbol.json",
        "model-shapes.json",
    ]
    description = json.loads((folder.root / "model" / files[1]).read_text())
    assert description["image_shape"] == [3, 8, 8]
    assert description["validation_accuracy"] == pytest.approx(
        max(metrics["validation:accuracy"]), rel=1e-5
    )
    shapes = json.loads((folder.root / "model" / files[2]).read_text())
    assert shapes == [{"name": "data", "shape": [1, 3, 8, 8]}]
    model = ALGORITHM.load(folder.root / "model", {})
    for label in (0, 1):
        body, _ = ALGORITHM.predict(model, picture(label, 999), "image/png", "")
        assert int(np.argmax(json.loads(body))) == label


def test_the_same_job_gives_the_same_model(job: Any, weights: Any, same: Any):
    settings = {"augmentation_type": "crop_color_transform"}
    jobs = [job(settings, name=name) for name in ("one", "two")]
    for each in jobs:
        train(each)
    assert same(*map(weights, jobs))


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "nag"])
def test_every_optimizer_learns(job: Any, capsys: Any, optimizer: str):
    rate = "0.05" if optimizer == "nag" else "0.003"
    train(job({"optimizer": optimizer, "learning_rate": rate, "epochs": "6"}))
    assert max(found_metrics(capsys.readouterr().out)["validation:accuracy"]) >= 0.8


@pytest.mark.parametrize(
    "change",
    [
        {"momentum": "0.1"},
        {"weight_decay": "0.5"},
        {"learning_rate": "0.01"},
        {"lr_scheduler_step": "1", "lr_scheduler_factor": "0.01"},
        {"augmentation_type": "crop"},
        {"augmentation_type": "crop_color"},
        {"mini_batch_size": "6"},
        {"num_layers": "32"},
        {"resize": "10"},
    ],
)
def test_every_setting_changes_the_model(job: Any, change: dict[str, str], weights: Any, same: Any):
    plain, changed = (
        job(settings, name=name, validation=b"")
        for name, settings in (("plain", {}), ("changed", change))
    )
    train(plain)
    train(changed)
    assert not same(weights(plain), weights(changed))


@pytest.mark.parametrize("name", ["beta_1", "beta_2", "eps", "gamma"])
def test_settings_of_optimizers_change_the_model(job: Any, name: str, weights: Any, same: Any):
    optimizer = "rmsprop" if name == "gamma" else "adam"
    settings = {"optimizer": optimizer, "learning_rate": "0.01", "epochs": "1"}
    plain, changed = job(settings, name="a"), job(settings | {name: "0.5"}, name="b")
    train(plain)
    train(changed)
    assert not same(weights(plain), weights(changed))


def test_three_classes_among_the_two_most_likely(job: Any, picture: Any, records: Any, capsys: Any):
    data = records([([n % 3], picture(n % 3, n)) for n in range(24)])
    train(job({"num_classes": "3", "top_k": "2"}, train=data, validation=data))
    metrics = found_metrics(capsys.readouterr().out)
    for part in ("train", "validation"):
        assert len(metrics[f"{part}:top_k_accuracy"]) == 2
        pairs = zip(metrics[f"{part}:accuracy"], metrics[f"{part}:top_k_accuracy"], strict=True)
        assert all(top >= accuracy for accuracy, top in pairs)


def test_several_labels(job: Any, records: Any, capsys: Any):
    """The left half tells one label, the right half another."""
    from PIL import Image

    def halves(left: int, right: int, number: int) -> bytes:
        noise = np.random.default_rng(number).normal(0, 20, (8, 8, 3))
        pixels = np.full((8, 8, 3), 60.0)
        pixels[:, :4] += 140 * left
        pixels[:, 4:] += 140 * right
        stream = io.BytesIO()
        Image.fromarray(np.clip(pixels + noise, 0, 255).astype(np.uint8)).save(stream, "PNG")
        return stream.getvalue()

    labels = [(n % 2, n // 2 % 2) for n in range(32)]
    data = records([(label, halves(*label, n)) for n, label in enumerate(labels)])
    settings = {
        "multi_label": "1",
        "use_weighted_loss": "1",
        "num_training_samples": "32",
        "epochs": "8",
    }
    folder = job(settings, train=data, validation=data)
    train(folder)
    assert max(found_metrics(capsys.readouterr().out)["validation:accuracy"]) >= 0.9
    model = ALGORITHM.load(folder.root / "model", {})
    found = [
        json.loads(ALGORITHM.predict(model, halves(*label, 77), "image/png", "")[0])
        for label in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    right = sum(
        (probability > 0.5) == bool(truth)
        for pair, label in zip(found, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)
        for probability, truth in zip(pair, label, strict=True)
    )
    assert right >= 7


def test_weighted_loss_makes_the_rare_class_likelier(job: Any, picture: Any, records: Any):
    # The second label is on one image of eight, and nothing in an image tells it.
    data = records([([1, int(n % 8 == 0)], picture(0, n)) for n in range(24)])
    found = []
    for weighted in ("0", "1"):
        settings = {"multi_label": "1", "use_weighted_loss": weighted, "epochs": "6"}
        folder = job(settings, name=f"weighted-{weighted}", train=data, validation=b"")
        train(folder)
        model = ALGORITHM.load(folder.root / "model", {})
        answers = [
            json.loads(ALGORITHM.predict(model, picture(0, 200 + n), "", "")[0])[1]
            for n in range(8)
        ]
        found.append(float(np.mean(answers)))
    assert found[1] > found[0] + 0.1


def test_weights_of_every_second_epoch_are_kept(job: Any):
    folder = job({"epochs": "5", "checkpoint_frequency": "2"})
    train(folder)
    files = {path.name for path in (folder.root / "model").glob("*.params")}
    assert {"image-classification-0002.params", "image-classification-0004.params"} <= files
    assert len(files) <= 3


def test_early_stopping_ends_the_training(job: Any, capsys: Any):
    settings = {
        "epochs": "30",
        "learning_rate": "0",
        "early_stopping": "True",
        "early_stopping_min_epochs": "2",
        "early_stopping_patience": "2",
    }
    train(job(settings))
    log = capsys.readouterr().out
    # Statistics of normalisation settle, so the accuracy may change at first.
    assert len(found_metrics(log)["validation:accuracy"]) < 30
    assert "has not risen for 2 epochs" in log


def test_without_validation_the_last_epoch_is_the_model(job: Any, capsys: Any):
    folder = job(validation=b"")
    train(folder)
    log = capsys.readouterr().out
    assert found_metrics(log)["validation:accuracy"] == []
    assert "There is no channel validation" in log
    names = {path.name for path in (folder.root / "model").glob("*.params")}
    assert names == {"image-classification-0002.params"}


def test_images_as_files_with_lists(job: Any, picture: Any, capsys: Any):
    folder = job({"resize": "8"}, bare=True)
    for channel, first in (("train", 0), ("validation", 100)):
        names = [f"class{n % 2}/{n}.png" for n in range(24)]
        files = {name: picture(n % 2, first + n) for n, name in enumerate(names)}
        lines = [f"{n}\t{n % 2}\t{name}\n" for n, name in enumerate(names)]
        folder.channel(channel, "application/x-image", files)
        folder.channel(f"{channel}_lst", "application/x-image", {"list.lst": "".join(lines)})
    train(folder)
    assert len(found_metrics(capsys.readouterr().out)["validation:accuracy"]) == 2


def test_an_augmented_manifest_through_pipes(job: Any, picture: Any, capsys: Any):
    """Images and labels come in turn, and each list of labels names the classes."""
    folder = job({"multi_label": "1", "num_classes": "3"}, bare=True)
    writers = []
    for channel in ("train", "validation"):
        folder.channel(channel, "application/x-recordio;label-format=class-id", {})
        pipe = folder.root / "input" / "data" / f"{channel}_0"
        os.mkfifo(pipe)
        parts = [
            part
            for n in range(12)
            for part in (frame(picture(n % 3, n)), frame(json.dumps([n % 3, 2]).encode()))
        ]
        content = b"".join(parts)
        writers.append(threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True))
        writers[-1].start()
    path = folder.root / "input" / "config" / "inputdataconfig.json"
    config = json.loads(path.read_text())
    for each in config.values():
        each |= {"TrainingInputMode": "Pipe", "RecordWrapperType": "RecordIO"}
    path.write_text(json.dumps(config))
    train(folder)
    for writer in writers:
        writer.join(timeout=60)
        assert not writer.is_alive()
    assert len(found_metrics(capsys.readouterr().out)["validation:accuracy"]) == 2


def test_validation_images_of_another_size_are_scaled_as_in_serving(
    job: Any, picture: Any, records: Any
):
    large = [([n % 2], picture(n % 2, 50 + n, 24)) for n in range(10)]
    folder = job(validation=records(large))
    train(folder)
    description = json.loads((folder.root / "model/image-classification-symbol.json").read_text())
    assert description["shorter_side"] == [8, 8]
    model = ALGORITHM.load(folder.root / "model", {})
    right = [
        int(np.argmax(json.loads(ALGORITHM.predict(model, data, "image/png", "")[0]))) == label
        for [label], data in large
    ]
    assert np.mean(right) == pytest.approx(description["validation_accuracy"])


def test_files_need_resize(job: Any, picture: Any):
    folder = job(bare=True)
    folder.channel("train", "application/x-image", {"a.png": picture(0)})
    folder.channel("train_lst", "application/x-image", {"list.lst": "0\t0\ta.png\n"})
    with pytest.raises(CustomerError, match="resize: required when images are files"):
        train(folder)


@pytest.mark.parametrize(
    ("items", "reason"),
    [
        ([([1], 1)] * 4, "All 4 images of the channel train have the label 1"),
        ([([0], 0), ([2], 1)], r"record 2 of train\.rec.* has the label 2; num_classes=2"),
        ([([0], 0), ([0.5], 1)], r"label 0\.5"),
        ([([0], 0), ([1], None)], r"record 2 of train\.rec cannot be used: it is damaged"),
    ],
)
def test_images_that_cannot_be_learned(
    job: Any, picture: Any, records: Any, items: list[Any], reason: str
):
    data = records(
        [(label, picture(0)[:-60] if kind is None else picture(kind)) for label, kind in items]
    )
    with pytest.raises(CustomerError, match=reason):
        train(job(train=data))


def test_jobs_without_images(job: Any):
    with pytest.raises(CustomerError, match="no channel 'train'"):
        train(job(bare=True))
    with pytest.raises(CustomerError, match="train"):
        train(job(name="empty", train=b""))


def test_one_small_image_at_a_time_is_too_little(job: Any):
    with pytest.raises(CustomerError, match="mini_batch_size 2 or more"):
        train(job({"mini_batch_size": "1", "image_shape": "3,4,4"}))


def test_what_is_odd_is_warned_of(job: Any, picture: Any, records: Any, capsys: Any):
    data = records([([n % 2], picture(n % 2, n, 6)) for n in range(10)])
    settings = {"num_classes": "4", "precision_dtype": "float16", "epochs": "1"}
    train(job(settings, train=data))
    log = capsys.readouterr().out
    assert "num_training_samples is 24, but the channel train has 10 images" in log
    assert "No image of the channel train is of class 2, 3." in log
    assert log.count("smaller than image_shape 3,8,8; they are enlarged") == 1
    assert torch.cuda.is_available() or "float16 needs a GPU" in log


def test_images_that_do_not_fit_into_memory_give_the_same_model(
    job: Any, monkeypatch: Any, weights: Any, same: Any
):
    jobs = [job(name=name) for name in ("kept", "decoded")]
    train(jobs[0])
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "0.001")
    train(jobs[1])
    assert same(*map(weights, jobs))


@pytest.mark.slow
def test_a_job_as_its_own_process(job: Any):
    ended = job({"epochs": "1"}).run()
    assert ended.returncode == 0, ended.stderr
    assert found_metrics(ended.stdout)["validation:accuracy"]
    assert ended.stderr == ""
    refused = job({"num_layers": "21"}, name="refused")
    assert refused.run().returncode == 1
    assert refused.failure.startswith("ClientError: Hyperparameter num_layers: '21'")


@pytest.mark.slow
def test_two_hosts_train_one_model(tmp_path: Path, picture: Any, records: Any):
    names = ("algo-1", "algo-2")
    settings = {
        "num_classes": "2",
        "num_layers": "20",
        "image_shape": "3,8,8",
        "learning_rate": "0.05",
        "num_training_samples": "22",
        "epochs": "3",
        "mini_batch_size": "4",
        "kv_store": "dist_sync",
    }
    hosts = []
    for rank, name in enumerate(names):
        host = JobFolder(
            tmp_path / "two" / name,
            settings,
            image="image-classification",
            hosts=names,
            host=name,
            environment={"BOTTEGA_CPUS": "1"},
        )
        count = 14 - 6 * rank
        data = records([([n % 2], picture(n % 2, 50 * rank + n)) for n in range(count)])
        host.channel("train", "application/x-recordio", {"train.rec": data})
        other = records([([n % 2], picture(n % 2, 300 + 50 * rank + n)) for n in range(6)])
        host.channel("validation", "application/x-recordio", {"v.rec": other})
        hosts.append(host)
    ended = finish([host.start() for host in hosts])
    assert [each.returncode for each in ended] == [0, 0], ended[0].stderr + ended[1].stderr
    accuracies = found_metrics(ended[0].stdout)["validation:accuracy"]
    assert len(accuracies) == 3
    # Twelve images in all: each accuracy is a twelfth of a whole number.
    assert all(abs(12 * value - round(12 * value)) < 1e-4 for value in accuracies)
    assert found_metrics(ended[1].stdout)["validation:accuracy"] == []
    assert not list((hosts[1].root / "model").iterdir())
    ALGORITHM.load(hosts[0].root / "model", {})
