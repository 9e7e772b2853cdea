"""Every format and input mode gives an XGBoost job the same rows, and so the same model."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import xgboost
from pyarrow import parquet
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.readers.record_protobuf import encode_record
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.readers.recordio import frame
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"
ROWS, COLUMNS = 240, 4
RANDOM = np.random.default_rng(5)
FEATURES = RANDOM.normal(size=(ROWS, COLUMNS)).astype(np.float32)
FEATURES[RANDOM.uniform(size=FEATURES.shape) < 0.2] = np.nan
LABELS = np.nan_to_num(FEATURES[:, 0] - FEATURES[:, 1]).astype(np.float32)
PARAMETERS = {"max_depth": 3, "nthread": 1}


def csv(features: Any, labels: Any) -> bytes:
    rows = np.column_stack([labels, features]).astype(float).tolist()
    return "".join(",".join(map(repr, row)) + "\n" for row in rows).encode()


def arrow(features: Any, labels: Any) -> bytes:
    columns = {"y": labels, **{str(i): column for i, column in enumerate(features.T)}}
    file = io.BytesIO()
    parquet.write_table(pa.table(columns), file)
    return file.getvalue()


def libsvm(features: Any, labels: Any) -> bytes:
    return "".join(
        f"{float(y)!r} "
        + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row) if not np.isnan(v))
        + "\n"
        for y, row in zip(labels, features, strict=True)
    ).encode()


def records(features: Any, labels: Any) -> bytes:
    file = io.BytesIO()
    write_rows(file, features, labels)
    return file.getvalue()


def sparse_records(features: Any, labels: Any) -> bytes:
    there = ~np.isnan(features)
    matrix = sparse.csr_matrix((features[there], np.nonzero(there)), shape=features.shape)
    return records(matrix, labels)


def double_records(features: Any, labels: Any) -> bytes:
    return b"".join(
        frame(encode_record({"values": row.astype(float)}, {"values": np.array([float(y)])}))
        for row, y in zip(features, labels, strict=True)
    )


FORMATS = {
    "csv": ("text/csv", csv),
    "libsvm": ("text/libsvm", libsvm),
    "parquet": ("application/x-parquet", arrow),
    "records": (RECORDIO, records),
    "sparse records": (RECORDIO, sparse_records),
    "float64 records": (RECORDIO, double_records),
}


def halves(write: Any) -> list[bytes]:
    return [write(FEATURES[part], LABELS[part]) for part in (slice(0, 100), slice(100, ROWS))]


def job(folder: Path, mode: str, content_type: str, files: dict[str, bytes]) -> JobFolder:
    found = JobFolder(folder / "ml", {"num_round": "5", "max_depth": "3", "nthread": "1"})
    found.channel("train", content_type, files)
    path = found.root / "input" / "config" / "inputdataconfig.json"
    config = json.loads(path.read_text())
    config["train"]["TrainingInputMode"] = mode
    path.write_text(json.dumps(config))
    return found


def piped(folder: Path, content_type: str, files: list[bytes]) -> JobFolder:
    """A job whose only pass over its channel is fed through a FIFO."""
    found = job(folder, "Pipe", content_type, {})
    path = found.root / "input" / "data" / "train_0"
    os.mkfifo(path)
    threading.Thread(target=lambda: path.write_bytes(b"".join(files)), daemon=True).start()
    return found


def predictions(folder: JobFolder) -> np.ndarray:
    algorithm("xgboost").train(folder.read())
    booster = xgboost.Booster()
    booster.load_model(bytearray((folder.root / "model" / "xgboost-model").read_bytes()))
    return booster.predict(xgboost.DMatrix(FEATURES))


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    data = xgboost.DMatrix(FEATURES, label=LABELS)
    return xgboost.train(PARAMETERS, data, 5).predict(data)


# The algorithm reads no libsvm in Pipe mode.
@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (mode, name)
        for mode in ("File", "FastFile", "Pipe")
        for name in FORMATS
        if (mode, name) != ("Pipe", "libsvm")
    ],
)
def test_the_model_is_that_of_the_library(
    tmp_path: Path, expected: np.ndarray, name: str, mode: str
) -> None:
    content_type, write = FORMATS[name]
    files = halves(write)
    if mode == "Pipe":
        folder = piped(tmp_path, content_type, files)
    else:
        folder = job(tmp_path, mode, content_type, {"a": files[0], "sub/b": files[1]})
    np.testing.assert_allclose(predictions(folder), expected, rtol=1e-6)


def test_libsvm_in_pipe_mode_is_refused(tmp_path: Path) -> None:
    folder = job(tmp_path, "Pipe", "text/libsvm", {})
    with pytest.raises(CustomerError, match="Pipe mode not supported for LibSVM"):
        algorithm("xgboost").train(folder.read())


def test_nothing_comes_through_the_pipe(tmp_path: Path) -> None:
    folder = piped(tmp_path, RECORDIO, [])
    with pytest.raises(CustomerError, match="The channel train has no data"):
        algorithm("xgboost").train(folder.read())


@pytest.mark.parametrize(
    ("content_type", "data", "words"),
    [
        (RECORDIO, records(FEATURES, LABELS) + b"xxxxxxxx", "the channel train: at byte"),
        (RECORDIO, records(FEATURES, LABELS + np.inf), "Label inf in record 1 of the channel"),
        (RECORDIO, frame(encode_record({"values": FEATURES[0]})), "record 1 has no label"),
        ("text/csv", b"1,2\n1,x\n", "the channel train: 'x' in column 2 of line 2"),
        ("text/csv", b"1,2\nnan,2\n", "Label nan in line 2 of the channel train"),
    ],
)
def test_damage_in_a_pipe_is_named(
    tmp_path: Path, content_type: str, data: bytes, words: str
) -> None:
    folder = piped(tmp_path, content_type, [data])
    with pytest.raises(CustomerError, match=words):
        algorithm("xgboost").train(folder.read())


def test_weights_come_through_a_pipe(tmp_path: Path) -> None:
    weights = RANDOM.uniform(0.1, 5, size=ROWS).astype(np.float32)
    text = csv(np.column_stack([weights, FEATURES]), LABELS)
    folder = piped(tmp_path, "text/csv", [text])
    folder.config("hyperparameters", {**folder.hyperparameters, "csv_weights": "1"})
    data = xgboost.DMatrix(FEATURES, label=LABELS, weight=weights)
    found = xgboost.train(PARAMETERS, data, 5).predict(data)
    np.testing.assert_allclose(predictions(folder), found, rtol=1e-6)
