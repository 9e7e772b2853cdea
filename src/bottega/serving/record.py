"""What the router says of a request once it is answered: to the traffic, and to the captures."""

from __future__ import annotations

import asyncio
import random
from weakref import ref

from bottega.serving.answers import ServerAnswer
from bottega.serving.invocation import Invocation
from bottega.serving.routing import EndpointRoute, RoutingTable, VariantRoute


class Recorder:
    """Tells a routing table's traffic and captures. Keeps no hold on the table."""

    def __init__(self, table: RoutingTable, loop: asyncio.AbstractEventLoop) -> None:
        self._traffic = table.traffic
        self._table = ref(table)
        self._loop = loop

    def traffic(
        self,
        endpoint: str,
        variant: str,
        status: int,
        seconds: float | None,
        config: str,
        overhead: float,
    ) -> None:
        """Count a request; see :meth:`bottega.serving.traffic.Traffic.record`."""
        self._traffic.record(endpoint, variant, status, seconds, config=config, overhead=overhead)

    def capture(
        self,
        route: EndpointRoute,
        variant: VariantRoute,
        invocation: Invocation,
        answer: ServerAnswer,
    ) -> None:
        """Have a request and its answer kept, if they are of the sample, after the answer has gone
        out."""
        table, settings = self._table(), route.capture
        captures = table.capture if table is not None else None
        if captures is None or settings is None or random.random() >= settings.share:
            return
        self._loop.call_soon(
            captures.record,
            route.name,
            variant.name,
            settings,
            invocation,
            answer.status,
            answer.content_type,
            answer.body,
            invocation.inference_id,
        )
