"""The socket the daemon listens on."""

from __future__ import annotations

import socket
from pathlib import Path

from bottega.config import Config
from bottega.daemon.main import bind


def test_answers_do_not_wait_for_acknowledgements(tmp_path: Path) -> None:
    """Head and body are two writes; with Nagle's algorithm the second would wait 40 ms."""
    with (
        bind(Config.load(tmp_path, environment={})) as listener,
        socket.create_connection(listener.getsockname()[:2], timeout=10),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
