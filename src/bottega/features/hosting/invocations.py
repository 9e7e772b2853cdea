"""InvokeEndpoint, whole and streamed: the data plane. Routes come from memory, not the database.

The operation is one way in; the listener's lane for invocations is another. Both read a request
with :func:`read`, and turn what comes of it into an answer or a refusal with :func:`response` and
:func:`refusal`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from bottega.config import Config
from bottega.context import Context
from bottega.errors import (
    BottegaError,
    ModelError,
    ModelNotReady,
    ModelStreamError,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Throttling,
    ValidationError,
)
from bottega.registry import operation
from bottega.serving.router import (
    EndpointUnknown,
    Invocation,
    InvocationFailed,
    InvocationTimedOut,
    Invoked,
    NoServer,
    Overloaded,
    Streamed,
    TargetUnfit,
    TooMany,
    VariantUnknown,
    router_of,
)
from bottega.serving.routing import (
    EndpointRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
    component_route,
)
from bottega.serving.streaming import StreamBroken

_NOT_THERE = ("EnableExplanations", "SessionId", "PrefixAwareId")
_HEADERS = ("ContentType", "Accept", "CustomAttributes", "TargetModel")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e]")
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_NO_COMPONENT = (
    "Inference Component Name header is required for endpoints to which you plan to deploy "
    "inference components. Please include Inference Component Name header or consider using "
    "SageMaker models."
)
_NO_COPIES = (
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be "
    "in-progress (if configured) or try to increase the capacity by invoking "
    "UpdateInferenceComponentRuntimeConfig API."
)
_LONGEST_MESSAGE = 4096
"""Characters of a model's own error text that go into the error's message."""
_LONGEST_REFUSAL = 64 * 1024
"""Bytes of what a model server says when it refuses a request for a stream."""
_RETRY_SECONDS = 1


class NoCopies(ValidationError):
    """An inference component shall have no copies now.

    Attributes:
        route: the component's.
    """

    def __init__(self, route: EndpointRoute) -> None:
        super().__init__(_NO_COPIES)
        self.route = route


Unsent = EndpointUnknown | VariantUnknown | TargetUnfit | InvocationFailed
"""Whatever the router raises in place of an answer."""
UNSENT = (EndpointUnknown, VariantUnknown, TargetUnfit, InvocationFailed)


@operation("InvokeEndpoint", service="sagemaker-runtime")
async def invoke_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let a model server of the endpoint answer."""
    config, endpoint = context.ports.config, request["EndpointName"]
    invocation = read(config, request)
    routes = context.ports.routes
    destination = _counted_destination(context, request)
    try:
        invoked = await router_of(routes).invoke(destination, invocation)
    except UNSENT as error:
        raise refusal(config, endpoint, invocation, error) from error
    return response(config, invoked)


