"""`bottega.connect()` as a person uses it: the service starts whenever it is needed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas
import pytest

import bottega
from bottega.config import Config
from bottega.daemon import lifecycle
from bottega.errors import BottegaError
from bottega.testing.daemon import TestDaemon, eventually

FRAME = pandas.DataFrame({"x": range(60), "y": [n % 2 for n in range(60)]})
SLOW = """
import time
for n in range(40):
    print("line", n, flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose daemon is started by whoever needs it, and gone afterwards."""
    folder = tmp_path / "h"
    yield folder
    config = Config.load(folder, environment={})
    lifecycle.stop(config)
    TestDaemon(folder).clean_up()


def kill(home: Path) -> None:
    record = lifecycle.running(Config.load(home, environment={}))
    assert record is not None
    os.kill(record.pid, signal.SIGKILL)
    eventually(lambda: not lifecycle.running(Config.load(home, environment={})), "it is dead")


def test_the_service_is_started_with_the_settings_given(home: Path):
    studio = bottega.connect(home, slots=3, tracking=False)
    facts = studio.describe()
    assert facts["Slots"] == 3
    assert facts["Home"] == str(home)
    assert "TrackingUri" not in facts


def test_a_session_outlives_its_daemon(home: Path):
    studio = bottega.connect(home, tracking=False)
    job = studio.train("xgboost", data=FRAME, target="y", num_round=2, logs=False)
    lifecycle.stop(studio.config)
    assert job.status == "Completed"  # started again
    kill(home)
    again = studio.train("xgboost", data=FRAME, target="y", num_round=2, logs=False)
    endpoint = again.deploy()
    expected = endpoint.predict(FRAME[:3])
    kill(home)
    studio.describe()
    assert endpoint.wait().predict(FRAME[:3]).tolist() == expected.tolist()


def test_waiting_goes_on_over_a_crash(home: Path, tmp_path: Path, capsys):
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    studio = bottega.connect(home, tracking=False)
    job = studio.train(script=script, wait=False)
    lines = job.logs(follow=True)
    assert "line 0" in (next(lines), next(lines))
    killer = threading.Timer(0.3, kill, [home])
    killer.start()
    job.wait()
    killer.join()
    shown = [line for line in capsys.readouterr().out.splitlines() if line.startswith("line ")]
    assert shown == [f"line {n}" for n in range(40)]


def test_two_sessions_share_one_service(home: Path):
    with ThreadPoolExecutor(3) as threads:
        sessions = list(threads.map(lambda _: bottega.connect(home, tracking=False), range(3)))
        assert len({session.client.url for session in sessions}) == 1
        jobs = list(
            threads.map(
                lambda s: s.train("xgboost", data=FRAME, target="y", num_round=2, logs=False),
                sessions,
            )
        )
    found = {item["TrainingJobName"] for item in sessions[0].jobs()}
    assert found == {job.name for job in jobs}
    assert len(found) == 3


def test_a_daemon_that_cannot_start_says_why(home: Path):
    home.mkdir()
    (home / "metadata.sqlite").write_text("this is no database " * 100)
    with pytest.raises(BottegaError, match=r"file is not a database"):
        bottega.connect(home, tracking=False)


def test_an_interrupt_leaves_the_job_running(home: Path, tmp_path: Path):
    script = tmp_path / "slow.py"
    script.write_text(SLOW)
    program = (
        "import bottega, sys\n"
        "studio = bottega.connect(sys.argv[1], tracking=False)\n"
        "studio.train(script=sys.argv[2], name='left-alone')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(home), str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("line "):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "The training job left-alone goes on." in out
    assert "KeyboardInterrupt" in err
    job = bottega.connect(home).job("left-alone")
    assert job.wait(quiet=True).status == "Completed"
