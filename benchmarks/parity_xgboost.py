"""XGBoost on real tables beside the library itself, on the same rows with the same parameters.

    python benchmarks/parity_xgboost.py [--data FOLDER]

Each data set is trained on by a job in a process of its own, and its test rows are sent to the
model as requests. Beside it is ``xgboost.train`` on the same arrays. Where each set comes from says
its README.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measurement
import numpy as np
import pandas
import xgboost
from sklearn.datasets import load_svmlight_file
from sklearn.metrics import accuracy_score, roc_auc_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"

Score = Callable[[Any, Any], float]


@dataclass(frozen=True)
class Case:
    """A data set, split; features may be sparse."""

    train: tuple[Any, Any]
    test: tuple[Any, Any]
    parameters: Mapping[str, Any]
    rounds: int
    content_type: str
    score: Score


def _codes(frame: pandas.DataFrame) -> pandas.DataFrame:
    """Every column of words as the place of each in the alphabet."""
    found = frame.copy()
    for column in found.columns:
        if not pandas.api.types.is_numeric_dtype(found[column]):
            found[column] = found[column].astype("category").cat.codes
    return found


def _floats(frame: pandas.DataFrame) -> Any:
    return frame.to_numpy(dtype=np.float32)


def abalone(data: Path) -> Case:
    """Rings of abalones: regression, CSV."""
    frame = _codes(pandas.read_csv(data / "abalone" / "abalone.csv", header=None))
    parts = train_test_split(frame, test_size=0.2, random_state=0)
    train, test = ((_floats(part.iloc[:, :8]), _floats(part[8])) for part in parts)
    parameters = {"objective": "reg:squarederror", "max_depth": 5, "eta": 0.08}
    return Case(train, test, parameters, 300, "text/csv", root_mean_squared_error)


def adult_census(data: Path) -> Case:
    """Who earns more than 50,000: two classes, the parts as they were published, CSV."""
    both = pandas.concat(
        {
            part: pandas.read_csv(
                data / "adult-census" / f"adult-{part}.csv.gz", header=None, skipinitialspace=True
            )
            for part in ("train", "test")
        }
    )
    label = both[14].str.startswith(">50K").astype(np.float32)
    features = _codes(both.drop(columns=14))
    train, test = (
        (_floats(features.loc[part]), label.loc[part].to_numpy()) for part in ("train", "test")
    )
    parameters = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.1}
    return Case(train, test, parameters, 200, "text/csv", roc_auc_score)


def telco_churn(data: Path) -> Case:
    """Who leaves: two classes, RecordIO-protobuf."""
    frame = pandas.read_csv(data / "telco-churn" / "Telco-Customer-Churn.csv")
    frame["TotalCharges"] = pandas.to_numeric(frame["TotalCharges"], errors="coerce")
    label = (frame["Churn"] == "Yes").astype(np.float32)
    features = _codes(frame.drop(columns=["customerID", "Churn"]))
    parts = train_test_split(features, label, test_size=0.2, random_state=0, stratify=label)
    train, test = ((_floats(parts[i]), parts[i + 2].to_numpy()) for i in (0, 1))
    parameters = {"objective": "binary:logistic", "max_depth": 4, "eta": 0.1}
    return Case(train, test, parameters, 200, RECORDIO, roc_auc_score)


def agaricus(data: Path) -> Case:
    """Which mushrooms can be eaten: two classes, the parts as they were published, libsvm."""
    train, test = (
        load_svmlight_file(
            str(data / "agaricus" / f"agaricus.txt.{part}"), n_features=127, dtype=np.float32
        )
        for part in ("train", "test")
    )
    parameters = {"objective": "binary:logistic", "max_depth": 3}
    score = lambda labels, found: accuracy_score(labels, found > 0.5)  # noqa: E731
    return Case(train, test, parameters, 20, "text/libsvm", score)


CASES: dict[str, Callable[[Path], Case]] = {
    "abalone, RMSE (less is better)": abalone,
    "adult-census, AUC": adult_census,
    "telco-churn, AUC": telco_churn,
    "agaricus, accuracy": agaricus,
}


def encoded(features: Any, labels: Any, content_type: str) -> bytes:
    """Rows as a file, or without labels as a request."""
    if content_type == RECORDIO:
        file = io.BytesIO()
        write_rows(file, features, labels)
        return file.getvalue()
    if content_type == "text/csv":
        table = features if labels is None else np.column_stack([labels, features])
        lines = [
            ",".join("" if cell != cell else repr(cell) for cell in row)
            for row in table.astype(float).tolist()
        ]
        return ("\n".join(lines) + "\n").encode()
    labels = np.zeros(features.shape[0]) if labels is None else labels
    return "".join(
        f"{label:g} "
        + " ".join(
            f"{features.indices[i]}:{features.data[i]:g}"
            for i in range(features.indptr[row], features.indptr[row + 1])
        )
        + "\n"
        for row, label in enumerate(labels)
    ).encode()


def ours(case: Case) -> Any:
    """Predictions of the test rows by a model that a job trained."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        values = {**case.parameters, "num_round": case.rounds}
        job = JobFolder(Path(folder, "ml"), {name: str(value) for name, value in values.items()})
        job.channel("train", case.content_type, {"train": encoded(*case.train, case.content_type)})
        ended = job.run()
        if ended.returncode:
            sys.exit(f"The job failed: {job.failure or ended.stderr}")
        model = algorithm("xgboost").load(job.root / "model", {})
        body = encoded(case.test[0], None, case.content_type)
        answer, _ = algorithm("xgboost").predict(model, body, case.content_type, "text/csv")
    return np.loadtxt(io.BytesIO(answer))


