"""The model servers of one deployment: as many as are wanted, and none stopped while it is asked.

An instance leaves in three steps: it is taken out of the route, it answers what it has, it is
stopped. Only the last one cannot be undone, so an instance that is wanted again before it simply
comes back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bottega.compute.log_tail import log_tail
from bottega.features.hosting.deployments import Deployment, VariantPlan
from bottega.features.hosting.failures import DeploymentFailed, failure_reason
from bottega.features.hosting.instances import (
    LONGEST_ANSWER_SECONDS,
    LONGEST_ASYNCHRONOUS_ANSWER_SECONDS,
    InstanceKeeper,
)
from bottega.features.hosting.places import (
    InstancePlace,
    found_numbers,
    log_group,
    staged_folder,
)
from bottega.features.hosting.removal import Remover
from bottega.ports import Ports
from bottega.serving.routing import InstanceRoute

STARTS_ALLOWED = 3
"""How often a server may end before it has ever answered, where that ends a deployment."""
_SETTLING_SECONDS = 0.05
"""How long an instance counts as busy after it was taken out of the route: a request that had just
chosen it is not counted yet."""
_LEAVING_POLL_SECONDS = 0.05

_Key = tuple[str, int]


class Fleet:
    """Starts, keeps and stops the servers of a deployment. Not for two threads at a time.

    Args:
        wake: asks for another :meth:`tend` soon; called from threads of the runner.
    """

    def __init__(
        self,
        ports: Ports,
        remover: Remover,
        endpoint: str,
        deployment: Deployment,
        wake: Callable[[], None],
    ) -> None:
        self.deployment = deployment
        self._ports = ports
        self._remover = remover
        self._endpoint = endpoint
        self._wake = wake
        self._keepers: dict[_Key, InstanceKeeper] = {}
        self._leaving: dict[_Key, float] = {}
        self._stopping: set[_Key] = set()
        found = found_numbers(ports.config, endpoint, deployment.id)
        for variant in deployment.all_variants:
            for number in found.get(variant.name, ()):  # also those that are not wanted any more
                self._keep(variant, number)

    def tend(self, counts: Mapping[str, int]) -> float:
        """Bring the servers nearer to ``counts`` of each variant.

        Returns:
            Seconds until there may be something to do again.
        """
        plans = {variant.name: variant for variant in self.deployment.all_variants}
        wanted = {(name, number) for name, count in counts.items() for number in range(count)}
        delays = [_LEAVING_POLL_SECONDS for key in self._keepers.keys() - wanted if self._go(key)]
        for key in sorted(wanted):
            if key in self._stopping and self._go(key):
                delays.append(_LEAVING_POLL_SECONDS)
                continue
            self._leaving.pop(key, None)
            keeper = self._keepers.get(key) or self._keep(plans[key[0]], key[1])
            delays.append(keeper.tend())
        return min(delays, default=60.0)

    def adopt(self) -> None:
        """Take up the servers that run already and answer."""
        for keeper in self._keepers.values():
            keeper.adopt()

    def instances(self, variant: str) -> tuple[InstanceRoute, ...]:
        """The servers of a variant that answer and stay."""
        return tuple(
            keeper.route
            for key, keeper in sorted(self._keepers.items())
            if key[0] == variant and keeper.healthy and key not in self._leaving
        )

    def ready(self, counts: Mapping[str, int]) -> bool:
        """Whether as many servers as wanted answer, and no other is there any more."""
        return not self.shrinks and self.serves(counts)

    def serves(self, counts: Mapping[str, int]) -> bool:
        """Whether at least as many servers as wanted answer."""
        return all(len(self.instances(name)) >= count for name, count in counts.items())

    def started(self, variant: str) -> int:
        """How many servers of a variant there are, whether they answer yet or not."""
        return sum(key[0] == variant and key not in self._leaving for key in self._keepers)

    def raise_if_failed(self) -> None:
        """
        Raises:
            DeploymentFailed: a server cannot be started, or was not well in time.
        """
        for key, keeper in self._keepers.items():
            if key in self._leaving:
                continue
            if keeper.refused:
                raise DeploymentFailed(f"Variant {key[0]} cannot be started: {keeper.refused}")
            if keeper.overdue or keeper.failed_starts >= STARTS_ALLOWED:
                stream = keeper.place.log_stream
                tail = log_tail(self._ports.logs, log_group(self._endpoint), stream)
                raise DeploymentFailed(failure_reason(key[0], tail))

    def drained(self, most: float = math.inf) -> bool:
        """Whether no server has a request any more; to be asked once no route leads here.

        Args:
            most: seconds that are waited for at most, where that is less than a request may take.
        """
        # Each is asked, for all of them to begin to leave.
        busy = [key for key in self._keepers if not self._idle(key, most)]
        return not busy

    def forget(self) -> None:
        """Let go of what is under way; the servers themselves go on."""
        for keeper in self._keepers.values():
            keeper.forget()

    def log_stream(self, variant: str) -> str:
        """Where to look when no particular server is meant."""
        return self._place(variant, 0).log_stream

    @property
    def shrinks(self) -> bool:
        """Whether servers are on their way out."""
        return bool(self._leaving)

    @property
    def longest_answer(self) -> float:
        """Seconds that a request may take."""
        if self.deployment.asynchronous:
            return LONGEST_ASYNCHRONOUS_ANSWER_SECONDS
        return LONGEST_ANSWER_SECONDS

    def _keep(self, plan: VariantPlan, number: int) -> InstanceKeeper:
        place = self._place(plan.name, number)
        staged = staged_folder(self._ports.config, self._endpoint, self.deployment.id, plan.name)
        keeper = InstanceKeeper(self._ports, place, plan, staged, self.longest_answer, self._wake)
        self._keepers[place.key] = keeper
        return keeper

    def _place(self, variant: str, number: int) -> InstancePlace:
        return InstancePlace(
            self._ports.config, self._endpoint, self.deployment.id, variant, number
        )

    def _go(self, key: _Key) -> bool:
        """One step towards the end of an instance; returns whether it is still there."""
        if key not in self._stopping:
            if not self._idle(key):
                return True
            self._stopping.add(key)
            self._keepers[key].forget()
        if not self._remover.remove_instance(self._keepers[key].place.folder):
            return True
        for known in (self._keepers, self._leaving):
            known.pop(key, None)
        self._stopping.discard(key)
        return False

    def _idle(self, key: _Key, most: float = math.inf) -> bool:
        """Whether an instance that was taken out of the route has nothing left to answer, or takes
        longer for it than any request may."""
        now = self._ports.clock.monotonic()
        since = self._leaving.setdefault(key, now)
        instance = self._keepers[key].place.id
        if self._routed(instance):
            self._leaving[key] = now
            return False
        if now - since >= min(most, self.longest_answer):
            return True
        busy = self._ports.routes.load.outstanding(instance)
        return not busy and (not self._keepers[key].healthy or now - since >= _SETTLING_SECONDS)

    def _routed(self, instance: str) -> bool:
        route = self._ports.routes.get(self._endpoint)
        if route is None:
            return False
        variants = [variant for _, variant in route.variants()]
        if route.shadow:
            variants.append(route.shadow.variant)
        return any(one.id == instance for variant in variants for one in variant.instances)
