"""A real MLflow server behind the real proxy, for all the tests here."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottega.config import Config
from bottega.testing.tracker import TOKEN, Listener, Tracker
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.process import TrackingProcess
from bottega.tracking.proxy import token_check, tracking_proxy


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a Unix socket."""
    folder = Path(tempfile.mkdtemp(prefix="bt-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def listen() -> Iterator[Callable[[Path], str]]:
    """Puts a proxy before the socket it is given and says under which address."""
    listeners = []

    def start(socket: Path) -> str:
        listeners.append(Listener(tracking_proxy(socket, token_check(TOKEN))))
        return listeners[-1].address

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture(scope="session")
def tracker(short_folder: Path, listen: Callable[[Path], str]) -> Iterator[Tracker]:
    config = Config(home=short_folder / "home")
    process = TrackingProcess(config, short_folder / "mlflow.sock")
    address = listen(process.socket)
    tracking = MlflowTracking(process.socket, address=lambda: address, token=TOKEN)
    process.start()
    try:
        assert process.wait_ready(120), process.problem
        yield Tracker(config, process, tracking, address)
    finally:
        tracking.close()
        process.stop()
