"""What follows from jobs, model packages and endpoints: nothing of it is stored.

Data flows along the edges: what contributed to a job leads to the job's component, and that to what
it produced. An artifact is told by its URI, so what one job writes and another reads is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bottega.config import Config
from bottega.features.lineage.entities import (
    Association,
    Edge,
    Entity,
    arn_of,
    artifact,
    named,
)
from bottega.storage.metadata import Resource

ENDPOINT_CONFIG, MODEL = "EndpointConfig", "Model"


@dataclass
class Piece:
    """What one resource adds to the graph."""

    entities: list[Entity] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


Lookup = Callable[[str, str], Resource | None]
"""The resource of a kind and a name."""


class _Drawing:
    """A piece in the making."""

    def __init__(self, config: Config, resource: Resource) -> None:
        self.piece = Piece()
        self._config = config
        self._resource = resource

    def component(self, suffix: str, kind: str) -> Entity:
        resource = self._resource
        name = f"{resource.name}-{suffix}"
        arn = arn_of(self._config, "experiment-trial-component", name)
        times = resource.created, resource.modified
        return self._add(
            Entity("TrialComponent", arn, kind, name, resource.arn, *times, maker=resource.arn)
        )

    def artifact(self, uri: str, kind: str, name: str = "") -> Entity:
        return self._add(
            artifact(
                self._config,
                uri,
                kind,
                name=name or uri.rstrip("/").rpartition("/")[2],
                created=self._resource.created,
                maker=self._resource.arn,
            )
        )

    def named(self, lineage: Any, name: str, kind: str, **members: Any) -> Entity:
        resource = self._resource
        return self._add(
            named(
                self._config,
                lineage,
                name,
                kind,
                uri=resource.arn,
                created=resource.created,
                modified=resource.modified,
                **members,
            )
        )

    def used(self, by: Entity, uri: str | None, kind: str, name: str) -> None:
        """Say what contributed to a component, if there is such a thing."""
        if uri:
            self.link(self.artifact(uri, kind, name), by, "ContributedTo")

    def produced(self, by: Entity, uri: str | None, kind: str, name: str) -> None:
        """Say what a component made, if there is such a thing."""
        if uri:
            self.link(by, self.artifact(uri, kind, name), "Produced")

    def link(self, source: Entity, destination: Entity, association: Association) -> None:
        edge = Edge(source.arn, destination.arn, association, self._resource.created)
        self.piece.edges.append(edge)

    def link_back(self, source: Entity, destination: Entity) -> None:
        """Say what is behind an entity, for clients that ask in this direction."""
        created = self._resource.created
        edge = Edge(source.arn, destination.arn, "AssociatedWith", created, backwards=True)
        self.piece.edges.append(edge)

    def _add(self, entity: Entity) -> Entity:
        self.piece.entities.append(entity)
        return entity


def piece_of(config: Config, resource: Resource, lookup: Lookup) -> Piece:
    """What a resource of one of :data:`KINDS` adds."""
    drawing = _Drawing(config, resource)
    _DRAW[resource.kind](drawing, resource, lookup)
    return drawing.piece


def _training(drawing: _Drawing, job: Resource, lookup: Lookup) -> None:
    body = job.body
    component = drawing.component("aws-training-job", "TrainingJob")
    image = body.get("AlgorithmSpecification", {}).get("TrainingImage")
    drawing.used(component, image, "Image", "image")
    for channel in body.get("InputDataConfig", []):
        uri = channel.get("DataSource", {}).get("S3DataSource", {}).get("S3Uri")
        drawing.used(component, uri, "DataSet", channel["ChannelName"])
    checkpoints = body.get("CheckpointConfig", {}).get("S3Uri")
    drawing.produced(component, checkpoints, "Checkpoint", "checkpoints")
    model = body.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    drawing.produced(component, model, "Model", "model")


def _processing(drawing: _Drawing, job: Resource, lookup: Lookup) -> None:
    body = job.body
    component = drawing.component("aws-processing-job", "ProcessingJob")
    drawing.used(component, body.get("AppSpecification", {}).get("ImageUri"), "Image", "image")
    for item in body.get("ProcessingInputs", []):
        uri = item.get("S3Input", {}).get("S3Uri")
        drawing.used(component, uri, "DataSet", item["InputName"])
    for item in body.get("ProcessingOutputConfig", {}).get("Outputs", []):
        uri = item.get("S3Output", {}).get("S3Uri")
        drawing.produced(component, uri, "DataSet", item["OutputName"])


def _transform(drawing: _Drawing, job: Resource, lookup: Lookup) -> None:
    body = job.body
    component = drawing.component("aws-transform-job", "TransformJob")
    source = body.get("TransformInput", {}).get("DataSource", {}).get("S3DataSource", {})
    drawing.used(component, source.get("S3Uri"), "DataSet", "input")
    for found in _model_artifacts(drawing, lookup(MODEL, body.get("ModelName", ""))):
        drawing.link(found, component, "ContributedTo")
    output = body.get("TransformOutput", {}).get("S3OutputPath")
    drawing.produced(component, output, "DataSet", "output")


def _group(drawing: _Drawing, group: Resource, lookup: Lookup) -> None:
    drawing.named("Context", f"{group.name}-aws-model-package-group", "ModelGroup")


def _package(drawing: _Drawing, package: Resource, lookup: Lookup) -> None:
    body = package.body
    name = package.name.replace("/", "-")
    approval = body.get("ModelApprovalStatus", "")
    made = drawing.artifact(package.arn, "ModelPackage", name)
    action = drawing.named(
        "Action",
        f"{name}-aws-model-package",
        "Approval",
        Status="Completed" if package.status == "Completed" else "Unknown",
        Properties={"ModelApprovalStatus": approval} if approval else {},
    )
    for container in body.get("InferenceSpecification", {}).get("Containers", []):
        for found in _container_artifacts(drawing, container):
            drawing.link(found, made, "ContributedTo")
    drawing.link(made, action, "AssociatedWith")
    if group := body.get("ModelPackageGroupName"):
        context = arn_of(drawing._config, "context", f"{group.lower()}-aws-model-package-group")
        drawing.piece.edges.append(Edge(action.arn, context, "AssociatedWith", package.created))


def _endpoint(drawing: _Drawing, endpoint: Resource, lookup: Lookup) -> None:
    context = drawing.named("Context", f"{endpoint.name}-aws-endpoint", "Endpoint")
    action = drawing.named(
        "Action",
        f"{endpoint.name}-aws-model-deployment",
        "ModelDeployment",
        Status="Completed" if endpoint.status == "InService" else "InProgress",
    )
    drawing.link(action, context, "AssociatedWith")
    # The SDK's EndpointContext looks for an endpoint's models from the context onwards, its
    # ModelArtifact for a model's endpoints from the model onwards.
    drawing.link_back(context, action)
    config = lookup(ENDPOINT_CONFIG, endpoint.body.get("EndpointConfigName", ""))
    for variant in config.body.get("ProductionVariants", []) if config else []:
        for found in _model_artifacts(drawing, lookup(MODEL, variant.get("ModelName", ""))):
            drawing.link(found, action, "ContributedTo")
            if found.type == "Model":
                drawing.link_back(action, found)


def _model_artifacts(drawing: _Drawing, model: Resource | None) -> Iterator[Entity]:
    """The model data and images of a stored model."""
    if model is None:
        return
    body = model.body
    primary = [body["PrimaryContainer"]] if body.get("PrimaryContainer") else []
    for container in [*primary, *body.get("Containers", [])]:
        yield from _container_artifacts(drawing, container)


def _container_artifacts(drawing: _Drawing, container: Mapping[str, Any]) -> Iterator[Entity]:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if uri := container.get("ModelDataUrl") or source.get("S3Uri"):
        yield drawing.artifact(uri, "Model", "model")
    if (package := container.get("ModelPackageName", "")).startswith("arn:"):
        yield drawing.artifact(package, "ModelPackage")
    if image := container.get("Image"):
        yield drawing.artifact(image, "Image", "image")


_DRAW: Mapping[str, Callable[[_Drawing, Resource, Lookup], None]] = {
    "TrainingJob": _training,
    "ProcessingJob": _processing,
    "TransformJob": _transform,
    "ModelPackageGroup": _group,
    "ModelPackage": _package,
    "Endpoint": _endpoint,
}

KINDS = tuple(_DRAW)
"""The kinds of resources that something follows from."""
