"""Two hosts that train one detector, each a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bottega.algorithms.object_detection.artifact import PARAMS
from bottega.testing.job_folder import JobFolder, finish

IMAGE = "application/x-image"


def host(root: Path, name: str, images: list[Any], validation: list[Any]) -> JobFolder:
    values = {
        "num_classes": "2",
        "num_training_samples": "3",
        "base_network": "resnet-50",
        "use_pretrained_model": "0",
        "mini_batch_size": "1",
        "epochs": "1",
        "kv_store": "dist_sync",
    }
    folder = JobFolder(
        root / name,
        values,
        image="object-detection",
        hosts=("algo-1", "algo-2"),
        host=name,
        environment={"BOTTEGA_CPUS": "1"},
    )
    for channel, made in (("train", images), ("validation", validation)):
        folder.channel(channel, IMAGE, {image.name: image.data for image in made})
        notes = {image.name.replace(".jpg", ".json"): image.annotation for image in made}
        folder.channel(f"{channel}_annotation", IMAGE, notes)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.slow
def test_hosts_train_one_model_and_the_first_saves_it(
    tmp_path: Path, made: Callable[..., Any]
) -> None:
    # One has more images than the other; both take as many steps.
    folders = [
        host(tmp_path, "algo-1", [made(1), made(2)], [made(5)]),
        host(tmp_path, "algo-2", [made(3)], [made(5)]),
    ]
    for folder in folders:
        folder.config("checkpointconfig", {"LocalPath": str(folder.root / "checkpoints")})
    ended = finish([folder.start() for folder in folders], timeout=300)
    assert [run.returncode for run in ended] == [0, 0], [run.stderr for run in ended]
    assert "The channel train has 3 images" in ended[0].stdout
    assert ended[0].stdout.count("validation mAP <score>=(") == 1
    assert "quality_metric" not in ended[1].stdout
    assert len(list((folders[0].root / "model").iterdir())) == 3
    assert not list((folders[1].root / "model").iterdir())
    state = torch.load(folders[0].root / "model" / PARAMS, weights_only=True)
    assert all(torch.isfinite(value).all() for value in state.values())

    # The second host has no checkpoint of its own and goes on from the leader's.
    for folder in folders:
        folder.config("hyperparameters", {**folder.hyperparameters, "epochs": "2"})
    again = finish([folder.start() for folder in folders], timeout=300)
    assert [run.returncode for run in again] == [0, 0], [run.stderr for run in again]
    assert "Resuming from checkpoint-0001.pt, after 1 epochs." in again[0].stdout
    assert "epoch=1, validation mAP" in again[0].stdout
    assert "epoch=0, validation mAP" not in again[0].stdout
