"""XGBoost jobs on small made data, in this process unless the process is what matters."""

from __future__ import annotations

import gzip
import io
import os
import re
import signal
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.registry import algorithm
from bottega.algorithms.xgboost.rounds import checkpoints
from bottega.testing.job_folder import JobFolder

ROWS, COLUMNS = 300, 4
RNG = np.random.default_rng(7)
FEATURES = RNG.normal(size=(ROWS, COLUMNS)).astype(np.float32)
TARGET = (FEATURES[:, 0] * 2 - FEATURES[:, 1] + RNG.normal(scale=0.1, size=ROWS)).round(3)
BINARY = (TARGET > 0).astype(int)
CLASSES = np.digitize(TARGET, [-1, 1])

Job = Callable[..., JobFolder]


def csv(labels: np.ndarray, features: np.ndarray = FEATURES, *more: np.ndarray) -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, np.column_stack([labels, *more, features]), delimiter=",", fmt="%.9g")
    return buffer.getvalue()


def libsvm(labels: np.ndarray, features: np.ndarray = FEATURES) -> str:
    return "".join(
        f"{label} " + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(row)) + "\n"
        for label, row in zip(labels, features, strict=True)
    )


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def make(name: str = "ml", **hyperparameters: str) -> JobFolder:
        depth = {} if hyperparameters.get("booster") == "gblinear" else {"max_depth": "3"}
        values = {"num_round": "8", "nthread": "1", **depth, **hyperparameters}
        return JobFolder(tmp_path / name, values)

    return make


def train(folder: JobFolder) -> xgboost.Booster:
    algorithm("xgboost").train(folder.read())
    return load(folder)


def load(folder: JobFolder, name: str = "xgboost-model") -> xgboost.Booster:
    booster = xgboost.Booster()
    with warnings.catch_warnings():
        # The library says that it guesses the format, for the name has no ending.
        warnings.simplefilter("ignore", UserWarning)
        booster.load_model(str(folder.root / "model" / name))
    return booster


def predict(booster: xgboost.Booster, features: np.ndarray = FEATURES) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(features))


def plain(labels: np.ndarray, rounds: int = 8, **parameters: object) -> xgboost.Booster:
    """What the library alone makes of the same rows."""
    data = xgboost.DMatrix(FEATURES, label=labels)
    return xgboost.train({"max_depth": 3, "nthread": 1, **parameters}, data, rounds)


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        algorithm("xgboost").train(folder.read())
    assert not list((folder.root / "model").iterdir())
    return str(error.value)


