"""Mean average precision, on cases that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.object_detection.average_precision import (
    average_precisions,
    mean_average_precision,
)

LEFT, RIGHT, FAR = (0.0, 0.0, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9), (0.0, 0.6, 0.3, 0.9)


def there(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 5)


def found(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array(rows, dtype=np.float32).reshape(-1, 6)


def precision(
    detections: list[np.ndarray], objects: list[np.ndarray], overlap: float = 0.5
) -> float:
    return float(average_precisions(detections, objects, classes=1, overlap=overlap)[0])


def test_all_found_and_nothing_else_is_one() -> None:
    both = there((0, *LEFT), (0, *RIGHT))
    assert precision([found((0, 0.9, *LEFT), (0, 0.2, *RIGHT))], [both]) == 1


def test_a_false_one_behind_costs_nothing() -> None:
    assert precision([found((0, 0.9, *LEFT), (0, 0.2, *FAR))], [there((0, *LEFT))]) == 1


def test_a_false_one_in_front_costs_half() -> None:
    assert precision([found((0, 0.3, *LEFT), (0, 0.9, *FAR))], [there((0, *LEFT))]) == 0.5


def test_what_is_not_found_costs_its_share() -> None:
    assert precision([found((0, 0.3, *LEFT))], [there((0, *LEFT), (0, *RIGHT))]) == 0.5


def test_an_object_is_found_once() -> None:
    twice = found((0, 0.9, *LEFT), (0, 0.8, *LEFT), (0, 0.7, *RIGHT))
    # Right, false, right: precision 1 up to half the recall, then 2/3.
    assert precision([twice], [there((0, *LEFT), (0, *RIGHT))]) == pytest.approx(0.5 + 0.5 * 2 / 3)


def test_precision_is_the_best_at_that_recall_or_more() -> None:
    # Right, false, false, right, right of 3 objects: 1, then the envelope 3/5 for the rest.
    rows = [(0, 0.9, *LEFT), (0, 0.8, *FAR), (0, 0.7, *FAR), (0, 0.6, *RIGHT)]
    images = [found(*rows), found((0, 0.5, *LEFT))]
    objects = [there((0, *LEFT), (0, *RIGHT)), there((0, *LEFT))]
    assert precision(images, objects) == pytest.approx(1 / 3 + 2 / 3 * 3 / 5)


def test_detections_of_all_images_are_ranked_together() -> None:
    images = [found((0, 0.4, *LEFT)), found((0, 0.9, *FAR))]
    assert precision(images, [there((0, *LEFT)), there((0, *LEFT))]) == 0.25


def test_the_overlap_decides() -> None:
    half = (0.0, 0.0, 0.2, 0.4)
    assert precision([found((0, 0.9, *half))], [there((0, *LEFT))], overlap=0.49) == 1
    assert precision([found((0, 0.9, *half))], [there((0, *LEFT))], overlap=0.51) == 0


def test_classes_do_not_mix_and_those_that_do_not_occur_do_not_count() -> None:
    values = average_precisions(
        [found((0, 0.9, *LEFT), (1, 0.8, *RIGHT), (2, 0.7, *FAR))],
        [there((0, *LEFT), (1, *LEFT))],
        classes=3,
        overlap=0.5,
    )
    assert values[:2].tolist() == [1, 0]
    assert np.isnan(values[2])
    assert mean_average_precision(values) == 0.5
    assert mean_average_precision(values[2:]) == 0


def test_nothing_found_is_zero() -> None:
    assert precision([found()], [there((0, *LEFT))]) == 0
    assert precision([found()], [there()]) != precision([found()], [there((0, *LEFT))])


@given(st.lists(st.booleans(), min_size=1, max_size=20), st.integers(0, 5))
@settings(max_examples=60)
def test_the_area_is_that_of_the_curve(hits: list[bool], missed: int) -> None:
    """One object an image; each detection is right or far away, ranked as drawn."""
    images, objects = [], []
    for rank, hit in enumerate(hits):
        images.append(found((0, 1 - rank / 100, *(LEFT if hit else FAR))))
        objects.append(there((0, *LEFT)) if hit else there())
    images += [found()] * missed
    objects += [there((0, *LEFT))] * missed
    total = sum(hits) + missed
    if not total:
        return
    curve = [(sum(hits[: n + 1]), sum(hits[: n + 1]) / (n + 1)) for n in range(len(hits))]
    expected = sum(
        max((value for count, value in curve if count >= wanted), default=0.0)
        for wanted in range(1, total + 1)
    )
    assert precision(images, objects) == pytest.approx(expected / total)
