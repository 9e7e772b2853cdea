"""Linear Learner on more data than memory should hold, beside scikit-learn's partial_fit.

``BOTTEGA_STREAM_MB`` sets the size of the file; 10,000 when it is not set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_WIDTH, _BLOCK = 50, 100_000
_QUICK_MB = 50
_MB = 10**6
_SIZE_MB = int(os.environ.get("BOTTEGA_STREAM_MB") or 10_000)

TITLE = f"Linear Learner: one epoch of {_SIZE_MB:,} MB"
METHOD = (
    f"One epoch over {_SIZE_MB:,} MB of made rows of 50 float32 features. bottega: a whole job on "
    "one RecordIO-protobuf file, training 32 models (num_models=auto), with the passes over the "
    "first rows that calibrate and evaluate; MB are those of the file; the reader may keep 256 MiB "
    "of rows (BOTTEGA_READER_MEMORY), which it shuffles. scikit-learn: one model, "
    "SGDClassifier.partial_fit of batches of 1,000 rows that are read from a plain file of float32 "
    "(of the same rows) and scaled. Peak memory is that of the process, with its libraries."
)
PACKAGES = ("scikit-learn",)
COLUMNS = ("seconds", "MB/s")
ROUNDS = 1


def _blocks(rows: int) -> Iterator[Any]:
    """Rows in blocks, the label first."""
    random = np.random.default_rng(0)
    true = random.normal(size=_WIDTH).astype(np.float32) / 6
    for start in range(0, rows, _BLOCK):
        count = min(_BLOCK, rows - start)
        table = np.empty((count, _WIDTH + 1), dtype=np.float32)
        table[:, 1:] = random.standard_normal((count, _WIDTH), dtype=np.float32)
        chances = 1 / (1 + np.exp(-(table[:, 1:] @ true)))
        table[:, 0] = random.random(count) < chances
        yield table


def prepare(folder: Path, quick: bool) -> None:
    """Write the rows twice: as the channel of a job, and as plain numbers."""
    from bottega.algorithms.readers.record_writing import write_rows

    rows = (_QUICK_MB if quick else _SIZE_MB) * _MB // (4 * (_WIDTH + 1) + 48)
    channel = folder / "job" / "input" / "data" / "train"
    channel.mkdir(parents=True)
    with (channel / "rows.pbr").open("wb") as records, (folder / "rows.f4").open("wb") as plain:
        for table in _blocks(rows):
            write_rows(records, table[:, 1:], table[:, 0])
            table.tofile(plain)


def _ours(folder: Path, quick: bool) -> Sequence[float]:
    import contextlib
    import io

    from bottega.algorithms.registry import algorithm
    from bottega.testing.job_folder import JobFolder

    # So little that nothing of it is kept, and rows are shuffled within a window of half of that.
    os.environ["BOTTEGA_READER_MEMORY"] = "16" if quick else "256"
    values = {"predictor_type": "binary_classifier", "epochs": "1"}
    job = JobFolder(folder / "job", values, image="linear-learner")
    job.channel("train", "application/x-recordio-protobuf", {})
    size = (folder / "job" / "input" / "data" / "train" / "rows.pbr").stat().st_size
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        algorithm("linear-learner").train(job.read())
    seconds = time.perf_counter() - began
    return seconds, size / _MB / seconds


def _theirs(folder: Path, quick: bool) -> Sequence[float]:
    from sklearn.linear_model import SGDClassifier
    from sklearn.preprocessing import StandardScaler

    model = SGDClassifier(loss="log_loss", random_state=0)
    scaler = StandardScaler()
    began = time.perf_counter()
    with (folder / "rows.f4").open("rb") as file:
        first = True
        while (numbers := np.fromfile(file, dtype=np.float32, count=10_000 * (_WIDTH + 1))).size:
            table = numbers.reshape(-1, _WIDTH + 1)
            if first:
                scaler.fit(table[:, 1:])
                first = False
            scaled = scaler.transform(table[:, 1:])
            for start in range(0, len(table), 1000):
                part = slice(start, start + 1000)
                model.partial_fit(scaled[part], table[part, 0], classes=(0, 1))
    seconds = time.perf_counter() - began
    return seconds, (folder / "rows.f4").stat().st_size / _MB / seconds


CONTESTANTS = {"bottega, 32 models": _ours, "scikit-learn partial_fit, 1 model": _theirs}
RATIOS = (
    (
        "scikit-learn's partial_fit of 1 model / bottega with 32 models, time",
        "scikit-learn partial_fit, 1 model",
        "bottega, 32 models",
        "seconds",
    ),
)