def test_csv_gives_the_librarys_own_model_and_log(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job().channel("train", "text/csv", {"a.csv": csv(TARGET)})
    folder.channel("validation", "text/csv", {"b.csv": csv(TARGET)})
    booster = train(folder)
    np.testing.assert_allclose(predict(booster), predict(plain(TARGET)), rtol=1e-6)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    assert len(lines) == 8
    assert re.fullmatch(r"\[3\]\ttrain-rmse:\d+\.\d{5}\tvalidation-rmse:\d+\.\d{5}", lines[3])


@pytest.mark.parametrize("content_type", [None, "text/libsvm", "text/x-libsvm"])
def test_libsvm_is_the_default(job: Job, content_type: str | None) -> None:
    folder = job().channel("train", content_type, {"part-0": libsvm(TARGET)})
    np.testing.assert_allclose(predict(train(folder)), predict(plain(TARGET)), rtol=1e-6)


def test_parquet(job: Job) -> None:
    buffer = io.BytesIO()
    frame = pd.DataFrame(FEATURES, columns=list("abcd"))
    frame.insert(0, "target", TARGET)
    frame.to_parquet(buffer)
    folder = job().channel("train", "application/x-parquet", {"p.parquet": buffer.getvalue()})
    np.testing.assert_allclose(predict(train(folder)), predict(plain(TARGET)), rtol=1e-6)


def test_many_files_and_gzip_are_one_table(job: Job) -> None:
    halves = [csv(TARGET[part], FEATURES[part]) for part in (slice(0, 99), slice(99, None))]
    files = {"a.csv": halves[0], "sub/b.csv.gz": gzip.compress(halves[1].encode())}
    folder = job().channel("train", "text/csv; charset=utf-8", files)
    np.testing.assert_allclose(predict(train(folder)), predict(plain(TARGET)), rtol=1e-6)


def test_csv_weights(job: Job) -> None:
    weights = np.where(TARGET > 1, 10.0, 1.0)
    folder = job(csv_weights="1")
    folder.channel("train", "text/csv", {"a.csv": csv(TARGET, FEATURES, weights)})
    data = xgboost.DMatrix(FEATURES, label=TARGET, weight=weights)
    expected = xgboost.train({"max_depth": 3, "nthread": 1}, data, 8)
    np.testing.assert_allclose(predict(train(folder)), predict(expected), rtol=1e-6)


def test_multiclass_with_metrics_of_both_kinds(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(
        objective="multi:softprob", num_class="3", eval_metric="accuracy,mlogloss,f1_macro"
    ).channel("train", "text/csv", {"a.csv": csv(CLASSES)})
    booster = train(folder)
    expected = plain(CLASSES, objective="multi:softprob", num_class=3)
    np.testing.assert_allclose(predict(booster), predict(expected), rtol=1e-5)
    last = capsys.readouterr().out.strip().splitlines()[-1]
    pattern = r"\[7\]\ttrain-mlogloss:\S+\ttrain-accuracy:(\S+)\ttrain-f1_macro:\S+"
    found = re.fullmatch(pattern, last)
    assert found
    accuracy = (predict(booster).argmax(axis=1) == CLASSES).mean()
    assert float(found.group(1)) == pytest.approx(accuracy, abs=1e-5)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({"booster": "dart", "rate_drop": "0.1"}, TARGET),
        ({"booster": "gblinear", "updater": "coord_descent"}, TARGET),
        ({"objective": "count:poisson"}, abs(TARGET)),
        ({"objective": "reg:gamma"}, abs(TARGET) + 0.1),
        ({"objective": "reg:tweedie", "tweedie_variance_power": "1.2"}, abs(TARGET)),
        ({"objective": "binary:hinge"}, BINARY),
        ({"objective": "survival:cox"}, TARGET),
        ({"objective": "survival:aft", "aft_loss_distribution": "extreme"}, abs(TARGET) + 1),
        ({"tree_method": "gpu_hist"}, TARGET),
        ({"tree_method": "exact"}, TARGET),
        ({"updater": "grow_colmaker,prune", "predictor": "cpu_predictor"}, TARGET),
        ({"monotone_constraints": "(1,0,0,0)", "interaction_constraints": "[[0,1]]"}, TARGET),
        ({"num_parallel_tree": "3", "subsample": "0.5", "seed": "5"}, TARGET),
        ({"silent": "1", "sketch_eps": "0.1", "dsplit": "row"}, TARGET),
    ],
)
def test_kinds_of_models(job: Job, values: dict[str, str], labels: np.ndarray) -> None:
    folder = job(**values).channel("train", "text/csv", {"a.csv": csv(labels)})
    assert np.isfinite(predict(train(folder))).all()


def test_ranking_by_groups(job: Job) -> None:
    groups = np.repeat(np.arange(30), 10)
    shuffled = RNG.permutation(ROWS)
    relevance = np.digitize(TARGET, [-1, 0, 1])
    text = "".join(
        f"{relevance[row]} qid:{groups[row]} "
        + " ".join(f"{i}:{float(v)!r}" for i, v in enumerate(FEATURES[row]))
        + "\n"
        for row in shuffled
    )
    folder = job(objective="rank:ndcg", eval_metric="ndcg@3")
    booster = train(folder.channel("train", None, {"a": text}))
    assert np.corrcoef(predict(booster), relevance)[0, 1] > 0.7


