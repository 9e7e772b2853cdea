"""Jobs of Linear Learner on small made data, in this process."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.testing.job_folder import JobFolder

RECORDIO = "application/x-recordio-protobuf"


@dataclass(frozen=True)
class Trained:
    """What a job left: its artifact and its log."""

    folder: JobFolder
    log: str

    @property
    def weights(self) -> np.ndarray:
        with np.load(self.folder.root / "model" / "model_algo-1") as found:
            return np.concatenate([found["weights"], found["bias"][None]])

    @property
    def model(self) -> Any:
        return algorithm("linear-learner").load(self.folder.root / "model", {})

    def outputs(self, features: np.ndarray) -> dict[str, np.ndarray]:
        return self.model.outputs(np.asarray(features, dtype=np.float32))

    def metric(self, name: str, *, epoch: int | None = None) -> float:
        """The last value of a metric in the log, such as ``test mse``."""
        at = "" if epoch is None else f"epoch={epoch}, "
        pattern = rf"#quality_metric: host=algo-1, {at}{re.escape(name)} <\w+>=(\S+)"
        return float(re.findall(pattern, self.log)[-1])

    @property
    def epochs(self) -> int:
        return len(re.findall("#progress_metric", self.log))


class Jobs:
    """Makes and runs jobs in folders of their own."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._root = root
        self._capsys = capsys
        self._count = 0

    def folder(self, values: Mapping[str, object], **more: Any) -> JobFolder:
        self._count += 1
        texts = {name: str(value) for name, value in values.items()}
        return JobFolder(
            self._root / f"job-{self._count}" / "ml", texts, image="linear-learner", **more
        )

    def with_data(
        self, values: Mapping[str, object], recordio: bool = False, **channels: Any
    ) -> JobFolder:
        """A job with channels, each given as (features, labels)."""
        folder = self.folder(values)
        for name, (features, labels) in channels.items():
            if recordio:
                folder.channel(name, RECORDIO, {"rows.pbr": records(features, labels)})
            else:
                folder.channel(name, "text/csv", {"rows.csv": csv(features, labels)})
        return folder

    def train(self, folder: JobFolder) -> Trained:
        self._capsys.readouterr()
        algorithm("linear-learner").train(folder.read())
        return Trained(folder, self._capsys.readouterr().out)

    def run(self, values: Mapping[str, object], recordio: bool = False, **channels: Any) -> Trained:
        return self.train(self.with_data(values, recordio, **channels))

    def refused(self, folder: JobFolder) -> str:
        with pytest.raises((CustomerError, HyperparameterError)) as error:
            algorithm("linear-learner").train(folder.read())
        assert not list((folder.root / "model").iterdir())
        return str(error.value)


def csv(features: np.ndarray, labels: np.ndarray) -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack([labels, features]), delimiter=",", fmt="%.9g")
    return buffer.getvalue()


def records(features: Any, labels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, features, labels)
    return buffer.getvalue()


@pytest.fixture
def jobs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Jobs:
    return Jobs(tmp_path, capsys)


@pytest.fixture
def as_csv() -> Callable[[np.ndarray, np.ndarray], str]:
    return csv


@pytest.fixture
def as_records() -> Callable[[Any, np.ndarray], bytes]:
    return records
