"""The controllers of endpoints and of inference components: they bring model servers, routes and
statuses in line with what is wanted.

An inference component is served as an endpoint of one variant is. An endpoint has at most two
deployments: the *active* one, which serves, and the *target*, which is brought up beside it and
takes over the traffic in the steps of its rollout. The route is always changed first and the store
afterwards: who is killed in between does the step again. Whatever else lies in the endpoint's
folder has no route, answers what it has, and is stopped and removed.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from bottega.controller import Controller
from bottega.features.hosting import outcomes, rollout
from bottega.features.hosting.demand import POLL_SECONDS, Demand
from bottega.features.hosting.deployments import Deployment, EndpointPlans
from bottega.features.hosting.downloads import Downloads
from bottega.features.hosting.failures import DeploymentFailed
from bottega.features.hosting.fleets import Fleet
from bottega.features.hosting.instances import LONGEST_ANSWER_SECONDS
from bottega.features.hosting.model_fetching import ModelFetcher
from bottega.features.hosting.places import deployment_folder, endpoints_folder
from bottega.features.hosting.policies import Policy
from bottega.features.hosting.publishing import endpoint_route
from bottega.features.hosting.removal import Remover
from bottega.features.hosting.resources import COMPONENT, ENDPOINT
from bottega.features.hosting.rollout import Rollout, Seen
from bottega.model_servers.workload import STOP_GRACE_SECONDS
from bottega.ports import Ports
from bottega.serving.routing import component_of, component_route
from bottega.serving.sockets import remove_if_empty
from bottega.storage.metadata import Resource, ResourceMissing, ResourceQuery

_STAGING_POLL_SECONDS = 0.25
_REMOVAL_POLL_SECONDS = 0.05
_ALARM_POLL_SECONDS = 0.5
_ALARM = "Alarm"
"""The kind of resource that alarms are; its status is the alarm's state."""

_Counts = Mapping[str, int]
"""Servers wanted now, by variant."""


