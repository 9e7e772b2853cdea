"""The parts of Factorization Machines beside plain arithmetic."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from bottega.algorithms.base import CustomerError
from bottega.algorithms.cluster import Cluster
from bottega.algorithms.factorization_machines.averaging import Averaging
from bottega.algorithms.factorization_machines.batches import (
    SparseRows,
    TurnedRows,
    sparse_rows,
    turned_rows,
)
from bottega.algorithms.factorization_machines.learner import Learner
from bottega.algorithms.factorization_machines.metrics import Score, probabilities
from bottega.algorithms.factorization_machines.schema import SCHEMA
from bottega.algorithms.factorization_machines.weights import Weights


def values_of(width: int, factors: int = 3, **given: str) -> dict[str, Any]:
    needed = {"feature_dim": str(width), "num_factors": str(factors), "predictor_type": "regressor"}
    return SCHEMA.check({**SCHEMA.defaults(), **needed, **given})


def rows_of(count: int, width: int, seed: int, density: float = 0.4) -> Any:
    random = np.random.default_rng(seed)
    return sparse.random(count, width, density, format="csr", dtype=np.float32, random_state=random)


def batch_of(rows: Any, labels: Any) -> TurnedRows:
    slots = np.full(rows.shape[1], -1, dtype=np.int32)
    found = turned_rows(sparse_rows(rows, labels), slots)
    assert (slots == -1).all()
    return found


def small_batch_of(rows: Any, labels: Any) -> SparseRows:
    return sparse_rows(rows, labels)


def margins_by_pairs(rows: Any, weights: Weights) -> Any:
    """The definition, pair by pair."""
    table, factors = rows.toarray().astype(float), weights.factors.astype(float)
    products = factors @ factors.T
    found = float(weights.bias[0]) + table @ weights.linear.astype(float)
    for i in range(table.shape[1]):
        for j in range(i + 1, table.shape[1]):
            found += products[i, j] * table[:, i] * table[:, j]
    return found


@settings(max_examples=30, deadline=None)
@given(
    count=st.integers(1, 40),
    width=st.integers(1, 12),
    factors=st.sampled_from([1, 2, 5, 16, 33]),
    seed=st.integers(0, 99),
)
def test_margins_are_the_sum_over_pairs(count: int, width: int, factors: int, seed: int) -> None:
    values = values_of(width, factors, factors_init_sigma="0.5", linear_init_sigma="1")
    rows = rows_of(count, width, seed)
    with Learner(Weights.begin(values), values, 2) as learner:
        found = learner.margins(batch_of(rows, np.zeros(count)))
        np.testing.assert_allclose(
            found, margins_by_pairs(rows, learner.weights), rtol=1e-4, atol=1e-4
        )


@settings(max_examples=30, deadline=None)
@given(count=st.integers(1, 60), width=st.integers(1, 80), seed=st.integers(0, 99))
def test_a_turned_batch_is_the_transposed_one(count: int, width: int, seed: int) -> None:
    rows = rows_of(count, width, seed)
    batch = batch_of(rows, np.zeros(count))
    columns = rows.tocsc()
    assert sorted(batch.features) == np.unique(rows.indices).tolist()
    for slot, feature in enumerate(batch.features):
        part = slice(batch.begins[slot], batch.begins[slot + 1])
        expected = slice(columns.indptr[feature], columns.indptr[feature + 1])
        np.testing.assert_array_equal(batch.value_rows[part], columns.indices[expected])
        np.testing.assert_array_equal(batch.turned[part], columns.data[expected])


class Reference:
    """The same optimizer on dense arrays in double precision, from the textbook's formulas."""

    def __init__(self, weights: Weights, values: dict[str, Any]) -> None:
        self.parts = {
            "bias": weights.bias.astype(float),
            "linear": weights.linear.astype(float),
            "factors": weights.factors.astype(float),
        }
        self.first = {name: np.zeros_like(part) for name, part in self.parts.items()}
        self.second = {name: np.zeros_like(part) for name, part in self.parts.items()}
        self.values, self.steps = values, 0

    def learn(self, rows: Any, labels: Any) -> None:
        table = rows.toarray().astype(float)
        factors = self.parts["factors"]
        sums = table @ factors
        margins = (
            self.parts["bias"][0]
            + table @ self.parts["linear"]
            + 0.5 * ((sums**2).sum(axis=1) - (table**2) @ (factors**2).sum(axis=1))
        )
        binary = self.values["predictor_type"] == "binary_classifier"
        said = 1 / (1 + np.exp(-margins)) if binary else margins
        slopes = said - labels
        gradients = {
            "bias": slopes.sum(keepdims=True),
            "linear": table.T @ slopes,
            "factors": (table * slopes[:, None]).T @ sums
            - ((table**2).T @ slopes)[:, None] * factors,
        }
        occurs = (table != 0).any(axis=0)
        scale = self.values.get("rescale_grad", 1 / len(labels))
        bound = self.values.get("clip_gradient", np.inf)
        self.steps += 1
        rate = np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        for name, part in self.parts.items():
            found = gradients[name] * scale + self.values[f"{name}_wd"] * part
            found = np.clip(found, -bound, bound)
            first = 0.9 * self.first[name] + 0.1 * found
            second = 0.999 * self.second[name] + 0.001 * found**2
            step = (
                self.values[f"{name}_lr"]
                * rate
                * first
                / (np.sqrt(second) + self.values.get("eps", 1e-8))
            )
            moved = np.array([True]) if name == "bias" else occurs
            self.first[name][moved] = first[moved]
            self.second[name][moved] = second[moved]
            part[moved] -= step[moved]


