"""Configurations without a model: by chance, spread evenly, or one after the other.

Every draw has a generator of its own, seeded by what it is for, so that an answer depends on the
number of the trial and not on what was drawn before.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from random import Random

from bottega.tuning.spaces import Range, at, from_unit, key, size

Used = Set[tuple[str, ...]]

TRIES = 20
"""How often to draw again before looking for a free configuration one after the other."""


def generator(seed: int, *purpose: int | str) -> Random:
    """Random numbers for one purpose; the same for the same seed in any process."""
    return Random(":".join(map(str, (seed, *purpose))))


def draw(ranges: Sequence[Range], seed: int, place: int, used: Used) -> dict[str, str]:
    """A configuration by chance that is not used yet.

    Args:
        place: how many were drawn before.
        used: keys of configurations; in a finite space at least one is left.
    """
    random = generator(seed, "draw", place)
    for _ in range(TRIES):
        found = {searched.name: from_unit(searched, random.random()) for searched in ranges}
        if key(ranges, found) not in used:
            return found
    return free(ranges, random, used) or found


def spread(ranges: Sequence[Range], seed: int, place: int, count: int) -> dict[str, str]:
    """A configuration of a Latin hypercube: among each ``count`` in a row every stretch of every
    range is met once.

    Args:
        place: how many were taken before, from 0 on; after ``count`` another hypercube begins.
        count: of configurations in a hypercube.
    """
    block, row = divmod(place, count)
    found = {}
    for searched in ranges:
        random = generator(seed, "spread", block, searched.name)
        stretches = random.sample(range(count), count)
        inside = generator(seed, "spread", block, searched.name, row).random()
        found[searched.name] = from_unit(searched, (stretches[row] + inside) / count)
    return found


def free(ranges: Sequence[Range], random: Random, used: Used) -> dict[str, str] | None:
    """A configuration of a finite space that is not used yet; None when there is none, or no end of
    configurations."""
    count = size(ranges)
    if count is None:
        return None
    start = random.randrange(count)
    # Among one more than are used, one is free.
    for offset in range(min(len(used) + 1, count)):
        found = at(ranges, (start + offset) % count)
        if key(ranges, found) not in used:
            return found
    return None


def next_of_grid(ranges: Sequence[Range], used: Used) -> dict[str, str] | None:
    """The first configuration of a finite space that is not used yet; None after the last.

    Raises:
        ValueError: a range is continuous, so that there is no end of configurations.
    """
    count = size(ranges)
    if count is None:
        raise ValueError("a grid is made of ranges with a finite number of values")
    for place in range(min(len(used) + 1, count)):
        found = at(ranges, place)
        if key(ranges, found) not in used:
            return found
    return None


def is_left(ranges: Sequence[Range], count: int, used: Used) -> bool:
    """Whether a finite space has a configuration that is not used."""
    if count > len(used):
        return True
    return any(key(ranges, at(ranges, place)) not in used for place in range(count))
