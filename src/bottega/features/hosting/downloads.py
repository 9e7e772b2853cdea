"""Fetching the models of a deployment, in threads beside the controller."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from bottega.features.hosting.deployments import Deployment
from bottega.features.hosting.failures import DeploymentFailed
from bottega.features.hosting.places import staged_folder
from bottega.model_servers.staging import StagingError, stage
from bottega.ports import Ports

log = logging.getLogger(__name__)

_THREADS = 4
_QUICK_SECONDS = 0.1
"""How long the controller waits for a download that may be over at once."""


@dataclass(frozen=True)
class _Download:
    future: Future[None]
    began: float


class Downloads:
    """What is fetched, by deployment.

    Args:
        wake: called with an endpoint's name when one of its downloads has ended.
    """

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        self._ports = ports
        self._wake = wake
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="staging")
        self._under_way: dict[tuple[str, str], dict[str, _Download]] = {}

    def finished(self, endpoint: str, target: Deployment) -> bool:
        """Whether all models are laid out; begins with it where nothing did.

        Raises:
            DeploymentFailed: one of them cannot be, or takes too long.
        """
        downloads = self._under_way.setdefault((endpoint, target.id), {})
        for variant in target.all_variants:
            folder = staged_folder(self._ports.config, endpoint, target.id, variant.name)
            if variant.name in downloads or folder.exists():
                continue
            future = self._pool.submit(stage, self._ports.objects, variant.model, folder)
            future.add_done_callback(lambda _: self._wake(endpoint))
            downloads[variant.name] = _Download(future, self._ports.clock.monotonic())
        wait([one.future for one in downloads.values()], timeout=_QUICK_SECONDS)
        most = {variant.name: variant.download_timeout for variant in target.all_variants}
        for name, download in downloads.items():
            self._raise_if_failed(endpoint, name, download, most[name])
        return all(one.future.done() for one in downloads.values())

    def end(self, endpoint: str, deployment: str) -> bool:
        """Forget a deployment; returns False while something of it is still fetched."""
        downloads = self._under_way.get((endpoint, deployment), {})
        if not all(one.future.done() for one in downloads.values()):
            return False
        self._under_way.pop((endpoint, deployment), None)
        return True

    def close(self) -> None:
        """Begin nothing new and wait for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _raise_if_failed(
        self, endpoint: str, variant: str, download: _Download, most: float
    ) -> None:
        if not download.future.done():
            if self._ports.clock.monotonic() - download.began >= most:
                raise DeploymentFailed(
                    f"Variant {variant}: the model's data was not there within {most:g} seconds, "
                    "its ModelDataDownloadTimeoutInSeconds."
                )
            return
        error = download.future.exception()
        if error is None:
            return
        if not isinstance(error, StagingError | OSError):
            log.error("staging a model of endpoint %s failed", endpoint, exc_info=error)
        # The staging is not tried again, so what is not understood ends the deployment too.
        raise DeploymentFailed(f"Variant {variant}: {error}") from error
