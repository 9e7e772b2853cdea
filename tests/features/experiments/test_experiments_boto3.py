"""Experiments through boto3, and the same runs through a plain mlflow client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, running_daemon


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=True, preload=False) as started:
        yield started


@pytest.fixture(scope="module")
def sagemaker(daemon: TestDaemon) -> Any:
    """A boto3 client."""
    return daemon.client("sagemaker", read_timeout=120, retries={"max_attempts": 5})


def run_mlflow(daemon: TestDaemon, script: str) -> Any:
    """Run a script as a notebook of the user would; it prints one line of JSON at its end."""
    environment = {**os.environ, **daemon.environment()}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import json, mlflow\n" + script],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def refused(code: str, message: str, call: Any, **request: Any) -> None:
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]


def test_an_experiment_from_its_creation_to_its_deletion(sagemaker: Any) -> None:
    tags = [{"Key": "team", "Value": "blue"}]
    arn = sagemaker.create_experiment(
        ExperimentName="Whole", DisplayName="The-whole", Description="All of it", Tags=tags
    )["ExperimentArn"]
    assert arn.endswith(":experiment/whole")
    refused(
        "ValidationException", "already exists", sagemaker.create_experiment, ExperimentName="whole"
    )
    shown = sagemaker.describe_experiment(ExperimentName="Whole")
    assert (shown["ExperimentName"], shown["DisplayName"]) == ("Whole", "The-whole")
    assert (shown["Description"], shown["ExperimentArn"]) == ("All of it", arn)
    assert shown["CreatedBy"]["IamIdentity"]["Arn"].startswith("arn:aws:sts::")
    sagemaker.update_experiment(ExperimentName="WHOLE", Description="Less")
    changed = sagemaker.describe_experiment(ExperimentName="Whole")
    assert (changed["DisplayName"], changed["Description"]) == ("The-whole", "Less")
    assert changed["LastModifiedTime"] >= shown["LastModifiedTime"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "more", "Value": ""}])
    listed = sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert listed == [{"Key": "more", "Value": ""}, *tags]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=["more", "absent"])
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags
    names = [
        each["ExperimentName"]
        for page in sagemaker.get_paginator("list_experiments").paginate(
            SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1}
        )
        for each in page["ExperimentSummaries"]
    ]
    assert names == sorted(names)
    assert "Whole" in names
    assert sagemaker.delete_experiment(ExperimentName="Whole")["ExperimentArn"] == arn
    missing = {"ExperimentName": "Whole"}
    refused("ResourceNotFound", "does not exist", sagemaker.describe_experiment, **missing)
    refused("ResourceNotFound", "does not exist", sagemaker.delete_experiment, **missing)
    sagemaker.create_experiment(**missing)  # MLflow keeps the deleted one under another name
    assert "Description" not in sagemaker.describe_experiment(**missing)


def test_trials_and_their_components(sagemaker: Any) -> None:
    sagemaker.create_experiment(ExperimentName="trials")
    refused(
        "ResourceNotFound",
        "Experiment 'nowhere' does not exist.",
        sagemaker.create_trial,
        TrialName="t",
        ExperimentName="nowhere",
    )
    for name in ("first", "second"):
        arn = sagemaker.create_trial(
            TrialName=name, ExperimentName="trials", MetadataProperties={"CommitId": "c0ffee"}
        )["TrialArn"]
        assert arn.endswith(f":experiment-trial/{name}")
    refused(
        "ValidationException",
        "already exists",
        sagemaker.create_trial,
        TrialName="FIRST",
        ExperimentName="trials",
    )
    shown = sagemaker.describe_trial(TrialName="first")
    assert (shown["ExperimentName"], shown["DisplayName"]) == ("trials", "first")
    assert shown["MetadataProperties"] == {"CommitId": "c0ffee"}
    sagemaker.update_trial(TrialName="first", DisplayName="The-first")
    assert sagemaker.describe_trial(TrialName="first")["DisplayName"] == "The-first"

    component = sagemaker.create_trial_component(TrialComponentName="part")["TrialComponentArn"]
    for name in ("first", "second"):
        joined = sagemaker.associate_trial_component(TrialComponentName="Part", TrialName=name)
        assert joined["TrialComponentArn"] == component
    of_part = sagemaker.list_trials(TrialComponentName="part", SortBy="Name")["TrialSummaries"]
    assert [each["TrialName"] for each in of_part] == ["second", "first"]
    assert len(sagemaker.list_trials(ExperimentName="trials")["TrialSummaries"]) == 2
    for chosen in ({"TrialName": "first"}, {"ExperimentName": "Trials"}):
        (summary,) = sagemaker.list_trial_components(**chosen)["TrialComponentSummaries"]
        assert summary["TrialComponentName"] == "part"

    part = {"TrialComponentName": "part"}
    refused("ValidationException", "Disassociate", sagemaker.delete_trial_component, **part)
    refused("ValidationException", "components", sagemaker.delete_trial, TrialName="first")
    refused("ValidationException", "trials", sagemaker.delete_experiment, ExperimentName="trials")
    for name in ("first", "second"):
        sagemaker.disassociate_trial_component(**part, TrialName=name)
        sagemaker.delete_trial(TrialName=name)
    sagemaker.delete_experiment(ExperimentName="trials")
    assert sagemaker.describe_trial_component(**part)["TrialComponentName"] == "part"
    sagemaker.delete_trial_component(**part)
    refused("ResourceNotFound", "does not exist", sagemaker.describe_trial_component, **part)


def test_a_component_is_changed_by_merging(sagemaker: Any) -> None:
    name = {"TrialComponentName": "merged"}
    sagemaker.create_trial_component(
        **name,
        DisplayName="Merged",
        Parameters={"lr": {"NumberValue": 0.1}, "kind": {"StringValue": "5"}},
        InputArtifacts={"data": {"MediaType": "text/csv", "Value": "s3://bucket/data"}},
        MetadataProperties={"Repository": "https://example.org/r", "GeneratedBy": "me"},
    )
    shown = sagemaker.describe_trial_component(**name)
    assert "Status" not in shown
    assert "StartTime" not in shown
    started, ended = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
    sagemaker.update_trial_component(
        **name,
        Status={"PrimaryStatus": "Stopping", "Message": "on its way"},
        StartTime=started,
        EndTime=ended,
        Parameters={"lr": {"NumberValue": 8}, "depth": {"NumberValue": -2.5}},
        ParametersToRemove=["kind", "absent"],
        InputArtifactsToRemove=["data"],
        OutputArtifacts={"model": {"Value": "s3://bucket/model"}},
    )
    shown = sagemaker.describe_trial_component(TrialComponentName=shown["TrialComponentArn"])
    assert shown["Status"] == {"PrimaryStatus": "Stopping", "Message": "on its way"}
    assert (shown["StartTime"], shown["EndTime"]) == (started, ended)
    assert shown["Parameters"] == {"lr": {"NumberValue": 8.0}, "depth": {"NumberValue": -2.5}}
    assert shown["InputArtifacts"] == {}
    assert shown["OutputArtifacts"] == {"model": {"Value": "s3://bucket/model"}}
    assert shown["MetadataProperties"] == {
        "Repository": "https://example.org/r",
        "GeneratedBy": "me",
    }
    assert shown["DisplayName"] == "Merged"
    sagemaker.update_trial_component(**name, Status={"PrimaryStatus": "Completed"})
    shown = sagemaker.describe_trial_component(**name)
    assert shown["Status"] == {"PrimaryStatus": "Completed"}
    refused(
        "ValidationException",
        "takes one of",
        sagemaker.list_trial_components,
        TrialName="a",
        SourceArn="b",
    )


LOG = """
mlflow.set_experiment("plain")
with mlflow.start_run(run_name="by hand") as run:
    mlflow.log_params({"depth": 6, "kind": "tree"})
    for step, value in enumerate([1.0, 3.0, 2.0]):
        mlflow.log_metric("auc", value, step=step)
    mlflow.set_tag("team", "blue")
