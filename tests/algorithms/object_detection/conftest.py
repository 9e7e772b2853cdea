"""Made images with coloured rectangles, jobs on them, and a network that is small enough to train
in seconds."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bottega.algorithms.deep.resnet import ResNet
from bottega.algorithms.object_detection import network
from bottega.algorithms.readers.images import ImageItem, write_image_records
from bottega.testing.job_folder import JobFolder

RECORDS = "application/x-recordio"
COLOURS = ((220, 40, 40), (40, 60, 220))
"""Of the rectangles of class 0 and 1."""
WIDTH, HEIGHT = 160, 120


@dataclass(frozen=True)
class Made:
    """One made image."""

    name: str
    data: bytes
    boxes: tuple[tuple[int, int, int, int, int], ...]
    """Class, left, top, right, bottom in pixels."""

    @property
    def item(self) -> ImageItem:
        rows = [
            value
            for kind, left, top, right, bottom in self.boxes
            for value in (kind, left / WIDTH, top / HEIGHT, right / WIDTH, bottom / HEIGHT)
        ]
        return ImageItem(self.name, self.data, np.array([2, 5, *rows], dtype=np.float32))

    @property
    def annotation(self) -> str:
        return json.dumps(
            {
                "file": self.name,
                "image_size": [{"width": WIDTH, "height": HEIGHT, "depth": 3}],
                "annotations": [
                    {
                        "class_id": kind,
                        "left": left,
                        "top": top,
                        "width": right - left,
                        "height": bottom - top,
                    }
                    for kind, left, top, right, bottom in self.boxes
                ],
                "categories": [
                    {"class_id": 0, "name": "red"},
                    {"class_id": 1, "name": "blue"},
                ],
            }
        )


def make(seed: int, count: int = 3) -> Made:
    """A grey, noisy image with a rectangle in each of some of its corners."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(110, 150, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    boxes = []
    for corner in rng.permutation(4)[:count].tolist():
        kind = int(rng.integers(2))
        left = (corner % 2) * WIDTH // 2 + int(rng.integers(4, 20))
        top = (corner // 2) * HEIGHT // 2 + int(rng.integers(4, 14))
        right, bottom = left + int(rng.integers(28, 50)), top + int(rng.integers(28, 44))
        pixels[top:bottom, left:right] = COLOURS[kind]
        boxes.append((kind, left, top, right, bottom))
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return Made(f"image-{seed:03d}.jpg", stream.getvalue(), tuple(boxes))


def packed(images: Sequence[Made | ImageItem]) -> bytes:
    """As a RecordIO file."""
    stream = io.BytesIO()
    write_image_records(
        stream, [image.item if isinstance(image, Made) else image for image in images]
    )
    return stream.getvalue()


Job = Callable[..., JobFolder]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """The networks are small, and other tests run beside these."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Makes a job of two epochs on made images; hyperparameters by name."""

    def make_job(
        name: str = "ml",
        *,
        train: Sequence[Made | ImageItem] = tuple(make(seed) for seed in range(4)),
        validation: Sequence[Made | ImageItem] = tuple(make(seed) for seed in range(50, 53)),
        **hyperparameters: str,
    ) -> JobFolder:
        values = {
            "num_classes": "2",
            "num_training_samples": str(len(train)),
            "base_network": "resnet-50",
            "use_pretrained_model": "0",
            "mini_batch_size": "2",
            "epochs": "2",
            **hyperparameters,
        }
        folder = JobFolder(
            tmp_path / name,
            values,
            image="object-detection",
            environment={"BOTTEGA_CPUS": "1"},
        )
        folder.channel("train", RECORDS, {"train.rec": packed(train)})
        if validation:
            folder.channel("validation", RECORDS, {"validation.rec": packed(validation)})
        return folder

    return make_job


@pytest.fixture
def small_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ResNet of the same build with few and narrow layers in the place of ResNet-50."""

    def small(layers: int) -> ResNet:
        assert layers == 50
        return ResNet(
            (1, 1, 1, 1),
            # oneDNN's backward pass of a 1x1 convolution with a stride, in channels_last and with
            # less than 16 channels, writes beyond its memory on CPUs with AVX-512.
            (16, 16, 24, 32),
            bottleneck=False,
            small=False,
            num_classes=0,
            in_channels=3,
        )

    monkeypatch.setattr(network, "resnet", small)


@pytest.fixture
def made() -> Callable[..., Made]:
    """Makes an image, see :func:`make`."""
    return make
