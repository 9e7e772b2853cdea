"""The same session twice: over a studio in this process, and over a daemon."""

from __future__ import annotations

from collections.abc import Iterator

import pandas
import pytest

from bottega.credentials import Credentials
from bottega.sdk.client import LocalClient, RemoteClient
from bottega.sdk.session import Session
from bottega.studio import Studio
from bottega.testing.daemon import running_daemon


@pytest.fixture(scope="module", params=["in process", "over a daemon"])
def session(request, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    if request.param == "in process":
        studio = Studio.temporary()
        studio.start()
        try:
            yield Session(LocalClient(studio), studio.ports.config)
        finally:
            studio.endpoints.close()
            studio.close()
        return
    with running_daemon(tmp_path_factory.mktemp("home") / "h", tracking=False) as daemon:
        config = daemon.config
        client = RemoteClient(daemon.url, config.region, Credentials.load(config))
        yield Session(client, config)


@pytest.fixture(scope="session")
def iris() -> pandas.DataFrame:
    from sklearn.datasets import load_iris

    frame = load_iris(as_frame=True).frame
    return frame.sample(frac=1, random_state=0)
