"""The operations on artifacts."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.lineage import records
from bottega.features.lineage.entities import arn_of, artifact_id
from bottega.features.lineage.graph import graph_of
from bottega.registry import operation
from bottega.specs.generated.lineage import (
    CreateArtifactRequest,
    CreateArtifactResponse,
    DeleteArtifactRequest,
    DeleteArtifactResponse,
    DescribeArtifactRequest,
    DescribeArtifactResponse,
    ListArtifactsRequest,
    ListArtifactsResponse,
    UpdateArtifactRequest,
    UpdateArtifactResponse,
)
from bottega.storage.metadata import ResourceExists


@operation("CreateArtifact", note="A source has one artifact; a known SourceUri answers it.")
def create_artifact(context: Context, request: CreateArtifactRequest) -> CreateArtifactResponse:
    """Make the artifact of a source, or find the one that the source has."""
    uri = request["Source"]["SourceUri"]
    name = artifact_id(uri)
    arn = arn_of(context.ports.config, "artifact", name)
    present = graph_of(context).entities.get(arn)
    if present is None:
        body: dict[str, Any] = {key: value for key, value in request.items() if key != "Tags"}
        body = {**body, "ArtifactArn": arn}
        tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        resource = records.resource_of(context, "Artifact", name, arn, body)
        with suppress(ResourceExists):  # somebody else was quicker: it is the same one
            context.ports.store.create(resource, tags=tags)
    return {"ArtifactArn": arn}


@operation("DescribeArtifact")
def describe_artifact(
    context: Context, request: DescribeArtifactRequest
) -> DescribeArtifactResponse:
    """Everything that is known of an artifact."""
    found: Any = dict(records.find(context, "Artifact", request["ArtifactArn"]).document)
    return cast(DescribeArtifactResponse, found)


@operation("UpdateArtifact")
def update_artifact(context: Context, request: UpdateArtifactRequest) -> UpdateArtifactResponse:
    """Change the name, and add, change and remove properties."""
    name = {"ArtifactName": request["ArtifactName"]} if "ArtifactName" in request else {}
    records.update(
        context,
        "Artifact",
        request["ArtifactArn"],
        name,
        properties=request.get("Properties", {}),
        remove=request.get("PropertiesToRemove", []),
    )
    return {"ArtifactArn": request["ArtifactArn"]}


@operation("DeleteArtifact")
def delete_artifact(context: Context, request: DeleteArtifactRequest) -> DeleteArtifactResponse:
    """Remove an artifact that a client made, by its ARN or its source; version 3 of the SDK sends
    both."""
    named = set()
    if "Source" in request:
        name = artifact_id(request["Source"]["SourceUri"])
        named.add(arn_of(context.ports.config, "artifact", name))
    if "ArtifactArn" in request:
        named.add(request["ArtifactArn"])
    if len(named) != 1:
        raise ValidationException(
            "Name one artifact by either ArtifactArn or Source, or by both of the same artifact."
        )
    (arn,) = named
    return {"ArtifactArn": records.delete(context, "Artifact", arn)}


@operation("ListArtifacts")
def list_artifacts(context: Context, request: ListArtifactsRequest) -> ListArtifactsResponse:
    """One page of artifacts, those that follow from jobs among them."""
    found, token = records.listed(context, "ListArtifacts", "Artifact", request)
    answer: Any = {"ArtifactSummaries": found, **({"NextToken": token} if token else {})}
    return cast(ListArtifactsResponse, answer)
