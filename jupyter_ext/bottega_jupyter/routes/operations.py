"""``POST /bottega/operations/<service>/<operation>``: every operation, through one door."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega.errors import UnknownOperationException
from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.daemon_link import Call


class OperationHandler(BottegaHandler):
    """The body is the request as boto3 would write it, the answer is the daemon's own."""

    @authenticated
    @authorized
    async def post(self, service: str, operation: str) -> None:
        """Call an operation as the user who asks."""
        from bottega.sdk.signing import TARGETS, is_repeatable, operation_headers, scope_of

        if service not in TARGETS:
            raise UnknownOperationException(
                f"There is no service {service!r} here; there are {', '.join(TARGETS)}."
            )
        call = Call(
            "POST",
            "/",
            headers=operation_headers(service, operation),
            body=self.raw_body(self.bottega_config.max_body_bytes) or b"{}",
            keys=self.keys,
            scope=scope_of(service),
            repeatable=is_repeatable(operation),
        )
        await self.finish(await self.bottega.link.fetch(call) or b"{}")


routes = [(r"/bottega/operations/([^/]+)/([A-Za-z0-9]+)", OperationHandler)]
