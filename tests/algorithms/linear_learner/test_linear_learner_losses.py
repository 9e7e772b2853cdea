"""Losses and their derivatives, against their definitions and against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.algorithms.linear_learner.losses import Loss, LossSums, loss_of
from bottega.algorithms.linear_learner.scaling import Scaling
from bottega.algorithms.linear_learner.schema import LOSSES
from bottega.algorithms.linear_learner.settings import resolve

PLAIN = Scaling(None, None, 0.0, 1.0)
RNG = np.random.default_rng(5)


def made(loss: str, scaling: Scaling = PLAIN, **values: str) -> Loss:
    predictor = next(name for name, losses in LOSSES.items() if loss in losses)
    settings = resolve({"predictor_type": predictor, "loss": loss, "num_classes": "3", **values})
    return loss_of(
        settings,
        scaling,
        positive=np.array([1, 4], dtype=np.float32),
        class_weights=np.array([1, 2, 0.5], dtype=np.float32),
    )


def called(loss: Loss, margins: Any, labels: Any, models: int = 2) -> tuple[Any, LossSums]:
    sums = LossSums.of(models)
    slopes = loss.slope(
        np.array(margins, dtype=np.float32, ndmin=2), np.array(labels, dtype=np.float32), sums
    )
    return slopes, sums


def by_definition(name: str, margins: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The weighted losses of rows x 2 models, with the settings of ``made``."""
    if name == "softmax_loss":
        margins = margins.reshape(len(labels), 2, 3)
        powers = np.exp(margins - margins.max(axis=2, keepdims=True))
        shares = powers / powers.sum(axis=2, keepdims=True)
        true = shares[np.arange(len(labels)), :, labels.astype(int)]
        return -np.log(true) * np.array([1, 2, 0.5])[labels.astype(int)][:, None]
    y = labels[:, None]
    weights = np.where(y > 0, [1.0, 4.0], 1.0)
    if name == "logistic":
        return weights * (np.logaddexp(0, margins) - y * margins)
    if name == "hinge_loss":
        return weights * np.maximum(0, 1 - (2 * y - 1) * margins)
    r = margins - y
    over = np.maximum(np.abs(r) - 0.3, 0)
    return {
        "squared_loss": r**2,
        "absolute_loss": np.abs(r),
        "eps_insensitive_squared_loss": over**2,
        "eps_insensitive_absolute_loss": over,
        "quantile_loss": np.where(r < 0, -0.8 * r, 0.2 * r),
        "huber_loss": np.where(np.abs(r) < 0.7, r**2 / 2, 0.7 * (np.abs(r) - 0.35)),
    }[name]


ALL = [name for names in LOSSES.values() for name in names]
GIVEN = {"loss_insensitivity": "0.3", "quantile": "0.8", "huber_delta": "0.7"}


@pytest.mark.parametrize("name", ALL)
def test_losses_and_derivatives(name: str) -> None:
    columns = 6 if name == "softmax_loss" else 2
    rows = 1500  # More than the compiled loop takes one logarithm for.
    margins = RNG.normal(size=(rows, columns)) * 2
    labels = {
        "softmax_loss": RNG.integers(0, 3, rows),
        "logistic": RNG.integers(0, 2, rows),
        "hinge_loss": RNG.integers(0, 2, rows),
    }.get(name, RNG.normal(size=rows)).astype(np.float64)
    labels = labels.astype(np.float32).astype(np.float64)
    slopes, sums = called(made(name, **GIVEN), margins, labels)
    expected = by_definition(name, margins, labels)
    np.testing.assert_allclose(sums.losses, expected.sum(axis=0), rtol=1e-5)
    # A difference of 2e-4 would round away in single precision; the definition is in double.
    for column in range(columns):
        step = np.zeros(columns)
        step[column] = 1e-4
        rise = by_definition(name, margins + step, labels) - by_definition(
            name, margins - step, labels
        )
        found = rise.sum(axis=1) / 2e-4
        kinks = {"hinge_loss", "absolute_loss", "eps_insensitive_absolute_loss", "quantile_loss"}
        tolerance = 2e-2 if name in kinks else 1e-3
        close = np.isclose(slopes[:, column], found, atol=tolerance)
        # A row next to a kink has no derivative to compare with.
        assert close.mean() > 0.998


@pytest.mark.parametrize("name", ["logistic", "softmax_loss"])
def test_huge_margins_neither_overflow_nor_vanish(name: str) -> None:
    margins = [[1e4, -1e4]] if name == "logistic" else [[1e4, -1e4, 0, -1e4, 1e4, 0]]
    slopes, sums = called(made(name), margins, [0])
    assert np.isfinite(slopes).all()
    assert sums.losses.tolist() == pytest.approx([1e4, 0] if name == "logistic" else [0, 2e4])


@given(st.lists(st.tuples(st.floats(-30, 30), st.booleans()), min_size=1, max_size=40))
def test_logistic_of_any_rows(rows: list[tuple[float, bool]]) -> None:
    margins = np.array([[margin, margin] for margin, _ in rows], dtype=np.float32)
    labels = np.array([float(label) for _, label in rows])
    slopes, sums = called(made("logistic"), margins, labels)
    expected = by_definition("logistic", margins.astype(np.float64), labels)
    np.testing.assert_allclose(sums.losses, expected.sum(axis=0), rtol=1e-5, atol=1e-6)
    chances = 1 / (1 + np.exp(-margins.astype(np.float64)))
    weights = np.where(labels[:, None] > 0, [1.0, 4.0], 1.0)
    np.testing.assert_allclose(slopes, weights * (chances - labels[:, None]), atol=1e-5)
    assert sums.weights.tolist() == pytest.approx(weights.sum(axis=0).tolist())


@pytest.mark.parametrize("name", LOSSES["regressor"])
def test_losses_of_regression_are_in_units_of_the_label(name: str) -> None:
    """Labels of a hundredfold scale: the loss of the margin on that scale, whatever the training
    sees."""
    scaling = Scaling(None, None, 7.0, 100.0)
    given = {"loss_insensitivity": "30", "huber_delta": "70", "quantile": "0.8"}
    labels, predicted = RNG.normal(size=50) * 100 + 7, RNG.normal(size=(50, 2)) * 100 + 7
    _, scaled = called(made(name, scaling, **given), (predicted - 7) / 100, scaling.labels(labels))
    _, plain = called(made(name, PLAIN, **given), predicted, labels)
    np.testing.assert_allclose(scaled.means(), plain.means(), rtol=1e-4)


def test_sums_of_nothing_and_of_no_numbers() -> None:
    sums = LossSums.of(3)
    sums.losses[:] = (0, np.nan, np.inf)
    sums.weights[:] = (0, 1, 1)
    assert sums.means().tolist() == [0, np.inf, np.inf]
    sums.add(LossSums(np.ones(3), np.ones(3)))
    assert sums.weights.tolist() == [1, 2, 2]
