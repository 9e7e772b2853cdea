"""Several policies, bounds, cooldowns, suspensions, steps and schedules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.errors import ValidationException
from bottega.features.autoscaling import schedules, stepping
from bottega.features.autoscaling.decisions import Bounds, Decision, Past, Rules, Wish, decide
from bottega.features.autoscaling.tracking import Asked, Direction

WIDE = Bounds(1, 50)


def wish(direction: Direction, capacity: int, name: str = "p", **more: Any) -> Wish:
    tracking = more.pop("tracking", True)
    return Wish(name, Asked(direction, capacity, ""), Rules(**more), "", tracking)


def decided(*wishes: Wish, capacity: int = 5, **more: Any) -> Decision:
    settings: dict[str, Any] = {"bounds": WIDE, "past": Past(), "now": 1000.0, "suspended": {}}
    return decide(wishes, capacity, **{**settings, **more})


def test_the_largest_wins() -> None:
    assert decided(wish("out", 7), wish("out", 9), wish("in", 1)).capacity == 9
    assert decided(wish("in", 2), wish("in", 4)).capacity == 4


def test_scaling_in_needs_all_who_may() -> None:
    assert decided(wish("in", 2), wish("hold", 5)).refused == "Held"
    assert decided(wish("in", 2), wish("unknown", 5)).capacity == 5
    assert decided(wish("in", 2), wish("hold", 5, scale_in=False)).capacity == 2
    assert decided(wish("in", 2, scale_in=False)).capacity == 5


def test_bounds_hold_at_once_whatever_is_asked() -> None:
    bounds = Bounds(2, 6)
    assert decided(capacity=1, bounds=bounds).capacity == 2
    assert decided(wish("out", 50), capacity=9, bounds=bounds).capacity == 6
    assert decided(wish("out", 50), bounds=bounds).capacity == 6
    assert decided(wish("out", 50), capacity=6, bounds=bounds).refused == "AlreadyAtMaxCapacity"
    assert decided(wish("in", 0), capacity=2, bounds=bounds).refused == "AlreadyAtMinCapacity"


def test_cooldowns() -> None:
    grew = Past(out_at=900.0, out_by=2)
    assert decided(wish("out", 7), past=grew).refused == "Cooldown"
    assert decided(wish("out", 7), past=grew).seconds_left == 200
    assert decided(wish("out", 8), past=grew).capacity == 8, "a larger step may"
    assert decided(wish("out", 7), past=grew, now=1201.0).capacity == 7
    assert decided(wish("in", 3), past=grew).capacity == 3
    shrank = Past(in_at=900.0)
    assert decided(wish("in", 3), past=shrank).refused == "Cooldown"
    assert decided(wish("in", 3, in_cooldown=50.0), past=shrank).capacity == 3
    assert decided(wish("out", 6), past=shrank).capacity == 6
    step = wish("out", 8, tracking=False)
    assert decided(step, past=grew).capacity == 6, "what the last step added is a part of this one"


def test_suspended() -> None:
    assert decided(wish("out", 9), suspended={"DynamicScalingOutSuspended": True}).capacity == 5
    assert decided(wish("in", 1), suspended={"DynamicScalingInSuspended": True}).capacity == 5
    assert decided(wish("in", 1), suspended={"DynamicScalingOutSuspended": True}).capacity == 1


DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["out", "in", "hold", "unknown"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(DIRECTIONS, st.integers(0, 99), st.booleans()), max_size=4),
    st.integers(0, 60),
    st.integers(0, 20),
    st.integers(0, 20),
)
def test_whatever_is_asked_the_bounds_are_kept(
    asked: list[tuple[Direction, int, bool]], capacity: int, least: int, more: int
) -> None:
    bounds = Bounds(least, least + more)
    wishes = [wish(way, wanted, tracking=tracking) for way, wanted, tracking in asked]
    past = Past(990.0, 2, 995.0)
    found = decided(*wishes, capacity=capacity, bounds=bounds, past=past).capacity
    assert bounds.least <= found <= bounds.most


# Steps.


def steps(kind: str, *adjustments: tuple[float | None, float | None, int], **more: Any) -> Any:
    return {
        "AdjustmentType": kind,
        "StepAdjustments": [
            {
                **({} if low is None else {"MetricIntervalLowerBound": low}),
                **({} if high is None else {"MetricIntervalUpperBound": high}),
                "ScalingAdjustment": change,
            }
            for low, high, change in adjustments
        ],
        **more,
    }


def test_which_step() -> None:
    both = steps("ChangeInCapacity", (None, -10, -2), (-10, 0, -1), (0, 10, 1), (10, None, 3))
    stepping.check(both)
    found = [stepping.adjustment(both, breach) for breach in (-11, -10, -9, -0.5, 0, 9.9, 10, 99)]
    assert found == [-2, -2, -1, -1, 1, 1, 3, 3]
    assert stepping.adjustment(steps("ChangeInCapacity", (5, None, 1)), 1) is None


@pytest.mark.parametrize(
    ("kind", "capacity", "change", "more", "wanted"),
    [
        ("ChangeInCapacity", 4, 3, {}, 7),
        ("ChangeInCapacity", 2, -5, {}, 0),
        ("ExactCapacity", 9, 4, {}, 4),
        ("PercentChangeInCapacity", 10, 25, {}, 12),
        ("PercentChangeInCapacity", 10, -25, {}, 8),
        ("PercentChangeInCapacity", 3, 10, {}, 4),
        ("PercentChangeInCapacity", 3, -10, {}, 2),
        ("PercentChangeInCapacity", 10, 10, {"MinAdjustmentMagnitude": 3}, 13),
        ("PercentChangeInCapacity", 10, -10, {"MinAdjustmentMagnitude": 3}, 7),
    ],
)
def test_what_a_step_comes_to(
    kind: str, capacity: int, change: int, more: Any, wanted: int
) -> None:
    assert stepping.adjusted({"AdjustmentType": kind, **more}, capacity, change) == wanted


def test_aggregation() -> None:
    values = (1.0, 2.0, 6.0)
    kinds = {"Average": 3.0, "Minimum": 1.0, "Maximum": 6.0}
    for kind, wanted in kinds.items():
        assert stepping.aggregated({"MetricAggregationType": kind}, values) == wanted


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"StepAdjustments": []}, "AdjustmentType is missing"),
        (steps("ChangeInCapacity"), "has 0 steps"),
        (steps("ChangeInCapacity", (0, 10, 1), (5, None, 2)), "overlap between 5"),
        (steps("ChangeInCapacity", (0, 5, 1), (6, None, 2)), "leave a gap between 5"),
        (steps("ChangeInCapacity", (5, 5, 1)), "must be less"),
        (steps("ExactCapacity", (0, None, -1)), "is negative"),
        (steps("ChangeInCapacity", (0, None, 1), MinAdjustmentMagnitude=2), "goes with Percent"),
    ],
)
def test_steps_that_make_no_sense(found: Any, words: str) -> None:
    with pytest.raises(ValidationException, match=words):
        stepping.check(found)


# Schedules.


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


NOW = at("2026-11-27T01:00:00")  # a Friday


@pytest.mark.parametrize(
    ("schedule", "zone", "wanted"),
    [
        ("at(2026-12-01T08:00:00)", "UTC", "2026-12-01T08:00:00"),
        ("at(2026-12-01T08:00:00)", "Europe/Zurich", "2026-12-01T07:00:00"),
        ("at(2026-07-01T08:00:00)", "UTC", None),
        ("rate(5 minutes)", "UTC", "2026-11-27T01:03:00"),
        ("rate(1 day)", "UTC", "2026-11-28T00:58:00"),
        ("cron(0 9 * * ? *)", "UTC", "2026-11-27T09:00:00"),
        ("cron(0 9 * * ? *)", "America/New_York", "2026-11-27T14:00:00"),
        ("cron(0 9 ? * 2-6 *)", "UTC", "2026-11-27T09:00:00"),
        ("cron(0 9 ? * 1 *)", "UTC", "2026-11-29T09:00:00"),
        ("cron(0 9 ? * SAT *)", "UTC", "2026-11-28T09:00:00"),
        ("cron(0 9 ? * 6#2 *)", "UTC", "2026-12-11T09:00:00"),
        ("cron(0 9 ? * 6L *)", "UTC", "2026-11-27T09:00:00"),
        ("cron(0 9 L * ? *)", "UTC", "2026-11-30T09:00:00"),
        ("cron(0/15 * * * ? *)", "UTC", "2026-11-27T01:15:00"),
        ("cron(0 10 1 1 ? 2028)", "UTC", "2028-01-01T10:00:00"),
        ("cron(0 10 1 1 ? 2020)", "UTC", None),
    ],
)
def test_when_a_schedule_is_due(schedule: str, zone: str, wanted: str | None) -> None:
    found = schedules.next_time(schedule, zone, NOW, anchor=at("2026-11-27T00:58:00"))
    assert found == (None if wanted is None else at(wanted))


def test_start_and_end_frame_a_schedule() -> None:
    later = at("2026-11-30T00:00:00")

    def due(schedule: str, **more: float) -> float | None:
        return schedules.next_time(schedule, "UTC", NOW, anchor=NOW, **more)

    assert due("rate(1 hour)", start=later) == later
    assert due("cron(0 9 * * ? *)", start=later) == at("2026-11-30T09:00:00")
    assert due("cron(0 9 * * ? *)", end=NOW + 60) is None


@pytest.mark.parametrize(
    ("schedule", "zone", "words"),
    [
        ("every day", "UTC", "it must be at"),
        ("at(tomorrow)", "UTC", "at takes a time"),
        ("rate(0 minutes)", "UTC", "rate takes a number"),
        ("rate(1 minutes)", "UTC", "rate takes a number"),
        ("cron(0 9 * * *)", "UTC", "cron takes minutes"),
        ("cron(0 9 1 * 2 *)", "UTC", "one must be"),
        ("cron(0 9 ? * 8 *)", "UTC", "days go from 1"),
        ("cron(99 9 * * ? *)", "UTC", "Schedule is"),
        ("cron(0 9 * * ? *)", "Mars/Base", "no IANA time zone"),
    ],
)
def test_schedules_that_make_no_sense(schedule: str, zone: str, words: str) -> None:
    with pytest.raises(ValidationException, match=words):
        schedules.next_time(schedule, zone, NOW, anchor=NOW)
