"""Watching a real daemon: many at once, over a restart, and while it stops."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bottega.credentials import Credentials
from bottega.errors import ValidationException
from bottega.sdk.client import LocalClient, RemoteClient
from bottega.sdk.signing import operation_headers, signed_headers
from bottega.studio import Studio
from bottega.testing.daemon import TestDaemon, running_daemon

PATIENCE_SECONDS = 60
"""The longest that WatchEvents waits."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[TestDaemon]:
    with running_daemon(tmp_path / "h", tracking=False, preload=False) as daemon:
        yield daemon


class Watcher:
    """One connection that is kept open. A request is sent by one method and answered by another,
    so that a test knows what the daemon has got."""

    def __init__(self, daemon: TestDaemon) -> None:
        self._daemon = daemon
        self._keys = Credentials.load(daemon.config)
        self._connection = http.client.HTTPConnection(urlsplit(daemon.url).netloc)
        self.cursor = ""
        self.read()

    def read(self) -> dict[str, Any]:
        """What has happened since the last answer."""
        self.ask(seconds=0)
        return self.answer()

    def ask(self, *, seconds: int = PATIENCE_SECONDS) -> None:
        request = {"WaitSeconds": seconds} | ({"Cursor": self.cursor} if self.cursor else {})
        body = json.dumps(request).encode()
        headers = signed_headers(
            self._keys,
            "POST",
            f"{self._daemon.url}/",
            operation_headers("bottega", "WatchEvents"),
            body,
            scope="sagemaker",
            region=self._daemon.config.region,
        )
        self._connection.request("POST", "/", body, headers)

    def answer(self) -> dict[str, Any]:
        response = self._connection.getresponse()
        answer = json.loads(response.read())
        assert response.status == 200, answer
        self.cursor = answer["Cursor"]
        return answer

    def close(self) -> None:
        self._connection.close()


def create_model(daemon: TestDaemon, name: str) -> None:
    daemon.client("sagemaker").create_model(
        ModelName=name,
        PrimaryContainer={"Image": "python"},
        ExecutionRoleArn=daemon.config.role_arn,
    )


def remote(daemon: TestDaemon) -> RemoteClient:
    return RemoteClient(daemon.url, daemon.config.region, Credentials.load(daemon.config))


def test_many_watchers_are_told_while_others_are_served(daemon: TestDaemon) -> None:
    """There are more of them than the daemon has threads."""
    watchers = [Watcher(daemon) for _ in range(100)]
    for watcher in watchers:
        watcher.ask()
    create_model(daemon, "m")
    for watcher in watchers:
        answer = watcher.answer()
        (event,) = answer["Events"]
        assert (event["Type"], event["Change"], event["Kind"], event["Name"]) == (
            "ResourceChanged",
            "created",
            "Model",
            "m",
        )
        assert answer["Reset"] is False
    assert watchers[0].read()["Events"] == []
    daemon.client("sagemaker").delete_model(ModelName="m")
    assert [event["Change"] for event in watchers[0].read()["Events"]] == ["deleted"]
    for watcher in watchers:
        watcher.close()


def test_a_watcher_that_is_gone_harms_nobody(daemon: TestDaemon) -> None:
    gone, there = Watcher(daemon), Watcher(daemon)
    gone.ask()
    gone.close()
    there.ask()
    create_model(daemon, "m")
    assert len(there.answer()["Events"]) == 1
    there.close()
    assert "Traceback" not in daemon.log()


def test_watchers_of_a_killed_daemon_begin_anew_with_the_next(daemon: TestDaemon) -> None:
    watcher = Watcher(daemon)
    watcher.ask()
    daemon.kill()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        watcher.answer()
    watcher.close()
    daemon.start()
    create_model(daemon, "m")
    again = Watcher(daemon)
    again.cursor = watcher.cursor
    answer = again.read()
    assert (answer["Events"], answer["Reset"]) == ([], True)
    create_model(daemon, "n")
    answer = again.read()
    assert [event["Name"] for event in answer["Events"]] == ["n"]
    assert answer["Reset"] is False
    again.close()


def test_a_daemon_that_stops_lets_its_watchers_go(daemon: TestDaemon) -> None:
    """They are answered: what uvicorn gives up waiting for, after half a minute, is cut off."""
    watchers = [Watcher(daemon) for _ in range(5)]
    for watcher in watchers:
        watcher.ask()
    # The loop has read what those connections sent before this is answered by a thread.
    remote(daemon).call("bottega", "DescribeStudio")
    assert daemon.stop() == 0
    for watcher in watchers:
        answer = watcher.answer()
        assert (answer["Events"], answer["Reset"]) == ([], False)
        watcher.close()
    assert "Cancel" not in daemon.log()


def test_the_trail_has_no_line_for_an_answered_watcher(daemon: TestDaemon) -> None:
    client = remote(daemon)
    client.call("bottega", "WatchEvents", {"WaitSeconds": 0})
    with pytest.raises(ValidationException, match="Cursor is not one that WatchEvents gave"):
        client.call("bottega", "WatchEvents", {"Cursor": "nonsense"})
    client.call("bottega", "DescribeActivity")
    lines = (daemon.home / "audit" / "audit.jsonl").read_text().splitlines()
    assert [(line["operation"], line["error_code"]) for line in map(json.loads, lines)] == [
        ("WatchEvents", "ValidationException"),
        ("DescribeActivity", ""),
    ]


def test_the_same_in_one_process() -> None:
    studio = Studio.temporary(preload=False)
    try:
        client = LocalClient(studio)
        cursor = client.call("bottega", "WatchEvents", {"WaitSeconds": 0})["Cursor"]
        model = {"ModelName": "m", "PrimaryContainer": {"Image": "python"}}
        client.call("sagemaker", "CreateModel", model)
        answer = client.call("bottega", "WatchEvents", {"Cursor": cursor})
        assert [event["Name"] for event in answer["Events"]] == ["m"]
    finally:
        studio.close()
