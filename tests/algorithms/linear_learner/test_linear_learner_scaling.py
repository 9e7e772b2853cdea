"""Means, deviations and what follows from them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from bottega.algorithms.cluster import Cluster
from bottega.algorithms.linear_learner.scaling import Moments, Scaling, largest_power
from bottega.algorithms.linear_learner.settings import resolve

ALONE = Cluster(1, 0)
RNG = np.random.default_rng(9)
FEATURES = (RNG.normal(size=(200, 5)) * [1, 100, 0.01, 3, 0] + [0, 1e4, 1, -2, 8]).astype("f4")
LABELS = (RNG.normal(size=200) * 30 + 1000).astype(np.float32)


def moments(features: object = FEATURES, cuts: tuple[int, ...] = (0, 3, 120, 200)) -> Moments:
    found = Moments(5, sparse=sparse.issparse(features))
    for start, stop in itertools.pairwise(cuts):
        found.add(features[start:stop], LABELS[start:stop])
    return found


def scaling(features: object = FEATURES, **values: str) -> Scaling:
    return moments(features).scaling(resolve({"predictor_type": "regressor", **values}))


def test_scaled_rows_have_mean_0_and_deviation_1() -> None:
    found = scaling()
    rows = found.dense(FEATURES)
    np.testing.assert_allclose(rows.mean(axis=0, dtype=np.float64), 0, atol=2e-4)
    np.testing.assert_allclose(rows.std(axis=0, dtype=np.float64), [1, 1, 1, 1, 0], atol=1e-3)
    labels = found.labels(LABELS)
    assert (labels.mean(), labels.std()) == pytest.approx((0, 1), abs=1e-4)
    assert rows.dtype == labels.dtype == np.float32


@given(st.sets(st.integers(1, 199), max_size=5))
def test_how_rows_are_cut_into_batches_does_not_matter(cuts: set[int]) -> None:
    found = moments(cuts=(0, *sorted(cuts), 200)).scaling(resolve({"predictor_type": "regressor"}))
    expected = scaling()
    np.testing.assert_allclose(found.shift, expected.shift, rtol=1e-6)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-4)
    assert found.label_scale == pytest.approx(expected.label_scale)


@pytest.mark.parametrize(
    ("values", "shift", "scale", "label"),
    [
        ({}, True, True, (True, True)),
        ({"use_bias": "false"}, False, True, (False, True)),
        ({"unbias_data": "false"}, False, True, (True, True)),
        ({"unbias_data": "true", "use_bias": "false"}, True, True, (False, True)),
        ({"normalize_data": "false"}, True, False, (True, True)),
        ({"normalize_data": "auto"}, True, True, (True, True)),
        ({"normalize_label": "false"}, True, True, (True, False)),
        ({"unbias_label": "false"}, True, True, (False, True)),
        ({"predictor_type": "binary_classifier"}, True, True, (False, False)),
    ],
)
def test_what_is_wanted(
    values: dict[str, str], shift: bool, scale: bool, label: tuple[bool, bool]
) -> None:
    found = scaling(**values)
    assert (found.shift is not None, found.scale is not None) == (shift, scale)
    assert (found.label_shift != 0, found.label_scale != 1) == label


def test_sparse_rows_are_not_shifted_unless_asked() -> None:
    holes = np.where(RNG.random((200, 5)) < 0.9, 0, FEATURES).astype(np.float32)
    holes[:, 4] = 0
    rows = sparse.csr_matrix(holes)
    found = scaling(rows)
    assert found.shift is None
    # What is stored has a mean square of 1, however rare it is.
    stored = sparse.csr_matrix(holes * found.scale)
    for column in range(4):
        values = stored[:, [column]].data
        assert (values**2).mean() == pytest.approx(1, rel=1e-4)
    assert found.scale[4] == 1
    asked = scaling(rows, unbias_data="true")
    plain = scaling(holes, unbias_data="true")
    np.testing.assert_allclose(asked.shift, plain.shift, rtol=1e-4)
    np.testing.assert_allclose(asked.scale, plain.scale, rtol=1e-3)


@pytest.mark.parametrize("values", [{}, {"unbias_data": "false"}, {"normalize_data": "false"}])
def test_weights_of_the_original_features(values: dict[str, str]) -> None:
    found = scaling(**values)
    weights = RNG.normal(size=(6, 3)).astype(np.float32)
    scaled = found.dense(FEATURES).astype(np.float64) @ weights[:-1] + weights[-1]
    original, bias = found.original(weights)
    expected = scaled * found.label_scale + found.label_shift
    np.testing.assert_allclose(FEATURES @ original + bias, expected, rtol=1e-3)


@pytest.mark.parametrize("form", ["dense", "sparse", "sparse and shifted"])
def test_the_largest_power_is_the_largest_eigenvalue(form: str) -> None:
    rows = np.where(RNG.random((200, 5)) < 0.4, 0, RNG.normal(size=(200, 5))).astype(np.float32)
    rows[:, 1] += 2 * rows[:, 0]
    kept = rows if form == "dense" else sparse.csr_matrix(rows)
    found = scaling(kept, unbias_data="true" if form != "sparse" else "false")
    scaled = (rows - (0 if found.shift is None else found.shift)) * found.scale
    expected = np.linalg.eigvalsh(scaled.T.astype(np.float64) @ scaled / 200).max()
    power = largest_power([kept[:90], kept[90:]], found, 5, ALONE)
    assert power == pytest.approx(expected, rel=0.03)
    lengths = (scaled.astype(np.float64) ** 2).sum(axis=1).mean()
    assert moments(kept).power(found) == pytest.approx(lengths, rel=1e-3)


class Pair(Cluster):
    """Two hosts in one process: what the other one has is given."""

    def __init__(self, others: list[np.ndarray]) -> None:
        super().__init__(2, 0)
        self._others = others

    def sum(self, values: np.ndarray) -> np.ndarray:
        other = self._others.pop(0)
        assert other.shape == values.shape
        return values + other


class Recording(Cluster):
    """Notes what a host would send, for a total that is given."""

    def __init__(self) -> None:
        super().__init__(2, 1)
        self.sent: list[np.ndarray] = []

    def sum(self, values: np.ndarray) -> np.ndarray:
        self.sent.append(np.array(values))
        return values


def test_moments_of_two_hosts_are_those_of_all_rows() -> None:
    first, second = Moments(5, sparse=False), Moments(5, sparse=False)
    first.add(FEATURES[:50], LABELS[:50])
    second.add(FEATURES[50:], LABELS[50:])
    other = Recording()
    second.together(other)
    # The squares depend on the common means, which the other host knew only in part.
    means = (first._means * 50 + second._means * 150) / 200
    other.sent[-1] = second._squares + (second._means - means) ** 2 * 150
    found = first.together(Pair(other.sent)).scaling(resolve({"predictor_type": "regressor"}))
    expected = scaling()
    np.testing.assert_allclose(found.shift, expected.shift, rtol=1e-6)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=1e-4)
