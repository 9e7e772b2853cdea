"""``POST /bottega/endpoints/<name>/invocations`` and ``/async-invocations``: ask an endpoint."""

from __future__ import annotations

import json
from time import perf_counter
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.daemon_link import Call

OPTIONS = {
    "X-Bottega-Target-Variant": "X-Amzn-SageMaker-Target-Variant",
    "X-Bottega-Target-Model": "X-Amzn-SageMaker-Target-Model",
    "X-Bottega-Target-Container": "X-Amzn-SageMaker-Target-Container-Hostname",
    "X-Bottega-Inference-Component": "X-Amzn-SageMaker-Inference-Component",
    "X-Bottega-Inference-Id": "X-Amzn-SageMaker-Inference-Id",
}
"""What the browser may ask for, and how the daemon is told."""


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
        headers |= {told: asked[name] for name, told in OPTIONS.items() if asked.get(name)}
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


class AsyncInvocationHandler(BottegaHandler):
    """The body is taken in; the answer comes later, as an object."""

    @authenticated
    @authorized
    async def post(self, endpoint: str) -> None:
        """InvokeEndpointAsync. Answer ``{"inference_id", "output", "failure"}``, the last two as
        URIs; ``failure`` is null where the endpoint has no place for failures."""
        asked = self.request.headers
        headers = {
            "Content-Type": "application/octet-stream",
            "X-Amzn-SageMaker-Content-Type": asked.get("Content-Type", "application/octet-stream"),
            "X-Amzn-SageMaker-Accept": asked.get("Accept", "*/*"),
        }
        if identity := asked.get("X-Bottega-Inference-Id"):
            headers["X-Amzn-SageMaker-Inference-Id"] = identity
        call = Call(
            "POST",
            f"/endpoints/{quote(endpoint, safe='')}/async-invocations",
            headers=headers,
            body=self.raw_body(self.bottega_config.max_invocation_bytes),
            keys=self.keys,
        )
        async with self.bottega.link.send(call) as answer:
            told = json.loads(await answer.read())
            output = answer.headers["X-Amzn-SageMaker-OutputLocation"]
            failure = answer.headers.get("X-Amzn-SageMaker-FailureLocation")
        await self.finish(
            json.dumps({"inference_id": told["InferenceId"], "output": output, "failure": failure})
        )


routes = [
    (r"/bottega/endpoints/([^/]+)/invocations", InvocationHandler),
    (r"/bottega/endpoints/([^/]+)/async-invocations", AsyncInvocationHandler),
]
