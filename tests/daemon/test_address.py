"""The address of a daemon that is not up yet."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.config import Config, ConfigurationError
from bottega.daemon import address, lifecycle


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Config]:
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / "config.toml").write_text("tracking = false\npreload = false\n")
    config = Config.load(tmp_path / "h", environment={})
    yield config
    if lifecycle.running(config):
        lifecycle.stop(config)


def test_the_daemon_takes_the_port_that_was_promised(config: Config):
    url, runs = address.reserve(config)
    assert not runs
    assert lifecycle.running(config) is None
    assert address.reserve(config) == (url, False)
    assert lifecycle.start(config).url == url
    assert address.reserve(config) == (url, True)


def test_the_port_of_the_last_daemon_is_promised_while_it_is_free(config: Config):
    record = lifecycle.start(config)
    lifecycle.stop(config)
    assert address.reserve(config) == (record.url, False)
    assert lifecycle.read_record(config) == record
    with socket.create_server((record.host, record.port)):
        url, runs = address.reserve(config)
    assert (url == record.url, runs) == (False, False)
    assert lifecycle.start(config).url == url


def test_a_configured_port_is_the_one_or_none(config: Config):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        wanted = Config.load(config.home, environment={}, port=port)
        with pytest.raises(ConfigurationError, match=str(port)):
            address.reserve(wanted)
    assert address.reserve(wanted) == (f"http://127.0.0.1:{port}", False)


def test_whoever_has_the_home_and_never_says_where_is_not_waited_for_in_vain(
    config: Config, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(address, "COMING_UP_SECONDS", 0.1)
    with (
        lifecycle.home_lock(config),
        pytest.raises(lifecycle.DaemonNotStarted, match="does not say where"),
    ):
        address.reserve(config)
