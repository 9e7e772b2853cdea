"""How many hosts this machine runs at once, and who waits for the next free one."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class _Waiting:
    order: float
    owner: str
    slots: int = field(compare=False)
    wake: Callable[[], None] = field(compare=False)


class Capacity:
    """A fixed number of slots, given out in the order of the owners' creation.

    A workload that needs more slots than there are gets all of them: it waits until the machine is
    idle and then runs alone. Nobody overtakes a waiting workload, so a large one is not starved by
    small ones. All state is in memory: after a restart the controllers claim the slots of what
    still runs and then ask again in the order of creation.
    """

    def __init__(self, slots: int) -> None:
        if slots < 1:
            raise ValueError("capacity needs at least one slot")
        self.slots = slots
        self._lock = threading.Lock()
        self._held: dict[str, int] = {}
        self._waiting: list[_Waiting] = []

    def claim(self, owner: str, slots: int) -> None:
        """Hold slots for something that is already running, even beyond the limit."""
        with self._lock:
            self._held[owner] = slots
            self._leave(owner)

    def acquire(
        self, owner: str, slots: int, wake: Callable[[], None], *, order: float = 0.0
    ) -> bool:
        """Hold slots now, or join the queue.

        Args:
            owner: who holds them; asking again while holding or waiting changes nothing.
            slots: how many.
            wake: called when it may be worth asking again; not called under any lock.
            order: the place in the queue, lowest first: the time of creation.

        Returns:
            Whether ``owner`` holds the slots now.
        """
        with self._lock:
            if owner in self._held:
                return True
            if all(waiting.owner != owner for waiting in self._waiting):
                bisect.insort(self._waiting, _Waiting(order, owner, slots, wake))
            if self._waiting[0].owner != owner or not self._fits(slots):
                return False
            self._leave(owner)
            self._held[owner] = slots
            wakes = self._next_wakes()
        for call in wakes:
            call()
        return True

    def release(self, owner: str) -> None:
        """Give up what ``owner`` holds, or its place in the queue."""
        with self._lock:
            self._held.pop(owner, None)
            self._leave(owner)
            wakes = self._next_wakes()
        for call in wakes:
            call()

    def position(self, owner: str) -> int | None:
        """1 for the next in line; None for one that does not wait."""
        with self._lock:
            for index, waiting in enumerate(self._waiting, start=1):
                if waiting.owner == owner:
                    return index
        return None

    @property
    def in_use(self) -> int:
        with self._lock:
            return sum(self._held.values())

    @property
    def waiting(self) -> int:
        """How many owners wait for slots."""
        with self._lock:
            return len(self._waiting)

    def _fits(self, slots: int) -> bool:
        used = sum(self._held.values())
        return used + min(slots, self.slots) <= self.slots

    def _leave(self, owner: str) -> None:
        self._waiting = [waiting for waiting in self._waiting if waiting.owner != owner]

    def _next_wakes(self) -> list[Callable[[], None]]:
        if not self._waiting or not self._fits(self._waiting[0].slots):
            return []
        return [self._waiting[0].wake]
