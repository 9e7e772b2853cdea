"""The data plane's choice: which variant, which instance, and what to do when a server goes away.

A request is sent to a second instance only when the first one has not answered it: no connection
could be made, or it was closed before the first byte of an answer. In the second case the first
server may have computed a prediction that nobody saw; predicting twice is harmless, and a request
that kills its server gets one second try, not one for each instance there is.

Almost every request is answered by the first server it is sent to, so that much works by callbacks
(:meth:`Router.submit`); whatever waits or tries again is a coroutine.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import TypeAlias, TypeVar
from weakref import WeakKeyDictionary, ref

from bottega.errors import BottegaError, InternalFailure
from bottega.serving.answers import ServerAnswer
from bottega.serving.choice import check_target, choose_instance, choose_variant, has_room
from bottega.serving.invocation import (
    EndpointUnknown,
    Invocation,
    InvocationFailed,
    InvocationTimedOut,
    Invoked,
    NoServer,
    Overloaded,
    ServerGone,
    TargetUnfit,
    TooMany,
    VariantUnknown,
)
from bottega.serving.model_client import (
    AnswerHead,
    AnswerLate,
    AnswerLost,
    Failure,
    ModelClient,
    Unreachable,
)
from bottega.serving.near_models import NearModels
from bottega.serving.record import Recorder
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
)
from bottega.serving.shadows import Shadows
from bottega.serving.streaming import AnswerBody, Streamed, begin
from bottega.serving.target_models import TargetModels

__all__ = (
    "EndpointUnknown",
    "Invocation",
    "InvocationFailed",
    "InvocationTimedOut",
    "Invoked",
    "NoServer",
    "Overloaded",
    "Router",
    "ServerGone",
    "Streamed",
    "TargetUnfit",
    "TooMany",
    "VariantUnknown",
    "router_of",
)

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

_REPAIR_POLL_SECONDS = 0.02
_PIPELINED_BYTES = 64 * 1024
"""Larger requests are predicted by a thread of the server."""
_MOST_WAITING = 1024
"""Requests of one variant that wait while it has no server; one more is refused at once."""

Submitted: TypeAlias = Callable[[Invoked | InvocationFailed | BottegaError], None]
"""What is called once with the outcome of a request."""


class _Way:
    """One request on its way: what was chosen and what was tried."""

    __slots__ = (
        *("chosen", "demanded", "endpoint", "fleet", "instance", "invocation", "streamed"),
        *("brought_again", "route", "second_try", "sent", "started", "tried", "variant"),
    )
    route: EndpointRoute
    fleet: FleetRoute
    variant: VariantRoute
    instance: InstanceRoute

    def __init__(
        self, endpoint: str, invocation: Invocation, started: float, *, streamed: bool = False
    ) -> None:
        self.endpoint = endpoint
        self.invocation = invocation
        self.streamed = streamed
        self.started = started
        self.chosen: tuple[str, str] | None = None
        self.tried: set[str] = set()
        self.second_try = self.demanded = self.brought_again = False
        self.sent = 0.0

    def message(self) -> bytes:
        """What a model server is sent."""
        return self.invocation.message(streamed=self.streamed)


class Router:
    """Sends invocations to the model servers of a routing table. Belongs to one event loop."""

    def __init__(self, table: RoutingTable, loop: asyncio.AbstractEventLoop) -> None:
        self._table = ref(table)  # router_of finds a router by its table, which must be free to go
        self._client = ModelClient(loop)
        self._load = table.load
        self._record = Recorder(table, loop)
        self._models = TargetModels(table)
        self.near = NearModels(table, loop)
        """What it answers without a model server."""
        self._shadows = Shadows(self._client, table.load, self._record)
        self._tick: asyncio.Event | None = None
        self._going_on: set[asyncio.Task[None]] = set()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop it belongs to."""
        return self._client.loop

    async def invoke(self, endpoint: str, invocation: Invocation) -> Invoked:
        """Let one model server of the endpoint answer.

        Raises:
            EndpointUnknown, VariantUnknown, TargetUnfit: nothing was sent.
            ValidationError: the TargetModel is not there.
            TooMany, Overloaded: nothing was sent; the same request may be taken a moment later.
            InvocationTimedOut, ServerGone, NoServer: nothing usable came back.
        """
        way = _Way(endpoint, invocation, perf_counter())
        self._choose(way)
        try:
            self._admit(way)
        except InvocationFailed as failed:
            self._finish(way, failed)
            raise
        return await self._admitted(way)

    async def stream(self, endpoint: str, invocation: Invocation) -> Streamed:
        """Let one model server of the endpoint answer piece by piece; otherwise as :meth:`invoke`.

        Whoever gets the answer reads its body to the end, or closes it.
        """
        way = _Way(endpoint, invocation, perf_counter(), streamed=True)
        self._choose(way)
        variant = way.variant.name
        try:
            self._admit(way)
        except InvocationFailed as failed:
            self._finish(way, failed)
            raise

        def ended(outcome: ServerAnswer | Failure | None) -> None:
            seconds = perf_counter() - way.sent
            self._load.answered(way.instance.id)
            self._load.finished(endpoint, variant)
            status = outcome.status if isinstance(outcome, ServerAnswer) else 0
            if outcome is not None:  # a caller who went away says nothing of the model
                self._count(way, status, seconds)

        try:
            body = await self._attempts(way, self._begin_stream)
        except BaseException as error:
            self._load.finished(endpoint, variant)
            if isinstance(error, InvocationFailed):
                self._finish(way, error)
            raise
        body.on_end(ended)
        return Streamed(body.head, body, way.variant, way.instance)

    async def _begin_stream(self, way: _Way) -> AnswerBody:
        connection = await self._client.connection(way.instance.socket)
        return await begin(connection, way.message(), way.variant.timeout_seconds)

    async def _send_whole(self, way: _Way) -> ServerAnswer:
        return await self._client.send(
            way.instance.socket, way.message(), way.variant.timeout_seconds
        )

    async def _admitted(self, way: _Way) -> Invoked:
        variant = way.variant.name
        try:
            answer = await self._attempts(way, self._send_whole)
        except InvocationFailed as failed:
            self._finish(way, failed)
            raise
        finally:
            self._load.finished(way.endpoint, variant)
        self._load.answered(way.instance.id)
        invoked = Invoked(answer, way.variant, way.instance, perf_counter() - way.sent)
        self._finish(way, invoked)
        return invoked

    def submit(
        self, endpoint: str, invocation: Invocation, started: float, done: Submitted
    ) -> bool:
        """Send an invocation now, if there is a server for it, and have ``done`` called with what
        comes of it.

        Args:
            started: when the request arrived, by :func:`time.perf_counter`.

        Returns:
            False, with nothing done, where there is no such server or a request has to wait.
        """
        way = _Way(endpoint, invocation, started)
        try:
            self._choose(way)
        except (EndpointUnknown, VariantUnknown, TargetUnfit):
            return False
        variant = way.variant
        instance = choose_instance(variant, self._load)
        if instance is None:
            return False
        asked = perf_counter()
        near = self.near.answer(instance, invocation) if variant.pipelined else None
        took = perf_counter() - asked
        if (refused := self._refusal(way, instance, waits=near is None)) is not None:
            # At once and with little work: it is when there is too much that this counts.
            self.loop.call_soon(done, refused)
            self._finish(way, refused)
            return True
        if near is None and not self._models.has(variant, instance, invocation):
            return False
        self._load.admitted(endpoint, variant.name)
        if near is not None:
            self._answer_here(way, done, Invoked(near, variant, instance, took))
            return True
        self._send(way, instance)
        message = way.message()
        together = variant.pipelined and len(message) <= _PIPELINED_BYTES
        ask = self._client.ask_together if together else self._client.ask
        answered = partial(self._answered, way, done)
        ask(instance.socket, message, variant.timeout_seconds, answered)
        return True

    def _answer_here(self, way: _Way, done: Submitted, invoked: Invoked) -> None:
        """Answer at the end of this turn; the server has nothing to do with it, so it is not
        counted as one that it answers."""
        if way.route.shadow is not None:
            self._shadows.copy(way.route, way.fleet, way.invocation)

        def answered() -> None:
            self._load.finished(way.endpoint, way.variant.name)
            done(invoked)
            self._finish(way, invoked)

        self.loop.call_soon(answered)

    def _answered(self, way: _Way, done: Submitted, outcome: ServerAnswer | Failure) -> None:
        seconds = perf_counter() - way.sent
        self._load.answered(way.instance.id)
        result: Invoked | InvocationFailed | None
        if not isinstance(outcome, ServerAnswer):
            result = _as_failed(way, outcome, seconds)
        elif self._lacks_model(way, outcome):
            result = None
        else:
            result = Invoked(outcome, way.variant, way.instance, seconds)
        if result is None:
            task = self.loop.create_task(self._go_on(way, done))
            self._going_on.add(task)
            task.add_done_callback(self._going_on.discard)
            return
        self._load.finished(way.endpoint, way.variant.name)
        done(result)
        self._finish(way, result)

    async def _go_on(self, way: _Way, done: Submitted) -> None:
        result: Invoked | InvocationFailed | BottegaError
        try:
            result = await self._admitted(way)
        except (InvocationFailed, BottegaError) as failed:
            result = failed
        except (EndpointUnknown, VariantUnknown) as error:  # deleted meanwhile
            result = ServerGone(f"the endpoint was deleted: {error}", way.variant, way.instance)
        except Exception:  # the caller waits for an answer, whatever goes wrong here
            log.exception("a request of endpoint %s was lost on its second way", way.endpoint)
            result = InternalFailure(
                "bottega failed unexpectedly while it sent the request again; the traceback is in "
                "its log."
            )
        done(result)

    async def _attempts(self, way: _Way, send: Callable[[_Way], Awaitable[_Answer]]) -> _Answer:
        """Send a request that is admitted to one instance after the other.

        The one that answers has the request until the caller says that it is answered.
        """
        patience_ends: float | None = None
        while True:
            self._choose(way)
            variant = way.variant
            instance = choose_instance(variant, self._load, way.tried)
            if instance is None and self._turn(way):
                continue
            if instance is None:
                now = self.loop.time()
                patience_ends = patience_ends or now + variant.patience_seconds
                if now >= patience_ends:
                    raise NoServer("no model server of the variant answers", variant, None)
                await self._wait(way)
                way.tried.clear()
                continue
            if not has_room(self._load, instance):
                raise Overloaded("every model server has all it can take", variant, instance)
            self._send(way, instance)
            try:
                await self._models.bring(way.endpoint, variant, instance, way.invocation)
                answer = await send(way)
            except (Unreachable, AnswerLate, AnswerLost) as error:
                self._load.answered(instance.id)
                failed = _as_failed(way, error, perf_counter() - way.sent)
                if failed is not None:
                    raise failed from error
            except BaseException:
                self._load.answered(instance.id)
                raise
            else:
                if not self._lacks_model(way, answer):
                    return answer
                self._load.answered(instance.id)

    def _turn(self, way: _Way) -> bool:
        """Turn to the same variant of another fleet, where one of its servers was not tried: while
        an endpoint is updated, requests do not wait for a fleet that is down."""
        for fleet, variant in way.route.variants():
            if variant.name != way.variant.name or fleet.config_name == way.fleet.config_name:
                continue
            if choose_instance(variant, self._load, way.tried) is not None:
                way.chosen = (fleet.config_name, variant.name)
                return True
        return False

    def _lacks_model(self, way: _Way, answer: object) -> bool:
        """Whether the server has to be brought the model, and the request to be sent once more."""
        head = answer.head if isinstance(answer, AnswerBody) else answer
        if (
            way.brought_again
            or not isinstance(head, ServerAnswer | AnswerHead)
            or not self._models.is_lacking(way.variant, head)
        ):
            return False
        if isinstance(answer, AnswerBody):
            answer.close()
        way.brought_again = True
        self._models.forget(way.instance, way.invocation)
        way.tried.discard(way.instance.id)
        return True

    def _send(self, way: _Way, instance: InstanceRoute) -> None:
        """Note that a request goes to an instance; a first one may have a shadow."""
        way.instance = instance
        way.tried.add(instance.id)
        self._load.sent(instance.id)
        if way.route.shadow is not None and way.sent == 0.0:
            self._shadows.copy(way.route, way.fleet, way.invocation)
        way.sent = perf_counter()

    def _choose(self, way: _Way) -> None:
        """Find the route and the variant; a variant that was chosen stays while it is there."""
        table = self._table()
        route = table.get(way.endpoint) if table is not None else None
        if route is None:
            raise EndpointUnknown(way.endpoint)
        way.route = route
        way.fleet, way.variant = choose_variant(route, way.invocation.target_variant, way.chosen)
        if way.chosen is None:
            check_target(way.variant, way.invocation)
        way.chosen = (way.fleet.config_name, way.variant.name)

    def _refusal(
        self, way: _Way, instance: InstanceRoute, *, waits: bool
    ) -> InvocationFailed | None:
        """Why a request is not taken although there is a server.

        Args:
            waits: whether it would wait for those that the server has already.
        """
        variant = way.variant
        if self._is_full(way):
            return TooMany(f"the variant has {variant.concurrency} requests at once", variant, None)
        if waits and not has_room(self._load, instance):
            return Overloaded("every model server has all it can take", variant, instance)
        return None

    def _admit(self, way: _Way) -> None:
        variant = way.variant
        if self._is_full(way):
            raise TooMany(f"the variant has {variant.concurrency} requests at once", variant, None)
        if (
            not variant.instances
            and self._load.waiting(way.endpoint, variant.name) >= _MOST_WAITING
        ):
            raise Overloaded("too many requests wait for a model server", variant, None)
        self._load.admitted(way.endpoint, variant.name)

    def _is_full(self, way: _Way) -> bool:
        limit = way.variant.concurrency
        return limit is not None and (
            self._load.concurrent(way.endpoint, way.variant.name) >= limit
        )

    async def _wait(self, way: _Way) -> None:
        """Wait until the routes may have changed; one timer serves everybody who waits."""
        name = way.variant.name
        if way.variant.on_demand and not way.demanded:
            way.demanded = True
            if (table := self._table()) is not None:
                table.demand(way.endpoint)
        if self._tick is None:
            self._tick = asyncio.Event()
            self.loop.call_later(_REPAIR_POLL_SECONDS, self._ticked)
        self._load.waits(way.endpoint, name)
        try:
            await self._tick.wait()
        finally:
            self._load.waited(way.endpoint, name)

    def _ticked(self) -> None:
        if self._tick is not None:
            self._tick.set()
            self._tick = None

    def _finish(self, way: _Way, outcome: Invoked | InvocationFailed) -> None:
        """Count a request, and capture it where it is of the sample."""
        self._count(
            way, outcome.answer.status if isinstance(outcome, Invoked) else 0, outcome.seconds
        )
        route = self._endpoint_of(way.route) if way.route.endpoint else way.route
        if route.capture is not None and isinstance(outcome, Invoked):
            self._record.capture(route, way.variant, way.invocation, outcome.answer)

    def _endpoint_of(self, route: EndpointRoute) -> EndpointRoute:
        """The route of an inference component's endpoint, which says what is captured."""
        table = self._table()
        return (table.get(route.endpoint) if table is not None else None) or route

    def _count(self, way: _Way, status: int, seconds: float | None) -> None:
        overhead = max(0.0, perf_counter() - way.started - (seconds or 0.0))
        self._record.traffic(
            way.endpoint, way.variant.name, status, seconds, way.fleet.config_name, overhead
        )

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._client.close()


def _as_failed(way: _Way, failure: Failure, seconds: float) -> InvocationFailed | None:
    """Why a request failed; None where it should be tried at another instance."""
    variant, instance = way.variant, way.instance
    if isinstance(failure, Unreachable):
        return None
    if isinstance(failure, AnswerLate):
        message = f"no answer within {variant.timeout_seconds:g} seconds"
        return InvocationTimedOut(message, variant, instance, seconds)
    if failure.begun or way.second_try:
        return ServerGone(str(failure), variant, instance, seconds)
    way.second_try = True
    return None


_ROUTERS: WeakKeyDictionary[RoutingTable, Router] = WeakKeyDictionary()


def router_of(table: RoutingTable) -> Router:
    """The running event loop's router for a table, made when it is first asked for."""
    loop = asyncio.get_running_loop()
    router = _ROUTERS.get(table)
    if router is None or router.loop is not loop:
        router = _ROUTERS[table] = Router(table, loop)
    return router
