"""``POST /bottega/endpoints/<name>/invocations``: ask an endpoint."""

from __future__ import annotations

from time import perf_counter
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.daemon_link import Call


class InvocationHandler(BottegaHandler):
    """The body goes to the model as it is, and the answer comes back as it is."""

    @property
    def content_security_policy(self) -> str:
        # A model may answer with a page; it has no rights here.
        return "sandbox; default-src 'none'"

    @authenticated
    @authorized
    async def post(self, endpoint: str) -> None:
        """InvokeEndpoint. ``X-Bottega-Seconds`` says how long the answer took."""
        asked = self.request.headers
        headers = {
            "Content-Type": asked.get("Content-Type", "application/octet-stream"),
            "Accept": asked.get("Accept", "*/*"),
        }
        if variant := asked.get("X-Bottega-Target-Variant"):
            headers["X-Amzn-SageMaker-Target-Variant"] = variant
        call = Call(
            "POST",
            f"/endpoints/{quote(endpoint, safe='')}/invocations",
            headers=headers,
            body=self.raw_body(self.bottega_config.max_invocation_bytes),
            keys=self.keys,
        )
        started = perf_counter()
        async with self.bottega.link.send(call) as answer:
            body = await answer.read()
            seconds = perf_counter() - started
            given = answer.headers
            self.set_header("X-Content-Type-Options", "nosniff")
            self.set_header("X-Bottega-Seconds", f"{seconds:.6f}")
            self.set_header("X-Bottega-Variant", given.get("x-Amzn-Invoked-Production-Variant", ""))
            kind = given.get("Content-Type", "application/octet-stream")
        await self.finish(body, set_content_type=kind)


routes = [(r"/bottega/endpoints/([^/]+)/invocations", InvocationHandler)]