class ServingController(Controller):
    """Makes resources of one kind serve, each by a route, servers and folders of its own.

    Args:
        wake: asks the host to reconcile a resource soon; called from any thread.
    """

    rolling_back: str
    """The status of a resource while an update is undone."""

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        self._ports = ports
        self._wake = wake
        self._fleets: dict[tuple[str, str], Fleet] = {}
        self._downloads = Downloads(ports, lambda route: wake(self.resource_of(route)))
        self._demand = Demand(ports)
        self._remover = Remover(ports)

    @abstractmethod
    def route_of(self, name: str) -> str:
        """What the route and the folder of a resource are called."""

    @abstractmethod
    def resource_of(self, route: str) -> str:
        """The name of the resource with that route or folder; empty for another kind's."""

    def pending(self) -> Iterable[str]:
        """Every resource, oldest first, and the folders of those that are no more."""
        names = [endpoint.name for endpoint in self._endpoints()]
        return [*names, *self._orphans(names)]

    def adopt(self) -> None:
        """Rebuild the routes from the servers that run, before the first request comes in."""
        for endpoint in self._endpoints():
            plans = EndpointPlans.of(endpoint)
            if plans.active is None or endpoint.status == "Deleting":
                continue
            for deployment in plans.deployments:
                self._fleet(endpoint.name, deployment).adopt()
            self._publish(endpoint.name, plans)
        self._remover.remove_stray_sockets()

    def sweep(self) -> tuple[str, ...]:
        """Ask every server that belongs to no endpoint to stop; returns the endpoints' names.

        Their folders go when :meth:`reconcile` is called for the names, as :meth:`pending` has it.
        """
        orphans = tuple(self._orphans([endpoint.name for endpoint in self._endpoints()]))
        for name in orphans:
            self._remover.remove_endpoint(self.route_of(name))
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
        self._downloads.close()
        for fleet in self._fleets.values():
            fleet.forget()
        remove_if_empty(self._ports.config.home)

    def reconcile(self, name: str) -> float | None:
        """One step for one endpoint."""
        try:
            endpoint = self._ports.store.get(self.kind, name)
        except ResourceMissing:
            return self._remove(name)
        if endpoint.status == "Deleting":
            return self._delete(endpoint)
        plans = EndpointPlans.of(endpoint)
        delays: list[float] = []
        if plans.active:
            delays.append(self._keep_up(endpoint, plans, plans.active))
        if plans.target and endpoint.status == "UpdateRollbackFailed":
            counts = self._target_counts(name, plans, plans.target)
            delays.append(self._fleet(name, plans.target).tend(counts))
        elif plans.target:
            delays.append(self._roll_out(endpoint, plans, plans.target))
            plans = EndpointPlans.of(self._ports.store.get(self.kind, name))
        self._publish(name, plans)
        if not self._retire_others(name, plans):
            delays.append(_REMOVAL_POLL_SECONDS)
        return min(delays, default=None)

    # The deployment that serves.

    def _keep_up(self, endpoint: Resource, plans: EndpointPlans, active: Deployment) -> float:
        fleet = self._fleet(endpoint.name, active)
        counts = self._active_counts(endpoint.name, plans, active)
        delay = fleet.tend(counts)
        if any(plan.serverless and fleet.started(plan.name) for plan in active.variants):
            delay = min(delay, POLL_SECONDS)
        if plans.before is None:
            return delay
        try:
            fleet.raise_if_failed()
        except DeploymentFailed as error:
            failure = str(error)
            self._write(endpoint, lambda present: outcomes.resized(present, failure))
            return 0.0
        self._publish(endpoint.name, plans)
        if not fleet.ready(counts):
            return delay
        self._write(endpoint, outcomes.resized)
        return 0.0

    # The deployment that shall serve.

    def _roll_out(self, endpoint: Resource, plans: EndpointPlans, target: Deployment) -> float:
        name, state = endpoint.name, plans.under_way
        fleet = self._fleet(name, target)
        counts = self._target_counts(name, plans, target)
        delay = _STAGING_POLL_SECONDS
        ready, failure = False, ""
        try:
            if self._downloads.finished(self.route_of(name), target):
                delay = fleet.tend(self._with_room(name, plans, target))
                if state.phase == "Creating":
                    fleet.raise_if_failed()
                ready = fleet.serves(counts)
        except DeploymentFailed as error:
            failure = str(error)
        if plans.active is None:
            return self._create(endpoint, plans, ready, failure, delay)
        if failure and state.phase != "RollingBack":
            now = self._ports.clock.now()
            self._enter(endpoint, plans, rollout.roll_back(state, target.instances, failure, now))
            return 0.0
        return self._advance(endpoint, plans, target, ready, delay)

    def _create(
        self, endpoint: Resource, plans: EndpointPlans, ready: bool, failure: str, delay: float
    ) -> float:
        """The end of an endpoint's first deployment, which has no traffic to move."""
        now = self._ports.clock.now()
        if failure:
            self._write(endpoint, lambda present: outcomes.given_up(present, failure, now))
            return 0.0
        if not ready:
            return delay
        self._publish(endpoint.name, replace(plans, active=plans.target, target=None))
        self._write(endpoint, lambda present: outcomes.succeeded(present, now))
        return 0.0

    def _advance(
        self,
        endpoint: Resource,
        plans: EndpointPlans,
        target: Deployment,
        ready: bool,
        delay: float,
    ) -> float:
        assert plans.active is not None
        active = self._fleet(endpoint.name, plans.active)
        state = plans.under_way
        policy = Policy.of(state.policy)
        alarming, missing = self._alarms(policy.alarms)
        counts = self._active_counts(endpoint.name, plans, plans.active)
        seen = Seen(
            now=self._ports.clock.now(),
            target_ready=ready,
            # Nothing but a rolling update takes servers from it that would have to come back.
            active_ready=not policy.rolling or active.serves(counts),
            alarming=alarming,
            missing=missing,
        )
        if state.phase == "RollingBack" and not seen.active_ready:
            try:
                active.raise_if_failed()
            except DeploymentFailed as error:
                text = str(error)
                self._write(
                    endpoint, lambda present: outcomes.rollback_failed(present, text, seen.now)
                )
                return 0.0
        following = rollout.advance(state, target.instances, seen)
        if following != state:
            self._enter(endpoint, plans, following)
            return 0.0
        left = rollout.bake_ends(state) - seen.now
        watched = _ALARM_POLL_SECONDS if policy.alarms else math.inf
        return max(0.0, min(delay, left, watched))

    def _enter(self, endpoint: Resource, plans: EndpointPlans, state: Rollout) -> None:
        """Move the traffic as ``state`` has it, then write it down."""
        self._publish(endpoint.name, replace(plans, rollout=state))
        now = self._ports.clock.now()

        def entered(present: Resource) -> Resource:
            if state.phase == "Succeeded":
                return outcomes.succeeded(present, now)
            if state.phase == "RolledBack":
                return outcomes.given_up(present, state.reason, now)
            kept = replace(EndpointPlans.of(present), rollout=state)
            status = self.rolling_back if state.phase == "RollingBack" else present.status
            return replace(present, status=status, private=kept.to_json())

        self._write(endpoint, entered)

    def _write(self, endpoint: Resource, change: Callable[[Resource], Resource]) -> None:
        """Change the resource unless somebody else did since it was read."""

        def changed(present: Resource) -> Resource:
            return change(present) if present.same_as(endpoint) else present

        self._ports.store.modify(self.kind, endpoint.name, changed)

    def _alarms(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those of the alarms that are in ALARM, and those that are no more."""
        found = self._ports.store.get_many(_ALARM, names) if names else {}
        alarming = tuple(name for name in names if name in found and found[name].status == "ALARM")
        return alarming, tuple(name for name in names if name not in found)

    # How many servers.

    def _active_counts(self, name: str, plans: EndpointPlans, active: Deployment) -> _Counts:
        state = plans.under_way if plans.target else None
        return {
            plan.name: self._demand.wanted(self.route_of(name), self._fleet(name, active), plan)
            if plan.serverless
            else rollout.wanted_of_active(state, plan.instances)
            if state
            else plan.instances
            for plan in active.all_variants
        }

    def _target_counts(self, name: str, plans: EndpointPlans, target: Deployment) -> _Counts:
        return {
            plan.name: self._demand.wanted(
                self.route_of(name), self._fleet(name, target), plan, fresh=True
            )
            if plan.serverless
            else rollout.wanted_of_target(plans.under_way, plan.instances)
            for plan in target.all_variants
        }

    def _with_room(self, name: str, plans: EndpointPlans, target: Deployment) -> _Counts:
        """What may run of the target now: the next batch of a rolling update has its room when the
        servers that the last one replaced are gone."""
        state = plans.under_way
        if plans.active and self._fleet(name, plans.active).shrinks:
            plans = replace(plans, rollout=replace(state, goal=min(state.goal, state.share)))
        return self._target_counts(name, plans, target)

    # Routes and fleets.

    def _publish(self, name: str, plans: EndpointPlans) -> None:
        active = self._fleet(name, plans.active) if plans.active else None
        target = self._fleet(name, plans.target) if plans.active and plans.target else None
        share = plans.under_way.share if target else 0.0
        route = endpoint_route(self.route_of(name), active, target, share, plans.before)
        if route is not None and self._ports.routes.get(route.name) != route:
            self._ports.routes.put(route)

    def _fleet(self, endpoint: str, deployment: Deployment) -> Fleet:
        key = (endpoint, deployment.id)
        if key not in self._fleets:
            self._fleets[key] = Fleet(
                self._ports,
                self._remover,
                self.route_of(endpoint),
                deployment,
                lambda: self._wake(endpoint),
            )
        self._fleets[key].deployment = deployment  # its weights and counts may have changed
        return self._fleets[key]

    # Taking down.

    def _retire_others(self, name: str, plans: EndpointPlans) -> bool:
        """Stop and remove every deployment but the active one and the target."""
        wanted = {deployment.id for deployment in plans.deployments}
        root = endpoints_folder(self._ports.config) / self.route_of(name)
        found = {path.name for path in root.iterdir()} if root.is_dir() else set()
        found |= {deployment for endpoint, deployment in self._fleets if endpoint == name}
        done = True
        for deployment in found - wanted:
            # Of an endpoint that is deleted nobody waits for what takes an hour.
            most = math.inf if wanted else LONGEST_ANSWER_SECONDS
            done = self._retire(name, deployment, most) and done
        return done

    def _retire(self, name: str, deployment: str, most: float) -> bool:
        fleet = self._fleets.get((name, deployment))
        if fleet is not None and not fleet.drained(most):
            return False
        route = self.route_of(name)
        if not self._downloads.end(route, deployment):
            return False
        folder = deployment_folder(self._ports.config, route, deployment)
        if fleet is not None:
            fleet.forget()
        if not self._remover.remove_deployment(folder):
            return False
        self._fleets.pop((name, deployment), None)
        self._demand.forget(route, deployment)
        return True

    def _delete(self, endpoint: Resource) -> float | None:
        if self._remove(endpoint.name) is not None:
            return _REMOVAL_POLL_SECONDS
        self._ports.store.delete(self.kind, endpoint.name)
        return None

    def _remove(self, name: str) -> float | None:
        """Take down all that there is of a resource but itself."""
        route = self.route_of(name)
        self._ports.routes.remove(route)
        if not self._retire_others(name, EndpointPlans(None, None)):
            return _REMOVAL_POLL_SECONDS
        self._remover.remove_endpoint(route)
        return None

    def _endpoints(self) -> Iterable[Resource]:
        return self._ports.store.each(ResourceQuery(kind=self.kind, descending=False))

    def _orphans(self, names: Iterable[str]) -> list[str]:
        root = endpoints_folder(self._ports.config)
        routes = [path.name for path in root.iterdir()] if root.is_dir() else []
        found = {self.resource_of(route) for route in routes}
        return sorted(found - {"", *names})


class EndpointController(ServingController):
    """Makes endpoints serve."""

    kind = ENDPOINT
    rolling_back = "RollingBack"

    def __init__(self, ports: Ports, wake: Callable[[str], None]) -> None:
        super().__init__(ports, wake)
        self._fetcher = ModelFetcher(ports)
        ports.routes.on_demand(wake)
        ports.routes.fetch_model = self._fetcher.fetch

    def route_of(self, name: str) -> str:
        return name

    def resource_of(self, route: str) -> str:
        return "" if component_of(route) else route

    def close(self) -> None:
        self._fetcher.close()
        super().close()


class ComponentController(ServingController):
    """Makes inference components serve."""

    kind = COMPONENT
    rolling_back = "Updating"
    """SageMaker has no other status for it."""

    def route_of(self, name: str) -> str:
        return component_route(name)

    def resource_of(self, route: str) -> str:
        return component_of(route)
