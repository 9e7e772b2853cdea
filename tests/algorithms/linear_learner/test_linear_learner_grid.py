"""Which models are trained side by side, how their rates fall, and when training stops."""

from __future__ import annotations

import numpy as np
import pytest

from bottega.algorithms.linear_learner.grid import Candidate, candidates
from bottega.algorithms.linear_learner.rates import Rates
from bottega.algorithms.linear_learner.settings import Settings, resolve
from bottega.algorithms.linear_learner.stopping import Progress


def settings(**values: str) -> Settings:
    return resolve({"predictor_type": "regressor", **values})


def chosen(
    found: Settings, count: int = 32, weights: tuple[float, ...] = (1.0,)
) -> list[Candidate]:
    return candidates(found, count, stable_rate=0.4, positive_weights=weights)


def test_32_models_all_differ() -> None:
    found = chosen(settings())
    assert len(set(found)) == len(found) == 32
    assert {len({getattr(model, name) for model in found}) for name in ("learning_rate", "wd")} == {
        4
    }
    assert len({model.l1 for model in found}) == 2


@pytest.mark.parametrize("name", ["learning_rate", "wd", "l1"])
def test_what_is_given_is_kept_and_the_rest_varies(name: str) -> None:
    found = chosen(settings(**{name: "0.03"}))
    assert {getattr(model, name) for model in found} == {0.03}
    assert len(set(found)) == 32


def test_weights_of_positive_rows_are_varied_too() -> None:
    found = chosen(settings(), weights=(1.0, 3.0, 9.0))
    assert len(set(found)) == 32
    assert len({model.positive_weight for model in found}) >= 2


def test_more_models_than_combinations_repeat_them() -> None:
    found = chosen(settings(learning_rate="0.1", wd="0", l1="0"))
    assert len(found) == 32
    assert set(found) == {Candidate(0.1, 0.0, 0.0, 1.0)}


def test_a_single_model_has_the_first_values() -> None:
    assert chosen(settings(), 1) == [chosen(settings())[0]]
    assert chosen(settings(optimizer="sgd"), 1)[0].learning_rate == pytest.approx(0.12)


@pytest.mark.parametrize("count", [1, 2, 5, 7, 33, 100])
def test_any_number_of_models(count: int) -> None:
    assert len(set(chosen(settings(), count))) == count


def test_rates_fall_by_the_schedule_and_not_below_the_minimum() -> None:
    found = settings(
        lr_scheduler_step="10", lr_scheduler_factor="0.5", lr_scheduler_minimum_lr="0.02"
    )
    rates = Rates(found, [Candidate(0.1, 0.0, 0.0, 1.0), Candidate(0.01, 0.5, 0.25, 1.0)])
    at = [rates.at(step, None)[0][0].tolist() for step in (0, 9, 10, 20, 30, 1000)]
    first = [pair[0] for pair in at]
    assert first == pytest.approx([0.1, 0.1, 0.05, 0.025, 0.02, 0.02])
    # A rate that is below the minimum from the start stays as it is.
    assert [pair[1] for pair in at] == pytest.approx([0.01] * 6)
    _, decays, shrinks = rates.at(0, None)
    # The bias has no penalty, unless bias_wd_mult says so.
    np.testing.assert_allclose(decays, [[0, 0.5], [0, 0]])
    np.testing.assert_allclose(shrinks, [[0, 0.25], [0, 0]])


def test_auto_rates_fall_once_an_epoch_to_three_percent() -> None:
    rates = Rates(settings(epochs="5"), [Candidate(1.0, 0.0, 0.0, 1.0)])
    assert float(rates.at(50, None)[0][0, 0]) == 1
    assert float(rates.at(99, 100)[0][0, 0]) == 1
    assert float(rates.at(100, 100)[0][0, 0]) == pytest.approx(0.03**0.25)
    assert float(rates.at(499, 100)[0][0, 0]) == pytest.approx(0.03)


def test_no_schedule() -> None:
    rates = Rates(
        settings(use_lr_scheduler="false", bias_lr_mult="3", bias_wd_mult="2"),
        [Candidate(0.1, 0.5, 0.0, 1.0)],
    )
    found, decays, _ = rates.at(10**6, 10)
    assert found[:, 0].tolist() == pytest.approx([0.1, 0.3])
    assert decays[:, 0].tolist() == pytest.approx([0.5, 1.0])


def test_stopped_columns_have_no_rate() -> None:
    rates = Rates(settings(), [Candidate(0.1, 0.0, 0.0, 1.0)] * 2)
    rates.stop(np.array([False, True]))
    assert (rates.at(0, None)[0][:, 1] == 0).all()
    assert (rates.at(0, None)[0][:, 0] > 0).all()


def weights_of(value: float) -> np.ndarray:
    return np.full((3, 4), value, dtype=np.float32)


def test_progress_keeps_the_best_of_each_model() -> None:
    progress = Progress(2, 2, patience=2, tolerance=0.01)
    progress.update(np.array([1.0, 2.0]), weights_of(1))
    progress.update(np.array([1.5, 1.0]), weights_of(2))
    assert progress.weights[0].tolist() == [1, 1, 2, 2]
    assert progress.bests.tolist() == [1, 1]


def test_patience_counts_epochs_without_enough_improvement() -> None:
    progress = Progress(1, 4, patience=2, tolerance=0.01)
    for value in (1.0, 0.98, 0.975, 0.9745):
        assert not progress.exhausted
        progress.update(np.array([value]), weights_of(value))
    assert progress.exhausted
    # Small improvements are kept all the same.
    assert progress.bests.tolist() == [0.9745]


def test_patience_may_look_at_something_else() -> None:
    progress = Progress(1, 4, patience=1, tolerance=0.01)
    progress.update(np.array([1.0]), weights_of(1), np.array([-0.8]))
    progress.update(np.array([0.5]), weights_of(2), np.array([-0.7]))
    assert progress.exhausted
    # What is kept is what had the least loss.
    assert (progress.weights == 2).all()


def test_progress_with_scores_below_zero() -> None:
    progress = Progress(1, 4, patience=1, tolerance=0.1)
    progress.update(np.array([-0.5]), weights_of(1))
    progress.update(np.array([-0.6]), weights_of(2))
    assert not progress.exhausted
    progress.update(np.array([-0.61]), weights_of(3))
    assert progress.exhausted


def test_progress_goes_on_from_its_state() -> None:
    progress, other = Progress(1, 4, 3, 0.01), Progress(1, 4, 3, 0.01)
    for value in (1.0, 1.1):
        progress.update(np.array([value]), weights_of(value))
    other.restore(progress.state())
    for value in (1.2, 1.3):
        assert not other.exhausted
        other.update(np.array([value]), weights_of(value))
    assert other.exhausted
    assert (other.weights == 1).all()


def test_models_that_never_were_numbers() -> None:
    progress = Progress(1, 4, patience=1, tolerance=0.01)
    progress.update(np.array([np.inf]), weights_of(0))
    assert progress.exhausted
    assert np.isinf(progress.bests).all()
