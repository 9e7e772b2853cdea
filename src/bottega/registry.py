"""The one way in: parse -> validate -> authorise -> run -> audit -> respond.

An operation is a plain function ``(context, request) -> response`` marked with :func:`operation`.
Faces find it by service and name and call it through :class:`Registry`, never directly; so every
call, from whichever face, passes the same checks and leaves the same trace.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, Literal, Protocol, TypeVar, cast

from bottega import specs
from bottega.context import Context
from bottega.errors import (
    AccessDeniedException,
    BottegaError,
    InternalFailure,
    UnknownOperationException,
)
from bottega.events import OperationCalled

log = logging.getLogger(__name__)

Request = Mapping[str, Any]
Response = Mapping[str, Any]
Level = Literal["does", "stores"]
"""What an implemented operation is worth: it *does* the work, or only *stores* what it was told."""

Function = TypeVar("Function", bound=Callable[..., Any])

COVERAGE_PAGE = "docs/coverage.md"


@dataclass(frozen=True)
class Settling:
    """What callers of a Describe operation wait for when they ask again and again: that the
    described resource leaves these statuses."""

    kind: str
    """The resource's kind in the store."""
    member: str
    """The member of the request that is its name."""
    statuses: frozenset[str]
    """In which it is still on its way."""


@dataclass(frozen=True)
class OperationSpec:
    """One implemented operation."""

    service: str
    """boto3's name of the service, or ``bottega`` for operations AWS does not have."""
    name: str
    function: Callable[[Context, Any], Any]
    level: Level
    note: str = ""
    """A limitation in one sentence, for the coverage page."""
    settling: Settling | None = None
    """For a Describe that clients poll: a face may hold the answer until there is news."""

    @property
    def is_async(self) -> bool:
        """Data-plane operations are coroutines: they wait for a model server without holding a
        thread.
        """
        return inspect.iscoroutinefunction(self.function)


def operation(
    name: str,
    *,
    service: str = "sagemaker",
    level: Level = "does",
    note: str = "",
    settling: Settling | None = None,
) -> Callable[[Function], Function]:
    """Mark a function as the implementation of an operation.

    The function gets the call's :class:`~bottega.context.Context` and a request that has passed
    every constraint of the shape; it returns the response as a mapping of the output shape's
    members and refuses by raising a :class:`~bottega.errors.BottegaError`. Timestamps are seconds
    since the epoch (float) and blobs are bytes on both sides.
    """

    def mark(function: Function) -> Function:
        spec = OperationSpec(service, name, function, level, note, settling)
        cast(Any, function).__bottega_operation__ = spec
        return function

    return mark


class Authorizer(Protocol):
    """Decides whether a caller may do an action."""

    def allows(self, context: Context, action: str, request: Request) -> bool:
        """Whether ``action`` (``sagemaker:CreateTrainingJob``) is allowed for this request."""


class OwnerMayDoEverything:
    """The policy until there are policies: the owner may do everything, nobody else anything."""

    def allows(self, context: Context, action: str, request: Request) -> bool:
        return context.caller.owner


