"""K-Means beside scikit-learn on real data: how close rows are to their centres.

    python benchmarks/parity_kmeans.py [--data FOLDER]

bottega trains as a real job does, in a process of its own, with the defaults of its
hyperparameters; scikit-learn does with its own, and as the best of ten runs. Distances are computed
by this script.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import measurement
import numpy as np
import pandas as pd

from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

RUNS = 10
SAMPLE = 3000
"""How many rows the silhouette is taken of, where there are more."""


def standardized(table: Any) -> Any:
    """Columns of mean 0 and variance 1, without those that are constant."""
    table = np.asarray(table, dtype=np.float64)
    table = table[:, table.std(axis=0) > 1e-6]
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    return np.ascontiguousarray(table, dtype=np.float32)


def tables(data: Path) -> Iterator[tuple[str, Any, int]]:
    """The name of each set, its rows, and how many clusters to find."""
    mall = pd.read_csv(data / "mall-customers" / "Mall_Customers.csv")
    yield "mall-customers, k=5", mall.iloc[:, -2:].to_numpy(np.float32), 5
    abalone = pd.read_csv(data / "abalone" / "abalone.csv", header=None)
    yield "abalone, k=10", standardized(abalone.iloc[:, 1:]), 10
    engines = pd.read_csv(data / "turbofan-fd001" / "train_FD001.txt.gz", sep=r"\s+", header=None)
    yield "turbofan, k=8", standardized(engines.iloc[:, 2:]), 8
    census = pd.read_csv(
        data / "adult-census" / "adult-train.csv.gz", header=None, skipinitialspace=True
    )
    rows = standardized(pd.get_dummies(census.iloc[:, :-1], dtype=float))
    yield "adult-census, one-hot, k=20", rows, 20
    yield "adult-census, one-hot, k=100", rows, 100


def ours(rows: Any, k: int) -> Any:
    """The centres of a job."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        values = {"k": str(k), "feature_dim": str(rows.shape[1])}
        job = JobFolder(Path(folder) / "ml", values, image="kmeans")
        text = pd.DataFrame(rows).to_csv(index=False, header=False)
        ended = job.channel("train", "text/csv;label_size=0", {"rows.csv": text}).run()
        if ended.returncode:
            raise SystemExit(f"the job failed: {job.failure or ended.stderr}")
        return algorithm("kmeans").load(job.root / "model", {}).centers.astype(np.float64)


def theirs(rows: Any, k: int, runs: int) -> Any:
    """The centres of scikit-learn, the best of some runs."""
    from sklearn.cluster import KMeans

    return KMeans(k, n_init=runs, random_state=0).fit(rows).cluster_centers_.astype(np.float64)


def judged(rows: Any, centers: Any) -> tuple[float, float]:
    """The mean squared distance, and the silhouette."""
    from sklearn.metrics import silhouette_score

    rows = rows.astype(np.float64)
    distances = (rows**2).sum(axis=1)[:, None] - 2 * rows @ centers.T + (centers**2).sum(axis=1)
    closest = distances.argmin(axis=1)
    size = min(SAMPLE, len(rows))
    silhouette = silhouette_score(rows, closest, sample_size=size, random_state=0)
    return float(distances.min(axis=1).mean()), float(silhouette)


def main() -> None:
    parser = measurement.options(__doc__)
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default, help="the folder of data sets")
    chosen = parser.parse_args()
    if not chosen.data.is_dir():
        raise SystemExit(f"There are no data sets at {chosen.data}; say where with --data.")
    rows: dict[str, list[float | None]] = {}
    worst = 0.0
    for name, table, k in tables(chosen.data):
        mine, once, best = (
            judged(table, centers)
            for centers in (ours(table, k), theirs(table, k, 1), theirs(table, k, RUNS))
        )
        worst = max(worst, mine[0] / once[0])
        rows[name] = [mine[0], once[0], best[0], mine[1], once[1], best[1]]
        print(name, rows[name], flush=True)
    columns = (
        "msd, bottega",
        "msd, scikit-learn",
        f"msd, scikit-learn, best of {RUNS}",
        "silhouette, bottega",
        "silhouette, scikit-learn",
        f"silhouette, scikit-learn, best of {RUNS}",
    )
    result = measurement.Result(
        name="parity_kmeans",
        title="K-Means beside scikit-learn: quality",
        method=(
            "The mean squared distance of the rows to their nearest centre (less is better) and "
            f"the silhouette (of at most {SAMPLE:,} rows). bottega: a training job with the "
            "defaults of its hyperparameters, one pass; scikit-learn: KMeans with its defaults, "
            f"and with n_init={RUNS}. Columns are scaled to variance 1, but for mall-customers; "
            "categories are one-hot."
        ),
        tables=[measurement.Table("Quality on the rows trained on", columns, rows)],
        ratios=[
            measurement.Ratio(
                "bottega / scikit-learn with its defaults, msd, the worst of the sets", worst
            )
        ],
        packages=("numpy", "scikit-learn"),
    )
    measurement.finish(result, chosen.results)


if __name__ == "__main__":
    main()