@operation(
    "InvokeEndpointWithResponseStream",
    service="sagemaker-runtime",
    note="Streamed answers are not captured.",
)
async def invoke_endpoint_with_response_stream(
    context: Context, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Let a model server of the endpoint answer piece by piece."""
    config, endpoint = context.ports.config, request["EndpointName"]
    invocation = read(config, request)
    routes = context.ports.routes
    destination = _counted_destination(context, request)
    try:
        streamed = await router_of(routes).stream(destination, invocation)
    except UNSENT as error:
        raise refusal(config, endpoint, invocation, error) from error
    head, variant = streamed.head, streamed.variant
    if not 200 <= head.status < 300:
        try:
            text = (await streamed.body.rest(_LONGEST_REFUSAL)).decode("utf-8", "replace")
        except StreamBroken as error:
            text = str(error)
        raise model_error(config, variant, streamed.instance, head.status, text)
    found = {"Body": _events(streamed), "InvokedProductionVariant": variant.name}
    if head.content_type:
        found["ContentType"] = head.content_type
    if head.custom_attributes:
        found["CustomAttributes"] = head.custom_attributes
    return found


async def _events(streamed: Streamed) -> AsyncGenerator[Mapping[str, Any], None]:
    """The answer as the members of a ResponseStream.

    Raises:
        ModelStreamError: the model server did not finish it.
    """
    try:
        async for piece in streamed.body:
            yield {"PayloadPart": {"Bytes": piece}}
    except StreamBroken as error:
        raise ModelStreamError(
            f"The answer of variant {streamed.variant.name} broke off: {error}. The log group "
            f"{streamed.variant.log_group} says more.",
            members={"ErrorCode": "ModelInvocationTimeExceeded" if error.late else "StreamBroken"},
        ) from error
    finally:
        streamed.body.close()


def read(config: Config, request: Mapping[str, Any]) -> Invocation:
    """What a request asks for.

    Raises:
        ValidationError: a member asks for what is not there, or cannot be passed on.
        RequestEntityTooLarge: the body is larger than the settings allow.
    """
    for member in _NOT_THERE:
        if request.get(member):
            raise ValidationError(
                f"{member} is not there yet. docs/coverage.md lists what this bottega does; leave "
                "it out and send the request again."
            )
    for member in _HEADERS:
        if _NOT_IN_A_HEADER.search(request.get(member, "")):
            raise ValidationError(f"{member} has characters that an HTTP header cannot have.")
    body = _bytes(request.get("Body", b""))
    limit = config.max_invocation_bytes
    if len(body) > limit:
        raise RequestEntityTooLarge(
            f"The body has {len(body)} bytes; an invocation may have {limit}. Send less at once."
        )
    return Invocation(
        body=body,
        content_type=request.get("ContentType", ""),
        accept=request.get("Accept", ""),
        custom_attributes=request.get("CustomAttributes", ""),
        target_variant=request.get("TargetVariant", ""),
        target_model=request.get("TargetModel", ""),
        target_container=request.get("TargetContainerHostname", ""),
        inference_id=request.get("InferenceId", ""),
    )


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else bytes(body.read())


def destination_of(config: Config, routes: RoutingTable, request: Mapping[str, Any]) -> str:
    """The name of the route that a request takes: its endpoint's, or that of the inference
    component it names.

    Raises:
        NoCopies: the component shall have no copies now.
        ValidationError: the endpoint takes no such request, or the component is not there.
    """
    endpoint, component = request["EndpointName"], request.get("InferenceComponentName")
    route = routes.get(endpoint)
    if route is not None:
        check_synchronous(route)
    if route is None or not (component or route.hosts):
        return str(endpoint)  # the router says that it is not there
    if not component:
        raise ValidationError(_NO_COMPONENT)
    found = routes.get(component_route(component))
    if found is None or found.endpoint != endpoint:
        raise ValidationError(
            f"Inference component {component} of endpoint {endpoint} of account {config.account} "
            "not found."
        )
    if found.asleep:
        raise NoCopies(found)
    return found.name


def _counted_destination(context: Context, request: Mapping[str, Any]) -> str:
    """The destination; what is refused for want of copies is counted, or nothing would ever scale
    them out."""
    routes = context.ports.routes
    try:
        return destination_of(context.ports.config, routes, request)
    except NoCopies as refused:
        route = refused.route
        fleet, variant = next(iter(route.variants()))
        routes.traffic.record(
            route.name, variant.name, 400, None, config=fleet.config_name, overhead=0.0
        )
        raise


def check_synchronous(route: EndpointRoute) -> None:
    """Refuse what an asynchronous endpoint does not take.

    Raises:
        ValidationError: it takes only InvokeEndpointAsync.
    """
    if route.asynchronous:
        raise ValidationError(
            f"Endpoint {route.name} is asynchronous: put the request into the object store and "
            "call InvokeEndpointAsync with its InputLocation."
        )


def response(config: Config, invoked: Invoked) -> Mapping[str, Any]:
    """The members of the answer.

    Raises:
        ModelError: the model server answered with an error.
    """
    answer = invoked.answer
    if not 200 <= answer.status < 300:
        text = answer.body.decode("utf-8", "replace")
        raise model_error(config, invoked.variant, invoked.instance, answer.status, text)
    found: dict[str, Any] = {
        "Body": answer.body,
        "InvokedProductionVariant": invoked.variant.name,
    }
    if answer.content_type:
        found["ContentType"] = answer.content_type
    if answer.custom_attributes:
        found["CustomAttributes"] = answer.custom_attributes
    return found


def refusal(config: Config, endpoint: str, invocation: Invocation, error: Unsent) -> BottegaError:
    """What the caller is told when there is no answer."""
    if isinstance(error, EndpointUnknown):
        return ValidationError(f"Endpoint {endpoint} of account {config.account} not found.")
    if isinstance(error, VariantUnknown):
        return ValidationError(
            f"Variant {invocation.target_variant} of endpoint {endpoint} of account "
            f"{config.account} not found."
        )
    if isinstance(error, TargetUnfit):
        return ValidationError(str(error))
    variant = error.variant
    if isinstance(error, TooMany):
        return Throttling(
            f"Variant {variant.name} of endpoint {endpoint} has {variant.concurrency} requests at "
            "once, as many as its MaxConcurrency allows. Try again, or raise it.",
            retry_after=_RETRY_SECONDS,
        )
    if isinstance(error, Overloaded):
        return ServiceUnavailable(
            f"The model servers of variant {variant.name} of endpoint {endpoint} have all the "
            "requests they can take. Try again in a moment, or give the variant more instances.",
            retry_after=_RETRY_SECONDS,
        )
    if isinstance(error, NoServer):
        return _no_server(endpoint, variant)
    if isinstance(error, InvocationTimedOut):
        return model_error(config, variant, error.instance, 0, _TIMED_OUT)
    return model_error(config, variant, error.instance, 0, f"{error}; it is being restarted")


def _no_server(endpoint: str, variant: VariantRoute) -> BottegaError:
    if variant.on_demand:
        return ModelNotReady(
            f"A model server of variant {variant.name} of endpoint {endpoint} is still being "
            f"started. Try again in a moment. The log group {variant.log_group} says more.",
            retry_after=_RETRY_SECONDS,
        )
    return ServiceUnavailable(
        f"Every model server of variant {variant.name} of endpoint {endpoint} is down "
        f"and being restarted. The log group {variant.log_group} says why.",
        retry_after=_RETRY_SECONDS,
    )


def model_error(
    config: Config,
    variant: VariantRoute,
    instance: InstanceRoute | None,
    status: int,
    text: str,
) -> ModelError:
    """The error for what a model server said, or did not say.

    Args:
        status: the model server's; 0 where it gave none.
        text: its own words.
    """
    side = "client" if 400 <= status < 500 else "server"
    group = variant.log_group
    stream = f"{variant.name}/{instance.id}" if instance else variant.log_stream
    return ModelError(
        f'Received {side} error ({status}) from primary with message "{text[:_LONGEST_MESSAGE]}". '
        f"See {group} in account {config.account} for more information.",
        members={
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": (
                f"arn:aws:logs:{config.region}:{config.account}:log-group:{group}:log-stream:"
                f"{stream}"
            ),
        },
    )
