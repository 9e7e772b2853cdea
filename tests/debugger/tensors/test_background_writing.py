"""Files that are left in a thread of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bottega.debugger.tensors import background
from bottega.debugger.tensors.background import BackgroundSink
from bottega.debugger.tensors.writer import FolderSink, MemorySink, Sink


class Gate(Sink):
    """Writes to memory when it is opened, and cannot write the files it is told."""

    def __init__(self, *broken: str) -> None:
        self.files: dict[str, bytes] = {}
        self.open = threading.Event()
        self._memory = MemorySink(self.files)
        self._broken = broken

    def write(self, name: str, content: bytes) -> None:
        assert self.open.wait(30)
        if name in self._broken:
            raise OSError(f"no room for {name}")
        self._memory.write(name, content)


def test_a_call_does_not_wait_and_the_order_is_kept() -> None:
    gate = Gate()
    sink = BackgroundSink(gate)
    for number in range(20):
        sink.write(f"{number}", b"x" * number)
    assert gate.files == {}
    gate.open.set()
    sink.flush()
    assert list(gate.files) == [f"{number}" for number in range(20)]


def test_nothing_is_written_after_what_failed_and_the_next_call_says_why() -> None:
    gate = Gate("events")
    sink = BackgroundSink(gate)
    sink.write("first", b"1")
    sink.write("events", b"2")
    sink.write("index", b"3")
    gate.open.set()
    with pytest.raises(OSError, match="no room for events"):
        sink.flush()
    sink.flush()
    sink.write("later", b"4")
    sink.flush()
    assert gate.files == {"first": b"1"}


def test_a_process_ends_when_its_files_are_there(tmp_path: Path) -> None:
    program = f"""
import atexit
from pathlib import Path
from bottega.debugger.tensors import background
from bottega.debugger.tensors.background import BackgroundSink
from bottega.debugger.tensors.writer import FolderSink
sink = BackgroundSink(FolderSink(Path({str(tmp_path)!r})))
for number in range(100):
    sink.write(f"step/{{number}}", b"x" * 10_000)
atexit.register(sink.write, "end", b"")
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert len(list((tmp_path / "step").iterdir())) == 100
    assert (tmp_path / "end").read_bytes() == b""


def test_an_interpreter_that_ends_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = ThreadPoolExecutor(1)
    monkeypatch.setattr(background, "ThreadPoolExecutor", lambda *_, **__: thread)
    gate = Gate()
    sink = BackgroundSink(gate)
    sink.write("events", b"1")
    thread.shutdown(wait=False)  # as an interpreter does that ends
    writing = threading.Thread(target=sink.write, args=("index", b"2"))
    writing.start()
    writing.join(0.2)
    assert writing.is_alive()
    gate.open.set()
    writing.join(30)
    assert list(gate.files) == ["events", "index"]


def test_a_folder_of_many_steps_is_made_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    make = os.makedirs

    def counted(name: str, exist_ok: bool = False) -> None:
        if Path(name).is_relative_to(tmp_path):  # others may make folders, too, in their threads
            made.append(name.rpartition("/")[2])
        make(name, exist_ok=exist_ok)

    monkeypatch.setattr(os, "makedirs", counted)
    sink = FolderSink(tmp_path)
    for number in range(50):
        sink.write(f"events/{number:03d}/tensors", b"t")
        sink.write("index/000/of", b"i")
    assert len(list((tmp_path / "events").iterdir())) == 50
    assert made.count("000") == 2  # of the events and of the index
    assert len(made) == 54  # and for drafts, and those that they are in
