"""The port of asynchronous requests: taken in at once, kept until they are answered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class AsyncRequest:
    """One call of InvokeEndpointAsync. Locations are ``s3://`` URIs; times are seconds since the
    epoch."""

    id: str
    """Ours, unique; it is in the names of the objects."""
    endpoint: str
    endpoint_created: float
    """Tells the endpoint from a later one of the same name."""
    received: float
    expires: float
    """When it is no longer to be sent to a model."""
    timeout: float
    """Seconds a model has for it."""
    inference_id: str
    content_type: str
    accept: str
    custom_attributes: str
    input_location: str
    """Empty where the request came with its body."""
    output_location: str
    failure_location: str
    """Empty where failures are written nowhere."""
    success_topic: str
    error_topic: str
    tells_answer: tuple[str, ...]
    """Members of IncludeInferenceResponseIn."""


class Waiting(NamedTuple):
    """A request in the queue."""

    number: int
    """Its place: requests are numbered as they come, also across restarts."""
    request: AsyncRequest


class Backlog(NamedTuple):
    """How much there is to do for an endpoint."""

    size: int
    """Requests that are not answered yet, those that a model has now among them."""
    oldest: float
    """When the oldest of them was received."""


class InferenceQueue(ABC):
    """Requests that are acknowledged and not yet answered.

    Contract:

    * Once :meth:`add` has returned, neither a kill of the process nor a loss of power loses the
      request; it is in the queue until :meth:`remove`.
    * An endpoint's requests have growing numbers in the order in which they were added.
    * Methods may be called from any thread.
    """

    @abstractmethod
    def add(self, request: AsyncRequest, body: bytes | None) -> int:
        """Take a request in; returns its number.

        Args:
            body: what to send to the model; None where it is at the input location.
        """

    @abstractmethod
    def next(self, endpoint: str, *, after: int, limit: int) -> Sequence[Waiting]:
        """Requests of an endpoint with higher numbers than ``after``, in order."""

    @abstractmethod
    def overdue(self, endpoint: str, *, after: int, now: float, limit: int) -> Sequence[Waiting]:
        """Those of :meth:`next` that have expired."""

    @abstractmethod
    def body(self, number: int) -> bytes | None:
        """What a request came with; None where that is at its input location.

        Raises:
            KeyError: the request is not in the queue.
        """

    @abstractmethod
    def remove(self, number: int) -> None:
        """Forget a request, as it was answered; nothing where it is not in the queue."""

    @abstractmethod
    def backlogs(self) -> Mapping[str, Backlog]:
        """What there is to do, by endpoint; only endpoints that have requests."""

    @property
    @abstractmethod
    def last_of_former(self) -> int:
        """The highest number that a request may have whose answering a former process had begun;
        0 for none."""

    @abstractmethod
    def listen(self, heard: Callable[[str], None]) -> None:
        """Have ``heard`` called with the endpoint's name after each request that is added, from
        the thread that added it; it must return at once."""

    @abstractmethod
    def close(self) -> None:
        """Let go of files; the queue cannot be used after."""
