"""Factorization Machines on the real data sets: as good as the published baselines."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.datasets import load_svmlight_file
from sklearn.model_selection import train_test_split

from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

FM = algorithm("factorization-machines")
RECORDIO = "application/x-recordio-protobuf"


def trained(tmp_path: Path, rows: Any, labels: Any, **values: str) -> Any:
    given = {"feature_dim": str(rows.shape[1]), **values}
    folder = JobFolder(tmp_path / "ml", given, image="factorization-machines")
    buffer = io.BytesIO()
    write_rows(buffer, rows, labels)
    ended = folder.channel("train", RECORDIO, {"train.pbr": buffer.getvalue()}).run()
    assert ended.returncode == 0, ended.stderr
    return FM.load(folder.root / "model", {})


def one_hot(codes: Any, width: int) -> Any:
    ones = np.ones(len(codes), np.float32)
    return sparse.csr_matrix((ones, (np.arange(len(codes)), codes)), shape=(len(codes), width))


def test_movielens(tmp_path: Path, shared_data: Path) -> None:
    folder = shared_data / "movielens-100k"
    names = ["user", "film", "rating", "time"]
    table = pd.read_csv(folder / "u.data", sep="\t", header=None, names=names)
    films = pd.read_csv(folder / "u.item", sep="|", header=None, encoding="latin-1")
    genres = films.iloc[:, 5:].to_numpy(np.float32)
    genres /= np.sqrt(np.maximum(genres.sum(axis=1, keepdims=True), 1))

    def features(part: pd.DataFrame) -> Any:
        film = part.film.to_numpy() - 1
        parts = [one_hot(part.user - 1, 943), one_hot(film, 1682), sparse.csr_matrix(genres)[film]]
        return sparse.hstack(parts, format="csr")

    train, test = train_test_split(table, test_size=0.1, random_state=0)
    model = trained(
        tmp_path,
        features(train),
        train.rating.to_numpy(),
        num_factors="32",
        predictor_type="regressor",
        epochs="40",
        mini_batch_size="250",
        linear_lr="0.002",
        linear_wd="0.0001",
        factors_lr="0.002",
        factors_wd="0.0006",
        factors_init_sigma="0.01",
    )
    errors = model.outputs(features(test))["score"] - test.rating.to_numpy()
    # The mean of users and films alone gives 0.937.
    assert np.sqrt((errors**2).mean()) < 0.915


def test_agaricus(tmp_path: Path, shared_data: Path) -> None:
    parts = []
    for name in ("train", "test"):
        path = str(shared_data / "agaricus" / f"agaricus.txt.{name}")
        parts.append(load_svmlight_file(path, n_features=127, dtype=np.float32, zero_based=True))
    model = trained(
        tmp_path,
        *parts[0],
        num_factors="8",
        predictor_type="binary_classifier",
        epochs="20",
        mini_batch_size="100",
        linear_lr="0.01",
        factors_lr="0.01",
    )
    rows, labels = parts[1]
    assert (model.outputs(rows)["predicted_label"] == labels).mean() > 0.998
