"""What resources say of where their data comes from and where it goes.

Resources of every kind are read once and again when they have changed, so that a graph over ten
thousands of jobs costs no more than the ones that changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bottega.ports import Ports
from bottega.storage.metadata import MetadataStore, Resource, ResourceQuery


class Link(NamedTuple):
    """Data that a resource reads or writes."""

    uri: str
    """Without a slash at its end."""
    label: str
    """The channel, or the name of the input or output."""


class Use(NamedTuple):
    """Another resource that a resource is made of."""

    kind: str
    name: str
    label: str


@dataclass(frozen=True)
class Facts:
    """What one resource says."""

    kind: str
    name: str
    shown: str
    """Its name as its owner wrote it."""
    arn: str
    status: str
    created: float
    version: int
    reads: tuple[Link, ...] = ()
    writes: tuple[Link, ...] = ()
    uses: tuple[Use, ...] = ()
    run: str = ""
    """The id of the tracker's run."""
    approval: str = ""
    """ModelApprovalStatus."""
    metrics: tuple[tuple[str, float], ...] = ()
    """Final metrics."""


class FactBook:
    """The facts of one studio's resources."""

    def __init__(self, store: MetadataStore) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Facts]] = {kind: {} for kind in _READERS}

    def read(self) -> list[Facts]:
        """The facts of every resource there is now."""
        with self._lock:
            return [facts for kind in _READERS for facts in self._refreshed(kind).values()]

    def _refreshed(self, kind: str) -> Mapping[str, Facts]:
        known = self._known[kind]
        outlines = self._store.outlines(ResourceQuery(kind, sort_by="name", descending=False))
        changed = []
        for outline in outlines:
            present = known.get(outline.name)
            if present is None or (present.version, present.created) != (
                outline.version,
                outline.created,
            ):
                changed.append(outline.name)
        fresh = {
            name: _facts(resource)
            for start in range(0, len(changed), 500)
            for name, resource in self._store.get_many(kind, changed[start : start + 500]).items()
        }
        self._known[kind] = {
            outline.name: facts
            for outline in outlines
            if (facts := fresh.get(outline.name) or known.get(outline.name)) is not None
        }
        return self._known[kind]


def facts_of(ports: Ports) -> list[Facts]:
    """The facts of every resource there is now."""
    return ports.memory.of(FactBook, lambda: FactBook(ports.store)).read()


def _facts(resource: Resource) -> Facts:
    shown = resource.body.get(f"{resource.kind}Name", resource.name)
    return Facts(
        kind=resource.kind,
        name=resource.name,
        shown=shown,
        arn=resource.arn,
        status=resource.status,
        created=resource.created,
        version=resource.version,
        **_READERS[resource.kind](resource.body),
    )


def _links(pairs: Iterable[tuple[str, str]]) -> tuple[Link, ...]:
    return tuple(Link(uri.rstrip("/"), label) for uri, label in pairs if uri)


def _training_job(body: Mapping[str, Any]) -> dict[str, Any]:
    channels = (
        (channel["DataSource"].get("S3DataSource", {}).get("S3Uri", ""), channel["ChannelName"])
        for channel in body.get("InputDataConfig", ())
    )
    artifacts = body.get("ModelArtifacts", {}).get("S3ModelArtifacts", "")
    return {
        "reads": _links(channels),
        "writes": _links([(artifacts, "model")]),
        "run": body.get("MlflowDetails", {}).get("MlflowRunId", ""),
        "metrics": tuple(
            (item["MetricName"], float(item["Value"]))
            for item in body.get("FinalMetricDataList", ())
        ),
    }


def _processing_job(body: Mapping[str, Any]) -> dict[str, Any]:
    inputs = (
        (item.get("S3Input", {}).get("S3Uri", ""), item["InputName"])
        for item in body.get("ProcessingInputs", ())
    )
    outputs = (
        (item.get("S3Output", {}).get("S3Uri", ""), item["OutputName"])
        for item in body.get("ProcessingOutputConfig", {}).get("Outputs", ())
    )
    return {"reads": _links(inputs), "writes": _links(outputs)}


def _container_data(containers: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for container in containers:
        source = container.get("ModelDataSource", {}).get("S3DataSource", {})
        yield container.get("ModelDataUrl") or source.get("S3Uri", ""), "model data"


def _package(body: Mapping[str, Any]) -> dict[str, Any]:
    containers = [
        *body.get("InferenceSpecification", {}).get("Containers", ()),
        *(
            container
            for more in body.get("AdditionalInferenceSpecifications", ())
            for container in more["Containers"]
        ),
    ]
    sources = body.get("SourceAlgorithmSpecification", {}).get("SourceAlgorithms", ())
    return {
        "reads": _links(dict.fromkeys(_container_data([*containers, *sources]))),
        "approval": body.get("ModelApprovalStatus", ""),
    }


def _model(body: Mapping[str, Any]) -> dict[str, Any]:
    primary = body.get("PrimaryContainer")
    containers = [primary] if primary else body.get("Containers", [])
    packages = [one["ModelPackageName"] for one in containers if one.get("ModelPackageName")]
    plain = [one for one in containers if not one.get("ModelPackageName")]
    return {
        "reads": _links(dict.fromkeys(_container_data(plain))),
        "uses": tuple(
            Use("ModelPackage", name.lower().rpartition(":model-package/")[2], "version")
            for name in dict.fromkeys(packages)
        ),
    }


def _endpoint_config(body: Mapping[str, Any]) -> dict[str, Any]:
    variants = [
        *body.get("ProductionVariants", ()),
        *body.get("ShadowProductionVariants", ()),
    ]
    return {
        "uses": tuple(
            Use("Model", variant["ModelName"], variant["VariantName"])
            for variant in variants
            if variant.get("ModelName")
        )
    }


def _endpoint(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"uses": (Use("EndpointConfig", body["EndpointConfigName"], ""),)}


_READERS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "ProcessingJob": _processing_job,
    "TrainingJob": _training_job,
    "ModelPackage": _package,
    "Model": _model,
    "EndpointConfig": _endpoint_config,
    "Endpoint": _endpoint,
}
"""By kind, what is read from a description."""
