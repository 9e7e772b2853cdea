"""The port to SageMaker's experiments, trials and trial components, which are the tracker's own
experiments and runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

EntityKind = Literal["Experiment", "Trial", "TrialComponent"]

JOB_SUFFIXES: Mapping[str, str] = {
    "TrainingJob": "-aws-training-job",
    "ProcessingJob": "-aws-processing-job",
    "TransformJob": "-aws-transform-job",
}
"""What the name of a job's component ends with, by the job's kind."""

ARN_TAG, JOB_TAG, KIND_TAG = "bottega.arn", "bottega.job", "bottega.kind"
"""The tags by which the run of a job says whose it is."""
INPUT_TAG, OUTPUT_TAG = "bottega.input.", "bottega.output."
"""What the tags of a run begin with that are its component's artifacts."""

Document = Mapping[str, Any]
"""Members of SageMaker's shapes, without ARNs; times in seconds since the epoch."""


@dataclass(frozen=True)
class EntityQuestion:
    """Which entities, in which order, and which page of them."""

    kind: EntityKind
    expression: Mapping[str, Any] | None = None
    """A SearchExpression in SageMaker's language. The value of a filter on a time may be a number,
    of seconds."""
    visible: Sequence[tuple[str, str]] = ()
    """Tags, of which an entity has this value or does not have the tag."""
    sort_by: str = "CreationTime"
    """A property. Entities that lack it come last, whichever way; the name breaks ties."""
    descending: bool = True
    after: Mapping[str, Any] | None = None
    """The position behind which the page starts: ``next`` of the page before."""
    limit: int = 10
    whole: bool = False
    """Whether to answer what Describe shows; else what a List does."""
    counted: bool = False


@dataclass(frozen=True)
class EntityPage:
    documents: Sequence[Document]
    """With ``Tags`` as a mapping; those of components also with ``Parents`` and ``RunId``."""
    next: Mapping[str, Any] | None
    """Where the next page starts; None behind the last."""
    total: int | None = None
    exact: bool = True
    """False where there are more than ``total``, which were not counted."""


@dataclass(frozen=True)
class Association:
    """A component and a trial, by their names as they are written."""

    component: str
    trial: str


@dataclass(frozen=True)
class NewEntity:
    kind: EntityKind
    name: str
    document: Document = field(default_factory=dict)
    """The members of the Create request, and CreatedBy."""
    tags: Mapping[str, str] = field(default_factory=dict)
    experiment: str = ""
    """Of a trial."""
    user: str = ""
    """Who the tracker says the run of a component is of."""


class ExperimentStore(ABC):
    """SageMaker's entities as a view of the tracker's own.

    Every experiment of the tracker is an Experiment, and every run a TrialComponent. One that a
    plain client of the tracker made belongs to the default trial of its experiment, and is called
    by its id. Names are told apart without regard to case. An experiment whose name SageMaker does
    not allow has one that is made of its number; its DisplayName says the name.

    A call is whole or did nothing, and is on the disk when it returns. Every method raises
    :class:`~bottega.tracking.port.TrackingMissing` where what it is about is not there (``reason``
    says what), :class:`~bottega.tracking.port.TrackingUnavailable` when the tracker does not answer
    now, and :class:`~bottega.tracking.port.TrackingRefused` when it never will; its ``reason`` says
    why.
    """

    @abstractmethod
    def create(self, entity: NewEntity) -> None:
        """Make an entity.

        Raises:
            TrackingExists: there is one of its kind and name.
            TrackingMissing: a trial's experiment is not there.
        """

    @abstractmethod
    def describe(self, kind: EntityKind, name: str) -> Document:
        """Everything about an entity: as in a page of ``whole`` ones."""

    @abstractmethod
    def update(self, kind: EntityKind, name: str, changes: Document) -> None:
        """Change what the Update request's members say. Maps are merged.

        Args:
            changes: the members, and LastModifiedBy.
        """

    @abstractmethod
    def delete(self, kind: EntityKind, name: str) -> None:
        """Delete an experiment without trials, a trial without components, or a component of no
        trial. What the tracker itself knows is marked as deleted, and kept."""

    @abstractmethod
    def associate(self, component: str, trial: str) -> Association:
        """Make a component belong to a trial. With its first one it moves to the experiment."""

    @abstractmethod
    def disassociate(self, component: str, trial: str) -> Association:
        """Make a component belong to a trial no more."""

    @abstractmethod
    def find(self, question: EntityQuestion) -> EntityPage:
        """One page of the entities that satisfy an expression."""

    @abstractmethod
    def property_names(self, kind: EntityKind, hint: str) -> Sequence[str]:
        """Names of properties that begin with a hint, of those that users chose: ``Parameters.``,
        ``Metrics.`` and ``Tags.``. A hundred at most, in order of the alphabet."""

    @abstractmethod
    def tags(self, kind: EntityKind, name: str) -> Mapping[str, str]:
        """The tags of an entity by key: the tracker's, without those that begin with ``mlflow.`` or
        ``bottega.``."""

    @abstractmethod
    def set_tags(
        self, kind: EntityKind, name: str, tags: Mapping[str, str], *, limit: int
    ) -> Mapping[str, str]:
        """Set tags, over those of the same keys; returns all there are then.

        Args:
            limit: how many there may be.
        """

    @abstractmethod
    def remove_tags(self, kind: EntityKind, name: str, keys: Sequence[str]) -> None:
        """Remove tags; keys that are not there are passed over."""
