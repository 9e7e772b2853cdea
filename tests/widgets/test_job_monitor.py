"""The monitor's Python side: what it knows, when it ends, what it does when told."""

from __future__ import annotations

import threading

import pytest

from bottega.errors import ResourceNotFound
from bottega.testing.daemon import eventually
from bottega.widgets import JobMonitor

ENDLESS = """\
import itertools, time
for step in itertools.count(1):
    print(f"loss={1 / step}", flush=True)
    time.sleep(0.05)
"""


def watchers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("monitor ")]


def test_a_job_that_has_ended_needs_no_thread(trained):
    monitor = JobMonitor(trained)
    assert watchers() == []
    assert not monitor.is_live
    assert monitor.description["TrainingJobStatus"] == "Completed"
    assert [course["Points"] for course in monitor.courses] == [12]
    assert any("train-rmse" in line for line in monitor.lines)
    assert monitor.wait() is trained


def test_it_is_found_by_name(studio, trained):
    assert JobMonitor("trained", studio=studio).name == "trained"
    with pytest.raises(ResourceNotFound, match="There is no training job 'gone'"):
        JobMonitor("gone", studio=studio)


def test_it_follows_a_job_and_stops_it_when_told(script_job):
    job = script_job(ENDLESS, "endless")
    monitor = JobMonitor(job)
    assert monitor.is_live
    (thread,) = watchers()
    assert thread.daemon  # keeps no process alive
    eventually(lambda: monitor.courses and monitor.courses[0]["Points"] > 2, "metrics come")
    eventually(lambda: monitor.lines, "the log comes")
    monitor._handle_custom_msg({"do": "stop"}, [])
    monitor.wait()
    assert monitor.description["TrainingJobStatus"] == "Stopped"
    eventually(lambda: not thread.is_alive(), "the thread ends with the job")


def test_closing_ends_the_thread_and_not_the_job(script_job):
    job = script_job(ENDLESS, "closed")
    monitor = JobMonitor(job)
    (thread,) = watchers()
    monitor.close()
    eventually(lambda: not thread.is_alive(), "the thread ends with the widget")
    assert job.status == "InProgress"
    threading.Timer(0.5, job.stop).start()
    assert monitor.wait() is job
    assert job.status == "Stopped"


def test_it_bridges_a_time_without_service(script_job, daemon):
    job = script_job(ENDLESS, "bridged")
    monitor = JobMonitor(job)
    daemon.kill()
    eventually(lambda: monitor.problem, "it says that nobody answers")
    daemon.start()
    eventually(lambda: not monitor.problem, "it goes on")
    job.stop()
    assert monitor.wait().status == "Stopped"
