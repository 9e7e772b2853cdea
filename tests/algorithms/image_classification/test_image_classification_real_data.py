"""Real photographs, scaled down so that a network learns them in seconds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.image_classification.algorithm import ImageClassification
from bottega.testing.job_folder import JobFolder

CLASSES = ("airplane", "frog")
ALGORITHM = ImageClassification()


def files(data: Path, part: str, count: int) -> list[tuple[list[int], bytes]]:
    return [
        ([label], path.read_bytes())
        for label, name in enumerate(CLASSES)
        for path in sorted((data / "cifar10-sample" / part / name).iterdir())[:count]
    ]


@pytest.mark.slow
def test_airplanes_and_frogs_are_told_apart(shared_data: Path, tmp_path: Path, records: Any):
    settings = {
        "num_classes": "2",
        "num_training_samples": "300",
        "num_layers": "20",
        "image_shape": "3,12,12",
        "resize": "14",
        "augmentation_type": "crop",
        "epochs": "12",
        "mini_batch_size": "20",
        "learning_rate": "0.05",
        "lr_scheduler_step": "9",
    }
    job = JobFolder(tmp_path / "ml", settings, environment={"BOTTEGA_CPUS": "1"})
    train = records(files(shared_data, "train", 150))
    job.channel("train", "application/x-recordio", {"train.rec": train})
    ALGORITHM.train(job.read())
    model = ALGORITHM.load(job.root / "model", {})
    right = [
        int(np.argmax(json.loads(ALGORITHM.predict(model, data, "image/jpeg", "")[0]))) == label
        for [label], data in files(shared_data, "test", 50)
    ]
    # The best logistic regression on the pixels of the same images.
    assert np.mean(right) >= 0.86
