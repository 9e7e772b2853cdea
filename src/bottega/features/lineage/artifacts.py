"""The operations on artifacts."""

from __future__ import annotations

from typing import cast

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.features.lineage import records
from bottega.features.lineage.entities import arn_of, artifact_id
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


@operation("CreateArtifact", note="A source has one artifact; a known SourceUri answers it.")
def create_artifact(context: Context, request: CreateArtifactRequest) -> CreateArtifactResponse:
    """Make the artifact of a source, or find the one that the source has."""
    arn = _arn(context, request["Source"]["SourceUri"])
    records.create(context, "Artifact", arn, request)  # or it is there, and the same one
    return {"ArtifactArn": arn}


@operation("DescribeArtifact")
def describe_artifact(
    context: Context, request: DescribeArtifactRequest
) -> DescribeArtifactResponse:
    """Everything that is known of an artifact."""
    found = records.find(context, "Artifact", request["ArtifactArn"])
    return cast(DescribeArtifactResponse, dict(found.document))


@operation("UpdateArtifact")
def update_artifact(context: Context, request: UpdateArtifactRequest) -> UpdateArtifactResponse:
    """Change the name, and add, change and remove properties."""
    records.update(context, "Artifact", request["ArtifactArn"], request, ("ArtifactName",))
    return {"ArtifactArn": request["ArtifactArn"]}


@operation("DeleteArtifact")
def delete_artifact(context: Context, request: DeleteArtifactRequest) -> DeleteArtifactResponse:
    """Remove an artifact that a client made, by its ARN or its source; version 3 of the SDK sends
    both."""
    named = set()
    if "Source" in request:
        named.add(_arn(context, request["Source"]["SourceUri"]))
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
    return cast(ListArtifactsResponse, records.listed(context, "Artifact", request))


def _arn(context: Context, uri: str) -> str:
    return arn_of(context.ports.config, "artifact", artifact_id(uri))
