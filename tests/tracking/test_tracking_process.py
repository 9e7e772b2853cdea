"""The server as a child: it comes back, and it never stays behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bottega.config import Config
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.process import TrackingProcess


def eventually(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_it_comes_back_after_a_kill_with_what_it_knew(short_folder: Path) -> None:
    config = Config(home=short_folder / "home")
    process = TrackingProcess(config, short_folder / "run" / "mlflow.sock")
    tracking = MlflowTracking(process.socket, address=lambda: "http://127.0.0.1:1", token="t")

    def open_run() -> str:
        return tracking.open_run(
            experiment="e", name="n", arn="arn:x", started=1.0, tags={}, parameters={"a": "b"}
        ).run_id

    assert process.pid is None
    process.start()
    process.start()
    try:
        assert process.wait_ready(120), process.problem
        run_id = open_run()
        first = process.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: process.pid not in (None, first) and process.wait_ready(0))
        assert process.problem == ""
        assert open_run() == run_id
        assert stat.S_IMODE(process.socket.stat().st_mode) == 0o600
        for file in (config.home / "mlflow").iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
        second = process.pid
        assert second is not None
    finally:
        tracking.close()
        process.stop()
    assert is_gone(first)
    assert is_gone(second)
    assert not process.wait_ready(0)


@pytest.mark.parametrize("after", [0.0, 0.5])
def test_it_does_not_outlive_a_daemon_that_is_killed(short_folder: Path, after: float) -> None:
    daemon = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time, pathlib\n"
            "from bottega.config import Config\n"
            "from bottega.tracking.process import TrackingProcess\n"
            "folder = pathlib.Path(sys.argv[1])\n"
            "process = TrackingProcess(Config(home=folder / 'killed'), folder / 'k.sock')\n"
            "process.start()\n"
            "while process.pid is None: time.sleep(0.01)\n"
            "print(process.pid, flush=True)\n"
            "time.sleep(600)\n",
            str(short_folder),
        ],
        stdout=subprocess.PIPE,
    )
    with daemon:
        assert daemon.stdout is not None
        server = int(daemon.stdout.readline())
        time.sleep(after)  # while it starts, at two different places
        daemon.kill()
    assert eventually(lambda: is_gone(server))


def test_why_it_does_not_start_can_be_read(tmp_path: Path, short_folder: Path) -> None:
    home = tmp_path / "home"
    (home / "mlflow").mkdir(parents=True)
    (home / "mlflow" / "mlflow.db").write_text("this is no database")
    process = TrackingProcess(Config(home=home), short_folder / "bad.sock")
    process.start()
    try:
        assert eventually(lambda: process.problem != "")
        assert str(process.log_file) in process.problem
        assert "is not a database of MLflow" in process.log_file.read_text()
        assert not process.wait_ready(0)
    finally:
        process.stop()
    assert (home / "mlflow" / "mlflow.db").read_text() == "this is no database"
