"""The catalogue port: what is asked about runs, whoever logged them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class ExperimentOverview:
    experiment_id: str
    name: str
    runs: int
    """Those that are not deleted."""
    created: float | None
    """Seconds since the epoch, as all times here."""
    updated: float | None
    """The start of the newest run, or the experiment's own last change."""


@dataclass(frozen=True)
class ExperimentWindow:
    experiments: Sequence[ExperimentOverview]
    total: int


@dataclass(frozen=True)
class RunOverview:
    """A run as one row; texts that are not known are empty."""

    run_id: str
    run_name: str
    experiment_id: str
    status: str
    """RUNNING, SCHEDULED, FINISHED, FAILED or KILLED."""
    started: float | None
    ended: float | None
    user: str
    source: str
    job: str
    """The training job that the run follows."""
    metrics: Mapping[str, float]
    """The latest value of each."""
    params: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RunWindow:
    runs: Sequence[RunOverview]
    total: int


@dataclass(frozen=True)
class RunSearch:
    """Which runs, in which order, and what of them."""

    experiment_ids: Sequence[str]
    filter: str = ""
    """In MLflow's language."""
    sort_by: str = ""
    """``metrics.auc``, ``attributes.start_time`` and their like; the start when empty."""
    ascending: bool = False
    offset: int = 0
    limit: int = 50
    metrics: Sequence[str] | None = None
    """Names to answer; None answers all."""
    params: Sequence[str] | None = None
    tags: Sequence[str] | None = ()


@dataclass(frozen=True)
class RunColumns:
    """Names that runs have, in order of the alphabet."""

    metrics: Sequence[str]
    params: Sequence[str]
    tags: Sequence[str]


@dataclass(frozen=True)
class Artifact:
    path: str
    size: int | None
    is_directory: bool


@dataclass(frozen=True)
class DatasetInput:
    name: str
    digest: str
    source: str
    context: str


@dataclass(frozen=True)
class RunModel:
    """A model that a run logged."""

    path: str
    """What it is called by within the run."""
    location: str
    """Its folder, as a URI of the tracker's."""
    model_id: str
    """Empty for a folder among the run's own artifacts."""


@dataclass(frozen=True)
class RunDetails:
    run: RunOverview
    experiment_name: str
    artifacts: Sequence[Artifact]
    """The files and folders at the top."""
    inputs: Sequence[DatasetInput]
    environment: Mapping[str, str]
    """Packages, Python and the like, with their versions, as far as they were logged."""
    models: Sequence[RunModel]


@dataclass(frozen=True)
class MetricCourse:
    run_id: str
    name: str
    steps: Sequence[int]
    times: Sequence[float]
    values: Sequence[float]
    points: int
    """How many there are, of which some may have been left out here."""


@dataclass(frozen=True)
class Importances:
    shares: Sequence[tuple[str, float]]
    """Parameter and share, the largest first; they sum to 1."""
    runs: int
    method: str
    """For a person."""


class RunCatalogue(ABC):
    """Reads the runs of a tracker, and registers their models.

    Every method raises :class:`~bottega.tracking.port.TrackingUnavailable` when the tracker does
    not start to listen within some seconds, or, once it was asked, does not answer in time: minutes
    for :meth:`importances`, which are computed, else less than one. It raises
    :class:`~bottega.tracking.port.TrackingRefused` when a question is wrong; its ``reason`` says
    how.
    """

    @abstractmethod
    def experiments(self, words: str, *, offset: int, limit: int) -> ExperimentWindow:
        """Experiments whose names contain all the words, the last used first."""

    @abstractmethod
    def search(self, search: RunSearch) -> RunWindow:
        """One window of the runs that match, and how many do. Runs without a value sort last."""

    @abstractmethod
    def columns(self, experiment_ids: Sequence[str]) -> RunColumns:
        """What the runs of some experiments have."""

    @abstractmethod
    def describe(self, run_id: str) -> RunDetails:
        """Everything about one run.

        Raises:
            TrackingMissing: there is no such run.
        """

    @abstractmethod
    def courses(
        self, run_ids: Sequence[str], *, metrics: Sequence[str] | None, most: int
    ) -> Sequence[MetricCourse]:
        """The course of metrics; extremes stay where points are left out.

        Args:
            metrics: None answers all.
            most: points of each course at most.
        """

    @abstractmethod
    def importances(self, search: RunSearch, metric: str) -> Importances:
        """How much each parameter explains of a metric over the runs that match."""

    @abstractmethod
    def register(self, run: RunDetails, model: RunModel, name: str) -> str:
        """Put a run's model into the registry under a name; returns its version."""
