"""Decoding ahead: the next items are made in a thread while the current one is used."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

_PATIENCE_SECONDS = 10.0


def ahead(
    items: Iterator[Item], weigh: Callable[[Item], int], budget: int
) -> Generator[Item, None, None]:
    """The same items, made in a thread while their weights stay within a budget.

    At least one item is made ahead. An exception of ``items`` comes out in its place. Closing the
    generator ends the thread, which closes ``items``, after the item it is at.
    """
    line = _Line(items, weigh, budget)
    thread = threading.Thread(target=line.run, name="bottega-reader", daemon=True)
    thread.start()
    try:
        while (found := line.take()) is not None:
            yield found[0]
    finally:
        line.stop()
        # A FIFO whose writer is stuck cannot be waited for; the thread keeps no job from ending.
        thread.join(_PATIENCE_SECONDS)


class _Line(Generic[Item]):
    """What was made and is waiting to be taken."""

    def __init__(self, items: Iterator[Item], weigh: Callable[[Item], int], budget: int) -> None:
        self._items = items
        self._weigh = weigh
        self._budget = budget
        self._changed = threading.Condition()
        self._waiting: deque[tuple[Item, int]] = deque()
        self._weight = 0
        self._over = False
        self._stopped = False
        self._error: BaseException | None = None

    def run(self) -> None:
        """Make items until they end or nobody wants them."""
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._put(item):
                    break
        except BaseException as caught:
            error = caught
        finally:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()
            with self._changed:
                self._over, self._error = True, error
                self._changed.notify_all()

    def take(self) -> tuple[Item, int] | None:
        """The next item; None at the end. Raises what making it raised."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._over)
            if self._waiting:
                found = self._waiting.popleft()
                self._weight -= found[1]
                self._changed.notify_all()
                return found
            if self._error is not None:
                raise self._error
            return None

    def stop(self) -> None:
        """Nobody wants any more."""
        with self._changed:
            self._stopped = True
            self._waiting.clear()
            self._changed.notify_all()

    def _put(self, item: Item) -> bool:
        weight = self._weigh(item)
        with self._changed:
            self._waiting.append((item, weight))
            self._weight += weight
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopped or self._weight < self._budget)
            return not self._stopped
