"""Several hosts that train one model, each a process of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import xgboost

from bottega.testing.job_folder import JobFolder, finish

RNG = np.random.default_rng(11)
FEATURES = RNG.normal(size=(400, 4)).astype(np.float32)
LABELS = (FEATURES[:, 0] - FEATURES[:, 1] > 0).astype(int)
PARAMETERS = {
    "num_round": "10",
    "max_depth": "3",
    "nthread": "1",
    "objective": "binary:logistic",
    "eval_metric": "logloss,accuracy",
}


def libsvm(part: slice) -> str:
    return "".join(
        f"{label} " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) + "\n"
        for label, row in zip(LABELS[part], FEATURES[part], strict=True)
    )


def hosts(root: Path, shares: list[str], **more: str) -> list[JobFolder]:
    names = tuple(f"algo-{number + 1}" for number in range(len(shares)))
    return [
        JobFolder(root / name, {**PARAMETERS, **more}, hosts=names, host=name).channel(
            "train", None, {"part": share} if share else {}
        )
        for name, share in zip(names, shares, strict=True)
    ]


def test_hosts_train_one_model_and_the_first_saves_it(tmp_path: Path) -> None:
    # The third host has nothing, as when there are fewer objects than hosts.
    folders = hosts(tmp_path, [libsvm(slice(0, 150)), libsvm(slice(150, None)), ""])
    folders[1].channel("validation", None, {"part": libsvm(slice(0, 100))})
    for folder in (folders[0], folders[2]):
        folder.channel("validation", None, {})
    ended = finish([folder.start() for folder in folders])
    assert [run.returncode for run in ended] == [0, 0, 0], [run.stderr for run in ended]
    assert [len(list((folder.root / "model").iterdir())) for folder in folders] == [1, 0, 0]
    lines = [[line for line in run.stdout.splitlines() if "train-" in line] for run in ended]
    assert [len(found) for found in lines] == [10, 0, 0]

    together = xgboost.Booster()
    together.load_model(bytearray((folders[0].root / "model" / "xgboost-model").read_bytes()))
    data = xgboost.DMatrix(FEATURES, label=LABELS)
    alone = xgboost.train({"max_depth": 3, "nthread": 1, "objective": "binary:logistic"}, data, 10)
    predictions = together.predict(data)
    # Sketches of shares differ a little from one of all rows.
    assert np.abs(predictions - alone.predict(data)).mean() < 0.02
    accuracy = float(lines[0][-1].partition("train-accuracy:")[2].split("\t")[0])
    assert abs(((predictions > 0.5) == LABELS).mean() - accuracy) < 1e-5


def test_no_data_on_any_host(tmp_path: Path) -> None:
    folders = hosts(tmp_path, ["", ""])
    ended = finish([folder.start() for folder in folders])
    assert all(run.returncode == 1 for run in ended)
    assert "no data on any host" in folders[0].failure
