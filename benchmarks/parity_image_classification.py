"""Image Classification on real images: a sample of CIFAR-10, trained from scratch.

    python benchmarks/parity_image_classification.py [--data FOLDER] [--epochs N] [--device cpu]

Needs torch and Pillow. The images are trained on as any job would: packed as RecordIO, through the
algorithm's ``train``; then every test image is sent to ``predict`` as a request. Beside it a loop
that uses nothing of bottega trains a network of the same depth, and where scikit-learn is installed
a logistic regression on raw pixels shows what can be had without a network.
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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import measurement
import numpy as np
from PIL import Image

from bottega.algorithms.readers.images import ImageItem, write_image_records
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

NAME = "image-classification"
GOAL = 0.50
BATCH, RATE, MOMENTUM, DECAY = 32, 0.05, 0.9, 0.001
_TIME = re.compile(r"Time cost=(\S+)")


def read(data: Path, part: str, limit: int) -> list[ImageItem]:
    """The files of ``train`` or ``test``, labelled by the place of their folder in the alphabet."""
    folders = sorted(path for path in (data / part).iterdir() if path.is_dir())
    found = []
    for label, folder in enumerate(folders):
        for path in sorted(folder.iterdir())[: limit or None]:
            found.append(
                ImageItem(path.name, path.read_bytes(), np.array([label], dtype=np.float32))
            )
    return found


def pixels(items: Sequence[ImageItem]) -> tuple[Any, Any]:
    """``uint8`` (n, 32, 32, 3), and the classes."""
    pictures = [np.asarray(Image.open(io.BytesIO(item.data)).convert("RGB")) for item in items]
    return np.stack(pictures), np.array([int(item.label[0]) for item in items])


def milestones(epochs: int) -> tuple[int, int]:
    """When the learning rate falls to a tenth."""
    return max(1, epochs * 6 // 10), max(2, epochs * 85 // 100)


def ours(
    train: Sequence[ImageItem],
    test: Sequence[ImageItem],
    epochs: int,
    augmentation: str,
    threads: int,
    precision: str,
) -> tuple[float, float]:
    """Train as a job and ask for a prediction of every test image.

    Returns:
        The accuracy, and the median seconds of an epoch.
    """
    algorithm_ = algorithm(NAME)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        job = JobFolder(
            Path(folder, "ml"),
            {
                "num_classes": str(1 + max(int(item.label[0]) for item in train)),
                "num_training_samples": str(len(train)),
                "num_layers": "20",
                "image_shape": "3,32,32",
                "epochs": str(epochs),
                "mini_batch_size": str(BATCH),
                "learning_rate": str(RATE),
                "momentum": str(MOMENTUM),
                "weight_decay": str(DECAY),
                "optimizer": "nag",
                "augmentation_type": augmentation,
                "precision_dtype": precision,
                "lr_scheduler_step": ",".join(map(str, milestones(epochs))),
                # The test images take no part in choosing the model: it is that of the last epoch.
            },
            image=NAME,
            environment={"BOTTEGA_CPUS": str(threads)},
        )
        stream = io.BytesIO()
        write_image_records(stream, train)
        job.channel("train", "application/x-recordio", {"train.rec": stream.getvalue()})
        log = _Log()
        with contextlib.redirect_stdout(log):
            algorithm_.train(job.read())
        model = algorithm_.load(job.root / "model", {})
        right = 0
        for item in test:
            body, _ = algorithm_.predict(model, item.data, "image/jpeg", "application/json")
            right += int(np.argmax(json.loads(body))) == int(item.label[0])
    return right / len(test), float(np.median(log.times))


class _Log(io.StringIO):
    """Shows the job's lines on stderr and takes the times of epochs from them."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def write(self, text: str) -> int:
        self.times += map(float, _TIME.findall(text))
        return sys.stderr.write(text)


def plain(
    train: tuple[Any, Any], test: tuple[Any, Any], epochs: int, place: Any
) -> tuple[float, float]:
    """A loop as anybody would write it: shift by up to 4, mirror, the same optimizer and rates.

    Returns:
        As :func:`ours`.
    """
    import torch
    from torch import nn
    from torch.nn import functional

    torch.manual_seed(0)

    class Residual(nn.Module):
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.body = nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(),
                nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
                nn.BatchNorm2d(outputs),
            )
            self.around = (
                nn.Identity()
                if inputs == outputs
                else nn.Sequential(
                    nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
                )
            )

        def forward(self, x: Any) -> Any:
            return functional.relu(self.body(x) + self.around(x))

    layers: list[Any] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    inputs = 16
    for outputs in (16, 32, 64):
        for block in range(3):
            layers.append(Residual(inputs, outputs, 2 if outputs > 16 and not block else 1))
            inputs = outputs
    classes = 1 + int(train[1].max())
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))
    model.to(place)
    mean = train[0].mean(axis=(0, 1, 2)) / 255
    deviation = train[0].std(axis=(0, 1, 2)) / 255

    def tensor(pictures: Any) -> Any:
        scaled = ((pictures / 255 - mean) / deviation).astype(np.float32)
        return torch.from_numpy(scaled).permute(0, 3, 1, 2).contiguous().to(place)

    x, y = tensor(train[0]), torch.from_numpy(train[1]).to(place)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY, nesterov=True
    )
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, list(milestones(epochs)), 0.1)
    times = []
    for epoch in range(epochs):
        began = time.perf_counter()
        model.train()
        padded = functional.pad(x, (4, 4, 4, 4))
        for batch in torch.randperm(len(x)).split(BATCH):
            cut = torch.empty((len(batch), *x.shape[1:]), device=place)
            for row, index in enumerate(batch.tolist()):
                top, left = np.random.default_rng((epoch, index)).integers(0, 9, 2)
                cut[row] = padded[index, :, top : top + 32, left : left + 32]
            mirrored = torch.rand(len(batch), 1, 1, 1, device=place) < 0.5
            cut = torch.where(mirrored, cut.flip(3), cut)
            loss = functional.cross_entropy(model(cut), y[batch.to(place)])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
        times.append(time.perf_counter() - began)
        if (epoch + 1) % 10 == 0:
            print(f"plain loop: epoch {epoch + 1}, {times[-1]:.1f} s", file=sys.stderr)
    model.eval()
    with torch.inference_mode():
        found = model(tensor(test[0])).argmax(dim=1).cpu().numpy()
    return float((found == test[1]).mean()), float(np.median(times))