@pytest.mark.parametrize("made", [batch_of, small_batch_of])
@pytest.mark.parametrize("kind", ["regressor", "binary_classifier"])
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"factors_lr": "0.05", "linear_lr": "0.02", "bias_lr": "0.3"},
        {"factors_wd": "0.5", "linear_wd": "0.3", "bias_wd": "0.2", "factors_lr": "0.01"},
        {"clip_gradient": "0.01", "factors_lr": "0.01"},
        {"rescale_grad": "3", "eps": "0.5", "factors_lr": "0.05"},
    ],
    ids=["defaults", "rates", "decays", "clip", "rescale and eps"],
)
def test_steps_are_those_of_adam(kind: str, given: dict[str, str], made: Any) -> None:
    values = values_of(9, 4, predictor_type=kind, factors_init_sigma="0.3", **given)
    weights = Weights.begin(values)
    expected = Reference(weights, values)
    random = np.random.default_rng(5)
    with Learner(weights, values, 2) as learner:
        for step in range(6):
            rows = rows_of(20, 9, step, density=0.2)
            labels = random.integers(0, 2, 20).astype(float)
            learner.learn(made(rows, labels))
            expected.learn(rows, labels)
    for name, part in expected.parts.items():
        np.testing.assert_allclose(getattr(weights, name), part, rtol=2e-3, atol=2e-5)


def test_small_batches_at_once_are_the_same_as_one_by_one() -> None:
    values = values_of(30, 5, factors_lr="0.01", mini_batch_size="16")
    rows, labels = rows_of(100, 30, 0), np.arange(100) % 3
    together, apart = Weights.begin(values), Weights.begin(values)
    with Learner(together, values, 2) as learner:
        at_once = learner.learn(sparse_rows(rows, labels))
    with Learner(apart, values, 2) as learner:
        one_by_one = [
            learner.learn(batch_of(rows[start : start + 16], labels[start : start + 16]))
            for start in range(0, 100, 16)
        ]
    np.testing.assert_allclose(at_once, np.concatenate(one_by_one), rtol=1e-6)
    np.testing.assert_allclose(together.factors, apart.factors, rtol=1e-6)
    np.testing.assert_allclose(together.linear, apart.linear, rtol=1e-6)
    np.testing.assert_allclose(together.bias, apart.bias, rtol=1e-6)


def test_features_that_do_not_occur_stay_as_they_are() -> None:
    values = values_of(50, 4)
    weights = Weights.begin(values)
    before = weights.factors.copy()
    rows = sparse.csr_matrix(([1.0, 2.0], ([0, 0], [3, 7])), shape=(1, 50), dtype=np.float32)
    with Learner(weights, values, 1) as learner:
        learner.learn(batch_of(rows, np.ones(1)))
    changed = (weights.factors != before).any(axis=1)
    assert np.flatnonzero(changed).tolist() == [3, 7]


def test_threads_change_nothing() -> None:
    values = values_of(3000, 32, factors_lr="0.01")
    found = []
    for threads in (1, 3):
        weights = Weights.begin(values)
        with Learner(weights, values, threads) as learner:
            for step in range(3):
                rows = rows_of(400, 3000, step, density=0.02)
                learner.learn(batch_of(rows, np.arange(400) % 5))
        found.append(weights)
    np.testing.assert_array_equal(found[0].factors, found[1].factors)
    np.testing.assert_array_equal(found[0].linear, found[1].linear)


@pytest.mark.parametrize("made", [batch_of, small_batch_of])
def test_a_training_that_diverges_says_so(made: Any) -> None:
    values = values_of(3, 2, factors_lr="1e30", linear_lr="1e30", factors_init_sigma="1")
    batch = made(rows_of(10, 3, 0, 1.0), np.ones(10))
    with Learner(Weights.begin(values), values, 1) as learner:
        learner.learn(batch)
        with pytest.raises(CustomerError, match=r"diverged.*clip_gradient"):
            learner.learn(batch)


