"""Several hosts that train one model: how they find the leader, and what they agree on.

The library's tracker wants a port that every host knows. Ports are chosen by the system, so the
leader first answers on one of a few ports that follow from the job's name, tells each host of the
same job where the tracker is, and closes them again.
"""

from __future__ import annotations

import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bottega.algorithms.base import CustomerError

if TYPE_CHECKING:
    from bottega.container.environment import TrainingEnvironment

_FIRST_PORT, _PORTS, _CANDIDATES = 20_000, 10_000, 8
_PATIENCE_SECONDS = 600.0
_MESSAGE_BYTES = 4096


class Cluster:
    """What a host can ask the others; with one host, the answers are its own."""

    def __init__(self, hosts: int, rank: int) -> None:
        self.hosts = hosts
        self.rank = rank

    @property
    def leads(self) -> bool:
        """Whether this host prints the metrics and saves the model."""
        return self.rank == 0

    def sum(self, values: Any) -> Any:
        """Add an array up over the hosts."""
        return self._reduce(values, "SUM")

    def largest(self, value: int) -> int:
        """The largest of the hosts' values."""
        import numpy as np

        return int(self._reduce(np.array([value], dtype=np.int64), "MAX")[0])

    def from_leader(self, value: bytes) -> bytes:
        """The leader's value."""
        if self.hosts == 1:
            return value
        from xgboost import collective

        found: bytes = collective.broadcast(value, 0)
        return found

    def _reduce(self, values: Any, operation: str) -> Any:
        if self.hosts == 1:
            return values
        from xgboost import collective

        return collective.allreduce(values, collective.Op[operation]).reshape(values.shape)


@contextmanager
def joined(environment: TrainingEnvironment) -> Iterator[Cluster]:
    """Work together with the other hosts of the job, if there are any.

    Raises:
        CustomerError: the leader cannot be reached.
    """
    hosts = environment.hosts
    if len(hosts) == 1:
        yield Cluster(1, 0)
        return
    from xgboost import collective

    index = hosts.index(environment.current_host)
    tracker = None
    if environment.is_master:
        from xgboost.tracker import RabitTracker

        address = socket.gethostbyname(environment.address(environment.master))
        tracker = RabitTracker(n_workers=len(hosts), host_ip=address, sortby="task")
        tracker.start()
        where = dict(tracker.worker_args())
        _announce(environment, address, where)
    else:
        where = _ask(environment)
    with collective.CommunicatorContext(**where, dmlc_task_id=f"{index:05d}"):
        yield Cluster(collective.get_world_size(), collective.get_rank())
    if tracker is not None:
        tracker.wait_for()
        tracker.free()


def _token(environment: TrainingEnvironment) -> str:
    return json.dumps([environment.job_name, *environment.hosts])


def _ports(token: str) -> list[int]:
    first = zlib.crc32(token.encode())
    return [_FIRST_PORT + (first + 7 * step) % _PORTS for step in range(_CANDIDATES)]


def _announce(environment: TrainingEnvironment, address: str, where: dict[str, Any]) -> None:
    """Tell every other host of this job where the tracker is."""
    token, missing = _token(environment), set(environment.hosts) - {environment.current_host}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with _listen(address, _ports(token)) as listener:
        while missing:
            listener.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                connection, _ = listener.accept()
            except TimeoutError as error:
                names = ", ".join(sorted(missing))
                raise CustomerError(f"These hosts did not join the training: {names}.") from error
            with connection:
                connection.settimeout(5)
                asked = _receive(connection)
                if asked.get("token") == token and asked.get("host") in missing:
                    connection.sendall(
                        json.dumps({"token": token, "tracker": where}).encode() + b"\n"
                    )
                    missing.discard(asked["host"])


def _listen(address: str, ports: list[int]) -> socket.socket:
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((address, port))
            listener.listen(64)
        except OSError:
            # Another job has it; the others try the next one too.
            listener.close()
            continue
        return listener
    raise CustomerError(f"None of the ports {ports} of {address} is free for the hosts to meet.")


def _ask(environment: TrainingEnvironment) -> dict[str, Any]:
    """Ask the leader where the tracker is, until it answers."""
    token, deadline = _token(environment), time.monotonic() + _PATIENCE_SECONDS
    question = json.dumps({"token": token, "host": environment.current_host}).encode() + b"\n"
    leader, reason = environment.address(environment.master), "nothing answered"
    while time.monotonic() < deadline:
        for port in _ports(token):
            try:
                with socket.create_connection((leader, port), timeout=5) as connection:
                    connection.sendall(question)
                    answer = _receive(connection)
            except OSError as error:
                reason = str(error)
                continue
            if answer.get("token") == token:
                found: dict[str, Any] = answer["tracker"]
                return found
        time.sleep(0.05)
    raise CustomerError(f"The host {environment.master} cannot be reached at {leader}: {reason}.")


def _receive(connection: socket.socket) -> dict[str, Any]:
    """One JSON line from a peer; an empty object when it says anything else."""
    received = b""
    try:
        while b"\n" not in received and len(received) < _MESSAGE_BYTES:
            chunk = connection.recv(_MESSAGE_BYTES)
            if not chunk:
                break
            received += chunk
        message = json.loads(received)
    except (OSError, ValueError):
        return {}
    return message if isinstance(message, dict) else {}
