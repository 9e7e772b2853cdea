"""Messages between the daemon and a worker."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from bottega.wrangler.worker.protocol import LARGEST, Channel, Closed


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.fixture
def ends(sockets: tuple[socket.socket, socket.socket]) -> tuple[Channel, Channel]:
    return Channel(sockets[0]), Channel(sockets[1])


def test_a_message_arrives_whole(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    message = {"text": "ünï \ud800", "large": "x" * 3_000_000, "none": None}
    sender = threading.Thread(target=one.send, args=(message,))
    sender.start()
    assert other.receive() == message
    sender.join()


def test_messages_do_not_run_into_each_other(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    for number in range(3):
        one.send({"number": number})
    assert [other.receive()["number"] for _ in range(3)] == [0, 1, 2]


def test_an_end_is_told_to_both_sides(ends: tuple[Channel, Channel]) -> None:
    one, other = ends
    one.close()
    with pytest.raises(Closed):
        other.receive()
    with pytest.raises(Closed):
        other.send({})
    one.close()  # again does no harm


def test_half_a_message_is_none(sockets: tuple[socket.socket, socket.socket]) -> None:
    one, other = sockets
    one.sendall(struct.pack(">I", 100) + b"{")
    one.close()
    with pytest.raises(Closed):
        Channel(other).receive()


def test_what_is_too_long_is_no_message(sockets: tuple[socket.socket, socket.socket]) -> None:
    one, other = sockets
    one.sendall(struct.pack(">I", LARGEST + 1))
    with pytest.raises(Closed):
        Channel(other).receive()
    with pytest.raises(ValueError, match="not JSON compliant"):
        Channel(one).send({"x": float("nan")})
