"""How training goes on: who works on what, how large the steps are, and the lines that tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

_LINES = 20
"""Of progress, over the whole training."""
_PIECE_TOKENS, _LEAST_PIECES = 10_000, 200
_TOKENS_FOR_THREADS = 50_000
"""Fewer are learned by one thread, for the others would be in its way."""

Piece = tuple[int, int, int]
"""The first text of a piece of work, the text behind its last, and the tokens in between."""


class Pace:
    """The learning rate over a training, and the lines about it.

    Args:
        tokens: how many will be learned, over all epochs.
        rate: the learning rate at the beginning; it falls to 0.
        seed: of the random numbers of the pieces.
        speaks: whether this host prints.
    """

    def __init__(self, tokens: int, rate: float, *, seed: int = 0, speaks: bool = True) -> None:
        self._tokens = max(1, tokens)
        self._rate = rate
        self._state = seed
        self._speaks = speaks
        self._done = 0
        self._told = 0
        self._began = time.perf_counter()
        self._seconds = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def clock(self) -> Iterator[None]:
        """What is done meanwhile is training, and its time counts."""
        self._began = time.perf_counter()
        yield
        self._seconds += time.perf_counter() - self._began

    def run(
        self,
        pieces: Sequence[Piece],
        threads: int,
        learn: Callable[[int, int, np.float32, np.uint64], object],
    ) -> None:
        """Go through pieces of work once, with several threads.

        Args:
            pieces: in their order.
            threads: at most so many; few tokens are learned by one.
            learn: gets the first text, the one behind the last, the rate, and a random state.
        """
        queue = iter(pieces)
        if sum(tokens for _, _, tokens in pieces) < _TOKENS_FOR_THREADS:
            threads = 1

        def work() -> None:
            while (piece := self._next(queue)) is not None:
                learn(*piece)

        if threads == 1:
            work()
            return
        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(work) for _ in range(threads)]:
                future.result()

    def finish(self, text: str) -> None:
        """Say that training is over, and how fast it was."""
        if self._speaks:
            print(text)
            speed = self._done / max(self._seconds, 1e-9) / 1e6
            print(f"Average throughput in Million words/sec: {speed:.2f}")
            print(f"Total training time in seconds: {self._seconds:.2f}\n", flush=True)

    def _next(self, queue: Iterator[Piece]) -> tuple[int, int, np.float32, np.uint64] | None:
        with self._lock:
            piece = next(queue, None)
            if piece is None:
                if self._done == self._tokens:
                    self._tell()
                return None
            first, last, tokens = piece
            rate = np.float32(self._rate * (1 - self._done / self._tokens))
            self._done += tokens
            if self._done < self._tokens:
                self._tell()
            self._state += 1
            return first, last, rate, np.uint64(_scrambled(self._state))

    def _tell(self) -> None:
        """Print a line when another part of the work is taken, the last one when all is."""
        share = self._done / self._tokens
        if not self._speaks or int(share * _LINES) <= self._told:
            return
        self._told = int(share * _LINES)
        seconds = self._seconds + time.perf_counter() - self._began
        speed = self._done / max(seconds, 1e-9) / 1e6
        print(
            f"##### Alpha: {self._rate * (1 - share):.4f}  Progress: {100 * share:.2f}%  "
            f"Million Words/sec: {speed:.2f} #####",
            flush=True,
        )


def cut_into_pieces(offsets: NDArray[np.int64]) -> list[Piece]:
    """Pieces of a few thousand tokens each, that begin and end with a text.

    Args:
        offsets: where each text begins in the tokens, and where the last one ends.
    """
    total = int(offsets[-1])
    size = max(1, min(_PIECE_TOKENS, total // _LEAST_PIECES))
    cuts = np.unique(np.searchsorted(offsets, [*range(0, total, size), total]))
    ends = zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)
    return [(first, last, int(offsets[last] - offsets[first])) for first, last in ends]


def _scrambled(number: int) -> int:
    """A 64-bit number that has nothing to do with its neighbours' (SplitMix64)."""
    mask = (1 << 64) - 1
    value = number * 0x9E3779B97F4A7C15 & mask
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ value >> 27) * 0x94D049BB133111EB & mask
    return value ^ value >> 31