print(json.dumps(run.info.run_id))
"""


def test_a_run_of_mlflow_is_a_component(daemon: TestDaemon, sagemaker: Any) -> None:
    run_id = run_mlflow(daemon, LOG)
    shown = sagemaker.describe_trial_component(TrialComponentName=run_id)
    assert shown["DisplayName"] == "by hand"
    assert shown["Status"] == {"PrimaryStatus": "Completed"}
    assert shown["Parameters"] == {"depth": {"NumberValue": 6.0}, "kind": {"StringValue": "tree"}}
    (metric,) = shown["Metrics"]
    statistics = {name: metric[name] for name in ("Min", "Max", "Last", "Count", "Avg")}
    assert statistics == {"Min": 1.0, "Max": 3.0, "Last": 2.0, "Count": 3, "Avg": 2.0}
    assert metric["StdDev"] == pytest.approx((2 / 3) ** 0.5)
    assert metric["SourceArn"] == shown["TrialComponentArn"]
    tags = sagemaker.list_tags(ResourceArn=shown["TrialComponentArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "blue"}]
    (listed,) = sagemaker.list_trial_components(ExperimentName="plain")["TrialComponentSummaries"]
    assert listed["TrialComponentName"] == run_id
    (trial,) = sagemaker.list_trials(ExperimentName="plain")["TrialSummaries"]
    assert trial["TrialName"] == "Default-Run-Group-plain"
    found = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={
            "Filters": [
                {"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": "plain"},
                {"Name": "Metrics.auc.Max", "Operator": "GreaterThan", "Value": "2.5"},
                {"Name": "Parameters.kind", "Operator": "Contains", "Value": "TREE"},
                {"Name": "Tags.team", "Operator": "In", "Value": "red, blue"},
            ]
        },
    )
    (record,) = [result["TrialComponent"] for result in found["Results"]]
    assert record["Tags"] == tags
    assert record["Parents"] == [{"TrialName": trial["TrialName"], "ExperimentName": "plain"}]


READ = """
client = mlflow.MlflowClient()
experiment = client.get_experiment_by_name("both-ways")
(run,) = client.search_runs([experiment.experiment_id], "params.lr = '0.25' and tags.a = 'b'")
client.set_terminated(run.info.run_id, "KILLED")
client.log_param(run.info.run_id, "later", "x")
client.log_metric(run.info.run_id, "loss", 0.5)
print(json.dumps([run.info.run_name, run.info.status, run.data.params, run.info.start_time,
                  experiment.tags.get("mlflow.note.content")]))
