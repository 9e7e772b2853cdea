"""InvokeEndpoint for a server that has already taken a plain request apart.

:class:`~bottega.wire.core.Wire` can answer every request. This answers the same, with less work, to
most of the requests that succeed, and declines all others before anything is done.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from functools import partial
from time import perf_counter

from bottega.context import Context
from bottega.errors import BottegaError
from bottega.features.hosting import invocations
from bottega.ports import Ports
from bottega.registry import Registry
from bottega.serving.router import Invocation, InvocationFailed, Invoked, Router, router_of
from bottega.wire import errors
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.protocol_rest_json import header_text
from bottega.wire.sigv4_invocations import InvocationSignatures

log = logging.getLogger(__name__)

Answered = Callable[[WireResponse], None]
"""What is called, once and from the event loop, with the answer."""

MEMBERS: Mapping[str, tuple[str, int]] = {
    "content-type": ("ContentType", 1024),
    "accept": ("Accept", 1024),
    "x-amzn-sagemaker-custom-attributes": ("CustomAttributes", 1024),
    "x-amzn-sagemaker-target-model": ("TargetModel", 1024),
    "x-amzn-sagemaker-target-variant": ("TargetVariant", 63),
    "x-amzn-sagemaker-target-container-hostname": ("TargetContainerHostname", 63),
    "x-amzn-sagemaker-inference-component": ("InferenceComponentName", 63),
    "x-amzn-sagemaker-inference-id": ("InferenceId", 64),
}
"""Header to member, with the most characters that the member may have."""
_NAMES = frozenset({"TargetVariant", "TargetContainerHostname", "InferenceComponentName"})
_SERVICE, _OPERATION, _ACTION = "sagemaker-runtime", "InvokeEndpoint", "sagemaker:InvokeEndpoint"
_REQUEST = WireRequest("POST", "", "", {})


class InvocationFace:
    """Answers plain invocations of one studio. Belongs to one event loop at a time."""

    def __init__(self, registry: Registry, ports: Ports) -> None:
        self._registry = registry
        self._ports = ports
        self._signatures = InvocationSignatures(ports.credentials, ports.config, ports.clock)
        self._router: Router | None = None

    @property
    def body_limit(self) -> int:
        """Bytes that a body may have."""
        return self._ports.config.max_invocation_bytes

    def submit(
        self,
        endpoint: str,
        headers: Mapping[str, str],
        body: bytes,
        source: str,
        done: Answered,
    ) -> bool:
        """Answer a request soon.

        Args:
            endpoint: the name in the path ``/endpoints/NAME/invocations``; there is no query.
            headers: as :meth:`~bottega.wire.sigv4_invocations.InvocationSignatures.caller` needs
                them.
            body: received whole.
            source: the address of the peer.
            done: gets the answer; never called from within this call.

        Returns:
            False, with nothing done, when the request is not so plain as that, would be refused or
            has to wait: :class:`~bottega.wire.core.Wire` has to answer it.
        """
        started = perf_counter()
        route = self._ports.routes.get(endpoint)
        if route is None or route.asynchronous:
            return False
        members = _members(endpoint, headers)
        if members is None:
            return False
        path = f"/endpoints/{endpoint}/invocations"
        identity = self._signatures.caller(path, headers, body)
        if identity is None:
            return False
        members["Body"] = body
        request_id = _request_id()
        context = Context(self._ports, identity, request_id, "wire", source)
        if not self._registry.allows(context, _ACTION, members):
            return False
        try:
            invocation = invocations.read(self._ports.config, members)
            destination = (
                invocations.destination_of(self._ports.config, self._ports.routes, members)
                if route.hosts or "InferenceComponentName" in members
                else endpoint
            )
        except BottegaError:
            return False
        answered = partial(self._answered, endpoint, invocation, request_id, done)
        return self._own_router().submit(destination, invocation, started, answered)

    def close(self) -> None:
        """Close the connections to model servers; from the event loop, when it is about to end."""
        router_of(self._ports.routes).close()

    def _own_router(self) -> Router:
        loop = asyncio.get_running_loop()
        if self._router is None or self._router.loop is not loop:
            self._router = router_of(self._ports.routes)
        return self._router

    def _answered(
        self,
        endpoint: str,
        invocation: Invocation,
        request_id: str,
        done: Answered,
        outcome: Invoked | InvocationFailed | BottegaError,
    ) -> None:
        config = self._ports.config
        try:
            if isinstance(outcome, BottegaError):
                raise outcome
            if isinstance(outcome, InvocationFailed):
                raise invocations.refusal(config, endpoint, invocation, outcome)
            response = _response(invocations.response(config, outcome), request_id)
        except Exception as raised:
            response = errors.render(
                errors.as_refusal(raised, request_id),
                protocol="rest-json",
                service=_SERVICE,
                request=_REQUEST,
                request_id=request_id,
            )
        done(response)


def _members(endpoint: str, headers: Mapping[str, str]) -> dict[str, object] | None:
    """The request's members but for the body; None where one may break a constraint."""
    members: dict[str, object] = {"EndpointName": endpoint}
    for name, (member, longest) in MEMBERS.items():
        value = headers.get(name)
        if value is None:
            continue
        if len(value) > longest or (member in _NAMES and not _is_name(value)):
            return None
        members[member] = value
    return members


def _is_name(value: str) -> bool:
    return value.replace("-", "").isalnum() and value[0] != "-" and value[-1] != "-"


def _response(answer: Mapping[str, object], request_id: str) -> WireResponse:
    """What :func:`bottega.wire.protocol_rest_json.serialize` makes of the same answer."""
    kind, custom = answer.get("ContentType"), answer.get("CustomAttributes")
    headers = [
        ("x-amzn-requestid", request_id),
        ("x-amzn-invoked-production-variant", str(answer["InvokedProductionVariant"])),
    ]
    if kind:
        headers.append(("content-type", header_text(str(kind))))
    if custom:
        headers.append(("x-amzn-sagemaker-custom-attributes", header_text(str(custom))))
    if not kind:
        headers.append(("content-type", "application/octet-stream"))
    body = answer["Body"]
    return WireResponse(200, headers, body if isinstance(body, bytes) else b"")


def _request_id() -> str:
    """A version 4 UUID. It names a request and protects nothing, so it needs no secure source."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
