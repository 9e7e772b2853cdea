"""The SDK's Run, load_run, list_runs and ExperimentAnalytics."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from abalone import abalone_rows, as_csv
from botocore.exceptions import ClientError
from sagemaker.analytics import ExperimentAnalytics
from sagemaker.experiments import Run, list_runs, load_run
from sagemaker.sklearn import SKLearn

SCRIPT = """\
import sys

# The SDK is not among what jobs have here; a requirements.txt would bring it.
sys.path.append({packages!r})
from sagemaker.experiments import load_run

with load_run() as run:
    run.log_parameter("from", "the job")
    for step in range(3):
        run.log_metric("inside", step / 2, step=step)
print("loaded", run.run_name)
"""


@pytest.fixture(scope="module")
def first(session: Any) -> Run:
    """A run with something of everything."""
    with Run("Journeys", run_name="First", sagemaker_session=session) as run:
        run.log_parameter("depth", 6)
        run.log_parameters({"kind": "tree", "eta": 0.1})
        for step in range(12):
            run.log_metric("loss", 1 / (step + 1), step=step)
        run.log_artifact("rows", "s3://somewhere/rows.csv", media_type="text/csv", is_output=False)
        run.log_artifact("report", "s3://somewhere/report")
    return run


def test_what_a_run_logged_can_be_loaded(session: Any, first: Run, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("noted")
    with load_run(
        experiment_name="journeys", run_name="first", sagemaker_session=session
    ) as loaded:
        assert loaded.run_name == "first"
        loaded.log_file(str(file), name="notes", is_output=True)
        loaded.log_parameter("depth", 7)
    sagemaker = session.sagemaker_client
    component = sagemaker.describe_trial_component(TrialComponentName="journeys-first")
    assert component["Parameters"] == {
        "depth": {"NumberValue": 7.0},
        "kind": {"StringValue": "tree"},
        "eta": {"NumberValue": 0.1},
    }
    assert component["Status"]["PrimaryStatus"] == "Completed"
    assert component["InputArtifacts"] == {
        "rows": {"MediaType": "text/csv", "Value": "s3://somewhere/rows.csv"}
    }
    uri = component["OutputArtifacts"]["notes"]["Value"]
    assert session.read_s3_file(*uri.removeprefix("s3://").split("/", 1)) == "noted"
    (loss,) = component["Metrics"]
    assert (loss["MetricName"], loss["Count"], loss["Max"]) == ("loss", 12, 1.0)
    assert loss["Last"] == pytest.approx(1 / 12)


def test_graphs_of_a_run_are_artifacts_of_its_lineage(session: Any) -> None:
    labels, scores = [0, 1, 1, 0], [0.1, 0.9, 0.4, 0.6]
    with Run("graphs", run_name="one", sagemaker_session=session) as run:
        run.log_roc_curve(labels, scores, title="roc")
        run.log_precision_recall(labels, scores, positive_label=1, title="precision")
        run.log_confusion_matrix(labels, [0, 1, 0, 1], title="confusion", is_output=False)
    sagemaker = session.sagemaker_client
    component = sagemaker.describe_trial_component(TrialComponentName="graphs-one")
    made = component["TrialComponentArn"]
    behind = sagemaker.list_associations(SourceArn=made)["AssociationSummaries"]
    before = sagemaker.list_associations(DestinationArn=made)["AssociationSummaries"]
    assert {one["AssociationType"] for one in behind} == {"Produced"}
    assert {one["AssociationType"] for one in before} == {"ContributedTo"}
    graphs = {}
    for arn in [one["DestinationArn"] for one in behind] + [one["SourceArn"] for one in before]:
        artifact = sagemaker.describe_artifact(ArtifactArn=arn)
        uri = artifact["Source"]["SourceUri"]
        graphs[artifact["ArtifactType"]] = json.loads(
            session.read_s3_file(*uri.removeprefix("s3://").split("/", 1))
        )
    assert graphs["ROCCurve"]["areaUnderCurve"] == pytest.approx(0.75)
    assert graphs["PrecisionRecallCurve"]["averagePrecisionScore"] == pytest.approx(5 / 6)
    assert graphs["ConfusionMatrix"]["confusionMatrix"] == [[1, 1], [1, 1]]


def test_a_run_that_fails_says_why(session: Any) -> None:
    with (
        pytest.raises(ValueError, match="no rows"),
        Run("failing", run_name="one", sagemaker_session=session),
    ):
        raise ValueError("no rows")
    component = session.sagemaker_client.describe_trial_component(TrialComponentName="failing-one")
    assert component["Status"] == {"PrimaryStatus": "Failed", "Message": "no rows"}


def test_runs_are_listed(session: Any, first: Run) -> None:
    with Run("journeys", run_name="second", sagemaker_session=session) as second:
        second.log_parameter("depth", 2)
    runs = list_runs("journeys", sagemaker_session=session)
    assert [run.run_name for run in runs][:2] == ["second", "first"]


def test_a_table_of_an_experiment(session: Any, first: Run) -> None:
    analytics = ExperimentAnalytics(experiment_name="journeys", sagemaker_session=session)
    table = analytics.dataframe().set_index("TrialComponentName")
    row = table.loc["journeys-first"]
    assert (row["loss - Count"], row["loss - Max"], row["kind"]) == (12, 1.0, "tree")
    assert row["rows - MediaType"] == "text/csv"
    assert row["Trials"] == ["Default-Run-Group-journeys"]
    assert row["Experiments"] == ["journeys"]
    deep = {"Filters": [{"Name": "Parameters.eta", "Operator": "LessThan", "Value": "0.2"}]}
    chosen = ExperimentAnalytics(
        search_expression=deep, sort_by="Metrics.loss.Min", sagemaker_session=session
    )
    assert list(chosen.dataframe()["TrialComponentName"]) == ["journeys-first"]


def test_a_job_within_a_run_logs_to_it(
    session: Any, role: str, shared_data: Path, tmp_path: Path
) -> None:
    (tmp_path / "train.py").write_text(
        SCRIPT.format(packages=sysconfig.get_path("purelib")), encoding="utf-8"
    )
    rows = session.upload_string_as_file_body(
        as_csv(abalone_rows(shared_data, 20)), session.default_bucket(), "runs/train.csv"
    )
    with Run("within", run_name="a-job", sagemaker_session=session) as run:
        estimator = SKLearn(
            entry_point="train.py",
            source_dir=str(tmp_path),
            role=role,
            instance_type="ml.m5.large",
            framework_version="1.2-1",
            sagemaker_session=session,
        )
        estimator.fit({"train": rows})
        run.log_metric("outside", 1.0)
    sagemaker = session.sagemaker_client
    job = estimator.latest_training_job.describe()
    assert job["ExperimentConfig"] == {
        "ExperimentName": "within",
        "TrialName": "Default-Run-Group-within",
        "RunName": "within-a-job",
    }
    component = sagemaker.describe_trial_component(TrialComponentName="within-a-job")
    assert {"inside", "outside"} <= {metric["MetricName"] for metric in component["Metrics"]}
    assert component["Parameters"]["from"] == {"StringValue": "the job"}
    assert component["Parameters"]["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert component["Source"]["SourceArn"] == job["TrainingJobArn"]
    assert component["InputArtifacts"]["train"]["Value"] == rows
    listed = sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])
    (summary,) = listed["TrialComponentSummaries"]
    assert summary["TrialComponentName"] == "within-a-job"
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_trial_component(
            TrialComponentName=f"{job['TrainingJobName']}-aws-training-job"
        )
