"""Lineage through boto3 on a real daemon: every operation, and what two clients share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bottega.testing.daemon import TestDaemon, running_daemon


@pytest.fixture(scope="module")
def daemon() -> Iterator[TestDaemon]:
    with (
        tempfile.TemporaryDirectory(prefix="bt-") as folder,
        running_daemon(Path(folder) / "h", preload=False, tracking=False) as daemon,
    ):
        yield daemon


@pytest.fixture
def sagemaker(daemon: TestDaemon) -> Any:
    return daemon.client("sagemaker")


def test_a_graph_is_made_followed_and_taken_down(sagemaker: Any, daemon: TestDaemon) -> None:
    data = sagemaker.create_artifact(
        ArtifactName="data",
        Source={
            "SourceUri": "s3://b/data.csv",
            "SourceTypes": [{"SourceIdType": "S3ETag", "Value": "abc"}],
        },
        ArtifactType="DataSet",
        Properties={"rows": "10"},
        Tags=[{"Key": "team", "Value": "shells"}],
    )["ArtifactArn"]
    assert sagemaker.list_tags(ResourceArn=data)["Tags"] == [{"Key": "team", "Value": "shells"}]
    sagemaker.update_artifact(ArtifactArn=data, Properties={"columns": "3"})
    shown = sagemaker.describe_artifact(ArtifactArn=data)
    assert shown["Properties"] == {"rows": "10", "columns": "3"}
    source = {"SourceUri": "https://example.org/x", "SourceType": "Page"}
    action = sagemaker.create_action(
        ActionName="review", Source=source, ActionType="Approval", Status="InProgress"
    )["ActionArn"]
    sagemaker.update_action(ActionName="review", Status="Completed")
    assert sagemaker.describe_action(ActionName="review")["Status"] == "Completed"
    context = sagemaker.create_context(ContextName="project", Source=source, ContextType="Project")[
        "ContextArn"
    ]
    sagemaker.update_context(ContextName="project", Description="words")
    assert sagemaker.describe_context(ContextName="project")["Description"] == "words"
    ends = [(data, action, "ContributedTo"), (action, context, "AssociatedWith")]
    for start, end, kind in ends:
        sagemaker.add_association(SourceArn=start, DestinationArn=end, AssociationType=kind)
    daemon.restart()
    client = daemon.client("sagemaker")
    listed = client.list_associations(DestinationArn=context)["AssociationSummaries"]
    assert [edge["SourceName"] for edge in listed] == ["review"]
    found = client.query_lineage(StartArns=[context], Direction="Ascendants", IncludeEdges=True)
    assert [(vertex["Type"], vertex["LineageType"]) for vertex in found["Vertices"]] == [
        ("Approval", "Action"),
        ("DataSet", "Artifact"),
    ]
    assert {(edge["SourceArn"], edge["DestinationArn"]) for edge in found["Edges"]} == {
        (start, end) for start, end, _ in ends
    }
    assert (
        client.list_artifacts(SourceUri="s3://b/data.csv")["ArtifactSummaries"][0]["ArtifactArn"]
        == data
    )
    assert client.list_actions(ActionType="Approval")["ActionSummaries"][0]["ActionArn"] == action
    assert client.list_contexts()["ContextSummaries"][0]["ContextName"] == "project"
    for start, end, _ in ends:
        client.delete_association(SourceArn=start, DestinationArn=end)
    assert client.delete_context(ContextName="project")["ContextArn"] == context
    assert client.delete_action(ActionName="review")["ActionArn"] == action
    assert client.delete_artifact(ArtifactArn=data)["ArtifactArn"] == data
    with pytest.raises(ClientError, match="does not exist") as caught:
        client.describe_artifact(ArtifactArn=data)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
