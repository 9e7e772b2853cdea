"""The port to the metrics of components, on the tracking server."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import urllib3

from bottega.tracking.component_metrics import (
    ComponentMetrics,
    ComponentPoint,
    Series,
    SeriesQuery,
)
from bottega.tracking.port import TrackingMissing, TrackingRefused, TrackingUnavailable
from bottega.tracking.rest import TrackingServer

PATIENCE_SECONDS = 5.0
"""How long a call waits for a tracker that is starting."""
TIMEOUT = urllib3.Timeout(connect=5, read=30)
TOGETHER = 64
"""The most calls that share a request."""


@dataclass
class _Put:
    """One call that waits, and how it went."""

    asked: dict[str, Any]
    answer: dict[str, Any] | None = None
    error: TrackingUnavailable | TrackingRefused | None = None

    @property
    def done(self) -> bool:
        return self.answer is not None or self.error is not None


class TrackingServerMetrics(ComponentMetrics):
    """Metrics in the tracking server that listens on a Unix socket.

    Args:
        socket: the tracker's own socket.
        changed: told the experiment's id whenever points were added.
        patience: seconds that a call waits for a tracker that is starting.
    """

    def __init__(
        self,
        socket: Path,
        *,
        changed: Callable[[str], None] = lambda experiment: None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._server = TrackingServer(socket)
        self._changed = changed
        self._patience = patience
        self._turn = threading.Lock()
        self._waiting: deque[_Put] = deque()

    def close(self) -> None:
        """Close the connections."""
        self._server.close()

    def put(self, component: str, points: Sequence[ComponentPoint]) -> Sequence[int]:
        rows = [(each.name, each.value, each.time, each.step) for each in points]
        put = _Put({"component": component, "points": rows})
        self._waiting.append(put)
        with self._turn:
            # Whoever had the turn before may have sent this along with its own.
            while not put.done:
                self._send_waiting()
        if put.error is not None:
            raise put.error
        assert put.answer is not None
        if "missing" in put.answer:
            reason = put.answer["missing"]
            raise TrackingMissing(reason, reason=reason)
        self._changed(put.answer["experiment_id"])
        beyond: list[int] = put.answer["beyond"]
        return beyond

    def _send_waiting(self) -> None:
        """Send the calls that have come meanwhile as one request; a lone call waits for nobody."""
        puts = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
        try:
            answers = self._ask("metrics/put", {"puts": [put.asked for put in puts]})
        except (TrackingUnavailable, TrackingRefused) as error:
            for put in puts:
                put.error = error
            return
        except BaseException:
            # Nobody else has to wait for what happened to this thread.
            self._waiting.extendleft(reversed(puts))
            raise
        for put, answer in zip(puts, answers, strict=True):
            put.answer = answer

    def series(self, query: SeriesQuery) -> Series:
        return Series(**self._ask("metrics/series", asdict(query)))

    def _ask(self, question: str, arguments: dict[str, Any]) -> Any:
        return self._server.ask_when_ready(
            question, arguments, timeout=TIMEOUT, patience=self._patience
        )
