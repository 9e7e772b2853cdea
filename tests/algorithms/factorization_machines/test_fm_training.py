"""Factorization Machine jobs on small made data."""

from __future__ import annotations

import io
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.container.environment import TrainingEnvironment
from bottega.testing.job_folder import JobFolder, finish

FM = algorithm("factorization-machines")
RECORDIO = "application/x-recordio-protobuf"
USERS, FILMS = 40, 30
WIDTH = USERS + FILMS
FAST = {
    "epochs": "40",
    "mini_batch_size": "100",
    "linear_lr": "0.01",
    "factors_lr": "0.02",
    "factors_init_sigma": "0.1",
}

Job = Callable[..., JobFolder]


def ratings() -> tuple[Any, Any]:
    """A row for each user and film; whether they go together takes both to know."""
    random = np.random.default_rng(1)
    users, films = (grid.ravel() for grid in np.mgrid[:USERS, :FILMS])
    taste, kind = random.normal(size=(USERS, 2)), random.normal(size=(FILMS, 2))
    numbers = np.arange(users.size)
    rows = sparse.csr_matrix(
        (
            np.ones(2 * users.size, np.float32),
            (np.repeat(numbers, 2), np.stack([users, USERS + films], axis=1).ravel()),
        ),
        shape=(users.size, WIDTH),
    )
    labels = 3 + (taste[users] * kind[films]).sum(axis=1)
    order = random.permutation(users.size)
    return rows[order], labels[order].astype(np.float32)


ROWS, LABELS = ratings()
TRAIN, TEST = slice(0, 1000), slice(1000, None)
CLASSES = (LABELS > 3).astype(np.float32)


def records(rows: Any, labels: Any) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows, labels)
    return buffer.getvalue()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def make(name: str = "ml", **values: str) -> JobFolder:
        given = {
            "feature_dim": str(WIDTH),
            "num_factors": "4",
            "predictor_type": "regressor",
            **values,
        }
        environment = {"BOTTEGA_CPUS": "2"}
        return JobFolder(
            tmp_path / name, given, image="factorization-machines", environment=environment
        )

    return make


def with_data(folder: JobFolder, labels: Any = LABELS, rows: Any = ROWS) -> JobFolder:
    folder.channel("train", RECORDIO, {"part-0": records(rows[TRAIN], labels[TRAIN])})
    return folder.channel("test", RECORDIO, {"part-0": records(rows[TEST], labels[TEST])})


def outputs(folder: JobFolder, rows: Any = ROWS[TEST]) -> Any:
    return FM.load(folder.root / "model", {}).outputs(rows)


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        FM.train(folder.read())
    assert not list((folder.root / "model").iterdir())
    return str(error.value)


def quality(lines: str, what: str) -> list[float]:
    found = re.findall(rf"#quality_metric: host=algo-1, {what} <(?:loss|score)>=(\S+)", lines)
    return [float(value) for value in found]


