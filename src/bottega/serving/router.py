"""The data plane's choice: which variant, which instance, and what to do when a server goes away.

A request is sent to a second instance only when the first one has not answered it: no connection
could be made, or it was closed before the first byte of an answer. In the second case the first
server may have computed a prediction that nobody saw; predicting twice is harmless, and a request
that kills its server gets one second try, not one for each instance there is.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar
from weakref import WeakKeyDictionary, ref

from bottega.serving.model_client import (
    AnswerLate,
    AnswerLost,
    ModelClient,
    ServerAnswer,
    Unreachable,
)
from bottega.serving.routing import EndpointRoute, InstanceRoute, RoutingTable, VariantRoute

_Choice = TypeVar("_Choice")

REPAIR_PATIENCE_SECONDS = 5.0
"""How long a request waits while every server of its variant is being restarted."""
_REPAIR_POLL_SECONDS = 0.02


class EndpointUnknown(Exception):
    """No route leads to an endpoint of that name."""


class VariantUnknown(Exception):
    """The endpoint has no variant of that name."""


class InvocationFailed(Exception):
    """A variant was chosen, but nothing answered. The message says why.

    Attributes:
        variant: the one that was chosen.
        instance: the last one tried; None when there was none to try.
        seconds: from sending the request until it was given up; None when it was not sent.
    """

    def __init__(
        self,
        message: str,
        variant: VariantRoute,
        instance: InstanceRoute | None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.variant = variant
        self.instance = instance
        self.seconds = seconds


class InvocationTimedOut(InvocationFailed):
    """The model server did not answer within the variant's timeout."""


class ServerGone(InvocationFailed):
    """The model server went away while it had the request."""


class NoServer(InvocationFailed):
    """Every model server of the variant is down, and stayed so for as long as a request waits."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is sent to a model server. Header values must hold no control characters."""

    body: bytes
    content_type: str = ""
    accept: str = ""
    custom_attributes: str = ""
    target_variant: str = ""

    def message(self) -> bytes:
        """The HTTP request."""
        head = "POST /invocations HTTP/1.1\r\nhost: model\r\n"
        if self.content_type:
            head += f"content-type: {self.content_type}\r\n"
        if self.accept:
            head += f"accept: {self.accept}\r\n"
        if self.custom_attributes:
            head += f"x-amzn-sagemaker-custom-attributes: {self.custom_attributes}\r\n"
        return f"{head}content-length: {len(self.body)}\r\n\r\n".encode("latin-1") + self.body


@dataclass(frozen=True, slots=True)
class Invoked:
    """An answer of a model server, whatever its status, and who gave it."""

    answer: ServerAnswer
    variant: VariantRoute
    instance: InstanceRoute
    seconds: float
    """From sending the request to the end of the answer."""


class Router:
    """Sends invocations to the model servers of a routing table. Belongs to one event loop."""

    def __init__(self, table: RoutingTable, loop: asyncio.AbstractEventLoop) -> None:
        self._traffic = table.traffic
        self._table = ref(table)  # router_of finds a router by its table, which must be free to go
        self._client = ModelClient(loop)
        self._load = table.load

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop it belongs to."""
        return self._client.loop

    async def invoke(self, endpoint: str, invocation: Invocation) -> Invoked:
        """Let one model server of the endpoint answer.

        Raises:
            EndpointUnknown, VariantUnknown: nothing was sent.
            InvocationTimedOut, ServerGone, NoServer: nothing usable came back.
        """
        try:
            invoked = await self._invoke(endpoint, invocation)
        except InvocationFailed as failed:
            self._traffic.record(endpoint, failed.variant.name, 0, failed.seconds)
            raise
        status = invoked.answer.status
        self._traffic.record(endpoint, invoked.variant.name, status, invoked.seconds)
        return invoked

    async def _invoke(self, endpoint: str, invocation: Invocation) -> Invoked:
        message = invocation.message()
        chosen = ""
        tried: set[str] = set()
        second_try = False
        patience_ends: float | None = None
        while True:
            variant = self._variant(endpoint, invocation.target_variant, chosen)
            chosen = variant.name
            instance = self._least_busy(variant, tried)
            if instance is None:
                now = self.loop.time()
                patience_ends = patience_ends or now + REPAIR_PATIENCE_SECONDS
                if now >= patience_ends:
                    raise NoServer("no model server of the variant answers", variant, None)
                await asyncio.sleep(_REPAIR_POLL_SECONDS)
                tried.clear()
                continue
            tried.add(instance.id)
            self._load.sent(instance.id)
            sent = perf_counter()
            try:
                answer = await self._client.send(instance.socket, message, variant.timeout_seconds)
                return Invoked(answer, variant, instance, perf_counter() - sent)
            except Unreachable:
                continue
            except AnswerLate as error:
                raise InvocationTimedOut(
                    f"no answer within {variant.timeout_seconds:g} seconds",
                    variant,
                    instance,
                    perf_counter() - sent,
                ) from error
            except AnswerLost as error:
                if error.begun or second_try:
                    seconds = perf_counter() - sent
                    raise ServerGone(str(error), variant, instance, seconds) from error
                second_try = True
            finally:
                self._load.answered(instance.id)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._client.close()

    def _variant(self, endpoint: str, target: str, chosen: str) -> VariantRoute:
        """The variant the caller wants, else the one chosen before, else one by weight."""
        table = self._table()
        route = table.get(endpoint) if table is not None else None
        if route is None:
            raise EndpointUnknown(endpoint)
        for _, variant in route.variants():
            if variant.name == (target or chosen):
                return variant
        if target:
            raise VariantUnknown(target)
        return _weighted(route)

    def _least_busy(self, variant: VariantRoute, tried: set[str]) -> InstanceRoute | None:
        candidates = [x for x in variant.instances if x.id not in tried]
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        fewest = min(self._load.outstanding(x.id) for x in candidates)
        return random.choice([x for x in candidates if self._load.outstanding(x.id) == fewest])


def _weighted(route: EndpointRoute) -> VariantRoute:
    """A variant of a fleet, each with the probability of its share."""
    fleets = route.fleets
    fleet = fleets[0] if len(fleets) == 1 else _one_of(fleets, [one.share for one in fleets])
    return _one_of(fleet.variants, [variant.weight for variant in fleet.variants])


def _one_of(choices: Sequence[_Choice], weights: list[float]) -> _Choice:
    if len(choices) == 1:
        return choices[0]
    return random.choices(choices, weights if any(weights) else None)[0]


_ROUTERS: WeakKeyDictionary[RoutingTable, Router] = WeakKeyDictionary()


def router_of(table: RoutingTable) -> Router:
    """The running event loop's router for a table, made when it is first asked for."""
    loop = asyncio.get_running_loop()
    router = _ROUTERS.get(table)
    if router is None or router.loop is not loop:
        router = _ROUTERS[table] = Router(table, loop)
    return router
