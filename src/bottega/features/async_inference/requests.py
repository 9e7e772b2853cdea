"""InvokeEndpointAsync: a request is taken in, durably, and its places are told."""

from __future__ import annotations

import re
import uuid
from typing import Any

from bottega.context import Context
from bottega.errors import ValidationError, ValidationException
from bottega.features.async_inference.endpoints import ENDPOINT, SERVING, AsyncEndpoint
from bottega.registry import operation
from bottega.serving.inference_queue import AsyncRequest
from bottega.specs.generated.async_inference import (
    InvokeEndpointAsyncInput,
    InvokeEndpointAsyncOutput,
)
from bottega.storage import s3_uris
from bottega.storage.metadata import ResourceMissing

DEFAULT_TTL_SECONDS = 6 * 3600
DEFAULT_TIMEOUT_SECONDS = 900
_HEADERS = ("ContentType", "Accept", "CustomAttributes")
_NOT_IN_A_HEADER = re.compile(r"[^\t\x20-\x7e]")


@operation(
    "InvokeEndpointAsync",
    service="sagemaker-runtime",
    note="There is no SNS here: notifications go to those who call WatchEvents, where the endpoint "
    "has a topic.",
)
def invoke_endpoint_async(
    context: Context, request: InvokeEndpointAsyncInput
) -> InvokeEndpointAsyncOutput:
    """Take a request in; the endpoint's model answers it later."""
    endpoint = _endpoint(context, request["EndpointName"])
    _check(request)
    taken = _request(context, endpoint, request)
    body = request.get("Body") if not taken.input_location else None
    context.ports.inference_queue.add(taken, body)
    answer: InvokeEndpointAsyncOutput = {
        "InferenceId": taken.inference_id,
        "OutputLocation": taken.output_location,
    }
    if taken.failure_location:
        answer["FailureLocation"] = taken.failure_location
    return answer


def _endpoint(context: Context, name: str) -> AsyncEndpoint:
    account = context.ports.config.account
    try:
        found = context.ports.store.get(ENDPOINT, name)
    except ResourceMissing as error:
        raise ValidationError(f"Endpoint {name} of account {account} not found.") from error
    if found.status not in SERVING:
        raise ValidationError(f"Endpoint {name} of account {account} not found.")
    endpoint = AsyncEndpoint.of(found)
    if endpoint is None:
        raise ValidationError(
            f"Endpoint {name} of account {account} is not an asynchronous endpoint. Call "
            "InvokeEndpoint, or give its configuration an AsyncInferenceConfig."
        )
    return endpoint


def _check(request: InvokeEndpointAsyncInput) -> None:
    if bool(request.get("InputLocation")) == ("Body" in request and bool(request["Body"])):
        raise ValidationError(
            "A request has either an InputLocation or a Body; give one of them, and not both."
        )
    if location := request.get("InputLocation"):
        try:
            _, key = s3_uris.split(location)
        except ValidationException as error:
            raise ValidationError(f"InputLocation: {error.message}") from error
        if not key:
            raise ValidationError(f"InputLocation {location!r} names a bucket and no object.")
    for member in _HEADERS:
        value: Any = request.get(member, "")
        if _NOT_IN_A_HEADER.search(value):
            raise ValidationError(f"{member} has characters that an HTTP header cannot have.")


def _request(
    context: Context, endpoint: AsyncEndpoint, request: InvokeEndpointAsyncInput
) -> AsyncRequest:
    now = context.ports.clock.now()
    own = str(uuid.uuid4())
    output = endpoint.output
    topics = output.get("NotificationConfig", {})
    default = f"s3://{context.ports.config.bucket}/async-endpoint-outputs/{endpoint.name}"
    outputs = output.get("S3OutputPath") or default
    failures = output.get("S3FailurePath", "")
    # The names are ours, as a caller may give an InferenceId twice.
    name = request.get("Filename") or f"{own}.out"
    failure = f"{request.get('Filename') or own}-error.out"
    return AsyncRequest(
        id=own,
        endpoint=endpoint.name,
        endpoint_created=endpoint.created,
        received=now,
        expires=now + request.get("RequestTTLSeconds", DEFAULT_TTL_SECONDS),
        timeout=float(request.get("InvocationTimeoutSeconds", DEFAULT_TIMEOUT_SECONDS)),
        inference_id=request.get("InferenceId") or own,
        content_type=request.get("ContentType", ""),
        accept=request.get("Accept", ""),
        custom_attributes=request.get("CustomAttributes", ""),
        input_location=request.get("InputLocation", ""),
        output_location=_location(outputs, request, name),
        failure_location=_location(failures, request, failure) if failures else "",
        success_topic=topics.get("SuccessTopic", ""),
        error_topic=topics.get("ErrorTopic", ""),
        tells_answer=tuple(topics.get("IncludeInferenceResponseIn", ())),
    )


def _location(path: str, request: InvokeEndpointAsyncInput, name: str) -> str:
    extension = request.get("S3OutputPathExtension", "").strip("/")
    return "/".join(part for part in (path.rstrip("/"), extension, name) if part)
