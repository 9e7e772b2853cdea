"""What is under way now: requests that a server has, and requests that wait for one.

The router writes from its event loop; everybody else reads numbers that were true a moment ago.
"""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

_Key = TypeVar("_Key")


class Load:
    """Counters of the present moment, by instance and by variant of an endpoint."""

    def __init__(self) -> None:
        self._by_instance: Counter[str] = Counter()
        self._by_variant: Counter[tuple[str, str]] = Counter()
        self._waiting: Counter[tuple[str, str]] = Counter()

    def outstanding(self, instance: str) -> int:
        """Requests that one model server has and has not answered."""
        return self._by_instance[instance]

    def concurrent(self, endpoint: str, variant: str) -> int:
        """Requests of a variant that are not answered, those that wait for a server included."""
        return self._by_variant[endpoint, variant]

    def waiting(self, endpoint: str, variant: str) -> int:
        """Requests of a variant that wait for a server."""
        return self._waiting[endpoint, variant]

    # What the router says.

    def admitted(self, endpoint: str, variant: str) -> None:
        """A request of the variant was taken in."""
        self._by_variant[endpoint, variant] += 1

    def finished(self, endpoint: str, variant: str) -> None:
        """A request that was taken in is answered or given up."""
        _less(self._by_variant, (endpoint, variant))

    def sent(self, instance: str) -> None:
        """A request went to a model server."""
        self._by_instance[instance] += 1

    def answered(self, instance: str) -> None:
        """A request that went to a model server is answered or given up."""
        _less(self._by_instance, instance)

    def waits(self, endpoint: str, variant: str) -> None:
        """A request begins to wait for a server."""
        self._waiting[endpoint, variant] += 1

    def waited(self, endpoint: str, variant: str) -> None:
        """A request waits no more."""
        _less(self._waiting, (endpoint, variant))


def _less(counter: Counter[_Key], key: _Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
