"""Small pictures, and jobs that learn them in a second."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from bottega.algorithms.deep import checkpoints
from bottega.algorithms.readers.images import ImageItem, write_image_records
from bottega.testing.job_folder import JobFolder

SETTINGS = {
    "num_classes": "2",
    "num_training_samples": "24",
    "num_layers": "20",
    "image_shape": "3,8,8",
    "epochs": "2",
    "mini_batch_size": "8",
    "learning_rate": "0.05",
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are fastest so, and jobs change it for the whole process."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def picture() -> Callable[..., bytes]:
    """Make a PNG: noise about a colour that tells the class."""

    def make(label: int, number: int = 0, side: int = 8) -> bytes:
        draw = np.random.default_rng((label, number))
        colour = np.array([[200, 60, 60], [60, 60, 200], [60, 200, 60]][label % 3])
        noise = draw.normal(0, 25, (side, side, 3))
        return png(np.clip(colour + noise, 0, 255).astype(np.uint8))

    return make


@pytest.fixture
def records() -> Callable[[Sequence[tuple[Sequence[float], bytes]]], bytes]:
    """Pack labels and pictures as RecordIO."""

    def pack(items: Sequence[tuple[Sequence[float], bytes]]) -> bytes:
        stream = io.BytesIO()
        write_image_records(
            stream,
            [
                ImageItem(f"{number}.png", data, np.array(label, dtype=np.float32))
                for number, (label, data) in enumerate(items)
            ],
        )
        return stream.getvalue()

    return pack


@pytest.fixture
def job(tmp_path: Path, picture: Any, records: Any) -> Callable[..., JobFolder]:
    """A job with 24 pictures of two classes to train on and 12 to validate.

    Unless others are given, or ``bare`` asks for none.
    """

    def make(
        settings: dict[str, str] | None = None,
        *,
        name: str = "ml",
        train: bytes | None = None,
        validation: bytes | None = None,
        bare: bool = False,
    ) -> JobFolder:
        folder = JobFolder(
            tmp_path / name,
            SETTINGS | (settings or {}),
            image="image-classification",
            environment={"BOTTEGA_CPUS": "1"},
        )
        if bare:
            return folder
        if train is None:
            train = records([([n % 2], picture(n % 2, n)) for n in range(24)])
        if validation is None:
            validation = records([([n % 2], picture(n % 2, 100 + n)) for n in range(12)])
        folder.channel("train", "application/x-recordio", {"train.rec": train})
        if validation:
            folder.channel("validation", "application/x-recordio", {"validation.rec": validation})
        return folder

    return make


@pytest.fixture
def weights() -> Callable[[JobFolder], dict[str, torch.Tensor]]:
    """Of the epoch that is the model of a job."""

    def read(folder: JobFolder) -> dict[str, torch.Tensor]:
        model = folder.root / "model"
        description = json.loads((model / "image-classification-symbol.json").read_text())
        found: dict[str, torch.Tensor] = checkpoints.load(model / description["params"])
        return found

    return read


@pytest.fixture
def same() -> Callable[..., bool]:
    """Whether two state dicts are equal to the last bit."""

    def compare(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
        return first.keys() == second.keys() and all(
            torch.equal(value, second[name]) for name, value in first.items()
        )

    return compare
