"""Several hosts that learn the same vectors, each from a part of the text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bottega.algorithms.blazingtext.features import END
from bottega.algorithms.blazingtext.vocabulary import Numbers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bottega.algorithms.blazingtext.pace import Piece
    from bottega.algorithms.cluster import Cluster

_ROWS_AT_ONCE = 1 << 15
_TINY = np.float32(1e-30)


class Exchange:
    """What the hosts do together; with one host, nothing.

    Args:
        cluster: the hosts.
        sharded: whether each has data of its own, and not all the same.
    """

    def __init__(self, cluster: Cluster, *, sharded: bool) -> None:
        self._cluster = cluster
        self._sharded = sharded
        self._before: list[NDArray[np.float32]] = []

    @property
    def hosts(self) -> int:
        return self._cluster.hosts

    @property
    def rank(self) -> int:
        return self._cluster.rank

    @property
    def leads(self) -> bool:
        """Whether this host prints and saves."""
        return self._cluster.leads

    def largest(self, value: int) -> int:
        """The largest of the hosts' values."""
        return self._cluster.largest(value)

    def counts(
        self, numbers: Numbers, counts: NDArray[np.int64]
    ) -> tuple[list[bytes], NDArray[np.int64]]:
        """The tokens of all hosts and how often they occur, the same on each of them.

        Args:
            numbers: the tokens of this host.
            counts: how often each of them occurs.
        """
        if self.hosts == 1:
            return list(numbers), counts
        own = b"\n".join(numbers) + b"\n" + json.dumps(counts.tolist()).encode()
        if not self._sharded:
            *tokens, text = self._cluster.from_leader(own).split(b"\n")
            return tokens, np.array(json.loads(text), np.int64)
        merged: dict[bytes, int] = {END: 0}
        for part in self._gather(own):
            *tokens, text = part.split(b"\n")
            for token, count in zip(tokens, json.loads(text), strict=True):
                merged[token] = merged.get(token, 0) + count
        return list(merged), np.array(list(merged.values()), np.int64)

    def share(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """The pieces of work that are this host's."""
        return pieces if self._sharded else pieces[self.rank :: self.hosts]

    def begin(self, *matrices: NDArray[np.float32]) -> None:
        """Remember the matrices that every host begins with."""
        if self.hosts > 1:
            self._before = [matrix.copy() for matrix in matrices]

    def share_changes(self, *matrices: NDArray[np.float32]) -> None:
        """Give every host what all have learned since the last time.

        A row moves in the direction of the sum of the hosts' changes, at most as far as the sum
        would reach if they had nothing to do with one another: ``S * min(1, sqrt(Q) / |S|)`` for
        changes ``d`` with ``S = sum d`` and ``Q = sum |d|^2``. What one host alone has learned of a
        rare word is kept whole; what all have learned of a frequent one is not learned as many
        times, which would diverge.
        """
        if self.hosts == 1:
            return
        for matrix, before in zip(matrices, self._before, strict=True):
            for begin in range(0, len(matrix), _ROWS_AT_ONCE):
                rows = slice(begin, begin + _ROWS_AT_ONCE)
                change = matrix[rows] - before[rows]
                squares = np.einsum("ij,ij->i", change, change)
                together = self._cluster.sum(np.column_stack([change, squares]))
                total, squares = together[:, :-1], together[:, -1]
                reached = np.maximum(np.einsum("ij,ij->i", total, total), _TINY)
                before[rows] += total * np.minimum(1, np.sqrt(squares / reached))[:, None]
                matrix[rows] = before[rows]

    def _gather(self, own: bytes) -> list[bytes]:
        sizes = np.zeros(self.hosts, np.int64)
        sizes[self.rank] = len(own)
        ends = np.cumsum(self._cluster.sum(sizes))
        buffer = np.zeros(int(ends[-1]), np.uint8)
        buffer[ends[self.rank] - len(own) : ends[self.rank]] = np.frombuffer(own, np.uint8)
        every: Any = self._cluster.sum(buffer)
        begins = [0, *ends[:-1].tolist()]
        return [
            every[begin:end].tobytes() for begin, end in zip(begins, ends.tolist(), strict=True)
        ]
