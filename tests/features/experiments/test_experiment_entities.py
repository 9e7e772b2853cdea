"""The operations on experiments, trials and components below the wire, over a real tracker."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.config import Config
from bottega.errors import ResourceNotFound, ServiceUnavailable, ValidationException
from bottega.features.experiments import (
    associations,
    experiment_entities,
    trial_components,
    trials,
)
from bottega.features.search import search
from bottega.features.tagging import tags
from bottega.testing.operations import Operations
from bottega.tracking.entity_documents import arn_of, entity_of
from bottega.tracking.experiments import ExperimentStore
from bottega.tracking.experiments_rest import TrackingServerExperiments
from bottega.tracking.process import TrackingProcess

MODULES = (associations, experiment_entities, trial_components, trials, search, tags)


def over(home: Path, store: ExperimentStore | None) -> Operations:
    operations = Operations(home, *MODULES)
    ports = replace(operations.ports, experiments=store)
    operations.context = replace(operations.context, ports=ports)
    return operations


@pytest.fixture(scope="module")
def operations() -> Iterator[Operations]:
    home = Path(tempfile.mkdtemp(prefix="bt-"))  # short enough for a Unix socket
    process = TrackingProcess(Config(home=home), home / "mlflow.sock")
    process.start()
    store = TrackingServerExperiments(process.socket)
    try:
        assert process.wait_ready(120), process.problem
        with over(home / "operations", store) as opened:
            yield opened
    finally:
        store.close()
        process.stop()
        shutil.rmtree(home)


@pytest.fixture(scope="module")
def call(operations: Operations) -> Any:
    def called(name: str, **request: Any) -> Mapping[str, Any]:
        return operations.call("sagemaker", name, **request)

    return called


def test_what_every_operation_answers(operations: Operations, call: Any) -> None:
    config = operations.ports.config
    experiment = arn_of(config, "Experiment", "all")
    trial = arn_of(config, "Trial", "all-trial")
    part = arn_of(config, "TrialComponent", "all-part")
    assert call("CreateExperiment", ExperimentName="all") == {"ExperimentArn": experiment}
    assert call("CreateTrial", TrialName="all-trial", ExperimentName="all") == {"TrialArn": trial}
    answer = call("CreateTrialComponent", TrialComponentName="all-part")
    assert answer == {"TrialComponentArn": part}
    both = {"TrialComponentName": "all-part", "TrialName": "all-trial"}
    arns = {"TrialComponentArn": part, "TrialArn": trial}
    assert call("AssociateTrialComponent", **both) == arns

    changed = call("UpdateExperiment", ExperimentName="all", DisplayName="All")
    assert changed == {"ExperimentArn": experiment}
    assert call("DescribeExperiment", ExperimentName="all")["DisplayName"] == "All"
    assert call("UpdateTrial", TrialName="all-trial", DisplayName="T") == {"TrialArn": trial}
    assert call("DescribeTrial", TrialName="all-trial")["ExperimentName"] == "all"
    value = {"a": {"NumberValue": 1.0}}
    answer = call("UpdateTrialComponent", TrialComponentName="all-part", Parameters=value)
    assert answer == {"TrialComponentArn": part}
    shown = call("DescribeTrialComponent", TrialComponentName=part)
    assert shown["Parameters"] == value
    who = {"Arn": operations.context.caller.arn, "PrincipalId": operations.context.caller.user_id}
    assert shown["CreatedBy"] == shown["LastModifiedBy"] == {"IamIdentity": who}
    assert "Tags" not in shown
    assert "RunId" not in shown
    assert "Parents" not in shown

    (listed,) = call("ListTrials", ExperimentName="ALL")["TrialSummaries"]
    assert listed["TrialArn"] == trial
    (listed,) = call("ListTrialComponents", TrialName="all-trial")["TrialComponentSummaries"]
    assert listed["TrialComponentArn"] == part
    experiments = call("ListExperiments", MaxResults=100)["ExperimentSummaries"]
    assert experiment in [each["ExperimentArn"] for each in experiments]

    assert call("DisassociateTrialComponent", **both) == arns
    assert call("DeleteTrial", TrialName="all-trial") == {"TrialArn": trial}
    answer = call("DeleteTrialComponent", TrialComponentName="all-part")
    assert answer == {"TrialComponentArn": part}
    assert call("DeleteExperiment", ExperimentName="all") == {"ExperimentArn": experiment}


@pytest.mark.parametrize(
    ("operation", "request_members"),
    [
        ("DescribeExperiment", {"ExperimentName": "none"}),
        ("UpdateExperiment", {"ExperimentName": "none"}),
        ("DeleteExperiment", {"ExperimentName": "none"}),
        ("DescribeTrial", {"TrialName": "none"}),
        ("UpdateTrial", {"TrialName": "none"}),
        ("DeleteTrial", {"TrialName": "none"}),
        ("ListTrials", {"ExperimentName": "none"}),
        ("ListTrials", {"TrialComponentName": "none"}),
        ("DescribeTrialComponent", {"TrialComponentName": "none"}),
        ("UpdateTrialComponent", {"TrialComponentName": "none"}),
        ("DeleteTrialComponent", {"TrialComponentName": "none"}),
        ("ListTrialComponents", {"ExperimentName": "none"}),
        ("ListTrialComponents", {"TrialName": "none"}),
        ("AssociateTrialComponent", {"TrialComponentName": "none", "TrialName": "none"}),
        ("DisassociateTrialComponent", {"TrialComponentName": "none", "TrialName": "none"}),
    ],
)
def test_what_is_not_there_is_not_found(
    call: Any, operation: str, request_members: dict[str, str]
) -> None:
    with pytest.raises(ResourceNotFound, match="'none' does not exist"):
        call(operation, **request_members)


def test_pages_hold_everything_once(call: Any) -> None:
    call("CreateExperiment", ExperimentName="paged")
    names = [f"paged-{number}" for number in range(7)]
    for name in names:
        call("CreateTrial", TrialName=name, ExperimentName="paged")
    request = {"ExperimentName": "paged", "SortBy": "Name", "SortOrder": "Ascending"}
    found: list[str] = []
    token: dict[str, str] = {}
    while True:
        page = call("ListTrials", **request, MaxResults=3, **token)
        found += [each["TrialName"] for each in page["TrialSummaries"]]
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert found == names
    with pytest.raises(ValidationException, match="NextToken"):
        call("ListTrials", ExperimentName="paged", **token)
    created = call("DescribeTrial", TrialName="paged-3")["CreationTime"]
    later = call("ListTrials", **request, CreatedAfter=created)["TrialSummaries"]
    assert [each["TrialName"] for each in later] == names[4:]


def test_tags_are_checked_before_anything_is_made(call: Any) -> None:
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    own = [{"Key": "mlflow.runName", "Value": "x"}]
    for wrong in (twice, own):
        with pytest.raises(ValidationException):
            call("CreateTrialComponent", TrialComponentName="untagged", Tags=wrong)
    with pytest.raises(ResourceNotFound):
        call("DescribeTrialComponent", TrialComponentName="untagged")


def test_trials_have_tags_of_their_own(operations: Operations, call: Any) -> None:
    call("CreateExperiment", ExperimentName="tagged")
    one = {"Key": "one", "Value": "1"}
    arn = call("CreateTrial", TrialName="tagged", ExperimentName="tagged", Tags=[one])["TrialArn"]
    two = {"Key": "two", "Value": "2"}
    assert call("AddTags", ResourceArn=arn, Tags=[two]) == {"Tags": [one, two]}
    call("DeleteTags", ResourceArn=arn, TagKeys=["one"])
    assert call("ListTags", ResourceArn=arn) == {"Tags": [two]}
    absent = arn_of(operations.ports.config, "Trial", "absent")
    with pytest.raises(ValidationException, match="Could not find resource"):
        call("ListTags", ResourceArn=absent)
    assert entity_of(operations.ports.config, absent) == ("Trial", "absent")


def test_a_search_that_is_too_large_or_empty_is_refused(call: Any) -> None:
    for expression in (
        {"SubExpressions": [{"Operator": "And"}]},
        {"Filters": [{"Name": "Tags.a", "Operator": "Exists"}] * 20, "SubExpressions": [
            {"Filters": [{"Name": "Tags.a", "Operator": "Exists"}] * 20}] * 2},
    ):  # fmt: skip
        with pytest.raises(ValidationException, match="SearchExpression"):
            call("Search", Resource="ExperimentTrial", SearchExpression=expression)
    elsewhere = call("Search", Resource="Experiment", CrossAccountFilterOption="CrossAccount")
    assert elsewhere["Results"] == []


def test_without_tracking_there_are_no_experiments(tmp_path: Path) -> None:
    with (
        over(tmp_path / "off", None) as off,
        pytest.raises(ValidationException, match="switched off"),
    ):
        off.call("sagemaker", "CreateExperiment", ExperimentName="a")


def test_a_tracker_that_is_away_may_come_back(tmp_path: Path) -> None:
    away = TrackingServerExperiments(tmp_path / "none", patience=0.1)
    with over(tmp_path / "away", away) as off, pytest.raises(ServiceUnavailable):
        off.call("sagemaker", "ListExperiments")
    away.close()
