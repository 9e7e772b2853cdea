"""The address of a home's daemon, known before the daemon answers."""

from __future__ import annotations

import time

from bottega.config import Config
from bottega.daemon import lifecycle
from bottega.daemon.main import bind

RESERVED = 0
"""The process in the record of an address that no daemon has served yet."""
COMING_UP_SECONDS = 10.0
POLL_SECONDS = 0.02


def reserve(config: Config) -> tuple[str, bool]:
    """The address at which the daemon of this home answers, now or once it has been started.

    Nothing is asked over the network. Where no daemon has the home, the port it will take is chosen
    and kept in the home's record, as a daemon takes the port of the last one while that is free.

    Returns:
        The address, and whether a daemon has the home already.

    Raises:
        DaemonNotStarted: another process has the home and has not said where it listens.
        ConfigurationError: the configured port is taken.
    """
    deadline = time.monotonic() + COMING_UP_SECONDS
    while True:
        try:
            # A daemon holds the lock as long as it lives, so none can write its record meanwhile.
            with lifecycle.home_lock(config):
                return _reserved(config).url, False
        except lifecycle.AlreadyRunning:
            if record := lifecycle.read_record(config):
                return record.url, True
        if time.monotonic() > deadline:
            raise lifecycle.DaemonNotStarted(
                f"the home {config.home} is taken by a process that does not say where it listens"
            )
        time.sleep(POLL_SECONDS)


def _reserved(config: Config) -> lifecycle.DaemonRecord:
    with bind(config) as listener:
        host, port = listener.getsockname()[:2]
    record = lifecycle.read_record(config)
    if record is None or (record.host, record.port) != (host, port):
        record = lifecycle.DaemonRecord(RESERVED, host, port, version="", started=0.0)
        lifecycle.write_record(config, record)
    return record
