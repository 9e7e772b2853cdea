"""InvokeEndpoint: the data plane. No database is asked; routes come from memory."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bottega.context import Context
from bottega.errors import (
    ModelError,
    RequestEntityTooLarge,
    ServiceUnavailable,
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
    VariantUnknown,
    router_of,
)
from bottega.serving.routing import InstanceRoute, VariantRoute

_NOT_THERE = (
    "TargetModel",
    "TargetContainerHostname",
    "EnableExplanations",
    "InferenceComponentName",
    "SessionId",
    "PrefixAwareId",
)
_HEADERS = ("ContentType", "Accept", "CustomAttributes")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e]")
_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the "
    "latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_LONGEST_MESSAGE = 4096
"""Characters of a model's own error text that go into the error's message."""


@operation("InvokeEndpoint", service="sagemaker-runtime")
async def invoke_endpoint(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """Let a model server of the endpoint answer."""
    endpoint = request["EndpointName"]
    invocation = _invocation(context, request)
    try:
        invoked = await router_of(context.ports.routes).invoke(endpoint, invocation)
    except EndpointUnknown as error:
        raise ValidationError(
            f"Endpoint {endpoint} of account {context.ports.config.account} not found."
        ) from error
    except VariantUnknown as error:
        raise ValidationError(
            f"Variant {request['TargetVariant']} of endpoint {endpoint} of account "
            f"{context.ports.config.account} not found."
        ) from error
    except NoServer as error:
        raise ServiceUnavailable(
            f"Every model server of variant {error.variant.name} of endpoint {endpoint} is down "
            f"and being restarted. The log group {error.variant.log_group} says why."
        ) from error
    except InvocationTimedOut as error:
        raise _model_error(context, error, 0, _TIMED_OUT) from error
    except InvocationFailed as error:
        message = f"{error}; it is being restarted"
        raise _model_error(context, error, 0, message) from error
    return _response(context, invoked)


def _invocation(context: Context, request: Mapping[str, Any]) -> Invocation:
    for member in _NOT_THERE:
        if request.get(member):
            raise ValidationError(
                f"{member} is not there yet: the endpoints of this bottega have one container a "
                "variant. docs/coverage.md lists what it does."
            )
    for member in _HEADERS:
        if _NOT_IN_A_HEADER.search(request.get(member, "")):
            raise ValidationError(f"{member} has characters that an HTTP header cannot have.")
    body = _bytes(request.get("Body", b""))
    limit = context.ports.config.max_invocation_bytes
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
    )


def _bytes(body: Any) -> bytes:
    return body if isinstance(body, bytes) else bytes(body.read())


def _response(context: Context, invoked: Invoked) -> Mapping[str, Any]:
    answer = invoked.answer
    if not 200 <= answer.status < 300:
        text = answer.body.decode("utf-8", "replace")
        failed = InvocationFailed(text, invoked.variant, invoked.instance)
        raise _model_error(context, failed, answer.status, text)
    response: dict[str, Any] = {
        "Body": answer.body,
        "InvokedProductionVariant": invoked.variant.name,
    }
    if answer.content_type:
        response["ContentType"] = answer.content_type
    if answer.custom_attributes:
        response["CustomAttributes"] = answer.custom_attributes
    return response


def _model_error(context: Context, failed: InvocationFailed, status: int, text: str) -> ModelError:
    side = "client" if 400 <= status < 500 else "server"
    config = context.ports.config
    group = failed.variant.log_group
    return ModelError(
        f'Received {side} error ({status}) from primary with message "{text[:_LONGEST_MESSAGE]}". '
        f"See {group} in account {config.account} for more information.",
        members={
            "OriginalStatusCode": status,
            "OriginalMessage": text,
            "LogStreamArn": (
                f"arn:aws:logs:{config.region}:{config.account}:log-group:{group}:log-stream:"
                f"{_stream(failed.variant, failed.instance)}"
            ),
        },
    )


def _stream(variant: VariantRoute, instance: InstanceRoute | None) -> str:
    return f"{variant.name}/{instance.id}" if instance else variant.log_stream
