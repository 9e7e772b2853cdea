"""The bus: in order, to everybody, and one bad listener harms no other."""

from __future__ import annotations

from bottega.events import Event, EventBus


def test_every_listener_gets_every_event_in_order(caplog):
    bus = EventBus()
    got: list[float] = []

    def broken(event: Event) -> None:
        raise RuntimeError("broken")

    bus.subscribe(broken)
    unsubscribe = bus.subscribe(lambda event: got.append(event.time))
    bus.publish(Event(1.0))
    bus.publish(Event(2.0))
    unsubscribe()
    bus.publish(Event(3.0))
    assert got == [1.0, 2.0]
    assert caplog.text.count("a listener failed") == 3
