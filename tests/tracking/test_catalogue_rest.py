"""The catalogue of a real tracker, over runs that a plain mlflow client logged."""

from __future__ import annotations

import importlib.metadata
import json
import math
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from bottega.testing.tracker import Tracker
from bottega.tracking import catalogue_rest
from bottega.tracking.catalogue import RunSearch
from bottega.tracking.catalogue_rest import LARGEST_TEXT_BYTES, TrackingServerCatalogue
from bottega.tracking.port import TrackingMissing, TrackingRefused, TrackingUnavailable
from bottega.tracking.rest import ARTIFACTS

NOTEBOOK = """
import json, warnings
warnings.simplefilter("ignore")
import mlflow, pandas, sklearn
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

experiment = mlflow.set_experiment("the catalogue's").experiment_id
frame = pandas.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
runs = []
for depth in (2, 10, 6):
    with mlflow.start_run(run_name=f"depth {depth}") as run:
        mlflow.log_params({"depth": depth, "kind": "linear"})
        for step in range(40):
            mlflow.log_metric("loss", 100 if step == 17 else depth / (step + 1), step=step)
        mlflow.log_metric("auc", float("nan") if depth == 10 else depth / 10)
        mlflow.set_tag("team", "blue")
        if depth == 6:
            data = mlflow.data.from_pandas(frame, source="https://example.org/a.csv", name="rows")
            mlflow.log_input(data, context="training")
            mlflow.log_text("hello", "notes/hello.txt")
            model = LogisticRegression().fit(frame, [0, 0, 1, 1])
            # With signature and requirements MLflow need not run the model to find them out.
            mlflow.sklearn.log_model(
                model,
                name="classifier",
                signature=infer_signature(frame, model.predict(frame)),
                pip_requirements=[f"scikit-learn=={sklearn.__version__}", "pandas>=2 ; 1 < 2"],
            )
        runs.append(run.info.run_id)
print(json.dumps({"experiment": experiment, "runs": runs}))
"""

LOAD = """
import warnings
warnings.simplefilter("ignore")
import mlflow, pandas
model = mlflow.pyfunc.load_model("models:/{name}/{version}")
print([int(x) for x in model.predict(pandas.DataFrame({{"a": [0.0, 3.0], "b": [1.0, 0.0]}}))])
"""


class Logged:
    """What the notebook logged."""

    def __init__(self, said: str) -> None:
        facts = json.loads(said)
        self.experiment: str = facts["experiment"]
        self.runs: list[str] = facts["runs"]
        self.model_run = self.runs[-1]


@pytest.fixture(scope="module")
def logged(tracker: Tracker) -> Logged:
    return Logged(tracker.run_client(NOTEBOOK).stdout.splitlines()[-1])


@pytest.fixture
def catalogue(tracker: Tracker) -> Iterator[TrackingServerCatalogue]:
    made = TrackingServerCatalogue(tracker.process.socket)
    yield made
    made.close()


def names(catalogue: TrackingServerCatalogue, search: RunSearch) -> list[str]:
    return [run.run_name for run in catalogue.search(search).runs]


def test_experiments_are_found_by_words(catalogue: TrackingServerCatalogue, logged: Logged) -> None:
    found = catalogue.experiments("CATALOGUE the", offset=0, limit=10)
    assert found.total == 1
    (experiment,) = found.experiments
    assert (experiment.experiment_id, experiment.runs) == (logged.experiment, 3)
    assert experiment.created is not None
    assert experiment.updated is not None
    assert experiment.updated >= experiment.created
    assert catalogue.experiments("catalogue's nowhere", offset=0, limit=10).total == 0


