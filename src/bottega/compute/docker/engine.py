"""Finding the Docker engine of this machine, and what can be asked of it before anything runs."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker.api import APIClient

AUTO = "auto"
OFF = "off"
_UNIX = "unix://"
_DEFAULT_SOCKET = "/var/run/docker.sock"
_ASK_SECONDS = 10
_HOW_TO_GET_ONE = (
    "Install Docker (on Debian and Ubuntu: apt-get install docker.io), or set docker in "
    "config.toml (BOTTEGA_DOCKER) to the unix:// address of an engine that runs."
)


class EngineUnavailable(Exception):
    """No Docker engine can be used. The message says why and what to do."""


class ImageMissing(Exception):
    """The engine has no such image. The message says how it gets there."""


@dataclass(frozen=True)
class Engine:
    """A Docker engine of this machine, by its address."""

    url: str
    """``unix:///path``: folders of this machine are mounted, so it must be this machine's."""

    @contextmanager
    def client(self, timeout: float = _ASK_SECONDS) -> Iterator[APIClient]:
        """A client, closed afterwards.

        Args:
            timeout: seconds that an answer may take.

        Raises:
            EngineUnavailable: nobody answers at the address.
        """
        from docker.api import APIClient
        from docker.errors import DockerException

        try:
            # Asked first, because the SDK leaves its socket open where nobody listens.
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(timeout)
                probe.connect(self.url.removeprefix(_UNIX))
            client = APIClient(base_url=self.url, version="auto", timeout=timeout)
        except (OSError, DockerException) as error:
            raise EngineUnavailable(
                f"the Docker engine at {self.url} does not answer ({error}). Start it, or see that "
                "this user may use its socket."
            ) from error
        with closing(client):
            yield client

    def require(self, image: str, *, pull: bool = False) -> None:
        """See that the engine has an image.

        Args:
            pull: fetch it where it has not.

        Raises:
            EngineUnavailable: nobody answers at the address.
            ImageMissing: it is not there, or could not be fetched.
        """
        from docker.errors import APIError, ImageNotFound

        with self.client() as client:
            try:
                client.inspect_image(image)
                return
            except ImageNotFound:
                if not pull:
                    raise ImageMissing(
                        f"the Docker engine at {self.url} has no image {image!r}. Build it or run "
                        f"docker pull {image}; with docker_pull = true in config.toml "
                        "(BOTTEGA_DOCKER_PULL) missing images are fetched"
                    ) from None
            except APIError as error:  # a name that no image can have
                raise ImageMissing(
                    f"the Docker engine at {self.url} refuses it: {error.explanation or error}"
                ) from error
        self._pull(image)

    def _pull(self, image: str) -> None:
        from docker.errors import APIError

        with self.client(timeout=3600) as client:
            # Without a tag, all of a repository's images would be fetched.
            tagged = "@" in image or ":" in image.rpartition("/")[2]
            try:
                for line in client.pull(
                    image if tagged else f"{image}:latest", stream=True, decode=True
                ):
                    if problem := line.get("error"):
                        raise ImageMissing(f"it could not be pulled: {problem}")
            except APIError as error:
                reason = error.explanation or error
                raise ImageMissing(f"it could not be pulled: {reason}") from error


def address(setting: str) -> str:
    """What to tell another process, which has not this one's environment, for a setting."""
    return (os.environ.get("DOCKER_HOST") or setting) if setting == AUTO else setting


def find_engine(setting: str) -> Engine:
    """The engine that a setting stands for.

    Args:
        setting: ``auto``, ``off`` or a ``unix://`` address; ``auto`` is that of ``DOCKER_HOST``,
            or the engine at Docker's usual place.

    Raises:
        EngineUnavailable: there is none.
    """
    if setting == OFF:
        raise EngineUnavailable("the setting docker is off, so no image is run by Docker")
    if setting != AUTO:
        return _at(setting, "the setting docker")
    if address := os.environ.get("DOCKER_HOST"):
        return _at(address, "DOCKER_HOST")
    if not _is_socket(_DEFAULT_SOCKET):
        raise EngineUnavailable(f"there is no Docker engine on this machine. {_HOW_TO_GET_ONE}")
    return Engine(_UNIX + _DEFAULT_SOCKET)


def _at(address: str, where: str) -> Engine:
    path = address.removeprefix(_UNIX)
    if not address.startswith(_UNIX) or not path.startswith("/"):
        raise EngineUnavailable(
            f"{where} is {address!r}; it must be unix:///path/of/docker.sock, an engine of this "
            "machine, because the model's folder is mounted into the container"
        )
    if not _is_socket(path):
        raise EngineUnavailable(f"{where} is {address!r}, where no socket is. {_HOW_TO_GET_ONE}")
    return Engine(address)


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.stat(path).st_mode)
    except OSError:
        return False


def enters_namespaces() -> bool:
    """Whether this process may enter a container's network, which is how the port of one without
    any network is reached."""
    return sys.platform == "linux" and os.geteuid() == 0


def has_bridge(client: APIClient) -> bool:
    """Whether containers can have a network of their own with ports published on this machine."""
    networks: list[dict[str, Any]] = client.networks(names=["bridge"])
    return any(network["Driver"] == "bridge" for network in networks)
