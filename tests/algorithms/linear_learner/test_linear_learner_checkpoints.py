"""Jobs that are stopped, or killed, and go on from their checkpoints."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.testing.job_folder import JobFolder, finish

RNG = np.random.default_rng(7)
ROWS, WIDTH = 600, 4
FEATURES = RNG.normal(size=(ROWS, WIDTH)).astype("f4")
NUMBERS = FEATURES @ [2, 1, -3, 0] + 5
BINARY = (NUMBERS + RNG.normal(size=ROWS) > 5).astype(int)
SMALL = {"mini_batch_size": 50}
CLASSIFIER = {"predictor_type": "binary_classifier", **SMALL}
DATA = {"train": (FEATURES[:400], BINARY[:400]), "validation": (FEATURES[400:], BINARY[400:])}

Jobs = Any


def checkpointed(jobs: Jobs, **values: Any) -> JobFolder:
    folder = jobs.with_data({**CLASSIFIER, **values}, **DATA)
    return with_checkpoints(folder)


def with_checkpoints(folder: JobFolder, place: Path | None = None) -> JobFolder:
    place = place or folder.root / "checkpoints"
    folder.config("checkpointconfig", {"S3Uri": "s3://bucket/c", "LocalPath": str(place)})
    return folder


def kept(folder: JobFolder) -> list[Path]:
    return sorted(folder.read().checkpoints.glob("linear-learner-*.npz"))


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_job_goes_on_where_it_was(jobs: Jobs, optimizer: str) -> None:
    whole = jobs.train(checkpointed(jobs, epochs=6, optimizer=optimizer))
    assert [path.name for path in kept(whole.folder)] == ["linear-learner-00006.npz"]
    # lr_scheduler_factor follows epochs, which shall make no difference here.
    fixed = {"optimizer": optimizer, "lr_scheduler_factor": 0.5}
    whole = jobs.train(checkpointed(jobs, epochs=6, **fixed))
    first = checkpointed(jobs, epochs=2, **fixed)
    jobs.train(first)
    second = with_checkpoints(
        jobs.with_data({**CLASSIFIER, "epochs": 6, **fixed}, **DATA),
        first.read().checkpoints,
    )
    done = jobs.train(second)
    assert "Resuming after 2 epochs." in done.log
    assert done.epochs == 4
    np.testing.assert_array_equal(done.weights, whole.weights)
    # And once more: everything is done already.
    again = jobs.train(second)
    assert again.epochs == 0
    np.testing.assert_array_equal(again.weights, whole.weights)


def test_checkpoints_of_another_training_are_refused(jobs: Jobs) -> None:
    first = checkpointed(jobs, epochs=1)
    jobs.train(first)
    place = first.read().checkpoints
    other = with_checkpoints(jobs.with_data({**CLASSIFIER, "epochs": 2, "wd": 0.5}, **DATA), place)
    message = jobs.refused(other)
    assert "linear-learner-00001.npz is of a training with another wd" in message
    narrow = with_checkpoints(
        jobs.with_data({**CLASSIFIER, "epochs": 2}, train=(FEATURES[:, :2], BINARY)), place
    )
    assert "is of a training on other data" in jobs.refused(narrow)
    kept(first)[0].write_bytes(b"PK damaged")
    assert "cannot be loaded; remove it to start anew" in jobs.refused(
        with_checkpoints(jobs.with_data({**CLASSIFIER}, train=(FEATURES, BINARY)), place)
    )


@pytest.mark.slow
def test_a_killed_job_goes_on(jobs: Jobs) -> None:
    values = {**CLASSIFIER, "epochs": 40, "early_stopping_patience": 50}
    whole = jobs.train(jobs.with_data(values, **DATA))
    folder = with_checkpoints(jobs.with_data(values, **DATA))
    process = folder.start()
    while not folder.read().checkpoints.is_dir() or not kept(folder):
        assert process.poll() is None, process.communicate()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    finish([process])
    done = jobs.train(folder)
    assert "Resuming after" in done.log
    assert 0 < done.epochs < 40
    np.testing.assert_allclose(done.weights, whole.weights, rtol=1e-5)
