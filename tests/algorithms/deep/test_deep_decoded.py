"""Decoded pictures: kept as far as they fit, in order, from threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.base import CustomerError
from bottega.algorithms.deep.decoded import DecodedImages, in_order, memory_budget


@dataclass(frozen=True)
class Item:
    name: str
    data: bytes


class Counting:
    """Prepares pictures of as many rows as the first byte says, and counts."""

    def __init__(self) -> None:
        self.calls = 0
        self._lock = threading.Lock()

    def __call__(self, data: bytes) -> np.ndarray:
        with self._lock:
            self.calls += 1
        if not data:
            raise ValueError("it is empty")
        return np.full((data[0], 10, 1), data[0], dtype=np.uint8)


def items(*sizes: int) -> list[Item]:
    return [Item(f"{size}.png", bytes([size])) for size in sizes]


def test_what_fits_is_decoded_once():
    prepare = Counting()
    found = DecodedImages(items(3, 1, 2), prepare, threads=2)
    assert found.kept == len(found) == 3
    assert found.sizes.tolist() == [[3, 10], [1, 10], [2, 10]]
    assert [found[index].shape for index in (2, 0, 2)] == [(2, 10, 1), (3, 10, 1), (2, 10, 1)]
    assert prepare.calls == 3


def test_what_does_not_fit_is_decoded_again():
    prepare = Counting()
    found = DecodedImages(items(3, 9, 1), prepare, threads=1, budget=45)
    assert found.kept == 2
    assert found[1].shape == (9, 10, 1)
    assert found[1].shape == (9, 10, 1)
    assert found[2].shape == (1, 10, 1)
    assert prepare.calls == 3 + 2


def test_a_broken_picture_is_named():
    broken = [*items(1, 2), Item("bad.png", b""), *items(3)]
    with pytest.raises(CustomerError, match=r"bad\.png cannot be used: it is empty"):
        DecodedImages(broken, Counting(), threads=3)


def test_the_budget_can_be_set(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BOTTEGA_READER_MEMORY", "2")
    assert memory_budget() == 2 * 2**20
    monkeypatch.delenv("BOTTEGA_READER_MEMORY")
    assert memory_budget() > 2**24


@given(count=st.integers(0, 60), threads=st.integers(1, 5))
def test_results_come_in_order(count: int, threads: int):
    assert list(in_order(lambda n: n * n, range(count), threads=threads)) == [
        n * n for n in range(count)
    ]


def test_not_everything_is_taken_at_once():
    taken = []

    def source():
        for number in range(100):
            taken.append(number)
            yield number

    work = in_order(lambda n: n, source(), threads=2)
    assert next(work) == 0
    assert len(taken) < 10
    work.close()


def test_errors_come_where_the_result_would_have():
    def refuse_two(number: int) -> int:
        if number == 2:
            raise CustomerError("two")
        return number

    found = []
    work: Callable[[], object] = in_order(refuse_two, range(5), threads=2).__next__
    found += [work(), work()]
    with pytest.raises(CustomerError, match="two"):
        work()
    assert found == [0, 1]