class Registry:
    """All implemented operations of one studio, and the pipeline every call goes through."""

    def __init__(
        self, operations: Iterable[OperationSpec], authorizer: Authorizer | None = None
    ) -> None:
        self._operations: dict[tuple[str, str], OperationSpec] = {}
        self._authorizer = authorizer or OwnerMayDoEverything()
        for spec in operations:
            key = (spec.service, spec.name)
            if key in self._operations:
                raise ValueError(f"{spec.service}:{spec.name} is registered twice")
            self._operations[key] = spec

    @classmethod
    def from_modules(
        cls, modules: Iterable[ModuleType], authorizer: Authorizer | None = None
    ) -> Registry:
        """Collect what the given modules mark with :func:`operation`."""
        found: list[OperationSpec] = []
        for module in modules:
            for value in vars(module).values():
                spec = getattr(value, "__bottega_operation__", None)
                if isinstance(spec, OperationSpec) and value.__module__ == module.__name__:
                    found.append(spec)
        return cls(found, authorizer)

    def operations(self) -> tuple[OperationSpec, ...]:
        """Every implemented operation by service and name."""
        return tuple(self._operations[key] for key in sorted(self._operations))

    def find(self, service: str, name: str) -> OperationSpec:
        """The implementation of an operation.

        Raises:
            UnknownOperationException: AWS has no such operation, or bottega does not implement it.
        """
        if spec := self._operations.get((service, name)):
            return spec
        if specs.exists(service, name):
            raise UnknownOperationException(
                f"{service}:{name} is not implemented by this bottega. "
                f"{COVERAGE_PAGE} lists what is."
            )
        raise UnknownOperationException(f"{service} has no operation {name!r}.")

    def call(self, service: str, name: str, request: Request, context: Context) -> Response:
        """Answer one request.

        Raises:
            BottegaError: the refusal; anything unexpected becomes an InternalFailure and is logged.
        """
        started = context.ports.clock.monotonic()
        error: BottegaError | None = None
        try:
            spec, checked = self._admit(service, name, request, context)
            own = replace(context, operations=self.call)
            return cast(Response, spec.function(own, checked) or {})
        except BottegaError as refusal:
            error = refusal
            raise
        except Exception as raised:
            error = _unexpected(raised, service, name, context)
            raise error from raised
        finally:
            _audit(service, name, request, context, error, started)

    async def call_async(
        self, service: str, name: str, request: Request, context: Context
    ) -> Response:
        """Answer one request to a data-plane operation; otherwise as :meth:`call`."""
        started = context.ports.clock.monotonic()
        error: BottegaError | None = None
        try:
            spec, checked = self._admit(service, name, request, context)
            answer = spec.function(context, checked)
            return cast(Response, await cast(Awaitable[Any], answer) or {})
        except BottegaError as refusal:
            error = refusal
            raise
        except Exception as raised:
            error = _unexpected(raised, service, name, context)
            raise error from raised
        finally:
            _audit(service, name, request, context, error, started)

    def allows(self, context: Context, action: str, request: Request) -> bool:
        """Whether the caller may do an action (``sagemaker:InvokeEndpoint``) with a request that is
        valid. Every call asks by itself; this is for who answers a request without a call."""
        return self._authorizer.allows(context, action, request)

    def _admit(
        self, service: str, name: str, request: Request, context: Context
    ) -> tuple[OperationSpec, Request]:
        spec = self.find(service, name)
        checked = specs.validate(service, name, request)
        action = f"{specs.signing_name(service)}:{name}"
        if not self.allows(context, action, checked):
            raise AccessDeniedException(
                f"User: {context.caller.arn} is not authorized to perform: {action} because no "
                f"identity-based policy allows the {action} action"
            )
        return spec, checked


def _unexpected(raised: Exception, service: str, name: str, context: Context) -> BottegaError:
    log.exception("%s:%s failed, request %s", service, name, context.request_id)
    return InternalFailure(
        f"bottega failed unexpectedly ({type(raised).__name__}); the traceback is in its log under "
        f"request {context.request_id}."
    )


def _audit(
    service: str,
    name: str,
    request: Request,
    context: Context,
    error: BottegaError | None,
    started: float,
) -> None:
    ports = context.ports
    ports.events.publish(
        OperationCalled(
            time=ports.clock.now(),
            service=service,
            operation=name,
            caller=context.caller.arn,
            request_id=context.request_id,
            face=context.face,
            resource=_resource(request),
            error_code=error.code if error else "",
            seconds=ports.clock.monotonic() - started,
        )
    )


def _resource(request: Request) -> str:
    """What the call was about, for the trail: the first member that names something."""
    for suffix in ("Arn", "Name", "Bucket", "Id"):
        for member, value in request.items():
            if member.endswith(suffix) and isinstance(value, str):
                return value[:256]
    return ""
