"""What the graph consists of: artifacts, actions, contexts and trial components, and edges."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bottega.config import Config
from bottega.identifiers import sagemaker_arn

LineageType = Literal["Artifact", "Action", "Context", "TrialComponent"]
Association = Literal["ContributedTo", "AssociatedWith", "DerivedFrom", "Produced", "SameAs"]

RESOURCE_TYPES: Mapping[str, LineageType] = {
    "artifact": "Artifact",
    "action": "Action",
    "context": "Context",
    "experiment-trial-component": "TrialComponent",
}
"""By the kind in an ARN."""


@dataclass(frozen=True)
class Entity:
    """A vertex of the graph."""

    lineage: LineageType
    arn: str
    type: str
    """``DataSet``, ``Model``, ``ModelDeployment`` and whatever else an owner says."""
    name: str = ""
    uri: str = ""
    """Of its source."""
    created: float = 0.0
    modified: float = 0.0
    document: Mapping[str, Any] = field(default_factory=dict)
    """What Describe shows."""
    maker: str = ""
    """The ARN of the resource that it follows from; empty for one that a client made."""

    @property
    def properties(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.document.get("Properties", {})
        return found


@dataclass(frozen=True)
class Edge:
    source: str
    """An ARN, as ``destination``."""
    destination: str
    association: Association
    created: float
    created_by: Mapping[str, Any] = field(default_factory=dict)
    stored: bool = False
    """Whether a client added it."""
    backwards: bool = False
    """Whether it leads from what was made to what it was made of, beside the edge that leads on."""


def artifact_id(uri: str) -> str:
    """The name of the one artifact of a source."""
    return hashlib.sha256(uri.encode()).hexdigest()[:32]


def arn_of(config: Config, resource_type: str, name: str) -> str:
    """The ARN of an entity."""
    return sagemaker_arn(config.region, config.account, resource_type, name)


def artifact(
    config: Config, uri: str, kind: str, *, name: str, created: float, maker: str
) -> Entity:
    """An artifact that follows from a resource."""
    arn = arn_of(config, "artifact", artifact_id(uri))
    document = {
        "ArtifactName": name,
        "ArtifactArn": arn,
        "Source": {"SourceUri": uri, "SourceTypes": []},
        "ArtifactType": kind,
        "Properties": {},
        "CreationTime": created,
        "LastModifiedTime": created,
    }
    return Entity("Artifact", arn, kind, name, uri, created, created, document, maker)


def named(
    config: Config,
    lineage: Literal["Action", "Context"],
    name: str,
    kind: str,
    *,
    uri: str,
    created: float,
    modified: float,
    **members: Any,
) -> Entity:
    """An action or a context that follows from the resource whose ARN is its source."""
    arn = arn_of(config, lineage.lower(), name)
    document = {
        f"{lineage}Name": name,
        f"{lineage}Arn": arn,
        "Source": {"SourceUri": uri, "SourceType": "ARN"},
        f"{lineage}Type": kind,
        "Properties": {},
        "CreationTime": created,
        "LastModifiedTime": modified,
        **members,
    }
    return Entity(lineage, arn, kind, name, uri, created, modified, document, maker=uri)
