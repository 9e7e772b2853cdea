"""Channels of rows in Pipe mode: a FIFO for each pass, in which the files follow one another."""

from __future__ import annotations

import gzip
import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers import sources
from bottega.algorithms.readers.record_channel import RecordChannel, open_records
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import frame, read_records
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"
ROWS, COLUMNS = 530, 4
FEATURES = np.random.default_rng(12).normal(size=(ROWS, COLUMNS)).astype(np.float32)
LABELS = (np.arange(ROWS) % 3).astype(np.float32)


def lines(form: Callable[[float, list[float]], str], features: Any, labels: Any) -> bytes:
    rows = zip(labels.tolist(), features.tolist(), strict=True)
    return "".join(form(y, row) + "\n" for y, row in rows).encode()


def csv(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    return lines(lambda y, row: ",".join(map(repr, [y, *row])), features, labels)


def jsonlines(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    return lines(lambda y, row: json.dumps({"features": row, "label": y}), features, labels)


def libsvm(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    def form(y: float, row: list[float]) -> str:
        return " ".join([str(y), *(f"{i}:{v!r}" for i, v in enumerate(row))])

    return lines(form, features, labels)


def records(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    file = io.BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def arrow(features: Any = FEATURES, labels: Any = LABELS) -> bytes:
    columns = {"y": labels, **{f"f{i}": column for i, column in enumerate(features.T)}}
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file, row_group_size=100)
    return file.getvalue()


WRITERS = {
    RECORDIO: records,
    "text/csv": csv,
    "application/jsonlines": jsonlines,
    "application/x-parquet": arrow,
    "text/libsvm": libsvm,
}
TYPES = tuple(WRITERS)


def opened(job: JobFolder, **more: Any) -> RecordChannel:
    channel = open_records(job.read(), "train", content_types=TYPES, **more)
    assert channel is not None
    return channel


def everything(batches: Iterator[Any]) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Features, labels and the sizes of the batches."""
    found = list(batches)
    features = [
        batch.features.toarray() if sparse.issparse(batch.features) else batch.features
        for batch in found
    ]
    return (
        np.concatenate(features),
        np.concatenate([batch.labels for batch in found]),
        [batch.rows for batch in found],
    )


def changed(place: tuple[int, int], value: float) -> np.ndarray:
    found = FEATURES.copy()
    found[place] = value
    return found


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets how many MiB readers may keep."""
    return lambda size: monkeypatch.setenv("BOTTEGA_READER_MEMORY", str(size))


def piped(job: JobFolder, content_type: str, wrapper: str = "None") -> None:
    """Say that the channel is in Pipe mode."""
    job.channel("train", content_type, {})
    path = job.root / "input" / "config" / "inputdataconfig.json"
    config = json.loads(path.read_text())
    config["train"] |= {"TrainingInputMode": "Pipe", "RecordWrapperType": wrapper}
    path.write_text(json.dumps(config))


class Feeder:
    """Writes the files of a channel into a FIFO for each pass, as the platform does."""

    def __init__(self, job: JobFolder, content_type: str, files: list[bytes]) -> None:
        self.passes = 0
        self._ended = False
        self._files = files
        self._folder = job.root / "input" / "data"
        piped(job, content_type)
        os.mkfifo(self._folder / "train_0")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            number = self.passes
            path = self._folder / f"train_{number}"
            with path.open("wb", buffering=0) as file:
                if self._ended:
                    return
                os.mkfifo(self._folder / f"train_{number + 1}")
                self.passes += 1
                try:
                    for content in self._files:
                        file.write(content)
                except BrokenPipeError:
                    continue

    def stop(self) -> None:
        """Open the FIFO that it waits at, and read nothing, so that its thread ends."""
        self._ended = True
        reader = os.open(self._folder / f"train_{self.passes}", os.O_RDONLY | os.O_NONBLOCK)
        self._thread.join(10)
        os.close(reader)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("content_type", TYPES)
@pytest.mark.parametrize("kept", [True, False], ids=["in memory", "read anew"])
def test_pipes_give_the_rows_of_all_files(
    tmp_path: Path, memory: Callable[[float], None], content_type: str, kept: bool
) -> None:
    memory(1 if kept else 0)
    job = JobFolder(tmp_path / "ml", {})
    half = ROWS // 2
    write = WRITERS[content_type]
    files = [write(FEATURES[:half], LABELS[:half]), write(FEATURES[half:], LABELS[half:])]
    feeder = Feeder(job, content_type, files)
    channel = opened(job, width=COLUMNS)
    for epoch in range(3):
        features, labels, sizes = everything(channel.batches(64, epoch=epoch))
        np.testing.assert_array_equal(features, FEATURES)
        np.testing.assert_array_equal(labels, LABELS)
        assert sizes == [64] * 8 + [18]
    assert feeder.passes == (1 if kept else 3)
    shuffled, labels, _ = everything(channel.batches(64, seed=1))
    np.testing.assert_array_equal(np.sort(shuffled[:, 0]), np.sort(FEATURES[:, 0]))
    feeder.stop()


def test_pipes_of_gzip_and_of_nothing(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml", {})
    feeder = Feeder(job, "text/csv", [gzip.compress(csv()), gzip.compress(csv())])
    channel = opened(job)
    np.testing.assert_array_equal(everything(channel.batches(64))[0], np.tile(FEATURES, (2, 1)))
    feeder.stop()
    for content_type in (RECORDIO, "text/csv", "application/x-parquet"):
        job = JobFolder(tmp_path / content_type.replace("/", "-"), {})
        feeder = Feeder(job, content_type, [])
        with pytest.raises(CustomerError, match="The channel train has no data"):
            opened(job)
        feeder.stop()


def test_a_pass_over_a_pipe_may_be_left(tmp_path: Path, memory: Callable[[float], None]) -> None:
    memory(0)
    job = JobFolder(tmp_path / "ml", {})
    feeder = Feeder(job, RECORDIO, [records()] * 200)
    channel = opened(job)
    for _ in range(2):
        batches = channel.batches(10)
        np.testing.assert_array_equal(next(batches).features, FEATURES[:10])
        batches.close()  # type: ignore[attr-defined]
    assert sum(batch.rows for batch in channel.batches(100)) == 200 * ROWS
    feeder.stop()


@pytest.mark.parametrize(
    ("content_type", "data", "words"),
    [
        ("text/csv", csv() + b"1,2,x,3,4\n", "the channel train: 'x' in column 3 of line 531"),
        (RECORDIO, records() + b"xxxxxxxx", f"the channel train: at byte .* record {ROWS + 1}"),
        ("application/x-parquet", arrow() + arrow()[:-9], "the channel train is no Parquet"),
        ("text/csv", csv(changed((3, 0), np.nan)), "Feature 1 in line 4 of the channel train"),
    ],
)
def test_damage_in_a_pipe_is_named(
    tmp_path: Path, content_type: str, data: bytes, words: str
) -> None:
    job = JobFolder(tmp_path / "ml", {})
    feeder = Feeder(job, content_type, [data])

    def read() -> None:
        everything(opened(job).batches(100))

    with pytest.raises(CustomerError, match=words):
        read()
    feeder.stop()


def test_libsvm_in_a_pipe_needs_a_width(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml", {})
    feeder = Feeder(job, "text/libsvm", [libsvm()])
    with pytest.raises(CustomerError, match=r"libsvm in Pipe mode.*feature_dim"):
        opened(job)
    feeder.stop()


def test_objects_that_the_platform_wraps_are_records(tmp_path: Path) -> None:
    payloads = list(read_records(io.BytesIO(records())))
    job = JobFolder(tmp_path / "ml", {})
    feeder = Feeder(job, RECORDIO, [frame(payload) for payload in payloads])
    piped(job, RECORDIO, wrapper="RecordIO")
    channel = opened(job)
    np.testing.assert_array_equal(everything(channel.batches(64))[0], FEATURES)
    feeder.stop()
    piped(job, "text/csv", wrapper="RecordIO")
    with pytest.raises(CustomerError, match=r"RecordWrapperType RecordIO.*leave it out for text"):
        opened(job)


def test_a_pipe_that_never_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = JobFolder(tmp_path / "ml", {})
    piped(job, "text/csv")
    monkeypatch.setattr(sources, "_PATIENCE_SECONDS", 0.05)
    with pytest.raises(FileNotFoundError, match="train_0"):
        opened(job)