def test_runs_are_filtered_sorted_and_counted(
    catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    ids = (logged.experiment,)
    assert names(catalogue, RunSearch(ids)) == ["depth 6", "depth 10", "depth 2"]
    by_auc = RunSearch(ids, sort_by="metrics.auc")
    assert names(catalogue, by_auc) == ["depth 6", "depth 2", "depth 10"]  # NaN comes last
    window = catalogue.search(RunSearch(ids, filter="metrics.auc > 0.3", limit=1))
    assert window.total == 1
    (run,) = window.runs
    assert run.params == {"depth": "6", "kind": "linear"}
    assert run.tags == {}
    assert run.status == "FINISHED"
    second = catalogue.search(
        RunSearch(ids, offset=1, limit=1, metrics=["auc"], params=[], tags=["team"])
    )
    assert second.total == 3
    (run,) = second.runs
    assert math.isnan(run.metrics["auc"])
    assert (dict(run.params), dict(run.tags)) == ({}, {"team": "blue"})
    assert run.started is not None
    assert run.ended is not None
    assert run.ended >= run.started
    longest = RunSearch(ids, sort_by="attributes.duration", ascending=True)
    assert len(names(catalogue, longest)) == 3


def test_a_wrong_question_is_refused_with_the_reason(
    catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    with pytest.raises(TrackingRefused) as refused:
        catalogue.search(RunSearch((logged.experiment,), filter="metrics.auc > 'high'"))
    assert "Expected numeric value type for metric" in refused.value.reason
    assert "params.max_depth = '6'" in refused.value.reason
    with pytest.raises(TrackingRefused, match=r"There is no order by 'colour'"):
        catalogue.search(RunSearch((logged.experiment,), sort_by="colour"))
    with pytest.raises(TrackingRefused, match="Invalid experiment ID"):
        catalogue.columns(["one"])
    with pytest.raises(TrackingMissing, match="There is no run 'nowhere'"):
        catalogue.describe("nowhere")


def test_columns_are_what_the_runs_have(catalogue: TrackingServerCatalogue, logged: Logged) -> None:
    found = catalogue.columns([logged.experiment])
    assert found.metrics == ["auc", "loss"]
    assert found.params == ["depth", "kind"]
    assert "team" in found.tags


def test_a_run_is_described_with_its_model(
    catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    found = catalogue.describe(logged.model_run)
    assert found.experiment_name == "the catalogue's"
    assert [(item.path, item.is_directory) for item in found.artifacts] == [("notes", True)]
    assert [(item.name, item.source, item.context) for item in found.inputs] == [
        ("rows", "https://example.org/a.csv", "training")
    ]
    assert [model.path for model in found.models] == ["classifier"]
    assert found.environment["python"].startswith("3.")
    assert found.environment["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert found.environment["pandas"] == ">=2"


@pytest.mark.parametrize(
    ("history", "models"),
    [
        ('[{"artifact_path": "../../x"}, {"artifact_path": "a/.."}]', []),
        ('[{"artifact_path": "/etc"}]', ["/etc"]),
        ("[" * 4000, []),
        ("7", []),
    ],
)
def test_a_tag_about_models_that_makes_no_sense_hides_no_run(
    catalogue: TrackingServerCatalogue, logged: Logged, history: str, models: list[str]
) -> None:
    run = logged.runs[0]
    tag = {"run_id": run, "key": "mlflow.log-model.history", "value": history}
    catalogue._server.call("POST", "runs/set-tag", tag)
    found = catalogue.describe(run)
    assert found.run.run_id == run
    assert [model.path for model in found.models] == models


def test_a_file_of_requirements_that_is_too_large_is_not_read(
    catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    run, server = logged.runs[1], catalogue._server
    tag = {
        "run_id": run,
        "key": "mlflow.log-model.history",
        "value": '[{"artifact_path": "heavy"}]',
    }
    server.call("POST", "runs/set-tag", tag)
    path = f"{ARTIFACTS}{logged.experiment}/{run}/artifacts/heavy/requirements.txt"
    server.send("PUT", path, body=b"heavy==1\n")
    assert catalogue.describe(run).environment["heavy"] == "1"
    server.send("PUT", path, body=b"heavy==2\n" * (LARGEST_TEXT_BYTES // 9 + 1))
    assert "heavy" not in catalogue.describe(run).environment
    assert server.send("GET", path, most=8) == b"heavy==2"


def test_courses_keep_their_extremes(catalogue: TrackingServerCatalogue, logged: Logged) -> None:
    whole, thinned = (
        catalogue.courses(logged.runs[:1], metrics=["loss"], most=most) for most in (500, 10)
    )
    assert whole[0].steps == list(range(40))
    assert whole[0].points == thinned[0].points == 40
    assert len(thinned[0].steps) <= 10
    assert max(thinned[0].values) == 100
    assert min(thinned[0].values) == 2 / 40
    assert (thinned[0].steps[0], thinned[0].steps[-1]) == (0, 39)
    everything = catalogue.courses(logged.runs, metrics=None, most=10)
    assert [(course.run_id, course.name) for course in everything] == [
        (run, name) for run in logged.runs for name in ("auc", "loss")
    ]


def test_importance_names_the_parameter_that_varies(
    catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    found = catalogue.importances(RunSearch((logged.experiment,)), "loss")
    assert found.runs == 3
    assert found.shares == [("depth", 1.0)]
    assert "Spearman" in found.method


def test_a_registered_model_is_loaded_by_a_plain_client(
    tracker: Tracker, catalogue: TrackingServerCatalogue, logged: Logged
) -> None:
    run = catalogue.describe(logged.model_run)
    assert catalogue.register(run, run.models[0], "the best") == "1"
    version = catalogue.register(run, run.models[0], "the best")
    assert version == "2"
    said = tracker.run_client(LOAD.format(name="the best", version=version)).stdout
    assert said.splitlines()[-1] == "[0, 1]"


def test_nobody_reaches_the_questions_through_the_proxy(tracker: Tracker) -> None:
    from bottega.testing.tracker import TOKEN

    for path in ("/bottega/experiments", "/mlflow/bottega/experiments", "/mlflow/../bottega/runs"):
        answer = urllib3.PoolManager().urlopen(
            "POST",
            f"{tracker.address}{path}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            body=b'{"filter": "", "offset": 0, "limit": 1}',
        )
        assert answer.status in (404, 405), (path, answer.data)


def test_a_question_waits_for_a_tracker_that_starts(tmp_path: Path) -> None:
    nobody = TrackingServerCatalogue(tmp_path / "no.sock", patience=0.1)
    with pytest.raises(TrackingUnavailable, match="still starting"):
        nobody.experiments("", offset=0, limit=1)
    nobody.close()


def test_a_question_is_answered_as_soon_as_the_tracker_is_there(
    tracker: Tracker, tmp_path: Path
) -> None:
    late = Path(f"{tracker.process.socket}.late")
    waiting = TrackingServerCatalogue(late, patience=60)
    threading.Timer(0.2, lambda: late.symlink_to(tracker.process.socket)).start()
    assert waiting.experiments("", offset=0, limit=1).total >= 1
    waiting.close()
    late.unlink()


class Listening:
    """A socket at which questions arrive and are not answered."""

    def __init__(self, path: Path, *, hangs_up: bool) -> None:
        self.asked = 0
        self._hangs_up = hangs_up
        self._kept: list[socket.socket] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        self._socket.listen()
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            if not connection.recv(65536):  # that of close()
                connection.close()
                return
            self.asked += 1
            if self._hangs_up:
                connection.close()
            else:
                self._kept.append(connection)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as last:
            last.connect(self._socket.getsockname())
        self._thread.join()
        for connection in (*self._kept, self._socket):
            connection.close()


@pytest.fixture(params=["hangs up", "says nothing"])
def listening(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Listening]:
    made = Listening(tmp_path / "m.sock", hangs_up=request.param == "hangs up")
    yield made
    made.close()


def test_a_question_that_arrived_is_not_asked_again(
    listening: Listening, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit in ("READING", "WEIGHING"):
        monkeypatch.setattr(catalogue_rest, limit, urllib3.Timeout(connect=5, read=0.2))
    catalogue = TrackingServerCatalogue(tmp_path / "m.sock")
    with pytest.raises(TrackingUnavailable):
        catalogue.importances(RunSearch(("1",)), "auc")
    assert listening.asked == 1
    with pytest.raises(TrackingUnavailable):
        catalogue.columns(["1"])
    assert listening.asked == 2
    catalogue.close()
