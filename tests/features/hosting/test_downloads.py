"""Downloads of models that take too long."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.downloads import Downloads
from bottega.features.hosting.failures import DeploymentFailed
from bottega.storage.objects import ObjectStore
from bottega.testing.hosting import HostingStudio


class SlowObjects:
    """An object store whose objects are not there before it is told."""

    def __init__(self, store: ObjectStore) -> None:
        self.now = threading.Event()
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def open(self, *given: Any, **more: Any) -> Any:
        self.now.wait()
        return self._store.open(*given, **more)


def test_a_download_that_takes_too_long_ends_the_deployment(still: HostingStudio) -> None:
    still.config("c", still.echo_model("m"), ModelDataDownloadTimeoutInSeconds=60)
    still.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    target = EndpointPlans.of(still.studio.ports.store.get("Endpoint", "e")).target
    assert target is not None
    assert target.variants[0].download_timeout == 60
    hasty = replace(target, variants=(replace(target.variants[0], download_timeout=0.0),))
    objects: Any = SlowObjects(still.studio.ports.objects)
    woken = threading.Event()
    downloads = Downloads(replace(still.studio.ports, objects=objects), lambda _: woken.set())
    try:
        assert not downloads.finished("e", target)
        with pytest.raises(DeploymentFailed, match="not there within 0 seconds"):
            downloads.finished("e", hasty)
        assert not downloads.end("e", target.id)
    finally:
        objects.now.set()
        downloads.close()
    assert woken.is_set()
    assert downloads.finished("e", target)
    assert downloads.end("e", target.id)
