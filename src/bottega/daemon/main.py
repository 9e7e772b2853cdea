"""The daemon process: opens the home, serves it, and leaves in good order."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine
from dataclasses import replace
from types import FrameType
from typing import Any

import bottega
from bottega.config import Config, ConfigurationError
from bottega.daemon import lifecycle

log = logging.getLogger("bottega")


def main() -> int:
    """``python -m bottega.daemon.main --home DIR``."""
    parser = argparse.ArgumentParser(prog="bottega.daemon.main")
    parser.add_argument("--home", required=True)
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    arguments = parser.parse_args()
    os.chdir("/")  # keep nobody's folder from being unmounted or removed
    return run(Config.load(arguments.home, host=arguments.host, port=arguments.port))


def run(config: Config) -> int:
    """Serve a home until SIGTERM or SIGINT; returns the exit code."""
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    for name in ("alembic", "uvicorn"):  # they tell their own affairs, not ours
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        with lifecycle.home_lock(config):
            return _serve(config)
    except lifecycle.AlreadyRunning as error:
        log.error("%s", error.message)
        return lifecycle.ALREADY_RUNNING_EXIT
    except ConfigurationError as error:
        log.error("%s", error.message)
        return 2


def _serve(config: Config) -> int:
    from bottega.daemon.service import Service

    told = _Told()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    listener = bind(config)
    host, port = listener.getsockname()[:2]
    config = replace(config, port=port)
    service = Service.open(config)
    try:
        lifecycle.write_record(
            config,
            lifecycle.DaemonRecord(
                pid=os.getpid(),
                host=host,
                port=port,
                version=bottega.__version__,
                started=service.studio.ports.clock.now(),
            ),
        )
        log.info(
            "bottega %s serves %s at http://%s:%d", bottega.__version__, config.home, host, port
        )
        _favour_short_requests()
        _run(service.serve(listener, lambda: told.ending))
    finally:
        service.close()
    return 0


def _run(serving: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one: uvicorn chooses a loop only for servers it runs itself."""
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(serving)
    else:
        uvloop.run(serving)


def _favour_short_requests() -> None:
    """Keep the two things away that make a short request wait for what it has no part in.

    What was loaded at the start lives as long as the process, so the collector need not walk it
    again and again; and a thread that computes gives way to the event loop after half a millisecond
    instead of five.
    """
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(0.0005)


class _Told:
    """Handles signals before uvicorn does, and those that it raises again after it has served."""

    def __init__(self) -> None:
        self.ending = False
        """Whether one came: what is being started is to end at once, in good order."""

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self.ending = True
        log.info("ending in good order (%s)", signal.Signals(number).name)


def bind(config: Config) -> socket.socket:
    """A listening socket on the configured port, or the one of last time, or any free one.

    Clients and running jobs remember the address, so a home keeps its port while it can.
    """
    former = lifecycle.read_record(config)
    wanted = [config.port] if config.port else [former.port if former else 0, 0]
    problem = OSError("no port was tried")
    for port in wanted:
        listener = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Connections inherit it. Head and body of an answer are two writes, and without it the
        # second waits for the client's delayed acknowledgement of the first: 40 ms a call.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((config.host, port))
        except OSError as error:
            listener.close()
            problem = error
            continue
        listener.listen(1024)
        return listener
    raise ConfigurationError(
        f"cannot listen on {config.host}, port {wanted[-1]}: {problem.strerror or problem}. "
        "Choose another with --host and --port, or in config.toml."
    ) from problem


if __name__ == "__main__":
    sys.exit(main())
