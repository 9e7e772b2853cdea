"""Which Host headers the daemon answers to.

A web page can make a browser send requests to this machine under the page's own host name (DNS
rebinding); such a request names a host that is not ours, so it is refused before anything looks at
it.
"""

from __future__ import annotations

import ipaddress
import socket

from bottega.config import Config


class AllowedHosts:
    """Loopback names and addresses and the configured host; any address where that is a
    wildcard."""

    def __init__(self, config: Config) -> None:
        self._names = {"localhost", config.host.lower()}
        self._any_address = _is_wildcard(config.host)
        if self._any_address:
            self._names |= {socket.gethostname().lower(), socket.getfqdn().lower()}
        self._known: dict[str, bool] = {}

    def allows(self, host: str) -> bool:
        """Whether a Host header (with or without a port) is one of ours."""
        allowed = self._known.get(host)
        if allowed is None:
            allowed = self._check(host)
            if len(self._known) < 256:
                self._known[host] = allowed
        return allowed

    def _check(self, host: str) -> bool:
        name = host.strip().lower()
        if name.startswith("["):
            name, _, port = name[1:].partition("]")
            port = port.removeprefix(":")
        else:
            name, _, port = name.partition(":")
        if port and not (port.isascii() and port.isdigit()):
            return False
        name = name.removesuffix(".")
        if name in self._names or name.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or self._any_address


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
