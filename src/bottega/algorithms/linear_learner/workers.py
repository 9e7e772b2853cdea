"""Threads that share the rows of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

Result = TypeVar("Result")

_LEAST_WORK = 1 << 19
"""How many multiplications are worth the way to another thread."""


class Workers:
    """A few threads, or none but the caller's."""

    def __init__(self, threads: int, pool: ThreadPoolExecutor | None) -> None:
        self.threads = threads
        self._pool = pool

    def parts(
        self, size: int, work: float, *, least: int = 1, most: int | None = None
    ) -> list[slice]:
        """Share ``size`` items out.

        Args:
            size: how many there are.
            work: about how many multiplications each of them takes.
            least: how many items are worth a part.
            most: how many items a part may have.
        """
        count = max(1, min(self.threads, int(size * work / _LEAST_WORK), size // least))
        if most is not None:
            count = max(count, -(-size // most))
        return [
            slice(size * number // count, size * (number + 1) // count) for number in range(count)
        ]

    def run(self, function: Callable[[slice], Result], parts: Sequence[slice]) -> list[Result]:
        """What the function gives for each part, in their order."""
        if self._pool is None or len(parts) == 1:
            return [function(part) for part in parts]
        return list(self._pool.map(function, parts))


@contextmanager
def workers(threads: int) -> Iterator[Workers]:
    """Threads for as long as they are needed; the numeric library uses no others meanwhile."""
    with threadpool_limits(1), np.errstate(all="ignore"):
        if threads == 1:
            yield Workers(1, None)
            return
        # What the library does about overflows is set by thread; models that diverge are left out.
        with ThreadPoolExecutor(
            threads, thread_name_prefix="linear-learner", initializer=_ignore_overflows
        ) as pool:
            yield Workers(threads, pool)


def _ignore_overflows() -> None:
    np.seterr(all="ignore")