def theirs(case: Case) -> Any:
    """Predictions of the test rows by the library alone."""
    data = xgboost.DMatrix(case.train[0], label=case.train[1])
    booster = xgboost.train(dict(case.parameters), data, case.rounds)
    return booster.predict(xgboost.DMatrix(case.test[0]))


def main() -> None:
    parser = measurement.options(__doc__)
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(__file__).resolve().parents[2] / "shared" / "data",
        metavar="FOLDER",
        help="holds the data sets (default: ../shared/data beside the clone)",
    )
    chosen = parser.parse_args()
    if not (chosen.data / "abalone").is_dir():
        sys.exit(f"There are no data sets in {chosen.data}; give their folder with --data.")
    rows: dict[str, tuple[float, float, float]] = {}
    for name, load in CASES.items():
        case = load(chosen.data)
        mine, peer = ours(case), theirs(case)
        farthest = float(np.abs(mine - peer).max())
        rows[name] = (case.score(case.test[1], mine), case.score(case.test[1], peer), farthest)
    measurement.finish(
        measurement.Result(
            name="parity_xgboost",
            title="XGBoost: real tables beside the library",
            method=(
                "Each data set is split once and given to both with the same parameters: trees of "
                "depth 5, 300 rounds, eta 0.08 for abalone (80/20, seed 0); depth 4, 200 rounds, "
                "eta 0.1 for adult-census (the parts as published) and telco-churn (80/20, "
                "stratified, seed 0); depth 3, 20 rounds for agaricus (the parts as published). "
                "Words are coded by the alphabet. The job reads CSV (abalone, adult-census), "
                "RecordIO-protobuf (telco-churn) and libsvm (agaricus), and its model is asked in "
                "the same format; the library gets arrays."
            ),
            tables=[
                measurement.Table(
                    "Score of the test rows",
                    ("bottega", "xgboost", "largest difference of a prediction"),
                    rows,
                )
            ],
            packages=("xgboost", "numpy", "pandas", "scikit-learn"),
        ),
        chosen.results,
    )


if __name__ == "__main__":
    main()
