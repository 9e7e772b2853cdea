"""What is under way, and how fast it is answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from bottega.serving import load as load_module
from bottega.serving.choice import MOST_OUTSTANDING, has_room
from bottega.serving.load import Load
from bottega.serving.routing import InstanceRoute


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    found = Seconds()
    monkeypatch.setattr(load_module, "time", found)
    return found


def answer(load: Load, instance: str, count: int) -> None:
    for _ in range(count):
        load.sent(instance)
        load.answered(instance)


def test_the_rate_is_that_of_the_last_whole_second(seconds: Seconds) -> None:
    load = Load()
    answer(load, "a", 7)
    assert load.rate("a") == 0
    seconds.now += 1
    assert load.rate("a") == 7
    answer(load, "a", 3)
    assert load.rate("a") == 7
    seconds.now += 1
    assert load.rate("a") == 3
    seconds.now += 1
    assert load.rate("a") == 0
    answer(load, "a", 1)
    assert load.rate("a") == 0
    assert load.rate("b") == 0


def test_a_fast_server_may_have_more_at_once(seconds: Seconds) -> None:
    load, instance = Load(), InstanceRoute("a", Path("s"))
    for _ in range(MOST_OUTSTANDING):
        assert has_room(load, instance)
        load.sent("a")
    assert not has_room(load, instance)
    answer(load, "a", 1000)
    seconds.now += 1
    for _ in range(500 - MOST_OUTSTANDING):
        assert has_room(load, instance)
        load.sent("a")
    assert not has_room(load, instance)
    seconds.now += 1  # it has answered nothing for a second
    assert not has_room(load, instance)


def test_instances_of_the_past_are_forgotten(seconds: Seconds) -> None:
    load = Load()
    for number in range(3000):
        answer(load, f"i-{number}", 1)
        seconds.now += 0.01
    assert len(load._rates) <= 1024 + 1
