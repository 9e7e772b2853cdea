"""One asynchronous request, from the queue to its answer in the object store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from bottega.features.async_inference.endpoints import AsyncEndpoint
from bottega.features.async_inference.measures import PROCESSED, Measures
from bottega.features.async_inference.notifications import Outcome, notification
from bottega.features.async_inference.objects import (
    ByteBudget,
    TransferFailed,
    input_size,
    read_input,
    write_answer,
    written_before,
)
from bottega.ports import Ports
from bottega.serving.inference_queue import AsyncRequest, Waiting
from bottega.serving.invocation import (
    EndpointUnknown,
    Invocation,
    InvocationFailed,
    InvocationTimedOut,
    Invoked,
    NoServer,
    Overloaded,
    TargetUnfit,
    TooMany,
    VariantUnknown,
)
from bottega.serving.router import Router

log = logging.getLogger(__name__)

CAPACITY_POLL_SECONDS = 0.25
"""How often a request that lost its model server looks for another."""
_ATTEMPTS = 5
"""Of a request whose answering fails in a way that nobody has thought of."""
_COPIES = 3
"""How often an input is in memory while it is sent: as it was read, as a part of the message, and
in the buffer of the connection."""
_SMALL_BYTES = 128 * 1024
"""Inputs up to this size are read at once, outside of the budget."""
_LONGEST_MESSAGE = 4096
_LATER = (EndpointUnknown, NoServer, Overloaded, TooMany, VariantUnknown)
"""What the router says where the same request may be taken a moment later."""

_Found = TypeVar("_Found")


class _Input(NamedTuple):
    size: int
    """Bytes."""
    body: bytes | None
    """None where it is read when there is room for it."""


@dataclass(frozen=True)
class Answerer:
    """Answers requests, any number of them at once, on the event loop of its router."""

    ports: Ports
    router: Router
    threads: Executor
    """Where the disk is waited for."""
    budget: ByteBudget
    measures: Measures

    async def answer(self, waiting: Waiting) -> None:
        """See a request to its end. When this returns, its answer is written and it is no longer
        in the queue; when it is cancelled, it is in the queue still."""
        attempt = 0
        while True:
            try:
                await self._finish(waiting, await self._outcome(waiting))
                return
            except Exception as error:
                log.exception("answering request %s failed", waiting.request.id)
                attempt += 1
                if attempt == _ATTEMPTS:
                    reason = f"bottega failed unexpectedly ({type(error).__name__}: {error})."
                    await self._finish(waiting, Outcome("Failed", reason=reason))
                    return
                await asyncio.sleep(0.1 * 2**attempt)

    async def _outcome(self, waiting: Waiting) -> Outcome:
        request = waiting.request
        while True:
            if self.ports.clock.now() >= request.expires:
                seconds = request.expires - request.received
                reason = f"The request was not begun within {seconds:g} seconds."
                return await self._in_thread(
                    lambda: self._written(waiting) or Outcome("Expired", reason=reason)  # noqa: B023
                )
            try:
                found = await self._in_thread(lambda: self._prepare(waiting))
                if isinstance(found, Outcome):
                    return found
                async with self.budget.held(found.size * _COPIES):
                    return await self._invoke(waiting, found.body)
            except TransferFailed as error:
                self.measures.add(request, "", "RequestDownloadFailures", unit="Count")
                return Outcome("Failed", reason=f"The input cannot be read: {error}")
            except _LATER:
                await asyncio.sleep(CAPACITY_POLL_SECONDS)

    def _prepare(self, waiting: Waiting) -> Outcome | _Input:
        """What is to be sent, or how the request has ended already.

        Raises:
            TransferFailed: the input cannot be read.
        """
        request = waiting.request
        if (written := self._written(waiting)) is not None:
            return written
        endpoint = AsyncEndpoint.read(self.ports, request.endpoint)
        if endpoint is None or endpoint.gone or endpoint.created != request.endpoint_created:
            reason = f"Endpoint {request.endpoint} was deleted before it answered."
            return Outcome("Failed", reason=reason)
        size = input_size(self.ports, waiting)
        body = read_input(self.ports, waiting) if size <= _SMALL_BYTES else None
        return _Input(size, body)

    def _written(self, waiting: Waiting) -> Outcome | None:
        """How the request ended, where a former process wrote that."""
        if waiting.number > self.ports.inference_queue.last_of_former:
            return None
        return written_before(self.ports, waiting.request)

    async def _invoke(self, waiting: Waiting, body: bytes | None) -> Outcome:
        """Let the model answer.

        Args:
            body: None where it is to be read now.

        Raises:
            TransferFailed: the input cannot be read.
            EndpointUnknown, NoServer, Overloaded, TooMany, VariantUnknown: nobody takes it now.
        """
        request = waiting.request
        if body is None:
            body = await self._in_thread(lambda: read_input(self.ports, waiting))
        invocation = Invocation(
            body=body,
            content_type=request.content_type,
            accept=request.accept,
            custom_attributes=request.custom_attributes,
            inference_id=request.inference_id,
        )
        began = self.ports.clock.now()
        try:
            async with asyncio.timeout(request.timeout):
                invoked = await self.router.invoke(request.endpoint, invocation)
        except (TimeoutError, InvocationTimedOut) as error:
            variant = error.variant.name if isinstance(error, InvocationTimedOut) else ""
            return Outcome(
                "Failed",
                variant,
                reason=f"The model did not answer within {request.timeout:g} seconds.",
            )
        except _LATER:
            raise
        except TargetUnfit as error:
            return Outcome("Failed", reason=f"{error}.")
        except InvocationFailed as failed:
            return Outcome("Failed", failed.variant.name, reason=f"{failed}.")
        waited = (began - request.received) * 1000
        self.measures.add(request, invoked.variant.name, "TimeInBacklog", waited, "Milliseconds")
        return _outcome_of(invoked, self.ports.config.account)

    async def _finish(self, waiting: Waiting, outcome: Outcome) -> None:
        request = waiting.request
        ended = await self._in_thread(lambda: self._end(waiting, outcome))
        self._tell(request, ended)

    def _end(self, waiting: Waiting, outcome: Outcome) -> Outcome:
        """Write the answer, and then forget the request; returns how it ended."""
        try:
            write_answer(self.ports, waiting.request, outcome)
        except TransferFailed as error:
            outcome = self._not_written(waiting.request, outcome, str(error))
        self.ports.inference_queue.remove(waiting.number)
        return outcome

    def _not_written(self, request: AsyncRequest, outcome: Outcome, why: str) -> Outcome:
        """Say as a failure that an answer cannot be written."""
        self.measures.add(request, outcome.variant, "ResponseUploadFailures", unit="Count")
        if outcome.status != "Completed":
            log.error("the failure of request %s cannot be written: %s", request.id, why)
            return outcome
        failed = replace(
            outcome, status="Failed", body=b"", reason=f"The answer cannot be written: {why}"
        )
        try:
            write_answer(self.ports, request, failed)
        except TransferFailed as error:
            log.error("the failure of request %s cannot be written: %s", request.id, error)
        return failed

    def _tell(self, request: AsyncRequest, outcome: Outcome) -> None:
        now = self.ports.clock.now()
        count = {"Expired": "ExpiredRequests", "Failed": "InvocationFailures"}
        name = count.get(outcome.status, PROCESSED)
        self.measures.add(request, outcome.variant, name, unit="Count")
        if outcome.status != "Expired":
            taken = (now - request.received) * 1000
            self.measures.add(
                request, outcome.variant, "TotalProcessingTime", taken, "Milliseconds"
            )
        if event := notification(self.ports.config, request, outcome, now):
            self.ports.events.publish(event)

    async def _in_thread(self, do: Callable[[], _Found]) -> _Found:
        return await asyncio.get_running_loop().run_in_executor(self.threads, do)


def _outcome_of(invoked: Invoked, account: str) -> Outcome:
    answer: Any = invoked.answer
    variant = invoked.variant
    if 200 <= answer.status < 300:
        return Outcome("Completed", variant.name, answer.content_type, answer.body)
    side = "client" if 400 <= answer.status < 500 else "server"
    text = answer.body.decode("utf-8", "replace")[:_LONGEST_MESSAGE]
    return Outcome(
        "Failed",
        variant.name,
        reason=f'Received {side} error ({answer.status}) from primary with message "{text}". '
        f"See {variant.log_group} in account {account} for more information.",
    )
