"""The SageMaker Python SDK 3.x, as it is on PyPI, against a daemon of this tree.

These tests run in the SDK's own environment (``scripts/test`` makes it); the daemon is started by
the interpreter that ``BOTTEGA_PYTHON`` names. It is there before a test module is imported, because
the SDK makes clients while it is imported. Every name that this process looks up and every address
that it connects to is looked at: see :func:`nothing_leaves`.
"""

from __future__ import annotations

import ipaddress
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMES: list[tuple[str, float]] = []
OUTSIDE: list[str] = []
_HOME = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def bottega(home: Path, *arguments: str) -> str:
    """Run a command of bottega over a home; returns what it prints."""
    python = os.environ.get("BOTTEGA_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "SAGEMAKER_"))}
    done = subprocess.run(
        [str(Path(python).with_name("bottega")), *arguments],
        env={**clean, "BOTTEGA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pytest_sessionstart(session: pytest.Session) -> None:
    """A daemon over a home of its own, and its ``bottega env`` in this process."""
    if session.config.option.collectonly:
        return
    home = session.config.stash[_HOME] = tempfile.TemporaryDirectory(prefix="bottega-v3-")
    values = json.loads(bottega(Path(home.name), "env", "--format", "json"))
    os.environ.update(values)
    # What an interpreter does that is started with the variable.
    sys.path[:0] = values["PYTHONPATH"].split(os.pathsep)
    for name in [name for name, value in values.items() if not value] + ["AWS_CA_BUNDLE"]:
        os.environ.pop(name, None)
    sys.addaudithook(_notice)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if (home := session.config.stash.get(_HOME, None)) is not None:
        bottega(Path(home.name), "stop")
        home.cleanup()


def _notice(event: str, arguments: tuple[Any, ...]) -> None:
    """Remember what would leave this machine, and refuse it."""
    host = None
    if event == "socket.getaddrinfo":
        host = arguments[0]
    elif event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
        host = arguments[1][0]
    if host is None or _is_here(host.decode() if isinstance(host, bytes) else host):
        return
    OUTSIDE.append(f"{event} {host}")
    raise socket.gaierror(f"tests may not reach {host}")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in ("", "localhost")


@pytest.fixture(autouse=True)
def nothing_leaves() -> Iterator[None]:
    """A test fails when anything in it was to go to another machine."""
    OUTSIDE.clear()
    yield
    assert OUTSIDE == []


@pytest.fixture(scope="session")
def session() -> Any:
    """A session as every notebook makes it."""
    from sagemaker.core.helper.session_helper import Session

    return Session()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return folder


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Callable[[str], AbstractContextManager[None]]:
    """``with timed("train"):`` notes how long a step of a journey took; shown at the end."""

    @contextmanager
    def measure(step: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        TIMES.append((f"{request.node.name}: {step}", time.monotonic() - started))

    return measure


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.section("wall times, the SDK's own pauses included")
    for step, seconds in TIMES:
        terminalreporter.write_line(f"{seconds:7.2f} s  {step}")
