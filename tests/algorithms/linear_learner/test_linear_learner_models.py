"""Steps of the optimizers and gradients of dense and sparse rows, against plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner import margins as margins_module
from bottega.algorithms.linear_learner.grid import Candidate
from bottega.algorithms.linear_learner.losses import LossSums, loss_of
from bottega.algorithms.linear_learner.margins import Gradient, Margins
from bottega.algorithms.linear_learner.models import ParallelModels
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.settings import resolve
from bottega.algorithms.linear_learner.workers import Workers, workers

ALONE, ONE = Cluster(1, 0), Workers(1, None)
RNG = np.random.default_rng(3)
WIDTH, ROWS = 6, 40
FEATURES = RNG.normal(size=(ROWS, WIDTH)).astype(np.float32)
LABELS = RNG.normal(size=ROWS).astype(np.float32)
SHIFT = RNG.normal(size=WIDTH).astype(np.float32)
SCALE = RNG.uniform(0.5, 2, size=WIDTH).astype(np.float32)
MODELS = [Candidate(0.1, 0.3, 0.02, 1.0), Candidate(0.01, 0.0, 0.0, 1.0)]


def made(
    scaling: Scaling | None = None, sparse_rows: bool = False, shared: Workers = ONE, **values: str
) -> ParallelModels:
    scaling = scaling or Scaling(None, None, 0.0, 1.0)
    settings = resolve({"predictor_type": "regressor", "use_lr_scheduler": "false", **values})
    return ParallelModels(
        settings,
        MODELS,
        scaling,
        loss_of(settings, scaling),
        width=WIDTH,
        sparse=sparse_rows,
        cluster=ALONE,
        workers=shared,
    )


def soft(values: Any, by: Any) -> Any:
    return np.sign(values) * np.maximum(np.abs(values) - by, 0)


class Plain:
    """The same steps in double precision, a line each."""

    def __init__(self, start: Any, optimizer: str) -> None:
        self.weights = start.astype(np.float64)
        self.optimizer = optimizer
        self.mean = np.zeros_like(self.weights)
        self.square = np.zeros_like(self.weights)
        self.rate = np.array([0.1, 0.01]) * np.ones((WIDTH + 1, 1))
        # bias_lr_mult is 2, bias_wd_mult 3; the bias has no L1 penalty.
        self.rate[-1] *= 2
        self.wd = np.array([0.3, 0.0]) * np.append(np.ones(WIDTH), 3)[:, None]
        self.l1 = np.array([0.02, 0.0]) * np.append(np.ones(WIDTH), 0)[:, None]

    def step(self, number: int, features: Any, labels: Any) -> None:
        rows = np.column_stack([features, np.ones(len(features))]).astype(np.float64)
        gradient = 2 * rows.T @ (rows @ self.weights - labels[:, None]) / len(labels)
        if self.optimizer == "sgd":
            self.mean = 0.6 * self.mean + gradient
            moved, size = self.weights - self.rate * self.mean, self.rate / 0.4
        else:
            b1, b2 = (0.8, 0.95) if self.optimizer == "adam" else (0.0, 0.9)
            self.mean = b1 * self.mean + (1 - b1) * gradient
            self.square = b2 * self.square + (1 - b2) * gradient**2
            size = self.rate / (np.sqrt(self.square / (1 - b2**number)) + 1e-8)
            moved = self.weights - size * self.mean / (1 - b1**number)
        self.weights = soft(moved, size * self.l1) / (1 + size * self.wd)


GIVEN = {"bias_lr_mult": "2", "bias_wd_mult": "3"}
GIVEN |= {"momentum": "0.6", "beta_1": "0.8", "beta_2": "0.95"}


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop", "sgd"])
@pytest.mark.parametrize("form", ["dense", "sparse"])
def test_steps_are_those_of_the_formulas(optimizer: str, form: str) -> None:
    models = made(optimizer=optimizer, sparse_rows=form == "sparse", **GIVEN)
    plain, sums = Plain(models.weights, optimizer), LossSums.of(2)
    for number in range(1, 6):
        part = slice(8 * (number - 1), 8 * number)
        rows = FEATURES[part] if form == "dense" else sparse.csr_matrix(FEATURES[part])
        assert models.learn(rows, LABELS[part], sums, None) == 8
        plain.step(number, FEATURES[part], LABELS[part])
        np.testing.assert_allclose(models.weights, plain.weights, rtol=2e-4, atol=2e-6)
    assert sums.weights.tolist() == [40, 40]


def test_l1_gives_weights_that_are_exactly_0() -> None:
    models = made(l1="0.02")
    for _ in range(200):
        models.learn(FEATURES[:, :] * [1, 1, 1, 0.01, 0.01, 0.01], LABELS, LossSums.of(2), None)
    assert (models.weights[3:6, 0] == 0).all()
    assert (models.weights[3:6, 1] != 0).all()


def test_without_a_bias_it_stays_0() -> None:
    models = made(use_bias="false", init_bias="5")
    for _ in range(3):
        models.learn(FEATURES, LABELS + 3, LossSums.of(2), None)
    assert (models.weights[-1] == 0).all()
    assert made(init_bias="5").weights[-1].tolist() == [5, 5]


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ({"init_scale": "0.5"}, -0.5, 0.5),
        ({"init_method": "normal", "init_sigma": "0.01"}, -0.06, 0.06),
    ],
)
def test_first_weights(values: dict[str, str], low: float, high: float) -> None:
    first = made(**values).weights[:-1]
    assert low <= first.min() < first.max() <= high
    assert first.std() > high / 10
    np.testing.assert_array_equal(first, made(**values).weights[:-1])
    assert (first[:, 0] != first[:, 1]).all()


SCALINGS = {
    "plain": Scaling(None, None, 0.0, 1.0),
    "scaled": Scaling(None, SCALE, 0.0, 1.0),
    "shifted": Scaling(SHIFT, None, 0.0, 1.0),
    "both": Scaling(SHIFT, SCALE, 0.0, 1.0),
}


@pytest.mark.parametrize("name", SCALINGS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(("chunk", "large"), [(200, 1 << 24), (1 << 22, 1 << 24), (200, 1)])
def test_gradients_of_dense_and_sparse_rows_agree(
    name: str, threads: int, chunk: int, large: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(margins_module, "CHUNK", chunk)
    monkeypatch.setattr(margins_module, "_LARGE", large)
    monkeypatch.setattr("bottega.algorithms.linear_learner.workers._LEAST_WORK", 1)
    scaling = SCALINGS[name]
    settings = resolve({"predictor_type": "regressor"})
    holes = np.where(RNG.random((ROWS, WIDTH)) < 0.5, 0, FEATURES).astype(np.float32)
    holes[:, 4] = 0
    weights = RNG.normal(size=(WIDTH + 1, 34)).astype(np.float32)
    scaled = (holes - (0 if scaling.shift is None else SHIFT)) * (
        1 if scaling.scale is None else SCALE
    )
    rows = np.column_stack([scaled, np.ones(ROWS)]).astype(np.float64)
    expected = rows @ weights
    for form in (holes, sparse.csr_matrix(holes)):
        np.testing.assert_allclose(Margins(scaling, weights).of(form), expected, atol=1e-4)
        with workers(threads) as shared:
            gradient = Gradient(scaling, loss_of(settings, scaling), weights, 34, shared)
            sums = LossSums.of(34)
            touched = gradient.add(form, LABELS, sums)
            # A second batch is added to the first.
            gradient.add(form, LABELS, sums)
        errors = expected - LABELS[:, None]
        np.testing.assert_allclose(gradient.values, 4 * rows.T @ errors, rtol=1e-3, atol=2e-3)
        np.testing.assert_allclose(sums.losses, 2 * (errors**2).sum(axis=0), rtol=1e-4)
        wanted = [0, 1, 2, 3, 5] if sparse.issparse(form) else range(WIDTH)
        assert sorted(touched.tolist()) == list(wanted)


def test_sparse_features_that_wait_make_up_for_their_penalties() -> None:
    """A feature of every fourth batch shrinks by what it would have had to in all of them."""
    models = made(sparse_rows=True, optimizer="sgd", momentum="0", learning_rate="0.1", wd="0.3")
    rare, none = np.zeros((1, WIDTH), dtype=np.float32), np.zeros(1, dtype=np.float32)
    often = rare.copy()
    often[0, 0] = 1
    rare[0, 5] = 1e-6
    begin = models.weights[5, 0]
    for rows in (often, often, often, rare):
        models.learn(sparse.csr_matrix(rows), none, LossSums.of(2), None)
    expected = soft(begin, 4 * 0.1 * 0.02) / (1 + 4 * 0.1 * 0.3)
    assert models.weights[5, 0] == pytest.approx(expected, rel=1e-4)
    # What was in no batch has not moved, and is forgotten in the end.
    end = models.weights.copy()
    assert end[3, 0] == made().weights[3, 0]
    models.forget_unseen(end)
    assert end[3, 0] == 0 != end[5, 0]


def test_a_broken_model_stops_and_the_others_go_on() -> None:
    models = made(optimizer="sgd")
    models.weights[2, 0] = np.nan
    with np.errstate(all="ignore"):
        models.learn(FEATURES, LABELS, LossSums.of(2), None)
    models.stop_broken()
    assert models.stopped.tolist() == [True, False]
    before = models.weights.copy()
    models.learn(FEATURES, LABELS, LossSums.of(2), None)
    assert (models.weights[:, 0] == 0).all()
    assert (models.weights[:, 1] != before[:, 1]).all()


def test_penalties() -> None:
    models = made(bias_wd_mult="3")
    weights = RNG.normal(size=models.weights.shape).astype(np.float32)
    features, bias = weights[:-1, 0], weights[-1, 0]
    expected = 0.15 * (features**2).sum() + 0.02 * np.abs(features).sum() + 0.45 * bias**2
    assert models.penalties(weights).tolist() == pytest.approx([expected, 0], rel=1e-5)


def test_models_go_on_from_their_state() -> None:
    first, second = made(), made()
    first.learn(FEATURES, LABELS, LossSums.of(2), None)
    kept = {name: np.array(array) for name, array in first.state().items()}
    first.learn(FEATURES, LABELS, LossSums.of(2), None)
    second.restore(kept)
    second.learn(FEATURES, LABELS, LossSums.of(2), None)
    np.testing.assert_array_equal(first.weights, second.weights)
    with pytest.raises(ValueError, match="weights has the shape"):
        second.restore({**kept, "weights": kept["weights"][:3]})


def test_parts_share_everything_once() -> None:
    shared = Workers(4, None)
    for size, work, least, most in ((1000, 1e6, 1, None), (10, 1, 1, None), (7, 1e9, 16, None)):
        parts = shared.parts(size, work, least=least, most=most)
        assert [n for part in parts for n in range(part.start, part.stop)] == list(range(size))
    assert len(shared.parts(1000, 1e6)) == 4
    assert len(shared.parts(10, 1)) == 1
    assert len(shared.parts(100, 1, most=9)) == 12
    assert len(shared.parts(40, 1e9, least=16)) == 2
