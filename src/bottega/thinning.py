"""Which points of a long course of numbers to show, so that a screen cannot tell the difference."""

from __future__ import annotations

from collections.abc import Sequence


def thinned(values: Sequence[float], limit: int) -> Sequence[int]:
    """Which values to keep, by their places.

    The first and the last, and of each of as many equal stretches as fit the smallest and the
    largest; from a limit of 4 on that includes the extremes of the whole.

    Args:
        limit: how many to keep at most, from 2 on.

    >>> thinned([0, 1, 9, 1, 1, -5, 1, 2], limit=4)
    [0, 2, 5, 7]
    """
    count = len(values)
    if count <= limit:
        return range(count)
    stretches = (limit - 2) // 2
    chosen = [0]
    for number in range(stretches):
        begin = 1 + number * (count - 2) // stretches
        end = 1 + (number + 1) * (count - 2) // stretches
        # What is no number is neither small nor large.
        places = [at for at in range(begin, end) if values[at] == values[at]] or [begin]
        extremes = {min(places, key=values.__getitem__), max(places, key=values.__getitem__)}
        chosen.extend(sorted(extremes))
    return [*chosen, count - 1]
