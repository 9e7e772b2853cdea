"""Blood cells (BCCD): real photographs, real boxes, some of them empty."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bottega.algorithms.readers.images import ImageItem
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

CLASSES = ("RBC", "WBC", "Platelets")


def cells(data: Path, part: str, count: int) -> list[ImageItem]:
    """Some images of a part, packed as im2rec packs them."""
    folder = data / "bccd"
    names = (folder / "ImageSets" / "Main" / f"{part}.txt").read_text().split()[:count]
    found = []
    for name in names:
        root = ElementTree.parse(folder / "Annotations" / f"{name}.xml").getroot()
        label = [2.0, 5.0]
        for each in root.iter("object"):
            left, top, right, bottom = (
                float(each.findtext(f"bndbox/{side}", "0"))
                for side in ("xmin", "ymin", "xmax", "ymax")
            )
            if right > left and bottom > top:
                kind = CLASSES.index(each.findtext("name", ""))
                label += [kind, left / 640, top / 480, right / 640, bottom / 480]
        data_of_image = (folder / "JPEGImages" / f"{name}.jpg").read_bytes()
        found.append(ImageItem(name, data_of_image, np.array(label, dtype=np.float32)))
    return found


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_small_network_learns_to_see_red_cells(
    small_network: None,
    job: Callable[..., JobFolder],
    shared_data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = job(
        train=cells(shared_data, "train", 48),
        validation=cells(shared_data, "test", 12),
        num_classes="3",
        mini_batch_size="8",
        epochs="8",
        optimizer="adam",
        learning_rate="0.003",
    )
    algorithm("object-detection").train(folder.read())
    log = capsys.readouterr().out
    found = [float(value) for value in re.findall(r"of each class: 0: ([\d.]+)", log)]
    assert len(found) == 8
    # Eight epochs of a network with a few thousand weights; chance is below 0.01.
    assert max(found) > 0.2
