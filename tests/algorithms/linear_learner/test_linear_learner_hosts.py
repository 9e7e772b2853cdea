"""Several hosts that train one model, each a process of its own, and data that come as a stream."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.preparation import open_data
from bottega.algorithms.linear_learner.settings import resolve
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder, finish

RNG = np.random.default_rng(11)
FEATURES = RNG.normal(size=(500, 4)).astype(np.float32)
FEATURES[RNG.random(FEATURES.shape) < 0.3] = 0
NUMBERS = FEATURES @ [1, -2, 0.5, 3] + 10 + RNG.normal(scale=0.1, size=500)
BINARY = (np.median(NUMBERS) < NUMBERS).astype(int)
RECORDIO = "application/x-recordio-protobuf"


def run_hosts(
    root: Path, shares: Sequence[bytes | None], values: dict[str, str], media: str
) -> tuple[list[JobFolder], list[str]]:
    names = tuple(f"algo-{number + 1}" for number in range(len(shares)))
    folders = [
        JobFolder(root / name, values, image="linear-learner", hosts=names, host=name).channel(
            "train", media, {} if share is None else {"rows": share}
        )
        for name, share in zip(names, shares, strict=True)
    ]
    ended = finish([folder.start() for folder in folders])
    assert [run.returncode for run in ended] == [0] * len(shares), [run.stderr for run in ended]
    return folders, [run.stdout for run in ended]


def weights(folder: JobFolder) -> np.ndarray:
    with np.load(folder.root / "model" / "model_algo-1") as found:
        return np.concatenate([found["weights"], found["bias"][None]])


@pytest.mark.slow
def test_hosts_train_one_model_and_the_first_saves_it(tmp_path: Path, as_csv: Any) -> None:
    # Not the same number of batches, and the third host has nothing.
    cut = 310
    shares = [
        as_csv(FEATURES[:cut], NUMBERS[:cut]).encode(),
        as_csv(FEATURES[cut:], NUMBERS[cut:]).encode(),
        None,
    ]
    values = {"predictor_type": "regressor", "mini_batch_size": "40", "epochs": "8"}
    folders, logs = run_hosts(tmp_path, shares, values, "text/csv")
    assert [len(list((folder.root / "model").iterdir())) for folder in folders] == [1, 0, 0]
    assert [len(re.findall("#progress_metric", log)) for log in logs] == [8, 0, 0]
    predicted = FEATURES @ weights(folders[0])[:-1, 0] + weights(folders[0])[-1, 0]
    mse = float(np.mean((predicted - NUMBERS) ** 2))
    assert mse < 0.1
    # What the log says is of the rows of all hosts.
    found = float(re.findall(r"host=algo-1, train mse <loss>=(\S+)", logs[0])[-1])
    assert found == pytest.approx(mse, rel=1e-3)


@pytest.mark.slow
def test_hosts_with_sparse_rows(tmp_path: Path, as_records: Any) -> None:
    wide = sparse.random(400, 60, density=0.05, format="csr", random_state=1, dtype=np.float32)
    labels = (wide @ np.ones(60) > 1.5).astype(int)
    shares = [as_records(wide[:150], labels[:150]), as_records(wide[150:], labels[150:])]
    values = {"predictor_type": "binary_classifier", "mini_batch_size": "30", "epochs": "10"}
    folders, logs = run_hosts(tmp_path, shares, values, RECORDIO)
    found = weights(folders[0])
    predicted = wide @ found[:-1, 0] + found[-1, 0]
    facts = re.findall(r"train binary_classification_accuracy <score>=(\S+)", logs[0])
    with np.load(folders[0].root / "model" / "model_algo-1") as model:
        cut = json.loads(model["model.json"])["cut"]
    accuracy = ((predicted > cut) == labels).mean()
    assert accuracy > 0.85
    assert float(facts[-1]) == pytest.approx(accuracy, abs=0.005)


def test_no_data_on_any_host(jobs: Any) -> None:
    folder = jobs.folder({"predictor_type": "regressor"}, hosts=("algo-1", "algo-2"))
    folder.channel("train", "text/csv", {})
    settings = resolve({"predictor_type": "regressor"})

    class NobodyHasAny(Cluster):
        def largest(self, value: int) -> int:
            return value

    with pytest.raises(CustomerError, match="The channel train has no data on any host"):
        open_data(folder.read(), settings, NobodyHasAny(2, 0))


def test_hosts_with_other_features(jobs: Any, as_csv: Any) -> None:
    folder = jobs.folder({"predictor_type": "regressor"}, hosts=("algo-1", "algo-2"))
    folder.channel("train", "text/csv", {"rows.csv": as_csv(FEATURES, NUMBERS)})

    class AnotherHasMore(Cluster):
        def largest(self, value: int) -> int:
            return value + 1

    with pytest.raises(CustomerError, match="4 features on this host and 5 on another"):
        open_data(folder.read(), resolve({"predictor_type": "regressor"}), AnotherHasMore(2, 0))


class Piped:
    """A channel that comes through FIFOs, one for each pass, as the platform does it."""

    def __init__(self, folder: JobFolder, channel: str, content: bytes, passes: int) -> None:
        path = folder.root / "input" / "config" / "inputdataconfig.json"
        config = json.loads(path.read_text())
        config[channel]["TrainingInputMode"] = "Pipe"
        path.write_text(json.dumps(config))
        self._content = content
        data = folder.root / "input" / "data"
        self._fifos = [data / f"{channel}_{number}" for number in range(passes)]
        for fifo in self._fifos:
            os.mkfifo(fifo)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _write(self) -> None:
        for fifo in self._fifos:
            try:
                with fifo.open("wb") as stream:
                    if self._ended.is_set():
                        return
                    stream.write(self._content)
            except BrokenPipeError:
                continue  # The reader had enough of this pass.

    def stop(self) -> None:
        """End the thread, which waits for the reader of a pass that nobody wants."""
        self._ended.set()
        for fifo in self._fifos:
            reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
            self._thread.join(0.05)
            os.close(reader)
        self._thread.join(10)
        assert not self._thread.is_alive()


@pytest.mark.parametrize("memory", ["64", "0"])
def test_pipe_mode_gives_a_model_as_good(
    jobs: Any, as_records: Any, memory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With memory the rows are read once and kept; without, each epoch reads another FIFO."""
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", memory)
    values = {"predictor_type": "binary_classifier", "mini_batch_size": 50, "epochs": 6}
    folder = jobs.folder(values)
    content = as_records(FEATURES, BINARY)
    channels = []
    for name in ("train", "validation"):
        folder.channel(name, RECORDIO, {})
        channels.append(Piped(folder, name, content, 12))
    done = jobs.train(folder)
    for channel in channels:
        channel.stop()
    assert done.metric("validation binary_classification_accuracy") > 0.95
    assert done.metric("train roc_auc_score") > 0.99


def test_rows_that_are_not_kept_give_the_same_quality(
    jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "0")
    done = jobs.run(
        {"predictor_type": "regressor", "mini_batch_size": 50},
        recordio=True,
        train=(FEATURES, NUMBERS),
    )
    assert done.metric("train rmse") < 0.15
    assert algorithm("linear-learner").load(done.folder.root / "model", {})