def test_a_regressor_learns_what_takes_two_features(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_data(job(**FAST))
    FM.train(folder.read())
    lines = capsys.readouterr().out
    errors = outputs(folder)["score"] - LABELS[TEST]
    rmse = float(np.sqrt((errors**2).mean()))
    assert rmse < 0.3 < LABELS[TEST].std() / 3
    assert quality(lines, "test rmse") == [pytest.approx(rmse, rel=1e-4)]
    by_epoch = quality(lines, r"epoch=\d+, test rmse")
    assert len(by_epoch) == 40
    assert by_epoch[-1] < by_epoch[0] / 3
    assert len(quality(lines, r"epoch=\d+, train rmse")) == 40
    assert quality(lines, "test mse")[0] == pytest.approx(rmse**2, rel=1e-3)
    assert quality(lines, "test absolute_loss")[0] == pytest.approx(abs(errors).mean(), rel=1e-4)
    assert re.findall(r"completed (\S+) % of epochs", lines)[-1] == "100"


def test_a_classifier_learns_what_takes_two_features(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = with_data(job(predictor_type="binary_classifier", **FAST), CLASSES)
    FM.train(folder.read())
    lines = capsys.readouterr().out
    found = outputs(folder)
    right = (found["predicted_label"] == CLASSES[TEST]).mean()
    assert right > 0.88
    assert (found["predicted_label"] == (found["score"] >= 0.5)).all()
    assert quality(lines, "test binary_classification_accuracy") == [pytest.approx(right)]
    assert len(quality(lines, r"epoch=\d+, train binary_classification_cross_entropy")) == 40
    names = {metric.name for metric in FM.metric_definitions if re.search(metric.regex, lines)}
    assert names == {
        f"{channel}:{metric}"
        for channel in ("train", "test")
        for metric in (
            "binary_classification_accuracy",
            "binary_classification_cross_entropy",
            "binary_f_beta",
        )
    }


def test_dense_rows_are_the_same_as_sparse_ones(job: Job) -> None:
    values = {**FAST, "epochs": "2"}
    thin, thick = job("thin", **values), job("thick", **values)
    FM.train(with_data(thin).read())
    FM.train(with_data(thick, rows=ROWS.toarray()).read())
    np.testing.assert_array_equal(outputs(thin)["score"], outputs(thick)["score"])
    np.testing.assert_allclose(
        outputs(thick, ROWS[TEST].toarray())["score"], outputs(thick)["score"], rtol=1e-5
    )


def test_the_same_data_give_the_same_model(job: Job) -> None:
    made = []
    for name, cpus in (("one", "1"), ("two", "3")):
        folder = with_data(job(name, **{**FAST, "epochs": "2"}))
        FM.train(TrainingEnvironment.read({**folder.variables(), "BOTTEGA_CPUS": cpus}))
        made.append((folder.root / "model" / "model_algo-1").read_bytes())
    assert made[0] == made[1]


def test_epoch_is_another_name_of_epochs(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    FM.train(with_data(job(epoch="3")).read())
    assert len(quality(capsys.readouterr().out, r"epoch=\d+, train rmse")) == 3


def test_defaults_and_millions_of_features(job: Job) -> None:
    width = 3_000_000
    spread = sparse.csr_matrix(
        (ROWS.data, ROWS.indices.astype(np.int64) * 40_000, ROWS.indptr), shape=(len(LABELS), width)
    )
    folder = with_data(job(feature_dim=str(width)), rows=spread)
    FM.train(folder.read())
    with np.load(folder.root / "model" / "model_algo-1") as model:
        assert model["factors"].shape == (width, 4)
        assert model["factors"].dtype == np.float32
        # One epoch of ten batches: the bias has gone its ten steps of 0.1 towards 3.
        assert 0.05 < float(model["bias"][0]) <= 1.1


def test_rows_that_do_not_fit_in_memory(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "0")
    folder = with_data(job(**FAST))
    FM.train(folder.read())
    errors = outputs(folder)["score"] - LABELS[TEST]
    assert np.sqrt((errors**2).mean()) < 0.3


def test_pipe_mode(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(epochs="2", mini_batch_size="100")
    pipes = {}
    for channel, part in (("train", TRAIN), ("test", TEST)):
        folder.channel(channel, RECORDIO, {})
        pipes[channel] = folder.root / "input" / "data" / f"{channel}_0"
        os.mkfifo(pipes[channel])
        content = records(ROWS[part], LABELS[part])
        writer = threading.Thread(target=pipes[channel].write_bytes, args=(content,), daemon=True)
        writer.start()
    path = folder.root / "input" / "config" / "inputdataconfig.json"
    path.write_text(path.read_text().replace('"File"', '"Pipe"'))
    FM.train(folder.read())
    lines = capsys.readouterr().out
    assert len(quality(lines, r"epoch=\d+, train rmse")) == 2
    # A pipe gives its rows once: they are kept for when the model is done.
    assert len(quality(lines, r"epoch=\d+, test rmse")) == 1
    assert len(quality(lines, "test rmse")) == 1


@pytest.mark.parametrize(
    ("values", "content_type", "file", "message"),
    [
        ({}, "text/csv", b"1,2,3\n", "content type 'text/csv'.*x-recordio-protobuf can"),
        ({"feature_dim": "71"}, RECORDIO, records(ROWS, LABELS), "feature_dim is 71.*have 70"),
        (
            {"predictor_type": "binary_classifier"},
            RECORDIO,
            records(ROWS, LABELS),
            "Label .* is neither 0 nor 1",
        ),
        ({}, RECORDIO, records(ROWS, LABELS * np.nan), "(?i)label.*NaN"),
        ({}, RECORDIO, records(ROWS * np.nan, LABELS), "missing or NaN"),
        ({}, RECORDIO, records(ROWS, None), "(?i)no label"),
        ({}, RECORDIO, b"", "no data"),
        ({}, RECORDIO, records(ROWS, LABELS)[:-9], "(?i)record"),
        ({"factors_lr": "1e30", "linear_lr": "1e30"}, RECORDIO, records(ROWS, LABELS), "diverged"),
        ({"num_factors": "0"}, RECORDIO, records(ROWS, LABELS), "num_factors"),
    ],
)
def test_refusals(
    job: Job, values: dict[str, str], content_type: str, file: bytes, message: str
) -> None:
    found = refused(job(**values).channel("train", content_type, {"part-0": file}))
    assert re.search(message, found), found


def test_refusals_of_channels(job: Job) -> None:
    assert "no channel 'train'" in refused(job())
    folder = with_data(job("other"))
    folder.channel("test", RECORDIO, {"part-0": records(ROWS[:, :-1].tocsr(), LABELS)})
    assert "channel test have 69" in refused(folder)


def test_a_model_larger_than_memory(job: Job) -> None:
    width = 2_000_000_000
    rows = sparse.csr_matrix((ROWS.data, ROWS.indices, ROWS.indptr), shape=(len(LABELS), width))
    values = {"feature_dim": str(width), "num_factors": "1000"}
    folder = job(**values).channel("train", RECORDIO, {"part-0": records(rows, LABELS)})
    assert re.search("takes 22,.* GiB of memory.*num_factors", refused(folder))


def test_hosts_train_one_model(tmp_path: Path) -> None:
    # The third host has nothing, as when there are fewer objects than hosts.
    names = ("algo-1", "algo-2", "algo-3")
    values = {
        "feature_dim": str(WIDTH),
        "num_factors": "4",
        "predictor_type": "regressor",
        **FAST,
        "epochs": "60",
    }
    folders = [
        JobFolder(tmp_path / name, values, image="factorization-machines", hosts=names, host=name)
        for name in names
    ]
    parts = [slice(0, 500), slice(500, 1000)]
    for folder, part in zip(folders, parts, strict=False):
        folder.channel("train", RECORDIO, {"part": records(ROWS[part], LABELS[part])})
    folders[2].channel("train", RECORDIO, {})
    for folder in folders:
        folder.channel("test", RECORDIO, {"part": records(ROWS[TEST], LABELS[TEST])})
    ended = finish([folder.start() for folder in folders])
    assert [run.returncode for run in ended] == [0, 0, 0], [run.stderr for run in ended]
    assert [len(list((folder.root / "model").iterdir())) for folder in folders] == [1, 0, 0]
    errors = outputs(folders[0])["score"] - LABELS[TEST]
    assert np.sqrt((errors**2).mean()) < 0.4
    assert len(quality(ended[0].stdout, r"epoch=\d+, train rmse")) == 60
    assert all("#quality_metric" not in run.stdout for run in ended[1:])