def test_early_stopping_keeps_the_best_round(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    noise = RNG.normal(size=ROWS)
    folder = job(num_round="200", early_stopping_rounds="5", max_depth="6", eta="0.8")
    folder.channel("train", "text/csv", {"a.csv": csv(noise[:200], FEATURES[:200])})
    folder.channel("validation", "text/csv", {"a.csv": csv(noise[200:], FEATURES[200:])})
    booster = train(folder)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("[")]
    scores = [float(line.rpartition("validation-rmse:")[2]) for line in lines]
    best = int(np.argmin(scores))
    assert len(scores) == best + 6 < 200
    assert booster.num_boosted_rounds() == best + 1


def test_early_stopping_looks_at_the_last_metric_named(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = job(
        num_round="60",
        early_stopping_rounds="3",
        objective="binary:logistic",
        eval_metric="accuracy,logloss",
    )
    for channel in ("train", "validation"):
        folder.channel(channel, "text/csv", {"a.csv": csv(BINARY)})
    train(folder)
    # On the training rows accuracy is soon perfect, while the loss goes on falling.
    assert capsys.readouterr().out.strip().splitlines()[-1].startswith("[59]")


def test_tunings_metric_is_printed(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(_tuning_objective_metric="validation:mae", eval_metric="rmse")
    for channel in ("train", "validation"):
        folder.channel(channel, "text/csv", {"a.csv": csv(TARGET)})
    train(folder)
    assert "validation-mae:" in capsys.readouterr().out


def test_folds(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(_kfold="3", _num_cv_round="2", objective="binary:logistic", eval_metric="error")
    train_folder = folder.channel("train", "text/csv", {"a.csv": csv(BINARY)})
    algorithm("xgboost").train(train_folder.read())
    names = sorted(path.name for path in (folder.root / "model").iterdir())
    assert names == [f"xgboost-model-{number}" for number in range(6)]
    output = capsys.readouterr().out.splitlines()
    errors = [float(line.rpartition(":")[2]) for line in output if line.startswith("[7]\t")]
    overall = next(line for line in output[::-1] if line.startswith("[8]\t"))
    assert float(overall.rpartition("validation-error:")[2]) == pytest.approx(
        np.mean(errors), abs=1e-4
    )


def test_a_job_goes_on_from_its_last_checkpoint(
    job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    first = job("first", num_round="3").channel("train", "text/csv", {"a.csv": csv(TARGET)})
    first.config("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"})
    train(first)
    folder = first.root / "checkpoints"
    assert [number for number, _ in checkpoints(folder)][-1] == 3
    second = job("second").channel("train", "text/csv", {"a.csv": csv(TARGET)})
    second.config("checkpointconfig", {"S3Uri": "s3://b/c", "LocalPath": "/opt/ml/checkpoints"})
    (second.root / "checkpoints").mkdir()
    for _, path in checkpoints(folder):
        (second.root / "checkpoints" / path.name).write_bytes(path.read_bytes())
    capsys.readouterr()
    booster = train(second)
    output = capsys.readouterr().out
    assert "Resuming from xgboost-checkpoint.3" in output
    lines = [line.partition("\t")[0] for line in output.splitlines() if line.startswith("[")]
    assert lines == ["[3]", "[4]", "[5]", "[6]", "[7]"]
    np.testing.assert_allclose(predict(booster), predict(plain(TARGET)), rtol=1e-5)


def test_a_stopped_job_leaves_its_model_when_asked_to(job: Job) -> None:
    folder = job(num_round="1000000", save_model_on_termination="true")
    process = folder.channel("train", "text/csv", {"a.csv": csv(TARGET)}).start()
    try:
        assert process.stdout is not None
        output = ""
        while "[5]" not in output:
            assert process.poll() is None
            output += process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        output += process.stdout.read()
        status = process.wait()
    finally:
        process.kill()
        process.communicate()
    assert status == 0
    last = [line for line in output.splitlines() if line.startswith("[")][-1]
    assert load(folder).num_boosted_rounds() == int(last[1:].partition("]")[0]) + 1


def test_a_stopped_job_ends_at_once_otherwise(job: Job) -> None:
    folder = job(num_round="1000000")
    process = folder.channel("train", "text/csv", {"a.csv": csv(TARGET)}).start()
    try:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("[5]"):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        process.wait()
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGTERM
    assert not os.listdir(folder.root / "model")


@pytest.mark.parametrize(
    ("values", "labels", "words"),
    [
        ({"objective": "binary:logistic"}, [0, 1, 2.5], ("Label 2.5", "line 3 of", "[0,1]")),
        ({"objective": "binary:hinge"}, [0, 1, 0.5], ("Label 0.5", "line 3 of", "0 nor 1")),
        (
            {"objective": "multi:softmax", "num_class": "3"},
            [0, 3, 1],
            ("Label 3", "line 2 of", "[0,3)", "num_class=3"),
        ),
        ({"objective": "count:poisson"}, [1, -1, 2], ("Label -1", "line 2", "negative")),
        ({"objective": "reg:tweedie"}, [1, -1, 2], ("Label -1", "negative")),
        ({"objective": "reg:gamma"}, [1, 0, 2], ("Label 0", "above 0")),
        ({}, [1, float("nan"), 2], ("Label nan", "line 2")),
    ],
)
def test_labels_the_objective_cannot_learn(
    job: Job, values: dict[str, str], labels: list[float], words: tuple[str, ...]
) -> None:
    text = csv(np.array(labels), FEATURES[: len(labels)])
    message = refused(job(**values).channel("train", "text/csv", {"train.csv": text}))
    for word in (*words, "train.csv"):
        assert word in message


@pytest.mark.parametrize(
    ("content_type", "content", "words"),
    [
        ("text/csv", "a,b\n1,2\n", ("train.csv", "line 1", "header")),
        ("text/libsvm", "1,2,3\n", ("train.csv", "line 1", "text/csv")),
        ("text/csv;label_size=0", "1,2\n", ("label_size=0", "first column")),
        ("application/x-recordio-protobuf", "1,2,3,4\n", ("train.csv", "byte 0", "no RecordIO")),
        ("application/json", "{}", ("application/json", "text/csv")),
        ("application/x-parquet", "1,2\n", ("train.csv", "Parquet")),
    ],
)
def test_data_that_cannot_be_read(
    job: Job, content_type: str, content: str, words: tuple[str, ...]
) -> None:
    message = refused(job().channel("train", content_type, {"train.csv": content}))
    for word in words:
        assert word in message


def test_channels_must_agree(job: Job) -> None:
    folder = job().channel("train", "text/csv", {"a.csv": csv(TARGET)})
    folder.channel("validation", "text/csv", {"b.csv": csv(TARGET, FEATURES[:, :3])})
    assert "4" in (message := refused(folder))
    assert "validation has 3 feature columns" in message


def test_missing_channels(job: Job) -> None:
    assert "no channel 'train'" in refused(job("a"))
    assert "train has no data" in refused(job("b").channel("train", "text/csv", {}))
    wrong = job("c", num_round="x").channel("train", "text/csv", {"a.csv": csv(TARGET)})
    assert "num_round" in refused(wrong)


def test_what_the_library_refuses_is_the_customers(job: Job) -> None:
    folder = job(sampling_method="gradient_based")
    folder.channel("train", "text/csv", {"a.csv": csv(TARGET)})
    assert "gradient_based needs a GPU" in refused(folder)
    folder = job("short", monotone_constraints="(1,1,1,1,1,1)")
    message = refused(folder.channel("train", "text/csv", {"a.csv": csv(TARGET)}))
    assert message.startswith("XGBoost: ")
    assert "Stack trace" not in message
