"""Host names that are answered where the daemon listens on more than this machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from bottega.config import Config
from bottega.daemon.hosts import AllowedHosts


@pytest.mark.parametrize(
    ("configured", "host", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1:80", True),
        ("127.0.0.1", "192.168.1.5", False),
        ("studio.example", "studio.example:8080", True),
        ("studio.example", "STUDIO.example", True),
        ("studio.example", "other.example", False),
        ("192.168.1.5", "192.168.1.5:1", True),
        ("192.168.1.5", "192.168.1.6", False),
        ("0.0.0.0", "192.168.1.6", True),
        ("::", "[2001:db8::1]:80", True),
        ("0.0.0.0", "evil.example", False),
        ("0.0.0.0", socket.gethostname(), True),
    ],
)
def test_configured_hosts(tmp_path: Path, configured: str, host: str, allowed: bool) -> None:
    hosts = AllowedHosts(Config(home=tmp_path, host=configured))
    assert hosts.allows(host) is allowed
    assert hosts.allows(host) is allowed  # the second time from memory
