"""K-Means on the real data sets: the groups that are known, and losses as low as a peer's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

CSV = "text/csv;label_size=0"


def trained(tmp_path: Path, rows: Any, k: int) -> Any:
    values = {"k": str(k), "feature_dim": str(rows.shape[1])}
    folder = JobFolder(tmp_path / "ml", values, image="kmeans")
    text = pd.DataFrame(rows).to_csv(index=False, header=False)
    ended = folder.channel("train", CSV, {"rows.csv": text}).run()
    assert ended.returncode == 0, ended.stderr
    return algorithm("kmeans").load(folder.root / "model", {})


def test_mall_customers(tmp_path: Path, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "mall-customers" / "Mall_Customers.csv")
    rows = frame.iloc[:, -2:].to_numpy(np.float32)
    closest, _ = trained(tmp_path, rows, 5).closest(rows)
    assert silhouette_score(rows, closest) == pytest.approx(0.554, abs=5e-4)
    assert sorted(np.bincount(closest)) == [22, 23, 35, 39, 81]


def test_turbofan(tmp_path: Path, shared_data: Path) -> None:
    path = next((shared_data / "turbofan-fd001").glob("train*"))
    table = pd.read_csv(path, sep=r"\s+", header=None).to_numpy(np.float32)[:, 2:]
    table = table[:, table.std(axis=0) > 1e-4]
    rows = ((table - table.mean(axis=0)) / table.std(axis=0)).astype(np.float32)
    _, distances = trained(tmp_path, rows, 8).closest(rows)
    peer = KMeans(8, n_init=3, random_state=0).fit(rows).inertia_
    assert (distances.astype(float) ** 2).sum() < peer * 1.005
