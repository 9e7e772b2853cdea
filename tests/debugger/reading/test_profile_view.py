"""A profile as a timeline."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.debugger.phases import FORWARD, START_TIME
from bottega.debugger.reading.timeline import ProfileView, _Lane

BEGIN = 1_700_000_040.0


def sample(folder: Path, time: float, *cores: float) -> None:
    minute = int(time // 60) * 60
    file = folder / "system/incremental/2023111422" / f"{minute}.algo-1.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {"Type": "cpu", "Name": f"cpu{n}", "Dimension": "CPUUtilization", "Value": value}
        for n, value in enumerate(cores)
    ]
    lines.append(
        {"Type": "memory", "Name": "MemoryUsedPercent", "Dimension": "Memory", "Value": 50}
    )
    with file.open("a") as stream:
        for line in lines:
            stream.write(json.dumps({**line, "NodeId": "algo-1", "Timestamp": time}) + "\n")


def events(folder: Path, count: int, seconds: float) -> None:
    """Forward phases, one after the other, each half of its time."""
    entries: list[object] = [
        {"name": "process_name", "ph": "M", "pid": 0, "args": {START_TIME: BEGIN * 1e6}},
        {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": FORWARD}},
    ]
    for n in range(count):
        entries.append(
            {
                "name": "net",
                "ph": "X",
                "pid": 1,
                "ts": n * seconds * 1e6,
                "dur": seconds / 2 * 1e6,
                "args": {"step_num": str(n)},
            }
        )
    end = int((BEGIN + count * seconds) * 1e6)
    file = folder / "framework/pevents/2023111422" / f"{end}_algo-1_7_pythontimeline.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(entries))


def test_samples_become_series(tmp_path: Path) -> None:
    view = ProfileView(tmp_path)
    view.refresh()
    assert view.span() is None
    for n in range(5):
        sample(tmp_path, BEGIN + n, 10.0, 30.0)
    view.refresh()
    assert view.span() == (BEGIN, BEGIN + 4)
    shown = view.window(BEGIN + 1, BEGIN + 2, 100, 100)["hosts"]["algo-1"]
    by_name = {one["name"]: one for one in shown}
    assert list(by_name) == [
        *("CPUUtilization", "CPUUtilization cpu0", "CPUUtilization cpu1", "MemoryUsedPercent")
    ]
    assert by_name["CPUUtilization"]["values"] == [20.0, 20.0]
    assert by_name["CPUUtilization cpu1"]["values"] == [30.0, 30.0]
    assert by_name["CPUUtilization"]["unit"] == "Percent"
    sample(tmp_path, BEGIN + 61, 10.0, 30.0)
    view.refresh()
    assert view.span() == (BEGIN, BEGIN + 61)


def test_a_hundred_thousand_phases_fit_a_screen(tmp_path: Path) -> None:
    events(tmp_path, 100_000, 0.001)
    view = ProfileView(tmp_path)
    view.refresh()
    whole = view.window(BEGIN, BEGIN + 100, 100, 500)
    (lane,) = whole["lanes"]
    assert whole["events"] == 100_000
    assert (lane["host"], lane["process"], lane["name"]) == ("algo-1", 7, FORWARD)
    assert len(lane["begins"]) <= 501
    assert sum(lane["counts"]) == 100_000
    assert all(0.45 < busy < 0.6 for busy in lane["busy"])
    near = view.window(BEGIN + 50, BEGIN + 50.01, 100, 500)
    (lane,) = near["lanes"]
    assert set(lane["counts"]) == {1}
    assert lane["steps"][1] in (50_000, 50_001)


spans = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0, 20)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=40,
)


@settings(max_examples=40, deadline=None)
@given(spans, st.floats(0, 120), st.floats(0, 120), st.integers(1, 10))
def test_every_phase_in_a_window_is_counted_once(
    found: list[tuple[float, float]], one: float, other: float, limit: int
) -> None:
    begin, end = sorted((one, other))
    lane = _Lane()
    for number, (first, last) in enumerate(found):
        lane.add(first, last, number)
        if number % 7 == 3:
            lane.settle()
    lane.settle()
    places = lane.places(begin, end)
    inside = [span for span in found if span[0] <= end and span[1] >= begin]
    assert len(places) == len(inside)
    shown = lane.shown(places, begin, end, limit)
    assert sum(shown["counts"]) == len(inside)
    assert len(shown["begins"]) <= max(limit + 1, 0)
    assert sorted(shown["begins"]) == shown["begins"]
    if inside:
        assert shown["begins"][0] == min(span[0] for span in inside)
        assert max(shown["ends"]) == max(span[1] for span in inside)
