"""Lineage: from what resources say, and the lists that show where versions are deployed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import ValidationException
from bottega.features.registry.facts import Facts, Link, facts_of
from bottega.features.registry.lineage import Lineage
from bottega.storage.metadata import Resource
from bottega.testing.hosting import HostingStudio

MODEL_DATA = "s3://b/jobs/train/output/model.tar.gz"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package"


def put(studio: HostingStudio, kind: str, name: str, status: str = "", **body: Any) -> None:
    """A resource as another feature would have left it."""
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:{kind.lower()}/{name}"
    document = {f"{kind}Name": name, **body}
    studio.studio.ports.store.create(
        Resource(kind, name, arn, status, created=1.0, modified=1.0, body=document)
    )


def channel(name: str, uri: str) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3Uri": uri}}}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    """Everything from raw data to an endpoint; the controllers stand still."""
    home: Path = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, preload=False) as opened:
        put(
            opened,
            "ProcessingJob",
            "prepare",
            "Completed",
            ProcessingInputs=[{"InputName": "raw", "S3Input": {"S3Uri": "s3://b/raw/"}}],
            ProcessingOutputConfig={
                "Outputs": [{"OutputName": "clean", "S3Output": {"S3Uri": "s3://b/clean/"}}]
            },
        )
        put(
            opened,
            "TrainingJob",
            "train",
            "Completed",
            InputDataConfig=[channel("train", "s3://b/clean/train.csv")],
            ModelArtifacts={"S3ModelArtifacts": MODEL_DATA},
            MlflowDetails={"MlflowRunId": "run-1", "MlflowExperimentId": "1"},
            FinalMetricDataList=[{"MetricName": "validation:rmse", "Value": 0.25, "Timestamp": 1}],
        )
        put(
            opened,
            "TrainingJob",
            "unrelated",
            "Completed",
            InputDataConfig=[channel("train", "s3://b/cleaner")],
            ModelArtifacts={"S3ModelArtifacts": "s3://b/jobs/unrelated/output/model.tar.gz"},
        )
        opened.call("CreateModelPackageGroup", ModelPackageGroupName="Churn")
        opened.call("CreateModelPackageGroup", ModelPackageGroupName="empty")
        for status in ("Rejected", "Approved", "PendingManualApproval"):
            data = MODEL_DATA if status == "Approved" else "s3://b/elsewhere/model.tar.gz"
            opened.call(
                "CreateModelPackage",
                ModelPackageGroupName="Churn",
                ModelApprovalStatus=status,
                ModelPackageDescription=f"Was {status.lower()}.",
                InferenceSpecification={"Containers": [{"Image": "xgboost", "ModelDataUrl": data}]},
            )
        opened.call(
            "CreateModel", ModelName="m", PrimaryContainer={"ModelPackageName": f"{ARN}/churn/2"}
        )
        variant = {
            "VariantName": "v",
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        opened.call("CreateEndpointConfig", EndpointConfigName="c", ProductionVariants=[variant])
        put(opened, "Endpoint", "e", "InService", EndpointConfigName="c")
        yield opened


CHAIN = [
    ("Data:s3://b/raw", "ProcessingJob:prepare", "raw"),
    ("ProcessingJob:prepare", "Data:s3://b/clean/train.csv", "clean"),
    ("Data:s3://b/clean/train.csv", "TrainingJob:train", "train"),
    ("TrainingJob:train", f"Data:{MODEL_DATA}", "model"),
    (f"Data:{MODEL_DATA}", "ModelPackage:churn/2", "model data"),
    ("ModelPackage:churn/2", "Model:m", "version"),
    ("Model:m", "EndpointConfig:c", "v"),
    ("EndpointConfig:c", "Endpoint:e", ""),
]
RUN = ("TrainingJob:train", "Run:run-1", "run")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("ProcessingJob", "prepare"),
        ("TrainingJob", "train"),
        ("ModelPackage", "Churn/2"),
        ("ModelPackage", f"{ARN}/churn/2"),
        ("Model", "m"),
        ("EndpointConfig", "c"),
        ("Endpoint", "e"),
    ],
)
def test_the_whole_way_is_found_from_anywhere_on_it(
    studio: HostingStudio, kind: str, name: str
) -> None:
    graph = studio.ask("DescribeModelLineage", ResourceType=kind, ResourceName=name)
    edges = [(edge["Source"], edge["Target"], edge.get("Label", "")) for edge in graph["Edges"]]
    assert sorted(edges) == sorted([*CHAIN, RUN])
    ends = {end for source, target, _ in edges for end in (source, target)}
    assert sorted(node["Id"] for node in graph["Nodes"]) == sorted(ends)
    assert graph["Focus"] in ends
    assert graph["Truncated"] is False


def test_nodes_say_what_they_are(studio: HostingStudio) -> None:
    graph = studio.ask("DescribeModelLineage", ResourceType="Model", ResourceName="m")
    nodes = {node["Id"]: node for node in graph["Nodes"]}
    package = nodes["ModelPackage:churn/2"]
    assert (package["Name"], package["Approval"]) == ("Churn/2", "Approved")
    assert package["Arn"] == f"{ARN}/churn/2"
    assert nodes["Endpoint:e"]["Status"] == "InService"
    assert nodes["Data:s3://b/raw"] == {
        "Id": "Data:s3://b/raw",
        "Type": "Data",
        "Name": "s3://b/raw",
        "Exists": True,
    }


def test_what_was_deleted_is_still_named(studio: HostingStudio) -> None:
    put(studio, "Endpoint", "old", "InService", EndpointConfigName="gone")
    graph = studio.ask("DescribeModelLineage", ResourceType="Endpoint", ResourceName="old")
    nodes = {node["Id"]: node["Exists"] for node in graph["Nodes"]}
    assert nodes == {"Endpoint:old": True, "EndpointConfig:gone": False}


def test_a_change_is_seen_by_the_next_question(studio: HostingStudio) -> None:
    put(studio, "Endpoint", "moving", "InService", EndpointConfigName="gone")
    ports = studio.studio.ports

    def uses() -> list[str]:
        return [use.name for item in facts_of(ports) if item.name == "moving" for use in item.uses]

    assert uses() == ["gone"]
    ports.store.modify(
        "Endpoint", "moving", lambda it: replace(it, body={**it.body, "EndpointConfigName": "new"})
    )
    assert uses() == ["new"]
    ports.store.delete("Endpoint", "moving")
    assert uses() == []


def test_what_is_not_there_has_no_lineage(studio: HostingStudio) -> None:
    with pytest.raises(ValidationException, match="There is no Model 'none'"):
        studio.ask("DescribeModelLineage", ResourceType="Model", ResourceName="none")
    with pytest.raises(ValidationException, match="churn/9 does not exist"):
        studio.ask("DescribeModelLineage", ResourceType="ModelPackage", ResourceName="churn/9")


def test_groups_show_their_newest_version_and_their_endpoints(studio: HostingStudio) -> None:
    answer = studio.ask("ListRegistryGroups", SortBy="Name", SortOrder="Ascending")
    churn, empty = answer["Groups"]
    assert answer["Total"] == 2
    assert (churn["GroupName"], churn["Versions"], churn["NewestVersion"]) == ("Churn", 3, 3)
    assert (churn["NewestApproval"], churn["NewestApprovedVersion"]) == ("PendingManualApproval", 2)
    assert churn["Endpoints"] == ["e"]
    assert (empty["Versions"], empty["Endpoints"]) == (0, [])
    assert "NewestVersion" not in empty
    found = studio.ask("ListRegistryGroups", Filter="chu")
    assert [group["GroupName"] for group in found["Groups"]] == ["Churn"]
    assert studio.ask("ListRegistryGroups", Offset=1, MaxResults=1)["Total"] == 2


def test_versions_show_their_metrics_and_where_they_are(studio: HostingStudio) -> None:
    answer = studio.ask("ListModelVersions", GroupName="churn")
    assert [item["Version"] for item in answer["Versions"]] == [3, 2, 1]
    version = answer["Versions"][1]
    assert version["TrainingJobName"] == "train"
    assert version["Metrics"] == [{"Name": "validation:rmse", "Value": 0.25}]
    assert (version["Models"], version["Endpoints"]) == (["m"], ["e"])
    assert answer["Versions"][0]["Endpoints"] == []


@pytest.mark.parametrize(
    ("words", "versions"),
    [
        ("approval:Approved,Rejected", [2, 1]),
        ("approval:pendingmanualapproval", [3]),
        ("status:Completed", []),
        ("was rejected", [1]),
        ("train", [2]),
    ],
)
def test_versions_are_filtered(studio: HostingStudio, words: str, versions: list[int]) -> None:
    answer = studio.ask("ListModelVersions", GroupName="Churn", Filter=words)
    assert [item["Version"] for item in answer["Versions"]] == versions
    assert answer["Total"] == len(versions)


def test_an_approval_that_does_not_exist_is_refused(studio: HostingStudio) -> None:
    with pytest.raises(ValidationException, match="there is no approval 'maybe'"):
        studio.ask("ListModelVersions", GroupName="Churn", Filter="approval:maybe")


def test_a_large_graph_is_cut_where_it_is_farthest() -> None:
    def job(number: int) -> Facts:
        reads = (Link(f"s3://b/{number}", "in"),)
        writes = (Link(f"s3://b/{number + 1}", "out"),)
        name = f"j{number}"
        return Facts("TrainingJob", name, name, "", "", 0.0, 1, reads, writes)

    graph = Lineage(job(number) for number in range(100)).around(("TrainingJob", "j0"), 20)
    assert graph.truncated
    assert len(graph.nodes) == 20
    nearest = {f"j{number}" for number in range(9)}
    assert nearest <= {name for kind, name in graph.nodes if kind == "TrainingJob"}
    assert all(edge.source in graph.nodes and edge.target in graph.nodes for edge in graph.edges)


segments = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=4)


@settings(max_examples=50, deadline=None)
@given(segments, segments)
def test_data_are_the_same_where_one_path_is_the_others_or_below_it(
    written: list[str], read: list[str]
) -> None:
    def at(path: list[str]) -> str:
        return "s3://bucket/" + "/".join(path)

    writer = Facts("TrainingJob", "w", "w", "", "", 0.0, 1, writes=(Link(at(written), "out"),))
    reader = Facts("TrainingJob", "r", "r", "", "", 0.0, 1, reads=(Link(at(read), "in"),))
    lineage = Lineage([writer, reader])
    shorter = min(len(written), len(read))
    related = written[:shorter] == read[:shorter]
    node = ("TrainingJob", "w")
    assert [item.name for item in lineage.made_of(node, ["TrainingJob"])] == (
        ["r"] if related else []
    )
    assert [item.name for item in lineage.origin(("TrainingJob", "r"), "TrainingJob")] == (
        ["w"] if related else []
    )
