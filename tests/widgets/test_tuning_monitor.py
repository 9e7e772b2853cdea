"""The monitor of a tuning job: what it knows, when it ends, what it does when told."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bottega.errors import ResourceNotFound
from bottega.sdk.session import Session
from bottega.sdk.tuning_job import TuningJob
from bottega.testing.daemon import eventually
from bottega.widgets import TuningMonitor

SCRIPT = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
print(f"loss={parser.parse_args().rate};", flush=True)
"""


@pytest.fixture
def search(studio: Session, tmp_path: Path):
    """Starts a search with a script."""

    def start(name: str, more: str = "", trials: int = 2) -> TuningJob:
        script = tmp_path / "train.py"
        script.write_text(SCRIPT + more)
        return studio.tune(
            script=script,
            image="python",
            metrics={"loss": "loss=([0-9.]+);"},
            objective_metric="loss",
            objective_type="Minimize",
            ranges={"rate": (0.0, 1.0)},
            strategy="Random",
            max_jobs=trials,
            max_parallel_jobs=1,
            name=name,
            wait=False,
        )

    return start


def watchers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("monitor ")]


def test_it_follows_a_search_to_its_end_and_is_a_picture_after(studio: Session, search):
    monitor = TuningMonitor(search("followed"))
    assert monitor.wait().status == "Completed"
    assert monitor.progress["Status"] == "Completed"
    assert monitor.progress["Trials"]["Succeeded"] == 2
    values = [trial["Objective"] for trial in monitor.trials]
    assert len(values) == 2
    assert values == sorted(values)
    assert "2 of 2 trials ended: 2 completed" in repr(monitor)
    eventually(lambda: not watchers(), "the thread ends with the search")

    again = TuningMonitor("followed", studio=studio)
    assert watchers() == []
    assert not again.is_live
    assert again.standing_alone() == monitor.standing_alone()
    with pytest.raises(ResourceNotFound, match="There is no tuning job 'gone'"):
        TuningMonitor("gone", studio=studio)


def test_it_stops_a_search_when_told(search):
    monitor = TuningMonitor(search("endless", "import time\ntime.sleep(600)\n", trials=50))
    assert monitor.is_live
    (thread,) = watchers()
    assert thread.daemon  # keeps no process alive
    eventually(lambda: monitor.progress["Trials"]["Total"], "a trial is started")
    monitor._handle_custom_msg({"do": "stop"}, [])
    assert monitor.wait().status == "Stopped"
    assert monitor.progress["Status"] == "Stopped"


def test_closing_ends_the_thread_and_not_the_search(search):
    job = search("closed", "import time\ntime.sleep(600)\n")
    monitor = TuningMonitor(job)
    (thread,) = watchers()
    monitor.close()
    eventually(lambda: not thread.is_alive(), "the thread ends with the widget")
    assert job.status == "InProgress"
    job.stop()
    assert monitor.wait().status == "Stopped"
