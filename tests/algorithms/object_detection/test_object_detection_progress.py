"""Which epoch is the best, when training ends early, and how images come in batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bottega.algorithms.object_detection.examples import Examples, padded, read_examples
from bottega.algorithms.object_detection.progress import Progress
from bottega.algorithms.object_detection.settings import EarlyStopping, Settings
from bottega.testing.job_folder import JobFolder


def follow(scores: list[float], **rule: Any) -> list[tuple[bool, bool]]:
    given = {"wanted": True, "min_epochs": 1, "patience": 2, "tolerance": 0.0, **rule}
    progress = Progress(EarlyStopping(**given))
    return [progress.add(score) for score in scores]


def test_the_best_is_the_first_of_the_highest() -> None:
    assert [better for better, _ in follow([0.0, 0.2, 0.1, 0.2, 0.3])] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_patience_counts_epochs_in_a_row() -> None:
    assert [stop for _, stop in follow([0.1, 0.1, 0.2, 0.2, 0.2])] == [
        False,
        False,
        False,
        False,
        True,
    ]
    assert not any(stop for _, stop in follow([0.3, 0.2, 0.1, 0.0], wanted=False))


def test_it_does_not_stop_before_the_fewest_epochs() -> None:
    stops = [stop for _, stop in follow([0.3, 0.2, 0.2, 0.2, 0.2], min_epochs=5)]
    assert stops == [False, False, False, False, True]


def test_the_tolerance_is_a_part_of_the_best() -> None:
    steady = [0.5, 0.52, 0.54, 0.56]
    assert not any(stop for _, stop in follow(steady))
    found = follow(steady, tolerance=0.1)
    # What is better by less than the tolerance is kept all the same.
    assert [better for better, _ in found] == [True] * 4
    assert [stop for _, stop in found] == [False, False, True, False]


def test_it_goes_on_from_what_a_checkpoint_holds() -> None:
    rule = EarlyStopping(wanted=True, min_epochs=1, patience=3, tolerance=0.0)
    first, again = Progress(rule), Progress(rule)
    for score in (0.4, 0.3, 0.2):
        first.add(score)
    again.restore(first.document())
    assert again.best == 0.4
    assert again.add(0.1) == first.add(0.1) == (False, True)
    with pytest.raises(KeyError):
        again.restore({})


def test_rows_fill_up_with_no_class() -> None:
    rows = [np.ones((2, 5), np.float32), np.zeros((0, 5), np.float32)]
    found = padded(rows)
    assert found.shape == (2, 2, 5)
    assert found[:, :, 0].tolist() == [[1, 1], [-1, -1]]
    assert padded([]).shape == (0, 0, 5)


@pytest.fixture
def examples(job: Callable[..., JobFolder]) -> Examples:
    environment = job().read()
    settings = Settings.of(environment.raw_hyperparameters)
    return read_examples(environment, "train", settings, side=32)


def test_every_image_once_and_in_order(examples: Examples) -> None:
    batches = list(examples.in_turn(3))
    assert [len(batch.pictures) for batch in batches] == [3, 1]
    assert batches[0].pictures.shape == (3, 32, 32, 3)
    for place, batch in enumerate(batches):
        for row, objects in enumerate(batch.objects):
            np.testing.assert_array_equal(
                objects[objects[:, 0] >= 0], examples.objects[3 * place + row]
            )


def test_full_batches_in_random_order_begin_anew(examples: Examples) -> None:
    keys = {examples.pictures[index].tobytes(): index for index in range(4)}
    batches = list(examples.shuffled(3, 3, np.random.default_rng(0)))
    order = [keys[picture.tobytes()] for batch in batches for picture in batch.pictures]
    assert len(order) == 9
    assert sorted(order[:4]) == sorted(order[4:8]) == [0, 1, 2, 3]
    again = list(examples.shuffled(3, 3, np.random.default_rng(0)))
    assert all(
        (one.pictures == other.pictures).all() for one, other in zip(batches, again, strict=True)
    )
    with pytest.raises(ValueError, match="no images"):
        Examples(examples.pictures, [], 1).shuffled(1, 1, np.random.default_rng(0))
