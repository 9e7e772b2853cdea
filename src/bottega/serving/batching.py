"""Requests that are there at the same time, predicted together.

Nothing waits for company: what came in one turn of the event loop is predicted at its end, and
while that runs the next ones gather. A request alone is served as it would be otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Request = TypeVar("Request")
Kind = tuple[bytes, bytes]
"""Content type and accept."""

_MOST = 64
_MOST_BYTES = 256 * 1024
_SECONDS = 0.02
"""A batch that took longer halves how many the next ones may hold."""


class Batches(Generic[Request]):
    """Collects the requests of one turn of the event loop.

    Args:
        soon: calls a function at the end of this turn.
        predict: answers requests of one kind.
    """

    def __init__(
        self,
        soon: Callable[[Callable[[], None]], object],
        predict: Callable[[Sequence[Request]], None],
    ) -> None:
        self.most = _MOST
        self._soon = soon
        self._predict = predict
        self._waiting: dict[Kind, list[tuple[int, Request]]] = {}

    def add(self, kind: Kind, size: int, request: Request) -> None:
        """Have a request predicted at the end of this turn, or of the next when this one ends.

        Args:
            kind: requests of one kind can be predicted together.
            size: of its body, in bytes.
            request: what ``predict`` gets.
        """
        if not self._waiting:
            self._soon(self._end_turn)
        self._waiting.setdefault(kind, []).append((size, request))

    def _end_turn(self) -> None:
        # Whoever gets an answer may add its next request within it: that one is of the next turn.
        waiting, self._waiting = self._waiting, {}
        for held in waiting.values():
            batch: list[Request] = []
            total = 0
            for size, request in held:
                if batch and (len(batch) >= self.most or total + size > _MOST_BYTES):
                    self._predict_all(batch)
                    batch, total = [], 0
                batch.append(request)
                total += size
            self._predict_all(batch)

    def _predict_all(self, requests: Sequence[Request]) -> None:
        started = time.monotonic()
        self._predict(requests)
        if len(requests) > 1 and time.monotonic() - started > _SECONDS:
            self.most = max(1, len(requests) // 2)