@pytest.mark.parametrize(
    ("method", "parameter"), [("normal", "sigma"), ("uniform", "scale"), ("constant", "value")]
)
def test_what_training_begins_with(method: str, parameter: str) -> None:
    given = {
        f"{part}_init_{name}": value
        for part, size in (("bias", "3"), ("linear", "0.5"), ("factors", "0.25"))
        for name, value in (("method", method), (parameter, size))
    }
    found = Weights.begin(values_of(5000, 8, **given))
    for table, size in ((found.linear, 0.5), (found.factors, 0.25)):
        assert table.dtype == np.float32
        if method == "constant":
            assert (table == size).all()
        else:
            assert abs(table.mean()) < 0.05 * size + 0.02
            spread = size if method == "normal" else size / np.sqrt(3)
            assert table.std() == pytest.approx(spread, rel=0.05)
    assert found.bias.shape == (1,)
    if method == "uniform":
        assert abs(found.factors).max() <= 0.25
    np.testing.assert_array_equal(found.factors, Weights.begin(values_of(5000, 8, **given)).factors)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(-12, 12), st.booleans()), min_size=1, max_size=50))
def test_scores_of_classes(pairs: list[tuple[float, bool]]) -> None:
    from sklearn.metrics import accuracy_score, f1_score, log_loss

    margins = np.array([pair[0] for pair in pairs], dtype=np.float32)
    labels = np.array([pair[1] for pair in pairs], dtype=np.float32)
    score = Score("binary_classifier")
    for part in (slice(0, 3), slice(3, None)):
        score.add(margins[part], labels[part])
    chances = probabilities(margins.astype(float))
    found = score.values()
    said = (margins >= 0).astype(int)
    assert found["binary_classification_accuracy"] == accuracy_score(labels, said)
    assert found["binary_f_1.000"] == pytest.approx(f1_score(labels, said, zero_division=0.0))
    expected = log_loss(labels, np.stack([1 - chances, chances], axis=1), labels=[0, 1])
    assert found["binary_classification_cross_entropy"] == pytest.approx(expected, rel=1e-5)
    assert score.rows == len(pairs)


def test_scores_of_numbers() -> None:
    score = Score("regressor")
    score.add(np.array([1.0, 2.0], np.float32), np.array([2.0, 5.0], np.float32))
    assert score.values() == {
        "rmse": pytest.approx(np.sqrt(5)),
        "mse": pytest.approx(5),
        "absolute_loss": pytest.approx(2),
    }


class Pair(Cluster):
    """Two hosts that are threads."""

    def __init__(self, rank: int, meeting: threading.Barrier, table: list[Any]) -> None:
        super().__init__(2, rank)
        self._meeting, self._table = meeting, table

    def _reduce(self, values: Any, operation: str) -> Any:
        assert operation == "SUM"
        self._table[self.rank] = values
        self._meeting.wait(20)
        found = self._table[0] + self._table[1]
        self._meeting.wait(20)
        return found


def test_hosts_agree_on_the_mean_of_those_that_met_a_feature() -> None:
    values = values_of(6, 2, factors_lr="0.1", linear_lr="0.1")
    meeting, table = threading.Barrier(2), [None, None]
    learners = [Learner(Weights.begin(values), values, 1) for _ in range(2)]
    begun = Weights.begin(values)
    alone: list[Any] = [None, None]

    def run(rank: int) -> None:
        # Feature 0 is met by both, 1 by the first, 2 by the second, 3 to 5 by none.
        features = [0, 1 + rank]
        rows = sparse.csr_matrix(
            (np.ones(2, np.float32), ([0, 0], features)), shape=(1, 6), dtype=np.float32
        )
        learner = learners[rank]
        averaging = Averaging(Pair(rank, meeting, table), 6)
        batch = batch_of(rows, np.array([3.0 * rank + 1]))
        learner.learn(batch)
        averaging.note(batch.met, batch.rows * (1 + 2 * rank))
        alone[rank] = (learner.weights.factors.copy(), float(learner.weights.bias[0]))
        averaging.agree(learner)

    threads = [threading.Thread(target=run, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    one, two = (learner.weights.factors for learner in learners)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(one[0], (alone[0][0][0] + alone[1][0][0]) / 2, rtol=1e-6)
    np.testing.assert_allclose(one[1], alone[0][0][1])
    np.testing.assert_allclose(one[2], alone[1][0][2])
    np.testing.assert_array_equal(one[3:], begun.factors[3:])
    assert float(learners[0].weights.bias[0]) == pytest.approx((alone[0][1] + 3 * alone[1][1]) / 4)
    np.testing.assert_array_equal(learners[0].factors_moments, learners[1].factors_moments)
    for learner in learners:
        learner.__exit__(None, None, None)
