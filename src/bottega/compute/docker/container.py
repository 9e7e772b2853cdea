"""One container of a model server: how it is made, how its port is reached, how it goes."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from bottega.compute.docker.engine import enters_namespaces, has_bridge

if TYPE_CHECKING:
    from docker.api import APIClient

PLAN_VARIABLE = "BOTTEGA_CONTAINER"
SERVER_LABEL = "bottega.server"
"""Whose value is the socket folder of the model server that the container answers for."""
HOME_LABEL = "bottega.home"
WORKLOAD_LABEL = "bottega.workload"
PORT = 8080
"""Where a container listens, by SageMaker's contract."""
_NEW_NETWORK = 0x40000000
_MOST_OPEN_FILES = 65536
_MOST_PROCESSES = 8192
_KEPT_CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETUID")
"""What servers need that start as root and go on as somebody else; of the others they get none."""


class CannotStart(Exception):
    """The container cannot be run. The message says why and what to do."""


@dataclass(frozen=True)
class ContainerRun:
    """What an attendant is told: all that makes its container."""

    engine: str
    """Which engine: an address, or ``auto``."""
    image: str
    environment: Mapping[str, str]
    mounts: tuple[tuple[str, str], ...]
    """Folders of this machine and where the container sees them, read-only."""
    network: bool
    """False: none but its own loopback."""
    server: str
    """Which model server this is; two containers never are the same one at once."""
    home: str
    """Of the studio that it belongs to."""
    workload: str
    """The runner's folder of the attendant."""
    answer_seconds: float
    """How long an answer may take to begin or to go on."""

    def dumps(self) -> str:
        """As text that fits into a variable."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read back what :meth:`dumps` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "mounts": tuple((a, b) for a, b in fields["mounts"])})


@dataclass(frozen=True)
class Reach:
    """How an attendant reaches its container's port."""

    port: int
    network_of: int | None = None
    """The process whose network namespace the port is in; None for this machine's own."""

    def connector(self) -> Callable[..., socket.socket]:
        """A factory of sockets, as aiohttp's connector takes it, that are in the right network."""

        def make(address: Any) -> socket.socket:
            family, kind, protocol, *_ = address
            if self.network_of is None:
                return socket.socket(family, kind, protocol)
            return _socket_inside(self.network_of, family, kind, protocol)

        return make


def create(client: APIClient, run: ContainerRun) -> str:
    """Make the container, not started; returns its id. One that was left of the same server is
    removed first.

    Raises:
        CannotStart: the engine refuses, or cannot give what is asked for.
    """
    remove_those_of(client, f"{SERVER_LABEL}={run.server}")
    environment = dict(run.environment)
    options = _network_options(client, run, environment)
    with refusals(run.image):
        made = client.create_container(
            run.image,
            ["serve"],
            environment=environment,
            labels={
                SERVER_LABEL: run.server,
                HOME_LABEL: run.home,
                WORKLOAD_LABEL: run.workload,
            },
            ports=[PORT],
            host_config=client.create_host_config(
                binds=[f"{source}:{target}:ro" for source, target in run.mounts],
                **bounds(),
                **options,
            ),
        )
    return str(made["Id"])


def bounds() -> dict[str, Any]:
    """The members of a host configuration that say what no container may do or exceed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    files = _MOST_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_OPEN_FILES)
    return {
        "cap_drop": ["ALL"],
        "cap_add": list(_KEPT_CAPABILITIES),
        "security_opt": ["no-new-privileges"],
        "ulimits": [{"Name": "nofile", "Soft": files, "Hard": files}],
        "pids_limit": _MOST_PROCESSES,
        # What it writes goes to the studio's log, so the engine keeps none.
        "log_config": {"Type": "none"},
    }


@contextmanager
def refusals(image: str) -> Iterator[None]:
    """Tell why the engine makes no container.

    Raises:
        CannotStart: it has no such image, or refuses.
    """
    from docker.errors import APIError, ImageNotFound

    try:
        yield
    except ImageNotFound as error:
        raise CannotStart(
            f"The Docker engine has no image {image!r} any more. Build or pull it again."
        ) from error
    except APIError as error:
        raise CannotStart(f"The Docker engine refuses: {error.explanation or error}") from error


def reach(client: APIClient, container: str, run: ContainerRun) -> Reach:
    """How the port of a container that has been started is reached.

    Raises:
        CannotStart: it is not running any more.
    """
    found = client.inspect_container(container)
    if not run.network:
        if not found["State"]["Running"]:
            raise CannotStart("The container ended before it could be reached.")
        return Reach(PORT, network_of=int(found["State"]["Pid"]))
    for variable in found["Config"]["Env"]:
        name, _, value = variable.partition("=")
        if found["HostConfig"]["NetworkMode"] == "host" and name == "SAGEMAKER_BIND_TO_PORT":
            return Reach(int(value))
    published = found["NetworkSettings"]["Ports"].get(f"{PORT}/tcp")
    if not published:
        raise CannotStart("The container ended before it could be reached.")
    return Reach(int(published[0]["HostPort"]))


def remove(client: APIClient, container: str) -> None:
    """End and remove a container with its unnamed volumes; one that is gone already is no error."""
    from docker.errors import APIError, NotFound

    try:
        client.remove_container(container, force=True, v=True)
    except NotFound:
        return
    except APIError as error:
        if error.status_code != 409:  # somebody else removes it at this moment
            raise


def remove_those_of(
    client: APIClient, label: str, *, keep: Callable[[str], bool] = lambda workload: False
) -> int:
    """Remove containers with a label; returns how many.

    Args:
        keep: of the folder of an attendant, whether its container stays.
    """
    found = client.containers(all=True, filters={"label": label})
    outdated = [one for one in found if not keep(one["Labels"][WORKLOAD_LABEL])]
    for one in outdated:
        remove(client, one["Id"])
    return len(outdated)


def _network_options(
    client: APIClient, run: ContainerRun, environment: dict[str, str]
) -> dict[str, Any]:
    if not run.network:
        if not enters_namespaces():
            raise CannotStart(
                "A container without network is reached through its network namespace, which only "
                "root may enter, on Linux. Run the studio as root, or set EnableNetworkIsolation "
                "to false."
            )
        return {"network_mode": "none"}
    if has_bridge(client):
        return {"network_mode": "bridge", "port_bindings": {PORT: ("127.0.0.1", None)}}
    environment["SAGEMAKER_BIND_TO_PORT"] = str(_free_port())
    return {"network_mode": "host"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _socket_inside(process: int, family: int, kind: int, protocol: int) -> socket.socket:
    """A socket in the network of another process. The calling thread is there only meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        other = os.open(f"/proc/{process}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(libc, other)
        finally:
            os.close(other)
        try:
            return socket.socket(family, kind, protocol)
        finally:
            _enter(libc, own)
    finally:
        os.close(own)


def _enter(libc: ctypes.CDLL, namespace: int) -> None:
    if libc.setns(namespace, _NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
