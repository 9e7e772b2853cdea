"""Starting, finding and stopping the daemon from other processes."""

from __future__ import annotations

import concurrent.futures
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bottega.config import Config
from bottega.daemon import lifecycle
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.processes import command_line


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    (tmp_path / "h").mkdir()
    # The settings are in the file, because `start` runs the daemon in an environment of its own.
    (tmp_path / "h" / "config.toml").write_text("tracking = false\npreload = false\n")
    config = Config.load(tmp_path / "h", environment={})
    yield config
    if lifecycle.running(config):
        lifecycle.stop(config)


def test_many_that_start_at_once_get_one_daemon(config: Config):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        records = list(pool.map(lambda _: lifecycle.start(config), range(4)))
    assert len({record.pid for record in records}) == 1
    assert lifecycle.running(config) == records[0]
    stopped = lifecycle.stop(config)
    assert stopped == records[0]
    assert lifecycle.running(config) is None
    assert lifecycle.stop(config) is None
    assert lifecycle.start(config).port == records[0].port  # clients remember the address


def test_who_starts_second_leaves_no_process_behind(config: Config):
    first = lifecycle.start(config)
    record = lifecycle.record_file(config)
    hidden = record.rename(record.with_suffix(".hidden"))
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        second = pool.submit(lifecycle.start, config)
        eventually(lambda: len(daemons_of(config)) > 1, "a second one is started")
        hidden.rename(record)
        assert second.result() == first
    assert daemons_of(config) == [first.pid]


def test_a_stop_waits_for_the_one_it_stops_only(config: Config):
    first = lifecycle.start(config)
    stopped = threading.Event()

    def take_over() -> None:
        while True:
            try:
                with lifecycle.home_lock(config):
                    lifecycle.write_record(config, replace(first, pid=os.getpid()))
                    assert stopped.wait(30)
                    return
            except lifecycle.AlreadyRunning:
                continue

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        successor = pool.submit(take_over)
        try:
            assert lifecycle.stop(config, timeout=20) == first
        finally:
            stopped.set()
        successor.result()


@pytest.mark.parametrize("attempt", range(3))
def test_a_signal_while_it_starts_ends_it(config: Config, attempt: int):
    log = config.home / "daemon.log"
    with log.open("ab") as output:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "bottega.daemon.main", "--home", str(config.home)],
            stderr=output,
        )
    eventually(lambda: " serves " in log.read_text(), "it is about to serve")
    daemon.send_signal(signal.SIGTERM)
    daemon.wait(20)
    assert "stopped" in log.read_text().splitlines()[-1]


def daemons_of(config: Config) -> list[int]:
    """The processes that serve the home, or try to."""
    return [
        process.pid
        for process in psutil.process_iter()
        if str(config.home) in command_line(process).split()  # a zombie has none
    ]


def test_a_taken_port_of_last_time_is_given_up(config: Config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        record = lifecycle.DaemonRecord(1, "127.0.0.1", port, "0", 0.0)
        lifecycle.write_record(config, record)
        assert lifecycle.start(config).port != port


def test_a_wanted_port_that_is_taken_is_an_error_with_the_log(config: Config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = Config.load(config.home, environment={}, port=taken.getsockname()[1])
        with pytest.raises(lifecycle.DaemonNotStarted, match="Address already in use"):
            lifecycle.start(wanted)


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"pid": 1}'])
def test_a_damaged_record_counts_as_none(config: Config, text: str):
    lifecycle.record_file(config).write_text(text)
    assert lifecycle.running(config) is None


def test_somebody_elses_server_at_the_old_address_is_not_taken_for_ours(config: Config):
    with socket.create_server(("127.0.0.1", 0)) as other:
        record = lifecycle.DaemonRecord(1, "127.0.0.1", other.getsockname()[1], "0", 0.0)
        lifecycle.write_record(config, record)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            answer = pool.submit(_answer_once, other)
            assert lifecycle.running(config) is None
            answer.result()


def _answer_once(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        body = b'{"status":"ok","pid":999999}'
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def test_only_one_process_has_a_home(config: Config):
    lifecycle.start(config)
    with (
        pytest.raises(lifecycle.AlreadyRunning, match="is served by process"),
        lifecycle.home_lock(config),
    ):
        raise AssertionError("two have the home")


def test_the_lock_goes_with_a_killed_daemon(config: Config):
    record = lifecycle.start(config)
    os.kill(record.pid, signal.SIGKILL)
    eventually(lambda: lifecycle.running(config) is None, "the daemon is gone")
    again = eventually(lambda: lifecycle.start(config), "it starts again")
    assert again.pid != record.pid


def test_every_call_is_in_the_trail_and_nobody_else_reads_it(tmp_path: Path):
    with running_daemon(tmp_path / "h", tracking=False, preload=False) as daemon:
        sagemaker = daemon.client("sagemaker")
        sagemaker.list_models()
        with pytest.raises(sagemaker.exceptions.ClientError):
            sagemaker.describe_model(ModelName="none")
        trail = daemon.home / "audit" / "audit.jsonl"
        lines = [json.loads(line) for line in trail.read_text().splitlines()]
        assert [(line["operation"], line["error_code"]) for line in lines] == [
            ("ListModels", ""),
            ("DescribeModel", "ValidationException"),
        ]
        assert lines[1]["resource"] == "none"
        assert lines[0]["caller"].endswith("/owner")
        assert stat.S_IMODE(trail.parent.stat().st_mode) == 0o700
        secrets = json.loads((daemon.home / "credentials.json").read_text())
        assert secrets["secret_key"] not in trail.read_text() + daemon.log()


def test_a_graceful_stop_leaves_training_running(tmp_path: Path):
    from bottega.testing.requests import code_archive, script_job

    daemon = TestDaemon(tmp_path / "h", {"tracking": False}).start()
    try:
        config = daemon.config
        body = code_archive(train__py="import time; time.sleep(3); print('done')")
        daemon.client("s3").put_object(Bucket=config.bucket, Key="c", Body=body)
        request = script_job("j", config.bucket, config.role_arn, f"s3://{config.bucket}/c")
        daemon.client("sagemaker").create_training_job(**request)

        def secondary() -> str:
            job = daemon.client("sagemaker").describe_training_job(TrainingJobName="j")
            return job["SecondaryStatus"]

        eventually(lambda: secondary() == "Training", "the job runs")
        assert daemon.stop() == 0
        time.sleep(0.2)
        daemon.start()
        eventually(lambda: secondary() == "Completed", "the job completes")
    finally:
        daemon.clean_up()


def test_a_start_while_another_daemon_is_ending(config: Config):
    log = config.home / "daemon.log"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        with lifecycle.home_lock(config):
            starting = pool.submit(lifecycle.start, config)
            eventually(lambda: log.exists() and "is served by" in log.read_text(), "it is refused")
        assert starting.result() == lifecycle.running(config)
