"""FailureReason, as SageMaker words it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bottega.compute.runner import Cause, HostResult, Phase, WorkloadState
from bottega.jobs.job_files import HostFolder
from bottega.jobs.outcome import failure_reason


def ended(*hosts: HostResult) -> WorkloadState:
    return WorkloadState(Phase.ENDED, 1.0, 2.0, Cause.EXITED, hosts)


def failure_file(folder: Path, text: str) -> dict[str, HostFolder]:
    (folder / "output").mkdir()
    (folder / "output" / "failure").write_text(text)
    return {"algo-1": HostFolder(folder, "output")}


def test_a_bare_exit_code():
    assert failure_reason(ended(HostResult("algo-1", 3)), {}) == "AlgorithmError: , exit code: 3"


def test_the_failure_file_is_told(tmp_path: Path):
    files = failure_file(tmp_path, "ExecuteUserScriptError:\nValueError: boom")
    reason = failure_reason(ended(HostResult("algo-1", 1)), files)
    assert reason == "AlgorithmError: ExecuteUserScriptError:\nValueError: boom, exit code: 1"


def test_a_client_error_is_told_as_it_is(tmp_path: Path):
    files = failure_file(tmp_path, "ClientError: eta is 7")
    assert failure_reason(ended(HostResult("algo-1", 1)), files) == "ClientError: eta is 7"


@pytest.mark.parametrize("start", ["", "ClientError: "])
def test_a_long_failure_is_cut_to_1024(tmp_path: Path, start: str):
    files = failure_file(tmp_path, start + "é" * 5000)
    reason = failure_reason(ended(HostResult("algo-1", 1)), files)
    assert len(reason) == 1024


def test_the_host_that_began_it_is_named(tmp_path: Path):
    state = ended(HostResult("algo-1", None, 15), HostResult("algo-2", 7))
    assert failure_reason(state, {}) == "AlgorithmError: , exit code: 7"


def test_a_link_in_place_of_the_failure_file_is_not_followed(tmp_path: Path):
    files = failure_file(tmp_path, "own words")
    assert "own words" in failure_reason(ended(HostResult("algo-1", 1)), files)
    (tmp_path / "output" / "failure").unlink()
    (tmp_path / "output" / "failure").symlink_to("/etc/passwd")
    reason = failure_reason(ended(HostResult("algo-1", 1)), files)
    assert reason == "AlgorithmError: , exit code: 1"


def test_memory_and_signals():
    killed = HostResult("algo-1", None, 9, out_of_memory=True)
    assert "memory ran out" in failure_reason(ended(killed), {})
    assert failure_reason(ended(HostResult("algo-1", None, 11)), {}).endswith("exit code: 139")


def test_what_a_host_said_last_is_told_where_it_left_no_file(tmp_path: Path):
    states = ended(HostResult("algo-1", 0), HostResult("algo-2", 2))
    reason = failure_reason(states, {}, {"algo-2": "ValueError: no rows"}.__getitem__)
    assert reason == "AlgorithmError: ValueError: no rows, exit code: 2"
    files = failure_file(tmp_path, "ClientError: eta is 7")
    one = ended(HostResult("algo-1", 1))
    assert failure_reason(one, files, lambda host: "never") == "ClientError: eta is 7"
    long = failure_reason(one, {}, lambda host: "x" * 3000 + "the end")
    assert len(long) == 1024
    assert long.endswith("xthe end, exit code: 1")
