"""The endpoint controller: brings model servers, routes and statuses in line with what is wanted.

An endpoint has at most two deployments: the *active* one, which serves, and the *target*, which
is brought up beside it. When every server of the target has answered its ping, the route is
switched in one step and the target becomes the active one; when it fails, it is dropped and the
endpoint goes on as it was. Whatever else lies in the endpoint's folder is stopped and removed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from typing import Any

from bottega.compute.log_tail import log_tail
from bottega.controller import Controller
from bottega.features.hosting.deployments import (
    Deployment,
    EndpointPlans,
    VariantPlan,
    deployment_folder,
    endpoints_folder,
    log_group,
    places,
    staged_folder,
)
from bottega.features.hosting.failures import failure_reason
from bottega.features.hosting.instances import InstanceKeeper
from bottega.features.hosting.removal import Remover
from bottega.features.hosting.resources import ENDPOINT
from bottega.model_servers.staging import StagingError, stage
from bottega.model_servers.workload import STOP_GRACE_SECONDS
from bottega.ports import Ports
from bottega.serving.routing import EndpointRoute, FleetRoute, VariantRoute
from bottega.serving.sockets import remove_if_empty
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

log = logging.getLogger(__name__)

STARTS_ALLOWED = 3
"""How often a server of a new deployment may end before it has ever answered."""
_STAGING_THREADS = 4
_STAGING_POLL_SECONDS = 0.25
_REMOVAL_POLL_SECONDS = 0.05
_QUICK_STAGING_SECONDS = 0.1
"""How long a reconciliation waits for a download that may be over at once."""

_Key = tuple[str, str]
"""Endpoint and deployment."""


class DeploymentFailed(Exception):
    """The target cannot serve; the message becomes the FailureReason."""


class EndpointController(Controller):
    """Makes endpoints serve.

    Args:
        wake: asks the host to reconcile an endpoint soon; called from any thread.
    """

    kind = ENDPOINT

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        self._ports = ports
        self._wake = wake
        self._keepers: dict[_Key, list[InstanceKeeper]] = {}
        self._staging: dict[_Key, dict[str, Future[None]]] = {}
        self._stagers = ThreadPoolExecutor(_STAGING_THREADS, thread_name_prefix="staging")
        self._remover = Remover(ports)

    def pending(self) -> Iterable[str]:
        """Every endpoint, oldest first, and the folders of endpoints that are no more."""
        names = [endpoint.name for endpoint in self._endpoints()]
        return [*names, *self._orphans(names)]

    def adopt(self) -> None:
        """Rebuild the routes from the servers that run, before the first request comes in."""
        for endpoint in self._endpoints():
            active = EndpointPlans.of(endpoint).active
            if active is None or endpoint.status == "Deleting":
                continue
            for keeper in self._keepers_of(endpoint.name, active):
                keeper.adopt()
            self._publish(endpoint.name, active)
        self._remover.remove_stray_sockets()

    def sweep(self) -> tuple[str, ...]:
        """Ask every server that belongs to no endpoint to stop; returns the endpoints' names.

        Their folders go when :meth:`reconcile` is called for the names, as :meth:`pending` has it.
        """
        orphans = tuple(self._orphans([endpoint.name for endpoint in self._endpoints()]))
        for name in orphans:
            self._remover.remove_endpoint(name)
        return orphans

    def stop_servers(self) -> bool:
        """End all model servers, since nobody reaches them without us; for a graceful stop.

        The endpoints stay as they are and are served again after the next start. To be called when
        no reconciliation runs any more.

        Returns:
            Whether none runs any more.
        """
        return self._remover.stop_all(STOP_GRACE_SECONDS + 5)

    def close(self) -> None:
        """Let go of threads and probes. Model servers go on."""
        self._stagers.shutdown(wait=True, cancel_futures=True)
        for keepers in self._keepers.values():
            for keeper in keepers:
                keeper.forget()
        remove_if_empty(self._ports.config.home)

    def reconcile(self, name: str) -> float | None:
        """One step for one endpoint."""
        try:
            endpoint = self._ports.store.get(ENDPOINT, name)
        except ResourceMissing:
            return self._remove(name)
        if endpoint.status == "Deleting":
            return self._delete(endpoint)
        plans = EndpointPlans.of(endpoint)
        delays: list[float] = []
        if plans.target:
            delays.append(self._bring_up(endpoint, plans.target))
            plans = EndpointPlans.of(self._ports.store.get(ENDPOINT, name))
        if plans.active:
            delays.append(self._keep_up(name, plans.active))
        if not self._retire_others(name, plans):
            delays.append(_REMOVAL_POLL_SECONDS)
        return min(delays, default=None)

    # Bringing up.

    def _bring_up(self, endpoint: Resource, target: Deployment) -> float:
        try:
            if not self._staged(endpoint.name, target):
                return _STAGING_POLL_SECONDS
            keepers = self._keepers_of(endpoint.name, target)
            delay = min(keeper.tend() for keeper in keepers)
            for keeper in keepers:
                self._raise_if_failed(endpoint.name, keeper)
        except DeploymentFailed as failure:
            self._settle(endpoint, target, str(failure))
            return 0.0
        if not all(keeper.healthy for keeper in keepers):
            return delay
        self._publish(endpoint.name, target)
        self._settle(endpoint, target, "")
        return 0.0

    def _staged(self, endpoint: str, target: Deployment) -> bool:
        """Whether all models are laid out; begins with it where nothing did.

        Raises:
            DeploymentFailed: one of them cannot be.
        """
        key = (endpoint, target.id)
        futures = self._staging.setdefault(key, {})
        for variant in target.variants:
            folder = staged_folder(self._ports.config, endpoint, target.id, variant.name)
            if variant.name in futures or folder.exists():
                continue
            future = self._stagers.submit(stage, self._ports.objects, variant.model, folder)
            future.add_done_callback(lambda _: self._wake(endpoint))
            futures[variant.name] = future
        wait(futures.values(), timeout=_QUICK_STAGING_SECONDS)
        for name, future in futures.items():
            error = future.exception() if future.done() else None
            if error is None:
                continue
            if not isinstance(error, StagingError | OSError):
                log.error("staging a model of endpoint %s failed", endpoint, exc_info=error)
            # The staging is not tried again, so what is not understood ends the deployment too.
            raise DeploymentFailed(f"Variant {name}: {error}") from error
        return all(future.done() for future in futures.values())

    def _raise_if_failed(self, endpoint: str, keeper: InstanceKeeper) -> None:
        variant = keeper.plan.name
        if keeper.refused:
            raise DeploymentFailed(f"Variant {variant} cannot be started: {keeper.refused}")
        if keeper.overdue or keeper.failed_starts >= STARTS_ALLOWED:
            tail = log_tail(self._ports.logs, log_group(endpoint), keeper.place.log_stream)
            raise DeploymentFailed(failure_reason(variant, tail))

    def _settle(self, endpoint: Resource, target: Deployment, failure: str) -> None:
        """Write down how the bringing up of ``target`` ended."""

        def settled(present: Resource) -> Resource:
            plans = EndpointPlans.of(present)
            if plans.target is None or plans.target.id != target.id:
                return present
            body: dict[str, Any] = dict(present.body)
            if failure:
                body["FailureReason"] = failure[:1024]
                kept = EndpointPlans(active=plans.active, target=None)
                status = "InService" if plans.active else "Failed"
            else:
                body["EndpointConfigName"] = target.config
                kept = EndpointPlans(active=target, target=None)
                status = "InService"
            return replace(present, status=status, body=body, private=kept.to_json())

        self._ports.store.modify(ENDPOINT, endpoint.name, settled)

    # Keeping up.

    def _keep_up(self, name: str, active: Deployment) -> float:
        delay = min(keeper.tend() for keeper in self._keepers_of(name, active))
        self._publish(name, active)
        return delay

    def _publish(self, name: str, deployment: Deployment) -> None:
        keepers = self._keepers_of(name, deployment)
        variants = tuple(self._variant_route(name, plan, keepers) for plan in deployment.variants)
        route = EndpointRoute(name, (FleetRoute(deployment.config, 1.0, variants),))
        if self._ports.routes.get(name) != route:
            self._ports.routes.put(route)

    def _variant_route(
        self, endpoint: str, plan: VariantPlan, keepers: list[InstanceKeeper]
    ) -> VariantRoute:
        own = [keeper for keeper in keepers if keeper.plan.name == plan.name]
        return VariantRoute(
            name=plan.name,
            weight=plan.weight,
            instances=tuple(keeper.route for keeper in own if keeper.healthy),
            log_group=log_group(endpoint),
            log_stream=own[0].place.log_stream,
        )

    def _keepers_of(self, endpoint: str, deployment: Deployment) -> list[InstanceKeeper]:
        key = (endpoint, deployment.id)
        if key not in self._keepers:
            config = self._ports.config
            plans = {plan.name: plan for plan in deployment.variants}
            self._keepers[key] = [
                InstanceKeeper(
                    self._ports,
                    place,
                    plans[place.variant],
                    staged_folder(config, endpoint, deployment.id, place.variant),
                    lambda: self._wake(endpoint),
                )
                for place in places(config, endpoint, deployment)
            ]
        return self._keepers[key]

    # Taking down.

    def _retire_others(self, name: str, plans: EndpointPlans) -> bool:
        """Stop and remove every deployment but the active one and the target."""
        wanted = {deployment.id for deployment in (plans.active, plans.target) if deployment}
        root = endpoints_folder(self._ports.config) / name
        found = {path.name for path in root.iterdir()} if root.is_dir() else set()
        done = True
        for deployment in found - wanted:
            done = self._retire(name, deployment) and done
        return done

    def _retire(self, name: str, deployment: str) -> bool:
        key = (name, deployment)
        for keeper in self._keepers.pop(key, ()):
            keeper.forget()
        if not all(future.done() for future in self._staging.get(key, {}).values()):
            return False
        self._staging.pop(key, None)
        return self._remover.remove_deployment(
            deployment_folder(self._ports.config, name, deployment)
        )

    def _delete(self, endpoint: Resource) -> float | None:
        self._ports.routes.remove(endpoint.name)
        if not self._retire_others(endpoint.name, EndpointPlans(None, None)):
            return _REMOVAL_POLL_SECONDS
        self._remover.remove_endpoint(endpoint.name)
        self._ports.store.delete(ENDPOINT, endpoint.name)
        return None

    def _remove(self, name: str) -> float | None:
        """Remove what is left of an endpoint that is not in the store."""
        self._ports.routes.remove(name)
        if not self._retire_others(name, EndpointPlans(None, None)):
            return _REMOVAL_POLL_SECONDS
        self._remover.remove_endpoint(name)
        return None

    def _endpoints(self) -> Iterable[Resource]:
        return self._ports.store.each(ResourceQuery(kind=ENDPOINT, descending=False))

    def _orphans(self, names: Iterable[str]) -> list[str]:
        root = endpoints_folder(self._ports.config)
        found = {path.name for path in root.iterdir()} if root.is_dir() else set()
        return sorted(found - set(names))
