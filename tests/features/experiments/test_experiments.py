"""The operations on experiments and runs, over a tracker that has some."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bottega.config import Config
from bottega.errors import ResourceNotFound, ServiceUnavailable, ValidationException
from bottega.features.experiments import describe, experiments, importance, metrics, models, runs
from bottega.testing.operations import Operations
from bottega.tracking.catalogue_rest import TrackingServerCatalogue
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.port import MetricPoint
from bottega.tracking.process import TrackingProcess

MODULES = (describe, experiments, importance, metrics, models, runs)


@dataclass
class Studio:
    """Operations over a tracker with the runs of ten jobs."""

    operations: Operations
    experiment: str
    run_ids: list[str]

    def call(self, operation: str, **request: Any) -> Mapping[str, Any]:
        return self.operations.call("bottega", operation, **request)

    def search(self, **request: Any) -> Mapping[str, Any]:
        return self.call("SearchRuns", ExperimentIds=[self.experiment], **request)

    def names(self, **request: Any) -> list[str]:
        return [run["RunName"] for run in self.search(**request)["Runs"]]


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    home = Path(tempfile.mkdtemp(prefix="bt-"))  # short enough for a Unix socket
    process = TrackingProcess(Config(home=home), home / "mlflow.sock")
    process.start()
    tracking = MlflowTracking(process.socket, address=lambda: "", token="")
    catalogue = TrackingServerCatalogue(process.socket)
    try:
        assert process.wait_ready(120), process.problem
        with over(home / "operations", catalogue) as operations:
            yield fill(operations, tracking)
    finally:
        catalogue.close()
        tracking.close()
        process.stop()
        shutil.rmtree(home)


def over(home: Path, catalogue: TrackingServerCatalogue | None) -> Operations:
    operations = Operations(home, *MODULES)
    ports = replace(operations.ports, catalogue=catalogue)
    operations.context = replace(operations.context, ports=ports)
    return operations


def fill(operations: Operations, tracking: MlflowTracking) -> Studio:
    opened = []
    for number in range(10):
        run = tracking.open_run(
            experiment="churn",
            name=f"run-{number}",
            arn=f"arn:aws:sagemaker:us-east-1:000000000000:training-job/job-{number}",
            started=1000.0 + number,
            tags={
                "bottega.job": f"job-{number}",
                "mlflow.user": "ada",
                "mlflow.source.name": "train.py",
                "bottega.input.train": "s3://bucket/train",
            },
            parameters={"depth": str(number), "eta": "0.1"},
        )
        points = [MetricPoint("loss", 1 / (step + 1), step, step) for step in range(30)]
        if number:
            value = math.nan if number == 9 else number / 10
            points.append(MetricPoint("auc", value, 5, 0))
        tracking.log_metrics(run.run_id, points)
        tracking.close_run(run.run_id, status="FINISHED", ended=2000.0 - number)
        opened.append(run)
    file = operations.ports.config.home / "model.tar.gz"
    file.write_bytes(b"a model")
    tracking.log_artifact(opened[3].run_id, file, "model/model.tar.gz")
    return Studio(operations, opened[0].experiment_id, [run.run_id for run in opened])


def test_experiments_are_listed_with_their_runs(studio: Studio) -> None:
    found = studio.call("ListTrackedExperiments", Filter="chur")
    assert found["Total"] == 1
    (experiment,) = found["Experiments"]
    assert (experiment["ExperimentId"], experiment["Name"]) == (studio.experiment, "churn")
    assert experiment["Runs"] == 10
    assert experiment["LastUpdateTime"] >= 1009
    everything = studio.call("ListTrackedExperiments")
    assert everything["Total"] == 2  # MLflow's own default is one
    assert studio.call("ListTrackedExperiments", Offset=5)["Experiments"] == []


def test_a_window_of_runs_is_filtered_sorted_and_counted(studio: Studio) -> None:
    assert studio.names(MaxResults=2) == ["run-9", "run-8"]
    assert studio.names(MaxResults=2, Offset=8, SortOrder="Ascending") == ["run-8", "run-9"]
    best = studio.search(SortBy="metrics.auc", MaxResults=8, Offset=7)
    # NaN and nothing come last, whichever way.
    assert [run["RunName"] for run in best["Runs"]] == ["run-1", "run-9", "run-0"]
    assert studio.names(SortBy="metrics.auc", SortOrder="Ascending")[-2:] == ["run-9", "run-0"]
    assert studio.names(SortBy="attributes.duration", MaxResults=1) == ["run-0"]
    assert studio.names(SortBy="params.depth", MaxResults=1) == ["run-9"]
    found = studio.search(Filter="metrics.auc > 0.25 and params.depth != '4'", MaxResults=2)
    assert found["Total"] == 5
    assert len(found["Runs"]) == 2


def test_only_wanted_columns_are_answered(studio: Studio) -> None:
    (run,) = studio.search(
        Filter="params.depth = '3'", Metrics=["auc"], Params=[], Tags=["bottega.input.train"]
    )["Runs"]
    assert run["Metrics"] == {"auc": 0.3}
    assert run["Params"] == {}
    assert run["Tags"] == {"bottega.input.train": "s3://bucket/train"}
    assert (run["StartTime"], run["EndTime"]) == (1003.0, 1997.0)
    assert (run["TrainingJobName"], run["User"], run["Source"]) == ("job-3", "ada", "train.py")
    (whole,) = studio.search(Filter="params.depth = '3'")["Runs"]
    assert set(whole["Metrics"]) == {"auc", "loss"}
    assert whole["Params"] == {"depth": "3", "eta": "0.1"}
    assert whole["Tags"] == {}


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"Filter": "metrics.auc > 'high'"}, "Expected numeric value type for metric"),
        ({"Filter": "nonsense"}, "An example: metrics.auc > 0.8"),
        ({"SortBy": "auc"}, "There is no order by 'auc'"),
        ({"SortBy": "attributes.colour"}, "attributes.duration"),
    ],
)
def test_a_wrong_search_is_refused_with_the_reason(
    studio: Studio, request_: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValidationException, match=reason):
        studio.search(**request_)


def test_columns_are_those_of_the_runs(studio: Studio) -> None:
    found = studio.call("ListRunColumns", ExperimentIds=[studio.experiment])
    assert found["Metrics"] == ["auc", "loss"]
    assert found["Params"] == ["depth", "eta"]
    assert "bottega.job" in found["Tags"]


def test_a_run_is_described(studio: Studio) -> None:
    found = studio.call("DescribeRun", RunId=studio.run_ids[3])
    assert found["Run"]["RunName"] == "run-3"
    assert found["ExperimentName"] == "churn"
    assert found["Artifacts"] == [{"Path": "model", "IsDirectory": True}]
    assert found["LoggedModels"] == ["model"]
    channel = {"Name": "train", "Source": "s3://bucket/train", "Context": "channel"}
    assert found["Inputs"] == [channel]
    with pytest.raises(ResourceNotFound, match="There is no run 'nowhere'"):
        studio.call("DescribeRun", RunId="nowhere")


def test_the_course_of_metrics_is_thinned(studio: Studio) -> None:
    found = studio.call("GetRunMetrics", RunIds=studio.run_ids[:2], Metrics=["loss"], MaxPoints=6)[
        "Courses"
    ]
    assert [course["RunId"] for course in found] == studio.run_ids[:2]
    for course in found:
        assert course["Points"] == 30
        assert len(course["Steps"]) == len(course["Times"]) == len(course["Values"]) <= 6
        assert (course["Values"][0], course["Values"][-1]) == (1.0, 1 / 30)
        assert course["Times"][-1] == 0.029
    whole = studio.call("GetRunMetrics", RunIds=studio.run_ids[1:2])["Courses"]
    assert [course["Name"] for course in whole] == ["auc", "loss"]
    assert whole[1]["Steps"] == list(range(30))


def test_parameters_are_weighed(studio: Studio) -> None:
    found = studio.call("GetParameterImportance", ExperimentIds=[studio.experiment], Metric="auc")
    assert found["Runs"] == 8
    assert found["Importances"] == [{"Param": "depth", "Importance": 1.0}]
    assert "Spearman" in found["Method"]


def test_a_jobs_model_is_registered(studio: Studio) -> None:
    first = studio.call("RegisterRunModel", RunId=studio.run_ids[3], ModelName="churn model")
    assert first == {"ModelName": "churn model", "Version": "1"}
    second = studio.call(
        "RegisterRunModel", RunId=studio.run_ids[3], ModelName="churn model", ArtifactPath="model"
    )
    assert second["Version"] == "2"
    with pytest.raises(ValidationException, match="must be one of: model"):
        studio.call(
            "RegisterRunModel", RunId=studio.run_ids[3], ModelName="m", ArtifactPath="other"
        )
    with pytest.raises(ValidationException, match="has logged no model"):
        studio.call("RegisterRunModel", RunId=studio.run_ids[0], ModelName="m")


def test_without_tracking_the_refusal_says_so(tmp_path: Path) -> None:
    with over(tmp_path, None) as off:
        for operation, request in (
            ("ListTrackedExperiments", {}),
            ("SearchRuns", {"ExperimentIds": ["1"]}),
            ("DescribeRun", {"RunId": "r"}),
        ):
            with pytest.raises(ValidationException, match="Tracking is switched off"):
                off.call("bottega", operation, **request)


def test_a_tracker_that_starts_is_unavailable(tmp_path: Path) -> None:
    starting = TrackingServerCatalogue(tmp_path / "no.sock", patience=0.1)
    with (
        over(tmp_path, starting) as operations,
        pytest.raises(ServiceUnavailable, match="still starting") as refused,
    ):
        operations.call("bottega", "ListTrackedExperiments")
    assert refused.value.retryable
    starting.close()
