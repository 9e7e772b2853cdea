"""Object Detection on real images: blood cells (BCCD), trained from scratch.

    python benchmarks/parity_object_detection.py [--data FOLDER] [--minutes N] [--device cpu]

Needs torch and Pillow. The images are trained on as any job would: packed as RecordIO, through
the algorithm's ``train``; then every test image is sent to ``predict`` as a request, and the mean
average precision of the answers is computed by a function of this script.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import measurement
import numpy as np

from bottega.algorithms.readers.images import ImageItem, write_image_records
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

NAME = "object-detection"
CLASSES = ("RBC", "WBC", "Platelets")
GOAL = 0.70
VALIDATION = 20
"""Of the images to train on, so many choose the epoch that is kept."""
OVERLAP = 0.5
_SCORE = re.compile(r"epoch=(\d+), validation mAP <score>=\((\S+)\)")


def objects_of(file: Path) -> list[list[float]]:
    """Class and corners, as parts of the image, of every box of a Pascal VOC file that has an
    area."""
    root = ElementTree.parse(file).getroot()
    width, height = (float(root.findtext(f"size/{side}", "0")) for side in ("width", "height"))
    found = []
    for each in root.iter("object"):
        left, top, right, bottom = (
            float(each.findtext(f"bndbox/{name}", "0")) for name in ("xmin", "ymin", "xmax", "ymax")
        )
        if right > left and bottom > top:
            kind = CLASSES.index(each.findtext("name", ""))
            found.append([kind, left / width, top / height, right / width, bottom / height])
    return found


def items(data: Path, part: str) -> list[ImageItem]:
    """The images of ``train`` or ``test``, each labelled as MXNet packs it."""
    names = (data / "ImageSets" / "Main" / f"{part}.txt").read_text().split()
    found = []
    for name in names:
        boxes = objects_of(data / "Annotations" / f"{name}.xml")
        label = np.array([2, 5, *(value for box in boxes for value in box)], dtype=np.float32)
        found.append(ImageItem(name, (data / "JPEGImages" / f"{name}.jpg").read_bytes(), label))
    return found


def packed(found: Sequence[ImageItem]) -> bytes:
    """As one RecordIO file."""
    stream = io.BytesIO()
    write_image_records(stream, found)
    return stream.getvalue()


class Watch(io.TextIOBase):
    """Passes the log on, and notes when which epoch had which score."""

    def __init__(self, out: Any, every: int) -> None:
        self.since = time.monotonic()
        self.scores: list[tuple[int, float, float]] = []
        self._out = out
        self._every = every

    def write(self, text: str) -> int:
        match = _SCORE.search(text)
        if match is not None:
            epoch, score = int(match[1]), float(match[2])
            self.scores.append((epoch, score, time.monotonic() - self.since))
            if self._shown():
                self._print(f"epoch {epoch:4d}  {self.scores[-1][2]:7.1f} s  mAP {score:.4f}")
        elif "Average precision of" in text and self._shown():
            self._print(" " * 21 + text.partition("] ")[2])
        elif "WARNING" in text or "Training on" in text:
            self._print(text)
        return len(text)

    def _shown(self) -> bool:
        epochs = self.scores[-1][0] + 1
        return epochs == 1 or epochs % self._every == 0

    def _print(self, text: str) -> None:
        self._out.write(text.rstrip("\n") + "\n")
        self._out.flush()

    def flush(self) -> None:
        self._out.flush()


@contextlib.contextmanager
def device(wanted: str) -> Iterator[None]:
    """Hide the GPU where the CPU is to be measured. Raises: SystemExit when there is no GPU."""
    import torch

    if wanted == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    elif wanted == "cuda" and not torch.cuda.is_available():
        raise SystemExit("There is no GPU here; use --device cpu.")
    yield


def average_precision(answers: Sequence[Any], truth: Sequence[Any], kind: int) -> float:
    """Pascal VOC's, counted detection by detection, apart from the algorithm's own code."""
    ranked = sorted(
        (
            (row[1], image, row[2:])
            for image, rows in enumerate(answers)
            for row in rows
            if row[0] == kind
        ),
        key=lambda found: -found[0],
    )
    there = [[box[1:] for box in boxes if box[0] == kind] for boxes in truth]
    used = [[False] * len(boxes) for boxes in there]
    total = sum(map(len, there))
    curve, hits = [], 0
    for number, (_, image, box) in enumerate(ranked, start=1):
        overlaps = [_overlap(box, other) for other in there[image]]
        best = max(range(len(overlaps)), key=overlaps.__getitem__, default=-1)
        if best >= 0 and overlaps[best] >= OVERLAP and not used[image][best]:
            used[image][best] = True
            hits += 1
        curve.append((hits / total, hits / number))
    area, before = 0.0, 0.0
    for place, (recall, _) in enumerate(curve):
        if recall > before:
            area += (recall - before) * max(precision for _, precision in curve[place:])
            before = recall
    return area


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return wide * high / (areas - wide * high)


def hyperparameters(arguments: Any, images: int) -> dict[str, str]:
    """What the job is asked for."""
    epochs = arguments.epochs
    steps = sorted({max(1, round(epochs * 0.7)), max(1, round(epochs * 0.9))})
    return {
        "num_classes": str(len(CLASSES)),
        "num_training_samples": str(images),
        "base_network": arguments.base_network,
        "use_pretrained_model": "0",
        "image_shape": str(arguments.image_shape),
        "mini_batch_size": str(arguments.batch),
        "epochs": str(epochs),
        "optimizer": arguments.optimizer,
        "learning_rate": str(arguments.learning_rate),
        "lr_scheduler_step": ",".join(map(str, steps)),
        "lr_scheduler_factor": "0.1",
    }


class TimeIsUp(Exception):
    """The minutes are over; the best model so far counts."""


def limited(watch: Watch, minutes: float) -> Callable[[str], int]:
    """The watch's ``write``, which ends the training when the minutes are over."""
    write = watch.write

    def checked(text: str) -> int:
        count = write(text)
        # The score of an epoch and the model belong together: end after "Saved" or a new epoch.
        if "#progress_metric" in text and time.monotonic() - watch.since > 60 * minutes:
            raise TimeIsUp
        return count

    return checked


