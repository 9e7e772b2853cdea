"""What happened, as small dataclasses, and the bus that tells whoever listens.

The store publishes :class:`ResourceChanged` after each commit, so controllers, screens, meters and
the audit trail follow every change without any feature having to remember to announce it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """Something that has happened. ``time`` is seconds since the epoch."""

    time: float


@dataclass(frozen=True)
class ResourceChanged(Event):
    """A resource was created, updated or deleted, and the change is committed."""

    change: Literal["created", "updated", "deleted"]
    kind: str
    name: str
    status: str
    version: int


@dataclass(frozen=True)
class MetricsChanged(Event):
    """A resource has new metric points."""

    kind: str
    name: str


@dataclass(frozen=True)
class TrackingChanged(Event):
    """Runs of the tracking store changed."""

    experiment: str
    """The experiment's id; empty where it is not known."""


@dataclass(frozen=True)
class InferenceNotified(Event):
    """An asynchronous request was answered, and its endpoint has a topic for that."""

    endpoint: str
    inference: str
    """The id of the request."""
    status: str
    """``Completed``, ``Failed`` or ``Expired``."""
    topic: str
    """The ARN of the topic that SageMaker would notify."""
    message: Mapping[str, Any]
    """SageMaker's notification, as JSON values."""


@dataclass(frozen=True)
class RuleNotified(Event):
    """A Debugger rule has fired whose actions tell somebody."""

    job: str
    """The training job."""
    rule: str
    """The RuleConfigurationName."""
    channel: str
    """``Email`` or ``SMS``."""
    address: str
    text: str
    """What it says, in one sentence."""


@dataclass(frozen=True)
class OperationCalled(Event):
    """An operation was answered, well or with an error: one line of the audit trail."""

    service: str
    operation: str
    caller: str
    request_id: str
    face: str
    resource: str
    error_code: str
    seconds: float


Listener = Callable[[Event], None]


class EventBus:
    """Delivers events to listeners, in the publisher's thread, in the order they were published.

    A listener must return quickly and hand real work to a thread of its own. An error in one
    listener is logged and keeps no other listener from its event.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` for every event from now on; the returned function ends that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(x for x in self._listeners if x is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed on %s", event)
