"""What can be searched: one entry a kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from botocore.model import StructureShape

from bottega.specs import service_model
from bottega.storage.metadata import MetadataStore, Resource, ResourceMissing


@dataclass(frozen=True)
class Searchable:
    """One kind of resource that Search finds."""

    kind: str
    """The kind in the store."""
    record: str
    """The member of a SearchRecord."""
    metrics: str = ""
    """The member that lists {MetricName, Value}, where ``Metrics.<name>`` looks; empty for none."""

    @property
    def shape(self) -> StructureShape:
        """The shape of SageMaker's model that the record has; its members are the properties."""
        return _shape(self.record)


@cache
def _shape(member: str) -> StructureShape:
    # botocore builds a shape anew, members and all, each time it is asked for one.
    return service_model("sagemaker").shape_for("SearchRecord").members[member]


SEARCHABLE: Mapping[str, Searchable] = {
    "TrainingJob": Searchable("TrainingJob", "TrainingJob", metrics="FinalMetricDataList"),
    "HyperParameterTuningJob": Searchable("HyperParameterTuningJob", "HyperParameterTuningJob"),
    "ModelPackage": Searchable("ModelPackage", "ModelPackage"),
    "ModelPackageGroup": Searchable("ModelPackageGroup", "ModelPackageGroup"),
}
"""By the request's Resource."""


@dataclass(frozen=True)
class Candidate:
    """A resource that may be a result.

    Attributes:
        known_tags: where they were read with those of others; else they are when something asks.
    """

    searchable: Searchable
    resource: Resource
    store: MetadataStore
    known_tags: Mapping[str, str] | None = None

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The record without tags: what Describe shows, as far as the record's shape knows it."""
        known = self.searchable.shape.members
        every = {**self.resource.body, "LastModifiedTime": self.resource.modified}
        return {name: value for name, value in every.items() if name in known and value != {}}

    @cached_property
    def tags(self) -> Mapping[str, str]:
        if self.known_tags is not None:
            return self.known_tags
        try:
            return self.store.tags(self.resource.arn)
        except ResourceMissing:  # deleted since it was read
            return {}

    @cached_property
    def metrics(self) -> Mapping[str, float]:
        """The last value of each metric."""
        listed = self.document.get(self.searchable.metrics, ())
        return {metric["MetricName"]: metric["Value"] for metric in listed}

    def shown(self) -> dict[str, Any]:
        """The record that goes into the answer."""
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        return {self.searchable.record: {**self.document, **({"Tags": tags} if tags else {})}}
