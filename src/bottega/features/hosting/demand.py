"""How many servers of a serverless variant there shall be, by what is asked of it."""

from __future__ import annotations

import math
import os

from bottega.algorithms.images import resolve
from bottega.features.hosting.deployments import VariantPlan
from bottega.features.hosting.fleets import Fleet
from bottega.model_servers.plans import ModelPlan
from bottega.ports import Ports

POLL_SECONDS = 0.5
"""How often a variant that has servers is looked at, for what it has to do."""


class Demand:
    """Remembers when each serverless variant was last used."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._used: dict[tuple[str, str, str], float] = {}
        self._peaks: dict[tuple[str, str, str], int] = {}

    def wanted(
        self, endpoint: str, fleet: Fleet, variant: VariantPlan, *, fresh: bool = False
    ) -> int:
        """Servers that shall run now.

        Args:
            fresh: whether the deployment is brought up: then there is at least the one server that
                shows that the model can be loaded.
        """
        assert variant.serverless is not None
        load, key = self._ports.routes.load, (endpoint, fleet.deployment.id, variant.name)
        now = self._ports.clock.monotonic()
        asked = load.concurrent(endpoint, variant.name)
        # One that sleeps when the studio starts goes on sleeping.
        used = self._used.setdefault(key, now if fleet.started(variant.name) else -math.inf)
        if fresh or asked or self._traffic(endpoint, variant.name):
            self._used[key] = used = now
        kept = variant.serverless.provisioned
        if now - used >= self._ports.config.serverless_idle_seconds:
            self._peaks.pop(key, None)
            return kept
        most = min(variant.serverless.max_concurrency, _useful_servers(variant.model))
        peak = max(1, self._peaks.get(key, 1), min(most, asked))
        self._peaks[key] = peak
        return max(kept, peak)

    def forget(self, endpoint: str, deployment: str) -> None:
        """Let go of a deployment that is no more."""
        for known in (self._used, self._peaks):
            for key in [key for key in known if key[:2] == (endpoint, deployment)]:
                del known[key]

    def _traffic(self, endpoint: str, variant: str) -> bool:
        """Whether there was a request within about a second, which may have come and gone between
        two looks."""
        tally = self._ports.routes.traffic.last(endpoint, 1).get(variant)
        return tally is not None and tally.requests > 0


def _useful_servers(model: ModelPlan) -> int:
    """A server of the product's own algorithms answers many requests at once; a script's takes one
    after the other, so it is worth a server for each core."""
    scripts = [
        container
        for container in model.containers
        if container.docker
        or "SAGEMAKER_PROGRAM" in container.environment
        or not resolve(container.image).algorithm
    ]
    if not scripts:
        return 1
    return os.cpu_count() or 1
