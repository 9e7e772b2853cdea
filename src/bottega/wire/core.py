"""The pure core: one request in, one response out, no socket anywhere.

Authenticate, parse, call the registry, serialise; whatever is refused on the way is rendered in one
place. Any server can stand in front of it, and any test can call it directly.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.model import OperationModel

from bottega import specs
from bottega.context import Context
from bottega.errors import BottegaError, RequestEntityTooLarge
from bottega.ports import Ports
from bottega.registry import Registry, Response, Settling
from bottega.storage.metadata import ResourceMissing
from bottega.wire import errors, protocol_json, protocol_query, protocol_rest_json
from bottega.wire.holding import Asker, Holder
from bottega.wire.invocations import InvocationFace
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.router import Route, route
from bottega.wire.sigv4 import SignatureVerifier, VerifiedSignature

_INVOCATIONS = "sagemaker-runtime"
_LARGEST_PART = 5 * 1024**3
"""Bytes: what S3 takes in one request."""
_CHUNK_OVERHEAD = 64 * 1024**2
"""Bytes that the signatures of an aws-chunked body may add to the largest part."""


class ObjectFace(Protocol):
    """What answers S3 requests."""

    def handle(
        self, request: WireRequest, signature: VerifiedSignature, context: Context
    ) -> WireResponse:
        """Answer a request whose signature is right; refuses by raising a BottegaError."""

    def refuse(self, error: BottegaError, request_id: str, *, head: bool) -> WireResponse:
        """The response for a refused request."""


@dataclass(frozen=True)
class Call:
    """A request that has been routed, and how it has to be run."""

    route: Route
    is_async: bool
    """Run it with :meth:`Wire.handle_async`, on an event loop."""
    body_limit: int
    """Bytes of body to take at most."""
    asker: Asker | None = None
    """Set where the answer may have to be held: see :meth:`Wire.question`."""


@dataclass(frozen=True)
class Question:
    """A request for something that is on its way, from a caller that waits for it."""

    caller: str
    settling: Settling
    name: str
    cursor: str
    seconds: float
    """How long the answer may be held."""


@dataclass(frozen=True)
class _Admitted:
    """A request that is authenticated and parsed."""

    service: str
    model: OperationModel
    request: Mapping[str, Any]
    context: Context


class Wire:
    """Every AWS face of one studio. Safe to use from any thread.

    Attributes:
        invocations: the short way for plain invocations; for the event loop only.
    """

    def __init__(self, registry: Registry, ports: Ports, s3: ObjectFace) -> None:
        self._registry = registry
        self._ports = ports
        self._s3 = s3
        self.invocations = InvocationFace(registry, ports)
        self._verifier = SignatureVerifier(ports.credentials, ports.config, ports.clock)
        self._coroutines = frozenset(
            (spec.service, spec.name) for spec in registry.operations() if spec.is_async
        )
        self._settling = {
            (spec.service, spec.name): spec.settling
            for spec in registry.operations()
            if spec.settling is not None
        }
        self._holder = Holder(ports.event_log)

    def route(self, request: WireRequest) -> Call:
        """Find out what a request is for, from its head alone; never raises."""
        found = route(request)
        limit = self._ports.config.max_body_bytes
        if found.protocol == "s3":
            limit = _LARGEST_PART + _CHUNK_OVERHEAD
        elif found.service == _INVOCATIONS:
            limit = self._ports.config.max_invocation_bytes
        operation = (found.service, found.operation)
        asker = Asker.of(request.headers) if operation in self._settling else None
        return Call(found, operation in self._coroutines, limit, asker)

    def question(self, request: WireRequest, call: Call) -> Question | None:
        """What a request with ``call.asker`` waits for; None when it is to be answered now.

        Nothing is refused here: whoever may not ask is told so by :meth:`handle`.
        """
        assert call.asker is not None
        settling = self._settling[call.route.service, call.route.operation]
        cursor = self._ports.event_log.read().cursor
        try:
            _, context = self._authenticate(request, call.route, "")
            admitted = self._admit(request, call.route, context)
            action = f"{call.route.signing_name}:{call.route.operation}"
            if not self._registry.allows(context, action, admitted.request):
                return None
            name = admitted.request[settling.member]
            if not isinstance(name, str) or not name.isascii():
                return None
            resource = self._ports.store.get(settling.kind, name)
        except (BottegaError, KeyError, ResourceMissing):
            return None
        if resource.status not in settling.statuses:
            return None
        caller = context.caller.arn
        seconds = call.asker.patience(
            age=self._ports.clock.now() - resource.created,
            pause=self._holder.pause(caller, settling, resource.name),
        )
        return Question(caller, settling, resource.name, cursor, seconds)

    async def hold(self, question: Question) -> None:
        """Wait until there is something to tell, as long as the question may be held."""
        await self._holder.hold(
            question.caller, question.settling, question.name, question.cursor, question.seconds
        )

    def handle(self, request: WireRequest, call: Call | None = None) -> WireResponse:
        """Answer a request whose operation is a plain function; never raises.

        Args:
            request: received whole.
            call: what :meth:`route` returned for it, when that is known already.
        """
        call = call or self.route(request)
        request_id = str(uuid.uuid4())
        try:
            signature, context = self._authenticate(request, call.route, request_id)
            if call.route.protocol == "s3":
                return self._s3.handle(request, signature, context)
            admitted = self._admit(request, call.route, context)
            answer = self._registry.call(
                admitted.service, admitted.model.name, admitted.request, context
            )
            return _serialize(answer, admitted, call.route, request)
        except Exception as raised:
            return self._refuse(errors.as_refusal(raised, request_id), call, request, request_id)

    async def handle_async(self, request: WireRequest, call: Call | None = None) -> WireResponse:
        """Answer a request whose operation is a coroutine (``call.is_async``); never raises."""
        call = call or self.route(request)
        request_id = str(uuid.uuid4())
        try:
            _, context = self._authenticate(request, call.route, request_id)
            admitted = self._admit(request, call.route, context)
            answer = await self._registry.call_async(
                admitted.service, admitted.model.name, admitted.request, context
            )
            return _serialize(answer, admitted, call.route, request)
        except Exception as raised:
            return self._refuse(errors.as_refusal(raised, request_id), call, request, request_id)

    def refuse_head(self, request: WireRequest, call: Call) -> WireResponse | None:
        """Refuse a request by its head, before a large body is taken; None when nothing is wrong
        yet.

        An S3 signature covers the hash that the head names, so it can be checked without the body.
        The body's real hash is compared once it is there.
        """
        if call.route.protocol != "s3":
            return None
        request_id = str(uuid.uuid4())
        try:
            self._verifier.verify(request, service="s3", body_received=False)
        except BottegaError as error:
            return self._refuse(error, call, request, request_id)
        return None

    def refuse(self, error: BottegaError, request: WireRequest, call: Call) -> WireResponse:
        """The response for a request that the listener itself refuses."""
        return self._refuse(error, call, request, str(uuid.uuid4()))

    def too_large(self, request: WireRequest, call: Call) -> WireResponse:
        """The response for a body beyond ``call.body_limit``."""
        return self.refuse(
            RequestEntityTooLarge(
                f"The body is larger than the {call.body_limit} bytes this request may have."
            ),
            request,
            call,
        )

    def _authenticate(
        self, request: WireRequest, found: Route, request_id: str
    ) -> tuple[VerifiedSignature, Context]:
        if found.refusal is not None:
            raise found.refusal
        signature = self._verifier.verify(request, service=found.signing_name)
        context = Context(self._ports, signature.identity, request_id, "wire", request.source)
        return signature, context

    def _admit(self, request: WireRequest, found: Route, context: Context) -> _Admitted:
        if found.protocol == "query":
            tree = protocol_query.read_form(request)
            model = self._model(found.service, protocol_query.operation_name(tree))
            protocol_query.check_version(tree, model)
            parsed = protocol_query.parse(tree, model)
        elif found.protocol == "json":
            model = self._model(found.service, found.operation)
            parsed = protocol_json.parse(request, model)
        else:
            model = self._model(found.service, found.operation)
            parsed = protocol_rest_json.parse(request, model, found.path_parameters)
        return _Admitted(found.service, model, parsed, context)

    def _model(self, service: str, operation: str) -> OperationModel:
        self._registry.find(service, operation)
        return specs.operation_model(service, operation)

    def _refuse(
        self, error: BottegaError, call: Call, request: WireRequest, request_id: str
    ) -> WireResponse:
        found = call.route
        if found.protocol == "s3":
            return self._s3.refuse(error, request_id, head=request.method == "HEAD")
        return errors.render(
            error,
            protocol=found.protocol,
            service=found.service,
            request=request,
            request_id=request_id,
        )


def _serialize(
    answer: Response, admitted: _Admitted, found: Route, request: WireRequest
) -> WireResponse:
    request_id = admitted.context.request_id
    if found.protocol == "query":
        return protocol_query.serialize(answer, admitted.model, request_id)
    if found.protocol == "json":
        return protocol_json.serialize(answer, admitted.model, request, request_id)
    return protocol_rest_json.serialize(answer, admitted.model, request_id)
