"""Hyperband's rungs: the steps at which trials are compared, and who passes which unjudged."""

from __future__ import annotations

ETA = 3
"""One in so many goes on at a rung; a rung is so many times as far as the one before."""


def rungs(min_resource: int | None, max_resource: int | None, longest: int) -> list[int]:
    """The steps at which trials are judged, below the end of the training.

    Args:
        min_resource: the first; when None, a 27th of the training, but no less than three steps
            where it has nine, because the very first say little.
        max_resource: the end; when None, ``longest``.
        longest: the most steps that a trial was seen to train.
    """
    end = max_resource or longest
    found = []
    rung = min_resource or max(1, min(ETA, end // ETA), end // ETA**3)
    while rung < end:
        found.append(rung)
        rung *= ETA
    return found


def bracket(number: int, count: int) -> int:
    """How many of ``count`` rungs a trial passes unjudged.

    Hyperband deals its brackets in proportion: bracket b gets a share of about
    ``ETA ** -b * (count + 1) / (count + 1 - b)``. Trials are dealt in that proportion, evenly over
    their numbers.
    """
    shares = [ETA ** (count - b) * (count + 1) / (count + 1 - b) for b in range(count + 1)]
    place = _evenly(number) * sum(shares)
    for found, share in enumerate(shares):
        place -= share
        if place < 0:
            return found
    return count


def _evenly(number: int) -> float:
    """The van der Corput sequence: 0, 1/2, 1/4, 3/4, 1/8, ..."""
    found, weight = 0.0, 0.5
    while number:
        number, digit = divmod(number, 2)
        found += digit * weight
        weight /= 2
    return found
