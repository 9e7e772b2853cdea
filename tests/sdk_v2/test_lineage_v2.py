"""``sagemaker.lineage`` of the SDK 2.x: artifacts, actions, contexts, and queries."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def graph(session: Any) -> dict[str, Any]:
    """Data, a model made of it, and a context that the model is used in."""
    from sagemaker.lineage.action import Action
    from sagemaker.lineage.artifact import Artifact
    from sagemaker.lineage.association import Association
    from sagemaker.lineage.context import Context

    data = Artifact.create(
        artifact_name="data",
        source_uri="s3://bucket/lineage/data.csv",
        artifact_type="DataSet",
        sagemaker_session=session,
    )
    model = Artifact.create(
        artifact_name="model",
        source_uri="s3://bucket/lineage/model.tar.gz",
        artifact_type="Model",
        sagemaker_session=session,
    )
    deployment = Action.create(
        action_name="deploy-it",
        source_uri="s3://bucket/lineage",
        source_type="S3",
        action_type="ModelDeployment",
        sagemaker_session=session,
    )
    endpoint = Context.create(
        context_name="used-here",
        source_uri="s3://bucket/lineage",
        source_type="S3",
        context_type="Endpoint",
        sagemaker_session=session,
    )
    for source, destination, kind in (
        (data.artifact_arn, model.artifact_arn, "DerivedFrom"),
        (model.artifact_arn, deployment.action_arn, "ContributedTo"),
        (deployment.action_arn, endpoint.context_arn, "AssociatedWith"),
    ):
        Association.create(
            source_arn=source,
            destination_arn=destination,
            association_type=kind,
            sagemaker_session=session,
        )
    made = {"data": data, "model": model, "deployment": deployment, "endpoint": endpoint}
    yield made
    for each in made.values():
        each.delete(disassociate=True)


def test_a_query_finds_what_an_endpoint_was_made_of(session: Any, graph: dict[str, Any]) -> None:
    from sagemaker.lineage.query import (
        LineageEntityEnum,
        LineageFilter,
        LineageQuery,
        LineageQueryDirectionEnum,
        LineageSourceEnum,
    )

    found = LineageQuery(session).query(
        start_arns=[graph["endpoint"].context_arn],
        query_filter=LineageFilter(
            entities=[LineageEntityEnum.ARTIFACT], sources=[LineageSourceEnum.DATASET]
        ),
        direction=LineageQueryDirectionEnum.ASCENDANTS,
        include_edges=False,
    )
    assert [vertex.arn for vertex in found.vertices] == [graph["data"].artifact_arn]
    assert found.vertices[0].to_lineage_object().artifact_name == "data"


def test_objects_are_loaded_changed_and_listed(session: Any, graph: dict[str, Any]) -> None:
    from sagemaker.lineage.action import Action
    from sagemaker.lineage.artifact import Artifact, ModelArtifact
    from sagemaker.lineage.context import Context, EndpointContext

    data = Artifact.load(artifact_arn=graph["data"].artifact_arn, sagemaker_session=session)
    data.properties = {"rows": "10"}
    data.save()
    again = Artifact.load(artifact_arn=data.artifact_arn, sagemaker_session=session)
    assert again.properties == {"rows": "10"}
    listed = Artifact.list(source_uri="s3://bucket/lineage/data.csv", sagemaker_session=session)
    assert [each.artifact_arn for each in listed] == [data.artifact_arn]
    actions = Action.list(action_type="ModelDeployment", sagemaker_session=session)
    assert "deploy-it" in [each.action_name for each in actions]
    contexts = Context.list(context_type="Endpoint", sagemaker_session=session)
    assert "used-here" in [each.context_name for each in contexts]
    endpoint = EndpointContext.load(context_name="used-here", sagemaker_session=session)
    assert [each.artifact_arn for each in endpoint.dataset_artifacts()] == [data.artifact_arn]
    model = ModelArtifact.load(artifact_arn=graph["model"].artifact_arn, sagemaker_session=session)
    used = [each.context_arn for each in model.endpoint_contexts()]
    assert used == [graph["endpoint"].context_arn]


def test_making_the_same_action_again_is_refused_as_sagemaker_does(
    session: Any, graph: dict[str, Any]
) -> None:
    from botocore.exceptions import ClientError
    from sagemaker.lineage.action import Action

    with pytest.raises(ClientError, match="already exists") as caught:
        Action.create(
            action_name="deploy-it",
            source_uri="s3://bucket/lineage",
            action_type="Other",
            sagemaker_session=session,
        )
    assert caught.value.response["Error"]["Code"] == "ValidationException"
