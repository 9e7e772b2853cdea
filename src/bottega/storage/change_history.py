"""What has changed in a store lately, for those who keep what they made of its documents."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Iterable

from bottega.events import Event, ResourceChanged
from bottega.storage.metadata import Changes

REMEMBERED = 10_000
"""Changes of each kind; who asks for older ones is told that anything may have changed."""


class ChangeHistory:
    """The names of changed resources, numbered in the order of the commits."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._lock = threading.Lock()
        self._number = 1
        self._kinds: defaultdict[str, deque[tuple[int, str]]] = defaultdict(
            lambda: deque(maxlen=remembered)
        )
        self._forgotten: dict[str, int] = {}

    def note(self, events: Iterable[Event]) -> None:
        """Add what was committed, before anybody is told that it was."""
        with self._lock:
            for event in events:
                if not isinstance(event, ResourceChanged):
                    continue
                self._number += 1
                kind = self._kinds[event.kind]
                if len(kind) == kind.maxlen:
                    self._forgotten[event.kind] = kind[0][0]
                kind.append((self._number, event.name))

    def since(self, kind: str, number: int) -> Changes:
        """What has changed after a number."""
        with self._lock:
            # Nothing has the number 0: whoever asks for the first time knows nothing yet.
            if number < max(1, self._forgotten.get(kind, 0)):
                return Changes(self._number, None)
            names = set()
            for changed, name in reversed(self._kinds[kind]):
                if changed <= number:
                    break
                names.add(name)
            return Changes(self._number, frozenset(names))
