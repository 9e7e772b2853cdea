"""K-Means jobs on small made data."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms.base import CustomerError, HyperparameterError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.kmeans.final import finish
from bottega.algorithms.readers.record_writing import write_rows
from bottega.algorithms.registry import algorithm
from bottega.algorithms.reports import Reporter
from bottega.container.environment import TrainingEnvironment
from bottega.testing.job_folder import JobFolder
from bottega.testing.job_folder import finish as finish_hosts

KMEANS = algorithm("kmeans")
RECORDIO = "application/x-recordio-protobuf"
CSV = "text/csv;label_size=0"
CORNERS = np.array([[0, 0, 0], [30, 0, 0], [0, 30, 0], [0, 0, 30]], dtype=float)
ROWS = (
    np.random.default_rng(3)
    .permutation(np.repeat(CORNERS, 75, axis=0) + np.random.default_rng(4).normal(size=(300, 3)))
    .astype(np.float32)
)

Job = Callable[..., JobFolder]


def csv(rows: Any) -> str:
    buffer = io.StringIO()
    np.savetxt(buffer, rows, delimiter=",", fmt="%.9g")
    return buffer.getvalue()


def records(rows: Any, labels: Any = None) -> bytes:
    buffer = io.BytesIO()
    write_rows(buffer, rows, labels)
    return buffer.getvalue()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    def make(name: str = "ml", **values: str) -> JobFolder:
        given = {"k": "4", "feature_dim": "3", **values}
        return JobFolder(tmp_path / name, given, image="kmeans", environment={"BOTTEGA_CPUS": "2"})

    return make


def centers_of(folder: JobFolder) -> Any:
    with np.load(folder.root / "model" / "model_algo-1") as model:
        return model["centers"]


def train(folder: JobFolder) -> Any:
    KMEANS.train(folder.read())
    return centers_of(folder)


def refused(folder: JobFolder) -> str:
    with pytest.raises((CustomerError, HyperparameterError)) as error:
        KMEANS.train(folder.read())
    assert not list((folder.root / "model").iterdir())
    return str(error.value)


def nearest(rows: Any, centers: Any) -> Any:
    return ((rows[:, None, :].astype(float) - centers[None]) ** 2).sum(axis=2).min(axis=1)


def quality(lines: str, what: str) -> float:
    found = re.findall(rf"#quality_metric: host=algo-1, {what} <loss>=(\S+)", lines)
    assert len(found) == 1
    return float(found[0])


@pytest.mark.parametrize(
    ("content_type", "file"),
    [
        (CSV, csv(ROWS)),
        ("text/csv", csv(np.column_stack([np.arange(300), ROWS]))),
        (RECORDIO, records(ROWS)),
        (RECORDIO, records(ROWS, np.arange(300))),
        (None, records(ROWS)),
        (RECORDIO, records(sparse.csr_matrix(ROWS))),
    ],
    ids=["csv", "csv with label", "recordio", "recordio with label", "default", "sparse"],
)
def test_formats_find_the_groups(job: Job, content_type: str | None, file: str | bytes) -> None:
    centers = train(job().channel("train", content_type, {"part-0": file}))
    assert centers.dtype == np.float32
    order = ((centers[None] - CORNERS[:, None]) ** 2).sum(axis=2).argmin(axis=1)
    assert sorted(order) == [0, 1, 2, 3]
    assert np.abs(centers[order] - CORNERS).max() < 0.5


def test_lines_and_metrics(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    folder = job(eval_metrics='["msd","ssd"]', epochs="2", local_lloyd_num_trials="3")
    folder.channel("train", CSV, {"a.csv": csv(ROWS)}).channel(
        "test", CSV, {"a.csv": csv(ROWS[:80])}
    )
    centers = train(folder)
    lines = capsys.readouterr().out
    assert quality(lines, "train msd") == pytest.approx(nearest(ROWS, centers).mean(), rel=1e-4)
    assert quality(lines, "train ssd") == pytest.approx(nearest(ROWS, centers).sum(), rel=1e-4)
    assert quality(lines, "test msd") == pytest.approx(nearest(ROWS[:80], centers).mean(), rel=1e-5)
    assert quality(lines, "test ssd") == pytest.approx(nearest(ROWS[:80], centers).sum(), rel=1e-5)
    attempts = re.findall(r"local kmeans attempt #(\d). Current mean square distance (\S+)", lines)
    assert [number for number, _ in attempts] == ["0", "1", "2"]
    assert re.findall(r"completed (\S+) % of epochs", lines) == ["50", "100"]
    assert "shrinking 40 centers into 4" in lines
    for metric in KMEANS.metric_definitions:
        assert re.search(metric.regex, lines), metric.name


def test_only_what_was_asked_for_is_reported(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    train(job(eval_metrics='["ssd"]').channel("train", CSV, {"a.csv": csv(ROWS)}))
    lines = capsys.readouterr().out
    assert quality(lines, "train ssd") > 0
    assert "msd" not in lines
    assert "test" not in lines


@pytest.mark.parametrize(
    "values",
    [
        {"init_method": "kmeans++"},
        {"epochs": "3", "mini_batch_size": "32"},
        {"extra_center_factor": "1"},
        {"extra_center_factor": "500"},
        {"half_life_time_size": "50", "mini_batch_size": "20"},
        {"local_lloyd_init_method": "random", "local_lloyd_num_trials": "20"},
        {"local_lloyd_max_iter": "1"},
        {"local_lloyd_tol": "1"},
        {"_tuning_objective_metric": "test:msd", "sagemaker_region": "us-east-1"},
    ],
)
def test_settings_all_end_in_a_model(job: Job, values: dict[str, str]) -> None:
    centers = train(job(**values).channel("train", CSV, {"a.csv": csv(ROWS)}))
    assert centers.shape == (4, 3)
    assert nearest(ROWS, centers).mean() < ROWS.var(axis=0).sum()


def test_the_same_data_give_the_same_model(job: Job) -> None:
    made = []
    for name, cpus in (("one", "1"), ("two", "3")):
        folder = job(name, init_method="kmeans++").channel("train", RECORDIO, {"a": records(ROWS)})
        KMEANS.train(TrainingEnvironment.read({**folder.variables(), "BOTTEGA_CPUS": cpus}))
        made.append((folder.root / "model" / "model_algo-1").read_bytes())
    assert made[0] == made[1]


def test_streaming_alone_where_the_rows_do_not_fit_in_memory(
    job: Job, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "0")
    folder = job(mini_batch_size="50", epochs="3").channel("train", CSV, {"a.csv": csv(ROWS)})
    centers = train(folder.channel("test", CSV, {"a.csv": csv(ROWS)}))
    lines = capsys.readouterr().out
    assert np.sort(nearest(CORNERS, centers)).max() < 0.5
    # With no pass left to measure with, the loss of training is an estimate.
    assert quality(lines, "train msd") == pytest.approx(quality(lines, "test msd"), rel=0.05)


def test_numbers_far_from_zero_keep_their_distances(job: Job) -> None:
    far = (ROWS + 30_000).astype(np.float32)
    centers = train(job().channel("train", RECORDIO, {"a": records(far)}))
    assert nearest(far, centers.astype(float)).mean() == pytest.approx(3.0, rel=0.1)


def test_many_clusters_of_many_rows_are_sampled_first(job: Job) -> None:
    random = np.random.default_rng(0)
    rows = random.random((20_000, 3), dtype=np.float32)
    centers = train(job(k="9").channel("train", RECORDIO, {"a": records(rows)}))
    from sklearn.cluster import KMeans

    best = KMeans(9, n_init=3, random_state=0).fit(rows).inertia_ / len(rows)
    assert nearest(rows, centers).mean() < best * 1.01


def test_as_many_clusters_as_rows(job: Job) -> None:
    centers = train(job(k="5").channel("train", CSV, {"a.csv": csv(ROWS[:5])}))
    np.testing.assert_allclose(np.sort(centers, axis=0), np.sort(ROWS[:5], axis=0), atol=1e-5)


def test_fewer_different_rows_than_clusters(job: Job) -> None:
    rows = np.repeat(ROWS[:2], 10, axis=0)
    centers = train(job().channel("train", CSV, {"a.csv": csv(rows)}))
    assert centers.shape == (4, 3)
    assert nearest(rows, centers).max() < 1e-6


def test_empty_sparse_rows(job: Job) -> None:
    rows = sparse.csr_matrix(np.zeros((6, 3), np.float32))
    assert (train(job(k="2").channel("train", RECORDIO, {"a": records(rows)})) == 0).all()


@pytest.mark.parametrize(
    ("values", "content_type", "text", "message"),
    [
        ({"k": "301"}, CSV, csv(ROWS), "only 300 rows; choose a smaller k"),
        ({"feature_dim": "2"}, CSV, csv(ROWS), "feature_dim is 2.*have 3"),
        ({}, "text/csv", csv(ROWS), "have 2 features.*label_size=0"),
        ({}, "text/libsvm", "1 0:1\n", "content type 'text/libsvm'"),
        ({}, CSV, "", "no data"),
        ({}, CSV, "1,2,3\n4,5\n", "line 2"),
        ({}, CSV, "1,2,3\n4,nan,6\n", "line 2.*missing or NaN"),
        ({}, CSV, "1,2,3\n4,x,6\n", "'x'.*line 2"),
        ({"k": "2"}, CSV, "1e30,2,3\n4,1e30,6\n0,0,0\n", "scale the features"),
        ({}, RECORDIO, b"not records at all", "(?i)record"),
        ({"k": "two"}, CSV, csv(ROWS), "Hyperparameter k"),
    ],
)
def test_refusals(
    job: Job, values: dict[str, str], content_type: str, text: str | bytes, message: str
) -> None:
    found = refused(job(**values).channel("train", content_type, {"a.csv": text}))
    assert re.search(message, found), found


def test_refusals_of_channels(job: Job) -> None:
    assert "no channel 'train'" in refused(job())
    folder = job("other").channel("train", CSV, {"a.csv": csv(ROWS)})
    found = refused(folder.channel("test", CSV, {"a.csv": csv(ROWS[:, :2])}))
    assert "channel test have 2 features" in found


def test_more_centers_than_fit_in_memory(job: Job) -> None:
    width = 2_000_000_000
    rows = sparse.csr_matrix(ROWS)
    rows.resize((len(ROWS), width))
    folder = job(feature_dim=str(width)).channel("train", RECORDIO, {"a": records(rows)})
    assert re.search(r"4 centers takes \S+ GiB of memory.*smaller k", refused(folder))


def test_hosts_find_one_model(tmp_path: Path) -> None:
    # The third host has nothing, as when there are fewer objects than hosts.
    names = ("algo-1", "algo-2", "algo-3")
    shares = [ROWS[:100], ROWS[100:], ROWS[:0]]
    folders = [
        JobFolder(
            tmp_path / name, {"k": "4", "feature_dim": "3"}, image="kmeans", hosts=names, host=name
        ).channel("train", CSV, {"part": csv(share)} if len(share) else {})
        for name, share in zip(names, shares, strict=True)
    ]
    for folder in folders:
        folder.channel("test", CSV, {"part": csv(ROWS[:50])})
    ended = finish_hosts([folder.start() for folder in folders])
    assert [run.returncode for run in ended] == [0, 0, 0], [run.stderr for run in ended]
    assert [len(list((folder.root / "model").iterdir())) for folder in folders] == [1, 0, 0]
    centers = centers_of(folders[0])
    assert nearest(CORNERS, centers).max() < 0.5
    lines = ended[0].stdout
    assert quality(lines, "train msd") == pytest.approx(nearest(ROWS, centers).mean(), rel=1e-4)
    assert quality(lines, "test msd") == pytest.approx(nearest(ROWS[:50], centers).mean(), rel=1e-4)
    assert all("#quality_metric" not in run.stdout for run in ended[1:])


class Alone(Cluster):
    """One of two hosts, of which the other has nothing to add."""

    def _reduce(self, values: Any, operation: str) -> Any:
        return values


def test_no_data_on_any_host() -> None:
    values = KMEANS.hyperparameters.check({"k": "4", "feature_dim": "3"})
    reporter = Reporter("", "", speaks=False)
    with pytest.raises(CustomerError, match="no data on any host"):
        finish(None, None, values, 1, Alone(2, 1), reporter)
