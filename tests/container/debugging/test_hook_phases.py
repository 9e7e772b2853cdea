"""Times of phases: what is configured, and the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.container.debugging.profiling import ProfilerSettings, Window, lenient
from bottega.container.debugging.timeline import Timeline
from bottega.debugger import phases

HOUR = 3600.0
NOON = 1_795_780_800.0


def read(folder: Path) -> list[dict[str, Any]]:
    """The events of all files, with their phase and with times since 1970 in microseconds."""
    found = []
    for file in sorted((folder / phases.EVENTS_FOLDER).glob("*/*.json")):
        events = json.loads(file.read_text())
        base = events[0]["args"][phases.START_TIME]
        names = {one["pid"]: one["args"].get("name") for one in events if one["ph"] == "M"}
        found += [
            {**one, "phase": names[one["pid"]], "start": base + one["ts"]}
            for one in events
            if one["ph"] == "X"
        ]
    return found


def test_events_in_a_file_of_their_hour(tmp_path: Path) -> None:
    timeline = Timeline(ProfilerSettings(enabled=True), tmp_path, "algo-1")
    timeline.add(phases.FORWARD, "Net", NOON + 1, NOON + 1.5, 3, {"worker_count": 2})
    timeline.add("Step:ModeKeys.TRAIN", "Net", NOON + 1, NOON + 2.25, 3)
    assert read(tmp_path) == []
    timeline.flush()
    timeline.flush()
    (file,) = (tmp_path / phases.EVENTS_FOLDER).glob("*/*")
    assert file.parent.name == "2026112712"
    end, node, process, kind = file.stem.split("_")
    assert (int(end), node, kind) == (int((NOON + 2.25) * 1e6), "algo-1", phases.KIND)
    events = read(tmp_path)
    assert [(one["phase"], one["name"], one["dur"]) for one in events] == [
        ("Forward", "Net", 500_000),
        ("Step:ModeKeys.TRAIN", "Net", 1_250_000),
    ]
    assert events[0]["start"] == int((NOON + 1) * 1e6)
    assert events[0]["args"] == {"pid": int(process), "step_num": "3", "worker_count": 2}


def test_other_settings_are_followed(tmp_path: Path) -> None:
    timeline = Timeline(ProfilerSettings(), tmp_path / "off", "n")
    timeline.add("p", "before", NOON, NOON + 1)
    timeline.follow(ProfilerSettings(enabled=True, file_bytes=160), tmp_path / "on")
    assert timeline.active
    timeline.add("p", "first", NOON, NOON + 1)
    timeline.add("p", "second", NOON, NOON + 2)  # which the first one's file has no room for
    assert [one["name"] for one in read(tmp_path / "on")] == ["first"]
    timeline.follow(ProfilerSettings(), tmp_path / "on")
    timeline.add("p", "after", NOON, NOON + 3)
    timeline.flush()
    assert [one["name"] for one in read(tmp_path / "on")] == ["first", "second"]
    assert not (tmp_path / "off").exists()


def test_files_end_by_size_by_age_and_with_the_hour(tmp_path: Path) -> None:
    small = Timeline(ProfilerSettings(enabled=True, file_bytes=320), tmp_path / "size", "n_1")
    for number in range(5):
        small.add("p", "x", NOON, NOON + number)
    small.flush()
    files = sorted((tmp_path / "size" / phases.EVENTS_FOLDER).glob("*/*.json"))
    assert len(files) == 3
    assert "_n-1_" in files[0].name
    timeline = Timeline(ProfilerSettings(enabled=True), tmp_path / "hour", "n")
    timeline.add("p", "x", NOON - 2, NOON - 1)
    timeline.add("p", "x", NOON - 2, NOON + 1)
    timeline.flush()
    folders = sorted(one.name for one in (tmp_path / "hour" / phases.EVENTS_FOLDER).iterdir())
    assert folders == ["2026112711", "2026112712"]


@settings(max_examples=20)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "b"]), st.floats(0, 50), st.floats(0, 5)), max_size=10)
)
def test_no_event_is_lost_or_moved(
    tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("profile")
    timeline = Timeline(ProfilerSettings(enabled=True, file_bytes=480), folder, "n")
    for phase, start, length in events:
        timeline.add(phase, "x", NOON + start, NOON + start + length)
    timeline.flush()
    kept = sorted((one["phase"], one["start"], one["dur"]) for one in read(folder))
    wanted = sorted(
        # Rounded as they are in a file, so that events which begin together there have one order.
        (p, round((NOON + s) * 1e6), ((NOON + s + n) - (NOON + s)) * 1e6)
        for p, s, n in events
    )
    assert len(kept) == len(wanted)
    for (phase, start, length), (phase_, start_, length_) in zip(kept, wanted, strict=True):
        assert phase == phase_
        assert abs(start - start_) < 2
        assert abs(length - length_) < 2


def test_without_a_profiler_nothing_is_kept(tmp_path: Path) -> None:
    timeline = Timeline(ProfilerSettings(), tmp_path, "n")
    timeline.add("p", "x", 0, 1)
    timeline.flush()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    timeline = Timeline(ProfilerSettings(enabled=True), tmp_path / "file", "n")
    for _ in range(2):
        timeline.add("p", "x", 0, 1)
        timeline.flush()
    assert capsys.readouterr().err.count("no more phases are recorded") == 1
    assert not timeline.active


def test_what_the_sdk_sends_is_understood() -> None:
    found = ProfilerSettings.read(
        {
            "S3OutputPath": "s3://b/p",
            "DisableProfiler": False,
            "ProfilingParameters": {
                "DetailedProfilingConfig": '{"StartStep": 5, "NumSteps": 1, }',
                "DataloaderProfilingConfig": (
                    '{"StartStep": 7, "NumSteps": 2, "MetricsRegex": ".*", }'
                ),
                "LocalPath": "/opt/ml/output/profiler",
                "RotateMaxFileSizeInBytes": "10485760",
                "RotateFileCloseIntervalInSeconds": "60",
                "FileOpenFailThreshold": "50",
            },
        }
    )
    assert found.enabled
    assert found.operators == Window(5, 1)
    assert found.data_loading is not None
    assert [step for step in range(12) if found.data_loading.has(step)] == [7, 8]
    assert (found.file_bytes, found.file_seconds) == (10485760, 60.0)


def test_the_least_that_is_sent_and_what_switches_it_off() -> None:
    assert ProfilerSettings.read({"S3OutputPath": "s3://b/p"}).enabled
    assert not ProfilerSettings.read({"DisableProfiler": True}).enabled


def test_windows_of_time() -> None:
    window = Window.read('{"StartTimeInSecSinceEpoch": 100, "DurationInSeconds": 10,}')
    assert [window.has(0, now) for now in (99.0, 100.0, 109.0, 110.0)] == [False, True, True, False]


@pytest.mark.parametrize("text", ["", "nothing", "[1]", "{'a': 1}", None])
def test_what_is_no_object_is_empty(text: Any) -> None:
    assert lenient(text) == {}
    assert Window.read(str(text)).has(10**6)
