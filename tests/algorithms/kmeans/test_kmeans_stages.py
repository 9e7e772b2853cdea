"""The stages of K-Means one by one, on small made data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.kmeans.assignment import Assignment, cut
from bottega.algorithms.kmeans.lloyd import refine, shrink
from bottega.algorithms.kmeans.schema import SCHEMA
from bottega.algorithms.kmeans.seeding import choose
from bottega.algorithms.kmeans.streaming import Summary, center_count, summarize
from bottega.algorithms.readers.record_channel import Batch


@dataclass
class Channel:
    """Rows in a fixed order, so that a test knows which batch holds what."""

    rows: Any
    name: str = "train"
    kept: bool = True

    @property
    def width(self) -> int:
        return int(self.rows.shape[1])

    @property
    def sparse(self) -> bool:
        return bool(sparse.issparse(self.rows))

    def batches(self, size: int, *, epoch: int = 0, seed: int | None = None) -> Iterator[Batch]:
        step = size or self.rows.shape[0]
        for start in range(0, self.rows.shape[0], step):
            yield Batch(self.rows[start : start + step], None)


def summary_of(rows: Any, **given: Any) -> Summary:
    values = {**SCHEMA.check({**SCHEMA.defaults(), "k": "1", "feature_dim": "1"}), **given}
    return summarize(Channel(rows), values, 2, lambda epoch, count: None)


def squared_distances(rows: Any, centers: Any) -> Any:
    return ((rows[:, None, :].astype(float) - centers[None]) ** 2).sum(axis=2)


def mixture(groups: int, each: int, width: int, *, seed: int = 0) -> tuple[Any, Any]:
    """Rows around corners far from one another, shuffled; and the corners."""
    random = np.random.default_rng(seed)
    corners = random.permutation(4 ** min(width, 8))[:groups, None] // 4 ** np.arange(width) % 4
    corners = corners * 20.0
    rows = np.repeat(corners, each, axis=0) + random.normal(size=(groups * each, width))
    return random.permutation(rows).astype(np.float32), corners


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 300),
    width=st.sampled_from([1, 2, 3, 4, 5, 20, 127, 128, 129, 140]),
    centers=st.integers(1, 70),
    far=st.sampled_from([0.0, 1000.0]),
    seed=st.integers(0, 99),
)
def test_totals_are_those_of_plain_arithmetic(
    rows: int, width: int, centers: int, far: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    table = (random.normal(size=(rows, width)) + far).astype(np.float32)
    shift = np.full(width, far, dtype=np.float32)
    near = random.normal(size=(centers, width))
    with Assignment(shift, 2) as assignment:
        found = assignment.totals(cut(table), near)
    distances = squared_distances(table - shift, near)
    # Of two centres at the same distance, as good as, either is right.
    assert found.losses(near).sum() == pytest.approx(distances.min(axis=1).sum(), rel=1e-4)
    assert found.counts.sum() == rows
    np.testing.assert_allclose(found.sums.sum(axis=0), (table - shift).sum(axis=0), atol=1e-3)
    nearest = distances.argmin(axis=1)
    gap = np.partition(distances, 1, axis=1)[:, 1] - distances.min(axis=1) if centers > 1 else 1.0
    if np.min(gap) > 1e-3 * width:
        np.testing.assert_array_equal(found.counts, np.bincount(nearest, minlength=centers))


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 1200), centers=st.integers(1, 20), seed=st.integers(0, 99))
def test_sparse_rows_give_the_totals_of_dense_ones(rows: int, centers: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    table = sparse.random(rows, 30, 0.2, format="csr", dtype=np.float32, random_state=random)
    near = random.normal(size=(centers, 30))
    with Assignment(np.zeros(30, np.float32), 2) as assignment:
        thin = assignment.totals(cut(table), near)
        thick = assignment.totals(cut(table.toarray()), near)
    for one, other in zip(
        (thin.sums, thin.counts, thin.squares),
        (thick.sums, thick.counts, thick.squares),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize("width", [3, 200])
def test_threads_change_nothing(width: int) -> None:
    table = np.random.default_rng(0).normal(size=(5000, width)).astype(np.float32)
    found = []
    for threads in (1, 3):
        with Assignment(np.zeros(width, np.float32), threads) as assignment:
            found.append(assignment.totals(cut(table), table[:9].astype(float)))
    np.testing.assert_array_equal(found[0].sums, found[1].sums)
    np.testing.assert_array_equal(found[0].squares, found[1].squares)


def test_rows_that_overflow_are_refused() -> None:
    table = np.full((4, 3), 1e30, dtype=np.float32)
    with (
        Assignment(np.zeros(3, np.float32), 1) as assignment,
        pytest.raises(CustomerError, match="scale the features"),
    ):
        assignment.totals([table], np.zeros((2, 3)))


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 500),
    batch=st.integers(1, 200),
    k=st.integers(1, 8),
    init=st.sampled_from(["random", "kmeans++"]),
    seed=st.integers(0, 99),
)
def test_one_pass_keeps_the_spread_of_the_data(
    rows: int, batch: int, k: int, init: str, seed: int
) -> None:
    """Each centre is the mean of its rows: what they lose to it and what it stands for add up."""
    table = (np.random.default_rng(seed).normal(size=(rows, 3)) + 50).astype(np.float32)
    found = summary_of(table, k=k, mini_batch_size=batch, init_method=init)
    assert found.rows == rows
    assert found.weights.sum() == pytest.approx(rows)
    assert found.weights.size <= min(rows, center_count(k, 3, "auto"))
    middle = table.mean(axis=0, dtype=float)
    np.testing.assert_allclose(found.weights @ found.points / rows, middle, rtol=1e-5)
    spread = ((table - middle) ** 2).sum()
    between = found.weights @ ((found.points - middle) ** 2).sum(axis=1)
    assert found.losses.sum() + between == pytest.approx(spread, rel=1e-3, abs=1e-3)


def test_each_pass_counts_its_own_rows_and_later_ones_move_less() -> None:
    table = np.concatenate([np.zeros((100, 1)), np.ones((100, 1))]).astype(np.float32)
    once = summary_of(table, mini_batch_size=100, extra_center_factor=1)
    assert once.points[0, 0] == pytest.approx(0.5)
    twice = summary_of(table, mini_batch_size=100, extra_center_factor=1, epochs=2)
    # 0.5, then a third of the way to 0, then a quarter of the way to 1.
    assert twice.points[0, 0] == pytest.approx(0.5)
    assert twice.weights.sum() == twice.rows == 200


def test_half_life_lets_older_rows_count_less() -> None:
    table = np.concatenate([np.zeros((100, 1)), np.ones((100, 1))]).astype(np.float32)
    found = summary_of(table, mini_batch_size=100, extra_center_factor=1, half_life_time_size=100)
    # The first hundred count as fifty when the second come.
    assert found.points[0, 0] == pytest.approx(2 / 3)
    assert found.weights[0] == pytest.approx(150)
    assert found.rows == 200


def test_the_number_of_centers() -> None:
    assert center_count(10, 20, 7) == 70
    assert center_count(10, 20, "auto") == 100
    assert center_count(150, 20, "auto") == 6 * 150
    assert center_count(1000, 20, "auto") == 4000
    # 1000 centres of a million numbers are more than enough.
    assert center_count(1000, 1_000_000, "auto") == 1000


@settings(max_examples=30, deadline=None)
@given(
    points=st.integers(1, 40),
    same=st.booleans(),
    method=st.sampled_from(["random", "kmeans++"]),
    data=st.data(),
)
def test_seeds_are_points(points: int, same: bool, method: str, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, points))
    random = np.random.default_rng(points)
    table = np.ones((points, 2)) if same else random.normal(size=(points, 2))
    found = choose(method, table, random.random(points), count, random)
    assert found.shape == (count, 2)
    assert all((row == table).all(axis=1).any() for row in found)
    if not same:
        assert len(np.unique(found, axis=0)) == count


def test_plus_plus_spreads_where_chance_does_not() -> None:
    table, corners = mixture(12, 50, 3)
    rows = table.astype(float)
    found = choose("kmeans++", rows, np.ones(len(rows)), 12, np.random.default_rng(0))
    assert len(set(squared_distances(found, corners).argmin(axis=1))) == 12


def shrunk(summary: Summary, k: int, **changes: Any) -> tuple[list[Any], list[float]]:
    told: list[float] = []
    settings = {"method": "kmeans++", "trials": 5, "iterations": 300, "tolerance": 1e-4, **changes}
    found = shrink(
        summary,
        k,
        **settings,
        side_by_side=lambda function, items: [function(item) for item in items],
        report=lambda number, mean: told.append(mean),
    )
    return found, told


def test_weights_pull_centers() -> None:
    points = np.array([[0.0], [1.0], [10.0]])
    summary = Summary(points, np.array([3.0, 1.0, 2.0]), np.array([6.0, 0.0, 0.0]), 6)
    found, told = shrunk(summary, 2)
    np.testing.assert_allclose(np.sort(found[0].ravel()), [0.25, 10.0])
    # What the points hide counts too: 6, and 3 x 0.25^2 + 0.75^2.
    assert min(told) == pytest.approx((6 + 0.75) / 6)


def test_attempts_come_best_first_and_are_limited() -> None:
    table, _ = mixture(8, 30, 2)
    summary = Summary(table.astype(float), np.ones(len(table)), np.zeros(len(table)), len(table))
    found, told = shrunk(summary, 8, method="random", trials=12)
    losses = [squared_distances(table, centers).min(axis=1).mean() for centers in found]
    assert losses == sorted(losses)
    assert losses[0] == pytest.approx(min(told), rel=1e-2)
    assert len(set(np.round(told, 6))) > 1
    barely, _ = shrunk(summary, 8, method="random", trials=1, iterations=1)
    fully, _ = shrunk(summary, 8, method="random", trials=1)
    assert (
        squared_distances(table, barely[0]).min(axis=1).sum()
        > squared_distances(table, fully[0]).min(axis=1).sum()
    )


def refined(rows: Any, centers: Any, **changes: Any) -> tuple[Any, float]:
    shift = np.zeros(rows.shape[1], np.float32)
    settings = {"iterations": 300, "tolerance": 1e-6, **changes}
    with Assignment(shift, 2) as assignment:
        return refine([rows], [centers], assignment=assignment, cluster=Cluster(1, 0), **settings)


def test_refining_ends_where_lloyd_would() -> None:
    rows = np.random.default_rng(0).random((3000, 4), dtype=np.float32)
    start = rows[:7].astype(float)
    found, mean = refined(rows, start)
    distances = squared_distances(rows, found)
    assert mean == pytest.approx(distances.min(axis=1).mean(), rel=1e-4)
    assert mean < squared_distances(rows, start).min(axis=1).mean() * 0.8
    means = np.stack([rows[distances.argmin(axis=1) == j].mean(axis=0) for j in range(7)])
    assert np.abs(means - found).max() < 0.01
    few, _ = refined(rows, start, iterations=1)
    np.testing.assert_allclose(
        few,
        np.stack(
            [
                rows[squared_distances(rows, start).argmin(axis=1) == j].mean(axis=0)
                for j in range(7)
            ]
        ),
        rtol=1e-5,
    )


def test_a_center_without_rows_gets_some() -> None:
    table, corners = mixture(4, 100, 2)
    # One centre is far from all rows: two corners share another.
    start = np.array([*corners[:3], [1e4, 1e4]])
    found, mean = refined(table, start)
    assert mean == pytest.approx(2.0, rel=0.2)
    assert len(set(squared_distances(found, corners).argmin(axis=1))) == 4


def test_a_small_cluster_outlives_the_sample_of_the_rows() -> None:
    rows = np.random.default_rng(0).random((10_000, 2), dtype=np.float32)
    rows[5000:5003] = 100.0
    start = np.array([[0.2, 0.2], [0.8, 0.8], [0.2, 0.8], [0.8, 0.2], [100.0, 100.0]])
    found, mean = refined(rows, start)
    assert squared_distances(np.array([[100.0, 100.0]]), found).min() < 1e-6
    assert mean < 0.06


def test_a_center_stays_where_there_is_nothing_to_share() -> None:
    rows = np.repeat(np.array([[1.0], [2.0]], np.float32), 5, axis=0)
    found, mean = refined(rows, np.array([[1.0], [2.0], [2.0]]))
    assert mean == 0.0
    np.testing.assert_allclose(np.sort(found.ravel()), [1.0, 2.0, 2.0])
