"""The work queue: one name at a time, nothing lost, failures tried again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

import pytest

from bottega.controller import Controller
from bottega.daemon.controller_host import ControllerHost
from bottega.events import EventBus, ResourceChanged


class Recorder(Controller):
    """Calls ``work`` for each name and keeps the order."""

    kind = "Thing"

    def __init__(self, work: Callable[[str], float | None], pending: Iterable[str] = ()) -> None:
        self._work = work
        self._pending = list(pending)
        self.calls: list[str] = []

    def pending(self) -> Iterable[str]:
        return self._pending

    def reconcile(self, name: str) -> float | None:
        self.calls.append(name)
        return self._work(name)


@pytest.fixture
def run():
    hosts: list[ControllerHost] = []

    def start(controller: Controller, *, workers: int = 4) -> tuple[ControllerHost, EventBus]:
        events = EventBus()
        host = ControllerHost(events, workers=workers)
        host.add(controller)
        host.start()
        hosts.append(host)
        return host, events

    yield start
    for host in hosts:
        assert host.stop()


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.005)


def changed(name: str, kind: str = "Thing") -> ResourceChanged:
    return ResourceChanged(0.0, "updated", kind, name, "", 1)


def test_pending_names_come_first_and_in_order(run):
    recorder = Recorder(lambda name: None, ["c", "a", "b"])
    run(recorder, workers=1)
    eventually(lambda: len(recorder.calls) == 3)
    assert recorder.calls == ["c", "a", "b"]


def test_a_change_of_its_kind_wakes_a_controller(run):
    recorder = Recorder(lambda name: None)
    _, events = run(recorder)
    events.publish(changed("other", kind="Else"))
    events.publish(changed("mine"))
    eventually(lambda: recorder.calls == ["mine"])


def test_one_name_is_never_worked_on_twice_at_once_and_no_change_is_lost(run):
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    lock = threading.Lock()

    def work(name: str) -> float | None:
        with lock:
            busy[name] += 1
            most[name] = max(most[name], busy[name])
            seen[name] = wanted[name]
        time.sleep(0.001)
        with lock:
            busy[name] -= 1
        return None

    host, _ = run(recorder := Recorder(work), workers=8)
    for _ in range(50):
        for name in ("a", "b", "c"):
            with lock:
                wanted[name] += 1
            host.wake(recorder, name)
    eventually(lambda: seen == wanted)
    assert set(most.values()) == {1}


def test_a_delay_brings_the_name_back(run):
    recorder = Recorder(lambda name: 0.01 if len(recorder.calls) < 4 else None, ["a"])
    run(recorder)
    eventually(lambda: len(recorder.calls) == 4)


def test_a_failure_is_tried_again_and_does_not_disturb_others(run, caplog):
    def work(name: str) -> float | None:
        if name == "bad" and recorder.calls.count("bad") < 3:
            raise RuntimeError("not yet")
        return None

    recorder = Recorder(work, ["bad", "good"])
    run(recorder)
    eventually(lambda: recorder.calls.count("bad") == 3 and "good" in recorder.calls)
    assert "reconciling Thing bad failed" in caplog.text


def test_stopping_waits_for_what_runs():
    entered, leave = threading.Event(), threading.Event()

    def work(name: str) -> float | None:
        entered.set()
        leave.wait(20)
        return None

    host = ControllerHost(EventBus(), workers=1)
    host.add(Recorder(work, ["a"]))
    host.start()
    assert entered.wait(20)
    assert host.stop(timeout=0.05) is False
    leave.set()
    assert host.stop() is True
