"""The one signature of a built-in algorithm.

An algorithm is described without its library being imported: hyperparameters, channels and metrics
are read by the API, the forms, tuning and the docs. ``train``, ``load`` and ``predict`` run only
inside a job or a model server, and import what they need there.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from bottega.algorithms.hyperparameters import (
    Condition,
    Hyperparameter,
    HyperparameterError,
    HyperparameterSchema,
    Interval,
    TunableRange,
)

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

__all__ = [
    "Algorithm",
    "Channel",
    "Condition",
    "CustomerError",
    "Hyperparameter",
    "HyperparameterError",
    "HyperparameterSchema",
    "Interval",
    "MetricDefinition",
    "RequestError",
    "TunableRange",
]


class CustomerError(Exception):
    """The user's data or settings cannot be trained on; the message says where and what to do.

    Ends a training job with FailureReason ``ClientError: <message>``.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class RequestError(Exception):
    """An inference request that the model cannot answer.

    Attributes:
        status: 400 (the data does not fit the model), 406 (Accept), or 415 (ContentType or a body
            that cannot be parsed).
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Channel:
    """One input channel that an algorithm reads."""

    name: str
    required: bool
    content_types: tuple[str, ...]
    """The first is meant where a job names none."""
    description: str


@dataclass(frozen=True)
class MetricDefinition:
    """A number that the algorithm prints, and how to find it in the log."""

    name: str
    regex: str
    """Searched in each line, in which a tab is written ``#011``; group 1 is the number."""
    direction: Literal["Minimize", "Maximize"]
    """Which way is better, when it is the objective of tuning."""


class NearModel(Protocol):
    """A part of a model that gives the shortest answers where the request came in."""

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str] | None:
        """The answer that :meth:`Algorithm.predict` gives, and its media type, within some tens of
        microseconds; None where a model server has to answer. Never raises for what is in a
        request."""


class Algorithm(ABC):
    """A built-in algorithm."""

    name: ClassVar[str]
    title: ClassVar[str]
    """The name as people write it."""
    summary: ClassVar[str]
    """What it is for, in one sentence."""
    supervised: ClassVar[bool]
    """Whether it learns from a label, so that data without one make no sense."""
    reads_tables: ClassVar[bool] = True
    """Whether it learns from rows of numbers, rather than from text, tokens or images."""
    starting_values: ClassVar[Mapping[str, str]] = {}
    """What a form, or a caller who gives nothing, begins with where the algorithm has no default of
    its own."""
    hyperparameters: ClassVar[HyperparameterSchema]
    channels: ClassVar[tuple[Channel, ...]]
    metric_definitions: ClassVar[tuple[MetricDefinition, ...]]
    accepts: ClassVar[tuple[str, ...]]
    """Media types of an answer; the first is the default."""
    extra: ClassVar[str] = ""
    """The extra of bottega that brings its libraries, where they do not come with bottega."""
    libraries: ClassVar[tuple[str, ...]] = ()
    """The modules of that extra that it needs."""
    quick: ClassVar[bool] = True
    """Whether a prediction takes about a millisecond, so that a server need not hand it to a
    thread."""

    compiled: ClassVar[bool] = False
    """Whether its training always runs kernels of ``bottega.algorithms.kernels``."""
    compiled_serving: ClassVar[bool] = False
    """Whether :meth:`compile` uses such kernels, too."""

    def missing(self) -> str:
        """What has to be installed before it can run, as a sentence; empty when all is there."""
        absent = [name for name in self.libraries if find_spec(name) is None]
        if not absent:
            return ""
        return (
            f"The algorithm {self.name} needs {', '.join(absent)}, which is not installed where "
            f"bottega runs. Install it with: pip install 'bottega[{self.extra}]', and restart "
            "bottega."
        )

    def judged_by(self, hyperparameters: Mapping[str, str]) -> Sequence[str]:
        """The metrics that a model of these hyperparameters is judged by, best first.

        Empty where the definitions alone tell. Never raises: what is wrong with the
        hyperparameters is said elsewhere.
        """
        return ()

    def leading_columns(self, hyperparameters: Mapping[str, str]) -> tuple[str, ...]:
        """What stands before the features in a row of a table, in words. Never raises."""
        return ("label",) if self.supervised else ()

    def unfit_label(self, label: float, hyperparameters: Mapping[str, str]) -> str:
        """Why a label cannot be learned with these hyperparameters, such as ``is negative for
        count:poisson``; empty when it can be, or when that is seen only in training.

        For a look at the data before there is a job. Never raises.
        """
        return "" if math.isfinite(label) else "is not a number that can be learned"

    @abstractmethod
    def train(self, environment: TrainingEnvironment) -> None:
        """Train on the channels and leave the artifact in ``environment.paths.model``.

        Raises:
            CustomerError: the data or a setting is at fault.
            HyperparameterError: a hyperparameter is at fault.
        """

    @abstractmethod
    def load(self, model_dir: Path, environment: Mapping[str, str]) -> Any:
        """Load the artifact for ``predict``.

        Raises:
            CustomerError: the folder holds no usable model of this algorithm.
        """

    @abstractmethod
    def predict(self, model: Any, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Answer one request; safe to call from several threads.

        Args:
            model: what ``load`` gave.
            body: the request, may be empty.
            content_type: its media type with parameters; empty when the caller gave none.
            accept: the media types wanted; empty or ``*/*`` for the default.

        Returns:
            The answer and its media type. An empty answer means 204.

        Raises:
            RequestError: the request is at fault.
        """

    def compile(self, model: Any) -> str:
        """Make a model faster that requests may already be answered with, without a difference in
        any answer.

        Returns:
            What predicts now, for the log; empty when there is nothing to say.
        """
        return ""

    def near(self, model: Any) -> bytes:
        """What a compiled model leaves to be predicted with near its callers, for
        :meth:`near_model` in another process; empty where only a model server can predict."""
        return b""

    def near_model(self, content: bytes) -> NearModel:
        """What :meth:`near` wrote, or somebody else in its place: nothing of it is run, and what
        could do harm is refused.

        Raises:
            ValueError: it is nothing that can be predicted with.
        """
        raise ValueError("models of this algorithm are predicted with by model servers only")

    def joins(self, model: Any) -> bool:
        """Whether :meth:`predict_many` is faster than one prediction for each request."""
        return False

    def predict_many(
        self, model: Any, bodies: Sequence[bytes], content_type: str, accept: str
    ) -> list[tuple[bytes, str] | RequestError]:
        """Answer several requests that came together, each exactly as :meth:`predict` would.

        Args:
            model: what ``load`` gave.
            bodies: of the requests.
            content_type: of them all.
            accept: of them all.

        Returns:
            For each request its answer, or what it is refused with.
        """
        found: list[tuple[bytes, str] | RequestError] = []
        for body in bodies:
            try:
                found.append(self.predict(model, body, content_type, accept))
            except RequestError as error:
                found.append(error)
        return found
