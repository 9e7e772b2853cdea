"""A studio behind the widgets, jobs to look at, and kernels that show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottega.credentials import Credentials
from bottega.sdk.client import RemoteClient
from bottega.sdk.session import Session
from bottega.sdk.training_job import TrainingJob
from bottega.testing.daemon import TestDaemon, running_daemon

ENDLESS = """\
import time
step = 0
while True:
    step += 1
    print(f"loss={1 / step}", flush=True)
    time.sleep(0.05)
"""


@pytest.fixture(scope="package")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestDaemon]:
    home = tmp_path_factory.mktemp("home") / "h"
    with running_daemon(home, tracking=False, stop_grace_seconds=1) as started:
        yield started


@pytest.fixture(scope="package")
def studio(daemon: TestDaemon) -> Session:
    config = daemon.config
    return Session(RemoteClient(daemon.url, config.region, Credentials.load(config)), config)


@pytest.fixture(scope="package")
def trained(studio: Session, tmp_path_factory: pytest.TempPathFactory) -> TrainingJob:
    """A small model that predicts the first column from the second."""
    data = tmp_path_factory.mktemp("data") / "train.csv"
    data.write_text("".join(f"{x},{x % 7}\n" for x in range(60)))
    return studio.train("xgboost", data, name="trained", num_round=12, logs=False)


@pytest.fixture
def script_job(studio: Session, tmp_path: Path) -> Callable[..., TrainingJob]:
    """Starts a job with a script."""

    def start(text: str, name: str, **settings: object) -> TrainingJob:
        script = tmp_path / "train.py"
        script.write_text(text)
        settings = {"metrics": {"loss": "loss=([0-9.e-]+)"}, **settings}
        return studio.train(script=script, name=name, wait=False, **settings)  # type: ignore[arg-type]

    return start