"""


def test_a_component_is_a_run_of_mlflow(daemon: TestDaemon, sagemaker: Any) -> None:
    started = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    sagemaker.create_experiment(ExperimentName="both-ways", Description="Seen from both sides")
    sagemaker.create_trial(TrialName="both-ways-trial", ExperimentName="both-ways")
    sagemaker.create_trial_component(
        TrialComponentName="both-ways-1",
        DisplayName="one",
        StartTime=started,
        Status={"PrimaryStatus": "InProgress", "Message": "at it"},
        Parameters={"lr": {"NumberValue": 0.25}},
        Tags=[{"Key": "a", "Value": "b"}],
    )
    sagemaker.associate_trial_component(
        TrialComponentName="both-ways-1", TrialName="both-ways-trial"
    )
    seen = run_mlflow(daemon, READ)
    assert seen == [
        "one",
        "RUNNING",
        {"lr": "0.25"},
        started.timestamp() * 1000,
        "Seen from both sides",
    ]
    shown = sagemaker.describe_trial_component(TrialComponentName="both-ways-1")
    assert shown["Status"] == {"PrimaryStatus": "Stopped"}
    assert shown["Parameters"]["later"] == {"StringValue": "x"}
    assert [metric["MetricName"] for metric in shown["Metrics"]] == ["loss"]
    assert shown["EndTime"] > started


def test_searching_experiments_and_trials(sagemaker: Any) -> None:
    tags = [{"Key": "sought", "Value": "yes"}]
    sagemaker.create_experiment(ExperimentName="sought", Tags=tags)
    sagemaker.create_trial(TrialName="sought-trial", ExperimentName="sought", Tags=tags)
    sagemaker.create_trial_component(TrialComponentName="sought-1", Tags=tags)
    sagemaker.associate_trial_component(TrialComponentName="sought-1", TrialName="sought-trial")
    by_tag = {"Filters": [{"Name": "Tags.sought", "Operator": "Exists"}]}
    records = [
        sagemaker.search(Resource=resource, SearchExpression=by_tag)["Results"]
        for resource in ("Experiment", "ExperimentTrial", "ExperimentTrialComponent")
    ]
    (experiment,), (trial,), (component,) = records
    assert experiment["Experiment"]["ExperimentName"] == "sought"
    (simple,) = trial["Trial"]["TrialComponentSummaries"]
    assert simple["TrialComponentName"] == "sought-1"
    assert component["TrialComponent"]["Tags"] == tags
    hint = {"PropertyNameQuery": {"PropertyNameHint": "Tags.sou"}}
    names = sagemaker.get_search_suggestions(
        Resource="ExperimentTrialComponent", SuggestionQuery=hint
    )["PropertyNameSuggestions"]
    assert names == [{"PropertyName": "Tags.sought"}]
    refused(
        "ValidationException",
        "Unknown property name: Nonsense",
        sagemaker.search,
        Resource="ExperimentTrial",
        SearchExpression={"Filters": [{"Name": "Nonsense", "Value": "x"}]},
    )
