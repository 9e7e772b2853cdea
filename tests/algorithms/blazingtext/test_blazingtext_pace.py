"""Who learns what, and how large the steps are."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.blazingtext.exchange import Exchange
from bottega.algorithms.blazingtext.pace import Pace, cut_into_pieces
from bottega.algorithms.blazingtext.word_vectors import _parts
from bottega.algorithms.cluster import Cluster


@given(st.lists(st.integers(1, 5000), max_size=300))
def test_pieces_cover_all_texts_once(lengths: list[int]) -> None:
    offsets = np.cumsum([0, *lengths]).astype(np.int64)
    pieces = cut_into_pieces(offsets)
    assert [text for first, last, _ in pieces for text in range(first, last)] == list(
        range(len(lengths))
    )
    for first, last, tokens in pieces:
        assert tokens == sum(lengths[first:last])
        assert tokens < 10_000 + 5000


@given(st.integers(0, 50), st.integers(1, 60))
def test_parts_cover_all_pieces_once(count: int, parts: int) -> None:
    pieces = [(n, n + 1, 7) for n in range(count)]
    found = _parts(pieces, parts)
    assert len(found) == parts
    assert [piece for part in found for piece in part] == pieces


@pytest.mark.parametrize("threads", [1, 3])
def test_the_rate_falls_to_nothing(threads: int) -> None:
    pieces = [(n, n + 1, 1000) for n in range(100)]
    pace = Pace(2 * 100_000, 0.5, speaks=False)
    seen: list[tuple[int, float, int]] = []
    workers: set[int] = set()

    def learn(first: int, last: int, rate: np.float32, state: np.uint64) -> None:
        workers.add(threading.get_ident())
        seen.append((first, float(rate), int(state)))

    for _ in range(2):
        pace.run(pieces, threads, learn)
    assert sorted(first for first, _, _ in seen) == sorted([*range(100), *range(100)])
    assert len({state for _, _, state in seen}) == 200
    rates = sorted((rate for _, rate, _ in seen), reverse=True)
    np.testing.assert_allclose(rates, 0.5 * (1 - np.arange(200) / 200), rtol=1e-6)
    if threads == 1:
        assert [rate for _, rate, _ in seen] == rates
        assert workers == {threading.get_ident()}


def test_an_error_in_a_thread_is_raised() -> None:
    def fail(first: int, last: int, rate: np.float32, state: np.uint64) -> None:
        raise ValueError(f"text {first}")

    with pytest.raises(ValueError, match="text"):
        Pace(10**6, 0.1, speaks=False).run([(0, 1, 500_000), (1, 2, 500_000)], 2, fail)


def test_a_host_alone_exchanges_nothing() -> None:
    exchange = Exchange(Cluster(1, 0), sharded=False)
    matrix = np.ones((3, 2), np.float32)
    exchange.begin(matrix)
    matrix += 1
    exchange.share_changes(matrix)
    assert (matrix == 2).all()
    assert exchange.share([(0, 1, 5)]) == [(0, 1, 5)]


class Hosts(Cluster):
    """Of several hosts the one that is asked; the others change what they are told."""

    def __init__(self, others: list[np.ndarray]) -> None:
        super().__init__(len(others) + 1, 0)
        self._others = others

    def sum(self, values: np.ndarray) -> np.ndarray:
        return values + sum(
            np.column_stack([change, (change**2).sum(axis=1)]) for change in self._others
        )


def test_what_hosts_learned_is_put_together() -> None:
    own = np.array([[1, 0], [1, 0], [0, 0], [3, 4], [1, 0]], np.float32)
    other = np.array([[0, 2], [1, 0], [5, 5], [0, 0], [-1, 0]], np.float32)
    before = np.full((5, 2), 10, np.float32)
    matrix = before.copy()
    exchange = Exchange(Hosts([other]), sharded=False)
    exchange.begin(matrix)
    matrix += own
    exchange.share_changes(matrix)
    # Different: both. Equal: as far as two that have nothing to do with one another, together.
    # Of one host: whole. Opposite: nothing.
    expected = [[1, 2], [2**0.5, 0], [5, 5], [3, 4], [0, 0]]
    np.testing.assert_allclose(matrix - before, expected, atol=1e-5)
