"""Target tracking by itself, and a simulated endpoint under every kind of load."""

from __future__ import annotations

import itertools
import math
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.autoscaling.decisions import Bounds, Past, Rules, Wish, decide
from bottega.features.autoscaling.tracking import IN_POINTS, LOOKED_AT, Point, track

GRAIN = 5.0


class Simulation:
    """One variant under a load, with the scaler's own arithmetic and a clock of its own."""

    def __init__(
        self, target: float, bounds: Bounds, latency: float, rules: Rules, *, counts: bool
    ) -> None:
        self.target, self.bounds, self.latency, self.rules = target, bounds, latency, rules
        self.counts = counts
        self.now = 0.0
        self.capacity = bounds.least
        self.points: list[Point] = []
        self.past = Past()
        self.changes: list[tuple[float, int, int]] = []
        self.under_way: tuple[float, int] | None = None

    def run(self, load: float, points: int, chance: random.Random | None = None) -> None:
        """
        Args:
            load: of the whole variant, in the target's unit; requests a minute where it counts.
        """
        for _ in range(points):
            self.now += GRAIN
            found = load
            counted = None
            if self.counts:
                requests = load * GRAIN / 60
                if chance is not None:
                    spread = chance.gauss(requests, math.sqrt(requests))
                    requests = max(0.0, round(spread))
                counted, found = requests, requests * 60 / GRAIN
            if self.under_way is not None:
                if self.now < self.under_way[0]:
                    continue
                self._changed(self.under_way[1])
                continue
            self.points.append(Point(found / max(1, self.capacity), counted))
            self._decide()

    def _decide(self) -> None:
        asked = track(self.points[-LOOKED_AT:], self.target, self.capacity)
        wish = Wish("p", asked, self.rules, "")
        decision = decide([wish], self.capacity, self.bounds, self.past, self.now, {})
        if decision.capacity != self.capacity:
            self.under_way = (self.now + self.latency, decision.capacity)

    def _changed(self, wanted: int) -> None:
        self.changes.append((self.now, self.capacity, wanted))
        if wanted > self.capacity:
            self.past = Past(self.now, wanted - self.capacity, None)
        else:
            self.past = Past(self.past.out_at, self.past.out_by, self.now)
        self.capacity, self.points, self.under_way = wanted, [], None


QUICK = Rules(0.0, 0.0)
TARGETS = st.floats(0.1, 1000)


@settings(max_examples=40, deadline=None)
@given(TARGETS, st.floats(0, 30), st.floats(0, 10), st.sampled_from([QUICK, Rules()]))
def test_a_steady_load_is_met_exactly_and_then_left_alone(
    target: float, share: float, latency: float, rules: Rules
) -> None:
    bounds = Bounds(1, 20)
    endpoint = Simulation(target, bounds, latency, rules, counts=False)
    endpoint.run(share * target, 200)
    settled = len(endpoint.changes)
    endpoint.run(share * target, 400)
    assert len(endpoint.changes) == settled <= 2
    assert endpoint.capacity == bounds.clamp(math.ceil(share - 1e-9))


@settings(max_examples=25, deadline=None)
@given(st.floats(30, 3000), st.floats(0.2, 6), st.floats(0, 10), st.integers(0, 2**32))
def test_chance_is_no_reason_to_change(
    target: float, share: float, latency: float, seed: int
) -> None:
    endpoint = Simulation(target, Bounds(1, 20), latency, QUICK, counts=True)
    chance = random.Random(seed)
    endpoint.run(share * target, 300, chance)
    early = len(endpoint.changes)
    endpoint.run(share * target, 720, chance)  # an hour
    assert len(endpoint.changes) - early <= 2, endpoint.changes
    ups = [after > before for _, before, after in endpoint.changes]
    # It never goes up, down and up again.
    assert sum(a != b for a, b in itertools.pairwise(ups)) <= 1, endpoint.changes


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.floats(0, 25), min_size=2, max_size=4),
    st.floats(0, 10),
    st.floats(0, 120),
    st.floats(0, 120),
    st.integers(1, 4),
    st.integers(0, 12),
)
def test_steps_of_load_are_followed_within_bounds_and_cooldowns(
    shares: list[float], latency: float, out: float, into: float, least: int, more: int
) -> None:
    bounds, rules = Bounds(least, least + more), Rules(out, into)
    endpoint = Simulation(7.0, bounds, latency, rules, counts=False)
    for share in shares:
        endpoint.run(share * 7.0, 120)
        assert endpoint.capacity == bounds.clamp(math.ceil(share - 1e-9))
    last_in = -math.inf
    for time, before, after in endpoint.changes:
        assert bounds.least <= after <= bounds.most
        if after < before:
            assert time - last_in >= into
            last_in = time
        else:
            last_in = -math.inf


def points(*values: float) -> list[Point]:
    return [Point(value) for value in values]


def test_out_after_three_points_and_in_after_fifteen() -> None:
    assert track(points(150, 150), 100, 2).direction == "unknown"
    asked = track(points(150, 150, 150), 100, 2)
    assert (asked.direction, asked.capacity) == ("out", 3)
    assert asked.arithmetic == "ceil(2 x 150 / 100) = 3"
    assert track(points(150, 90, 150), 100, 2).direction == "hold"
    assert track(points(*[30.0] * (IN_POINTS - 1)), 100, 3).direction == "hold"
    asked = track(points(*[30.0] * IN_POINTS), 100, 3)
    assert (asked.direction, asked.capacity) == ("in", 1)
    assert track(points(*[95.0] * IN_POINTS), 100, 3).direction == "hold"


def test_nothing_scales_in_below_what_the_highest_points_need() -> None:
    values = [40.0] * 12 + [80.0] * 3
    assert track(points(*values), 100, 5).capacity == 4


def test_without_capacity_the_metric_is_the_whole_load() -> None:
    assert track(points(25, 25, 25), 10, 0).capacity == 3


def test_few_requests_say_little() -> None:
    few = [Point(72, 6.0)] * 3  # a minute; 6 in each of three points
    assert track(few, 60, 1).direction == "hold"
    assert track([Point(96, 8.0)] * 60, 60, 1).direction == "out"
    many = [Point(9000, 750.0)] * 3
    assert track(many, 6000, 1).direction == "out"
