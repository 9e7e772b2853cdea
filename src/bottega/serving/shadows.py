"""Copies of requests for a shadow variant, whose answers nobody waits for."""

from __future__ import annotations

import random
from functools import partial
from time import perf_counter

from bottega.serving.answers import ServerAnswer
from bottega.serving.choice import choose_instance, has_room
from bottega.serving.invocation import Invocation
from bottega.serving.load import Load
from bottega.serving.model_client import Failure, ModelClient
from bottega.serving.record import Recorder
from bottega.serving.routing import EndpointRoute, FleetRoute, InstanceRoute, VariantRoute

MOST_COPIES = 64
"""Copies under way in one router. What comes beyond is not copied: a slow shadow must not fill the
memory, and a sample stays a sample."""


class Shadows:
    """Sends the copies of one router."""

    def __init__(self, client: ModelClient, load: Load, record: Recorder) -> None:
        self._client = client
        self._load = load
        self._record = record
        self._under_way = 0

    def copy(self, route: EndpointRoute, fleet: FleetRoute, invocation: Invocation) -> None:
        """Send a copy soon, after the request itself, if it is of the sample and there is room."""
        shadow = route.shadow
        if shadow is None or random.random() >= shadow.share or self._under_way >= MOST_COPIES:
            return
        variant = shadow.variant
        instance = choose_instance(variant, self._load)
        if instance is None or not has_room(self._load, instance):
            return
        self._under_way += 1
        self._load.admitted(route.name, variant.name)
        self._load.sent(instance.id)
        self._client.loop.call_soon(self._send, route, fleet, variant, instance, invocation)

    def _send(
        self,
        route: EndpointRoute,
        fleet: FleetRoute,
        variant: VariantRoute,
        instance: InstanceRoute,
        invocation: Invocation,
    ) -> None:
        done = partial(self._answered, route, fleet, variant, instance, invocation, perf_counter())
        self._client.ask(instance.socket, invocation.message(), variant.timeout_seconds, done)

    def _answered(
        self,
        route: EndpointRoute,
        fleet: FleetRoute,
        variant: VariantRoute,
        instance: InstanceRoute,
        invocation: Invocation,
        sent: float,
        outcome: ServerAnswer | Failure,
    ) -> None:
        self._under_way -= 1
        self._load.answered(instance.id)
        self._load.finished(route.name, variant.name)
        answered = isinstance(outcome, ServerAnswer)
        status = outcome.status if isinstance(outcome, ServerAnswer) else 0
        self._record.traffic(
            route.name, variant.name, status, perf_counter() - sent, fleet.config_name, 0.0
        )
        if answered and isinstance(outcome, ServerAnswer):
            self._record.capture(route, variant, invocation, outcome)
