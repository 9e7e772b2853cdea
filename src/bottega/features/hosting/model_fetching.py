"""Fetching single models of multi-model variants, when they are first asked for."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from bottega.errors import ValidationError
from bottega.features.hosting.deployments import EndpointPlans
from bottega.features.hosting.places import InstancePlace
from bottega.features.hosting.resources import ENDPOINT
from bottega.model_servers.staging import StagingError, stage_target
from bottega.ports import Ports
from bottega.storage.metadata import ResourceMissing

_THREADS = 4

_Key = tuple[str, str]
"""Instance and model."""


class ModelFetcher:
    """What the routing table's ``fetch_model`` does."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="models")
        self._lock = threading.Lock()
        self._under_way: dict[_Key, Future[None]] = {}

    async def fetch(self, endpoint: str, variant: str, instance: str, target: str) -> None:
        """Bring the model ``target`` to one model server of a variant; at once if it is there.

        Raises:
            ValidationError: there is no such model, or it cannot be unpacked.
        """
        key = (instance, target)
        with self._lock:
            future = self._under_way.get(key)
            begins = future is None
            if future is None:
                future = self._pool.submit(self._fetch, endpoint, variant, instance, target)
                self._under_way[key] = future
        if begins:
            # Without the lock: what is done already is called back here and now.
            future.add_done_callback(lambda _: self._end(key))
        try:
            # Others may wait for the same model, so that whoever gives up must not cancel it.
            await asyncio.shield(asyncio.wrap_future(future))
        except StagingError as error:
            raise ValidationError(
                f"TargetModel {target} of endpoint {endpoint}: {error}"
            ) from error

    def close(self) -> None:
        """Begin nothing new and wait for what is under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _end(self, key: _Key) -> None:
        with self._lock:
            self._under_way.pop(key, None)

    def _fetch(self, endpoint: str, variant: str, instance: str, target: str) -> None:
        prefix, ml_root = self._found(endpoint, variant, instance)
        stage_target(self._ports.objects, prefix, target, ml_root)

    def _found(self, endpoint: str, variant: str, instance: str) -> tuple[str, Path]:
        """Where a variant's models lie, and the ML root of one of its servers."""
        try:
            plans = EndpointPlans.of(self._ports.store.get(ENDPOINT, endpoint))
        except ResourceMissing as error:
            raise StagingError("The endpoint is being deleted.") from error
        for deployment in plans.deployments:
            for plan in deployment.all_variants:
                data = plan.model.last.data
                if plan.name != variant or data is None:
                    continue
                count = plan.instances if plan.serverless is None else _MOST_SERVERS
                for number in range(count):
                    place = InstancePlace(
                        self._ports.config, endpoint, deployment.id, variant, number
                    )
                    if place.id == instance:
                        return data.uri, place.ml_root
        raise StagingError(f"The model server {instance} is being stopped.")


_MOST_SERVERS = 200
"""Of a serverless variant."""
