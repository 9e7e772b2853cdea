"""A profile is read while it is written: whole lines and whole files, each once."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.container.debugging.profiling import ProfilerSettings
from bottega.container.debugging.timeline import Timeline
from bottega.debugger import phases
from bottega.debugger.profiler_rules.profile import ProfileReader, Tick, events_of

BEGIN = 1_700_000_000


def line(time: float, name: str, dimension: str, value: float, node: str = "algo-1") -> str:
    return json.dumps(
        {
            "Type": "any",
            "Name": name,
            "Dimension": dimension,
            "Value": value,
            "NodeId": node,
            "Timestamp": time,
        }
    )


def sample(time: float, use: float, node: str = "algo-1") -> list[str]:
    return [
        line(time, "cpu0", "CPUUtilization", use, node),
        line(time, "cpu1", "CPUUtilization", 0.0, node),
        line(time, "cpu0", "I/OWaitPercentage", 8.0, node),
        line(time, "cpu1", "I/OWaitPercentage", 2.0, node),
        line(time, "MemoryUsedPercent", "Memory", 33.0, node),
        line(time, "ReceiveBytesPerSecond", "Algorithm", 7.0, node),
        line(time, "gpu0", "GPUUtilization", 50.0, node),
        line(time, "gpu0", "GPUMemoryUtilization", 60.0, node),
    ]


def tick(time: float, use: float, node: str = "algo-1") -> Tick:
    return Tick(
        node,
        time,
        cpu=use / 2,
        cores=2,
        busiest=use,
        io_wait=5.0,
        longest_wait=8.0,
        memory=33.0,
        gpus={"gpu0": 50.0},
        gpu_memory={"gpu0": 60.0},
        rates={"ReceiveBytesPerSecond": 7.0},
    )


def append(folder: Path, minute: int, text: str, node: str = "algo-1") -> None:
    path = folder / "system/incremental/2023111422" / f"{minute}.{node}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)


def test_a_profile_that_is_not_there_is_empty(tmp_path: Path) -> None:
    news = ProfileReader(tmp_path / "nowhere").news(over=True)
    assert (news.ticks, news.events) == ((), ())


def test_samples_are_read_when_they_are_whole(tmp_path: Path) -> None:
    reader = ProfileReader(tmp_path)
    text = "\n".join([*sample(BEGIN, 10), *sample(BEGIN + 1, 20)]) + "\n"
    append(tmp_path, BEGIN, text)
    assert reader.news().ticks == (tick(BEGIN, 10),)
    assert reader.news().ticks == ()
    append(tmp_path, BEGIN, '{"half a line')
    append(tmp_path, BEGIN + 60, "\n".join(sample(BEGIN + 61, 30, "algo-2")) + "\n", "algo-2")
    assert reader.news().ticks == ()
    append(tmp_path, BEGIN + 60, "\n".join(sample(BEGIN + 60, 40)) + "\n")
    assert reader.news().ticks == (tick(BEGIN + 1, 20),)
    assert reader.news(over=True).ticks == (tick(BEGIN + 60, 40), tick(BEGIN + 61, 30, "algo-2"))
    assert reader.news(over=True).ticks == ()


def test_what_is_no_sample_is_left_out(tmp_path: Path) -> None:
    nonsense = ["", "null", "[]", "{}", '{"Dimension": 1}', line(BEGIN, "x", "Memory", 1) + "x"]
    append(tmp_path, BEGIN, "\n".join([*nonsense, *sample(BEGIN, 10), *nonsense]) + "\n")
    append(tmp_path, BEGIN, line(float("nan"), "cpu0", "CPUUtilization", 1.0) + "\n")
    assert ProfileReader(tmp_path).news(over=True).ticks == (tick(BEGIN, 10),)


@given(st.lists(st.integers(1, 400), max_size=20))
@settings(max_examples=20, deadline=None)
def test_it_reads_the_same_in_whatever_pieces_it_is_written(
    cuts: list[int],
) -> None:
    text = "".join(f"{one}\n" for at in range(5) for one in sample(BEGIN + at, 10.0 * at))
    with tempfile.TemporaryDirectory() as name:
        reader, found, at = ProfileReader(Path(name)), [], 0
        for cut in cuts:
            append(Path(name), BEGIN, text[at : at + cut])
            at += cut
            found += reader.news().ticks
        append(Path(name), BEGIN, text[at:])
        found += reader.news(over=True).ticks
    assert found == [tick(BEGIN + at, 10.0 * at) for at in range(5)]


def test_phases_that_a_training_writes_are_read(tmp_path: Path) -> None:
    timeline = Timeline(ProfilerSettings(enabled=True), tmp_path, "algo-1")
    timeline.add("Step:ModeKeys.TRAIN", "net", BEGIN + 0.5, BEGIN + 1.5, step=3)
    timeline.add(phases.DATA_LOADING, "loader", BEGIN, BEGIN + 0.5, more={"worker_count": 2})
    reader = ProfileReader(tmp_path)
    assert reader.news().events == ()
    timeline.flush()
    loader, step = reader.news().events
    assert reader.news().events == ()
    assert (step.node, step.step_mode, step.name, step.arguments["step_num"]) == (
        "algo-1",
        "TRAIN",
        "net",
        "3",
    )
    assert (step.start, step.end, round(step.seconds, 6)) == (BEGIN + 0.5, BEGIN + 1.5, 1.0)
    assert (loader.phase, loader.arguments["worker_count"]) == (phases.DATA_LOADING, 2)


def test_a_file_that_was_cut_short_is_read_up_to_the_cut() -> None:
    entries = [
        {"name": "process_name", "ph": "M", "pid": 1, "args": {"name": "Forward"}},
        {"name": "a", "ph": "X", "pid": 1, "ts": 1, "dur": 1, "args": {}},
        {"name": "b", "ph": "X", "pid": 1, "ts": 2, "dur": 1, "args": {}},
    ]
    text = json.dumps(entries)
    assert [event.name for event in events_of(text, "n")] == ["a", "b"]
    assert [event.name for event in events_of(text[:-20], "n")] == ["a"]
    assert [event.phase for event in events_of(text, "n")] == ["Forward", "Forward"]
    assert list(events_of("no JSON", "n")) == []
    assert list(events_of("7", "n")) == []
