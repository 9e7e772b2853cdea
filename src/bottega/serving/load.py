"""What is under way now: requests that a server has, and requests that wait for one.

The router writes from its event loop; everybody else reads numbers that were true a moment ago.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TypeVar

_Key = TypeVar("_Key")
_MOST_RATES = 1024
"""Instances whose rates are kept before those of the past are dropped."""


class Load:
    """Counters of the present moment, by instance and by variant of an endpoint."""

    def __init__(self) -> None:
        self._by_instance: Counter[str] = Counter()
        self._by_variant: Counter[tuple[str, str]] = Counter()
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._rates: dict[str, _Rate] = {}

    def rate(self, instance: str) -> int:
        """Requests that one model server answered in the last whole second."""
        rate = self._rates.get(instance)
        return rate.last(int(time.monotonic())) if rate is not None else 0

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
        second = int(time.monotonic())
        rate = self._rates.get(instance)
        if rate is None:
            if len(self._rates) >= _MOST_RATES:
                self._rates = {k: v for k, v in self._rates.items() if v.last(second)}
            rate = self._rates[instance] = _Rate(second)
        rate.count(second)

    def waits(self, endpoint: str, variant: str) -> None:
        """A request begins to wait for a server."""
        self._waiting[endpoint, variant] += 1

    def waited(self, endpoint: str, variant: str) -> None:
        """A request waits no more."""
        _less(self._waiting, (endpoint, variant))


class _Rate:
    """How many in this second, and how many in the one before it."""

    __slots__ = ("_before", "_second", "_sofar")

    def __init__(self, second: int) -> None:
        self._second = second
        self._sofar = self._before = 0

    def count(self, second: int) -> None:
        if second != self._second:
            self._before = self._sofar if second == self._second + 1 else 0
            self._second, self._sofar = second, 0
        self._sofar += 1

    def last(self, second: int) -> int:
        """In the second before the given one."""
        if second == self._second:
            return self._before
        return self._sofar if second == self._second + 1 else 0


def _less(counter: Counter[_Key], key: _Key) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