def main() -> None:
    parser = measurement.options(__doc__)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default, help="the folder of data sets")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--minutes", type=float, default=60.0, help="training ends after these")
    parser.add_argument("--base-network", choices=("vgg-16", "resnet-50"), default="resnet-50")
    parser.add_argument("--image-shape", type=int, default=300)
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--optimizer", default="sgd")
    parser.add_argument("--learning-rate", type=float, default=0.01)
    parser.add_argument("--every", type=int, default=5, help="print each so many epochs")
    parser.add_argument("--images", type=int, default=0, help="train on so few images; 0 for all")
    arguments = parser.parse_args()
    folder = arguments.data / "bccd"
    if not folder.is_dir():
        raise SystemExit(f"{folder} is not there; give the folder of data sets with --data.")
    with device(arguments.device), tempfile.TemporaryDirectory() as scratch:
        measure(arguments, folder, Path(scratch, "ml"))


def measure(arguments: Any, data: Path, root: Path) -> None:
    """Train, ask for every test image, and write the result."""
    import torch

    from bottega.algorithms.object_detection.precision import reduced

    train, test = items(data, "train"), items(data, "test")
    # The test images have no part in choosing the epoch that is kept.
    train, validation = train[:-VALIDATION], train[-VALIDATION:]
    train = train[: arguments.images or None]
    job = JobFolder(root, hyperparameters(arguments, len(train)), image=NAME)
    for channel, part in (("train", train), ("validation", validation)):
        job.channel(channel, "application/x-recordio", {f"{channel}.rec": packed(part)})
    found = algorithm(NAME)
    watch = Watch(sys.stdout, arguments.every)
    watch.write = limited(watch, arguments.minutes)  # type: ignore[method-assign]
    with contextlib.redirect_stdout(watch), contextlib.suppress(TimeIsUp):
        found.train(job.read())
    seconds = time.monotonic() - watch.since
    epochs = len(watch.scores)
    model = found.load(root / "model", {})
    since = time.monotonic()
    answers = [
        json.loads(found.predict(model, item.data, "image/jpeg", "application/json")[0])
        for item in test
    ]
    each = (time.monotonic() - since) / len(test)
    truth = [item.label[2:].reshape(-1, 5).tolist() for item in test]
    predictions = [answer["prediction"] for answer in answers]
    scores = [average_precision(predictions, truth, kind) for kind in range(len(CLASSES))]
    reached = next((row for row in watch.scores if row[1] >= GOAL), None)
    gpu = torch.cuda.is_available()
    where = torch.cuda.get_device_name() if gpu else f"the CPU, {torch.get_num_threads()} threads"
    number = "bfloat16 and float32" if reduced(model.place) else "float32"
    rows = {
        "mAP on the test images": [float(np.mean(scores))],
        **{
            f"average precision of {name}": [score]
            for name, score in zip(CLASSES, scores, strict=True)
        },
        "best validation:mAP in the log": [max(score for _, score, _ in watch.scores)],
        "epochs trained": [epochs],
        f"epochs until validation:mAP {GOAL}": [reached[0] + 1 if reached else None],
        f"seconds until validation:mAP {GOAL}": [reached[2] if reached else None],
        "seconds of training": [seconds],
        "seconds an epoch": [seconds / epochs],
        "seconds a request": [each],
    }
    measurement.finish(
        measurement.Result(
            name="parity_object_detection",
            title="Object Detection: blood cells, from scratch",
            method=(
                f"BCCD, as split in ImageSets: {len(train)} images to train on, the other "
                f"{len(validation)} of that part to choose the epoch that is kept, and the "
                f"{len(test)} of the other part to test; boxes without an area left out. "
                f"base_network {arguments.base_network}, image_shape {arguments.image_shape}, "
                f"mini_batch_size {arguments.batch}, {arguments.optimizer} with learning_rate "
                f"{arguments.learning_rate:g} for up to {arguments.epochs} epochs, no pretrained "
                f"weights, on {where}, in {number}. The mean average precision at an overlap of "
                f"{OVERLAP} (area under the curve) is computed by this script from the answers of "
                "the trained model to the test images; validation:mAP is the algorithm's own."
            ),
            tables=[measurement.Table("Quality and time", ["value"], rows)],
            ratios=[
                measurement.Ratio(
                    f"mAP reached / the goal of {GOAL}", float(np.mean(scores)) / GOAL
                )
            ],
            packages=["torch", "pillow", "numpy"],
        ),
        arguments.results,
    )


if __name__ == "__main__":
    main()