def logistic(train: tuple[Any, Any], test: tuple[Any, Any]) -> float | None:
    """The accuracy of a logistic regression on raw pixels; None without scikit-learn."""
    try:
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler
    except ImportError:
        return None
    flat = [part[0].reshape(len(part[0]), -1).astype(np.float64) for part in (train, test)]
    scaler = StandardScaler().fit(flat[0])
    model = LogisticRegression(C=0.001, max_iter=300).fit(scaler.transform(flat[0]), train[1])
    return float(model.score(scaler.transform(flat[1]), test[1]))


def main() -> None:
    parser = measurement.options(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "shared" / "data",
        metavar="FOLDER",
        help="holds cifar10-sample (default: ../shared/data beside the clone)",
    )
    parser.add_argument("--device", choices=("auto", "cpu"), default="auto")
    parser.add_argument("--epochs", type=int, default=120)
    parser.add_argument("--threads", type=int, default=0, help="of the CPU (default: all)")
    parser.add_argument(
        "--augmentation", choices=("crop", "crop_color", "crop_color_transform"), default="crop"
    )
    parser.add_argument("--precision", choices=("float32", "float16"), default="float32")
    parser.add_argument("--no-peer", action="store_true", help="leave the plain loop out")
    parser.add_argument("--limit", type=int, default=0, help="images of a class, to try it out")
    chosen = parser.parse_args()
    if chosen.device == "cpu":
        # Before torch looks for GPUs.
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    try:
        import torch
    except ImportError:
        sys.exit("This benchmark needs PyTorch: pip install 'bottega[deep]'.")
    data = chosen.data / "cifar10-sample"
    if not data.is_dir():
        sys.exit(f"There is no {data}; give the folder of the data sets with --data.")
    gpu = torch.cuda.is_available()
    threads = chosen.threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    place = torch.device("cuda" if gpu else "cpu")
    train, test = read(data, "train", chosen.limit), read(data, "test", chosen.limit)
    rows: dict[str, tuple[float | None, float | None]] = {}
    rows["bottega image-classification"] = ours(
        train, test, chosen.epochs, chosen.augmentation, threads, chosen.precision
    )
    arrays = pixels(train), pixels(test)
    if not chosen.no_peer:
        rows["plain PyTorch loop"] = plain(*arrays, chosen.epochs, place)
    if (accuracy := logistic(*arrays)) is not None:
        rows["scikit-learn logistic regression on pixels"] = (accuracy, None)
    mine = rows["bottega image-classification"][0]
    first, second = milestones(chosen.epochs)
    where = torch.cuda.get_device_name() if gpu else f"CPU, {threads} threads"
    ratios = []
    if not chosen.no_peer:
        peer = rows["plain PyTorch loop"][0]
        assert mine is not None
        assert peer is not None
        if peer:
            ratios.append(measurement.Ratio("bottega / plain loop, accuracy", mine / peer))
    measurement.finish(
        measurement.Result(
            name="parity_image_classification",
            title="Image Classification: CIFAR-10 sample, from scratch",
            method=(
                f"{len(train)} training images and {len(test)} test images of 10 classes, 32 x 32. "
                f"A ResNet of 20 layers, {chosen.epochs} epochs of batches of {BATCH}, SGD with "
                f"Nesterov's momentum {MOMENTUM}, learning rate {RATE}, a tenth of it from epoch "
                f"{first} and {second} on, weight decay {DECAY}, augmentation "
                f"{chosen.augmentation}, {chosen.precision}; on {where}. The model is that of the "
                "last epoch, so the test images choose nothing; each is sent to the model as a "
                "request. The plain loop is PyTorch with shifts by up to 4 pixels and mirroring, "
                f"the same depth, batches, rates and epochs. The goal is an accuracy of {GOAL}."
            ),
            tables=[
                measurement.Table(
                    "Accuracy on the test images, and time",
                    ("accuracy", "seconds an epoch (median)"),
                    rows,
                )
            ],
            ratios=ratios,
            packages=("torch", "pillow", "numpy", "scikit-learn"),
        ),
        chosen.results,
    )


if __name__ == "__main__":
    main()
