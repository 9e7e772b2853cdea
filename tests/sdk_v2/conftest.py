"""The SageMaker Python SDK 2.x, as it is on PyPI, against a daemon of this tree.

These tests run in the SDK's own environment (``scripts/test --sdk v2``); the daemon is started by
the interpreter that ``BOTTEGA_PYTHON`` names. Everything that would leave this machine goes to a
listener which keeps count and answers nothing: see :func:`outside`.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIMES: list[tuple[str, float]] = []


def command() -> list[str]:
    """The command line of the bottega under test."""
    python = os.environ.get("BOTTEGA_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
    return [str(Path(python).with_name("bottega"))]


def bottega(*arguments: str, home: Path) -> str:
    """Run a command of bottega over a home; returns what it prints."""
    environment = {**os.environ, "BOTTEGA_HOME": str(home)}
    done = subprocess.run(
        [*command(), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Outside:
    """A proxy that lets nothing through and remembers what was to go there."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(4096).decode("latin-1")
                self.asked.append(head.partition("\r\n")[0])
                connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture(scope="session", autouse=True)
def outside() -> Iterator[Outside]:
    """Whatever goes to another machine by HTTP or HTTPS comes here; at the end it must be
    nothing."""
    proxy = Outside()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ[name] = proxy.url
    yield proxy
    proxy.close()
    assert proxy.asked == []


@pytest.fixture(scope="session", autouse=True)
def environment(outside: Outside, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A daemon over a home of its own, and its ``bottega env`` in this process."""
    home = tmp_path_factory.mktemp("home")
    try:
        values = json.loads(bottega("env", "--format", "json", home=home))
        os.environ.update({name: value for name, value in values.items() if value})
        # What an interpreter does that is started with the variable.
        sys.path[:0] = values["PYTHONPATH"].split(os.pathsep)
        yield
    finally:
        bottega("stop", home=home)


@pytest.fixture(scope="session")
def session() -> Any:
    """A session as every notebook makes it."""
    import sagemaker

    return sagemaker.Session()


@pytest.fixture(scope="session")
def role() -> str:
    import sagemaker

    return str(sagemaker.get_execution_role())


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets beside the clone."""
    folder = Path(os.environ.get("BOTTEGA_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not at {folder}; set BOTTEGA_TEST_DATA")
    return folder


@pytest.fixture
def timed(request: pytest.FixtureRequest) -> Callable[[str], AbstractContextManager[None]]:
    """``with timed("fit"):`` notes how long a step of a journey took; shown at the end."""

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
