"""XGBoost on the real data sets: as good as the published baselines."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from bottega.testing.job_folder import JobFolder


def csv(frame: pd.DataFrame) -> str:
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False, header=False)
    return buffer.getvalue()


def run(folder: JobFolder) -> tuple[xgboost.Booster, list[str]]:
    ended = folder.run()
    assert ended.returncode == 0, ended.stderr
    booster = xgboost.Booster()
    booster.load_model(bytearray((folder.root / "model" / "xgboost-model").read_bytes()))
    return booster, [line for line in ended.stdout.splitlines() if line.startswith("[")]


def test_abalone_csv(tmp_path: Path, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "abalone" / "abalone.csv", header=None)
    frame[0] = frame[0].astype("category").cat.codes
    frame = frame[[8, *range(8)]]  # the label first
    train, test = train_test_split(frame, test_size=0.2, random_state=0)
    folder = JobFolder(tmp_path / "ml", {"num_round": "300", "max_depth": "5", "eta": "0.08"})
    folder.channel("train", "text/csv", {"train.csv": csv(train)})
    folder.channel("validation", "text/csv", {"test.csv": csv(test)})
    booster, lines = run(folder)
    predictions = booster.predict(xgboost.DMatrix(test.iloc[:, 1:].to_numpy()))
    rmse = float(np.sqrt(((predictions - test[8].to_numpy()) ** 2).mean()))
    assert rmse == pytest.approx(2.21, rel=0.03)
    assert len(lines) == 300
    assert float(lines[-1].rpartition("validation-rmse:")[2]) == pytest.approx(rmse, abs=1e-4)


def test_agaricus_libsvm(tmp_path: Path, shared_data: Path) -> None:
    values = {"num_round": "20", "max_depth": "3", "objective": "binary:logistic"}
    folder = JobFolder(tmp_path / "ml", {**values, "eval_metric": "error"})
    for channel, name in (("train", "train"), ("validation", "test")):
        content = (shared_data / "agaricus" / f"agaricus.txt.{name}").read_bytes()
        folder.channel(channel, None, {"data": content})
    _, lines = run(folder)
    assert lines[-1] == "[19]\ttrain-error:0.00000\tvalidation-error:0.00000"


@pytest.mark.slow
def test_adult_census(tmp_path: Path, shared_data: Path) -> None:
    parts = {
        name: pd.read_csv(
            shared_data / "adult-census" / f"adult-{name}.csv.gz",
            header=None,
            skipinitialspace=True,
        )
        for name in ("train", "test")
    }
    both = pd.concat(parts)
    for column in both.columns[:-1]:
        if not pd.api.types.is_numeric_dtype(both[column]):
            both[column] = both[column].astype("category").cat.codes
    both[14] = both[14].str.startswith(">50K").astype(int)
    both = both[[14, *range(14)]]
    folder = JobFolder(
        tmp_path / "ml",
        {
            "num_round": "200",
            "max_depth": "4",
            "eta": "0.1",
            "objective": "binary:logistic",
            "eval_metric": "logloss,auc",
        },
    )
    folder.channel("train", "text/csv", {"train.csv": csv(both.loc["train"])})
    folder.channel("validation", "text/csv", {"test.csv": csv(both.loc["test"])})
    booster, lines = run(folder)
    test = both.loc["test"]
    auc = roc_auc_score(test[14], booster.predict(xgboost.DMatrix(test.iloc[:, 1:].to_numpy())))
    assert auc == pytest.approx(0.927, abs=0.003)
    assert float(lines[-1].rpartition("validation-auc:")[2]) == pytest.approx(auc, abs=1e-4)
