"""What a store remembers of its changes, and what it has forgotten."""

from __future__ import annotations

from bottega.events import ResourceChanged
from bottega.storage.change_history import ChangeHistory


def changed(kind: str, *names: str) -> list[ResourceChanged]:
    return [ResourceChanged(0.0, "updated", kind, name, "", 1) for name in names]


def test_whoever_asks_for_what_is_forgotten_is_told_that_anything_may_have_changed() -> None:
    history = ChangeHistory(remembered=2)
    begin = history.since("Model", 0).number
    history.note(changed("Model", "a"))
    first = history.since("Model", begin)
    assert first.names == frozenset({"a"})
    history.note(changed("Model", "b", "c"))
    assert history.since("Model", first.number).names == frozenset({"b", "c"})
    assert history.since("Model", begin).names is None
    history.note(changed("Model", "d"))
    assert history.since("Model", first.number).names is None


def test_a_kind_is_not_forgotten_for_the_changes_of_another() -> None:
    history = ChangeHistory(remembered=2)
    begin = history.since("Model", 0).number
    history.note(changed("Model", "a"))
    history.note(changed("Endpoint", *"abcdef"))
    assert history.since("Model", begin).names == frozenset({"a"})
    assert history.since("Endpoint", begin).names is None
