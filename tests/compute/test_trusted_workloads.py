"""Programs of bottega's own that look after what somebody else runs, and what comes after them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.compute.docker.engine import EngineUnavailable, address, find_engine
from bottega.compute.local.runner import LocalRunner
from bottega.compute.runner import Cause, HostSpec, Phase, Program, WorkloadSpec


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRunner]:
    runner = LocalRunner(state_dir=tmp_path_factory.mktemp("runner"), preload_enabled=False)
    yield runner
    runner.close()


def run(runner: LocalRunner, folder: Path, program: Program, trusted: bool, after: Program) -> str:
    spec = WorkloadSpec(
        directory=folder / "w",
        program=program,
        hosts=(HostSpec(name="algo-1", log=folder / "log"),),
        aftermath=after,
        trusted=trusted,
        hidden=(folder,),
    )
    runner.start(spec)
    ended = threading.Event()
    runner.watch(spec.directory, ended.set)
    assert ended.wait(60)
    assert runner.state(spec.directory).phase is Phase.ENDED
    return (folder / "log").read_text()


NOBODY = "unix:///nobody/listens/here"
REMOVER = Program(module="bottega.compute.docker.remover", arguments=(NOBODY, "w"))


def test_a_trusted_program_runs_and_its_aftermath_too(runner: LocalRunner, tmp_path: Path) -> None:
    # It fails in words of its own, for want of an engine, which shows that it was run.
    text = run(runner, tmp_path, REMOVER, True, REMOVER)
    assert "/nobody/listens/here" in text
    supervised = "".join(p.read_text() for p in (tmp_path / "w").iterdir() if p.suffix == ".log")
    assert "a container may be left of w" in supervised + text


def test_only_a_module_of_ours_can_be_trusted(runner: LocalRunner, tmp_path: Path) -> None:
    spec = WorkloadSpec(
        directory=tmp_path / "w",
        program=Program(argv=("/bin/true",)),
        hosts=(HostSpec(name="algo-1", log=tmp_path / "log"),),
        trusted=True,
    )
    with pytest.raises(ValueError, match="trusted"):
        runner.start(spec)
    assert runner.state(tmp_path / "w").phase is Phase.ABSENT


def test_the_aftermath_comes_also_when_the_program_is_killed(
    runner: LocalRunner, tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    spec = WorkloadSpec(
        directory=tmp_path / "w",
        program=Program(argv=("/bin/sleep", "600")),
        hosts=(HostSpec(name="algo-1", log=tmp_path / "log"),),
        aftermath=Program(module="timeit", arguments=("-n1", "-r1", f"open({str(mark)!r}, 'w')")),
    )
    runner.start(spec)
    ended = threading.Event()
    runner.watch(spec.directory, ended.set)
    runner.stop(spec.directory, grace_seconds=0)
    assert ended.wait(60)
    assert runner.state(spec.directory).cause is Cause.STOPPED
    assert mark.exists()


def test_an_engine_is_found_by_its_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    assert address("auto") == "tcp://elsewhere:2375"
    assert address("off") == "off"
    for setting, words in (
        ("off", "is off"),
        ("auto", "an engine of this machine"),
        ("tcp://here:1", "an engine of this machine"),
        (f"unix://{tmp_path}/s", "no socket"),
    ):
        with pytest.raises(EngineUnavailable, match=words):
            find_engine(setting)
