"""What is told of an answered request: SageMaker's JSON, as an event of the bus."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from bottega.config import Config
from bottega.events import InferenceNotified
from bottega.serving.inference_queue import AsyncRequest

LARGEST_TOLD_BYTES = 128 * 1024
"""An answer beyond this is not in its notification, only where it lies."""

Status = Literal["Completed", "Failed", "Expired"]


@dataclass(frozen=True)
class Outcome:
    """How a request ended."""

    status: Status
    variant: str = ""
    """Who answered; empty where nobody was asked."""
    content_type: str = ""
    body: bytes = b""
    """The answer; empty where a former process wrote it."""
    reason: str = ""
    """Of a failure."""
    written: bool = False
    """Whether the object is there already, as a former process wrote it."""


def notification(
    config: Config, request: AsyncRequest, outcome: Outcome, now: float
) -> InferenceNotified | None:
    """The event for an outcome; None where the endpoint has no topic for it."""
    completed = outcome.status == "Completed"
    topic = request.success_topic if completed else request.error_topic
    if not topic:
        return None
    kind = "SUCCESS_NOTIFICATION_TOPIC" if completed else "ERROR_NOTIFICATION_TOPIC"
    message = _message(config, request, outcome, now)
    told = kind in request.tells_answer and not outcome.written
    if told and len(outcome.body) <= LARGEST_TOLD_BYTES:
        content = base64.b64encode(outcome.body).decode()
        message["responseBody"] = {"content": content, "encoding": "BASE64"}
    return InferenceNotified(
        time=now,
        endpoint=request.endpoint,
        inference=request.id,
        status=outcome.status,
        topic=topic,
        message=message,
    )


def _message(config: Config, request: AsyncRequest, outcome: Outcome, now: float) -> dict[str, Any]:
    completed = outcome.status == "Completed"
    asked: Mapping[str, str] = {
        "contentType": request.content_type,
        "endpointName": request.endpoint,
        "inputLocation": request.input_location,
    }
    location = request.output_location if completed else request.failure_location
    message: dict[str, Any] = {
        "awsRegion": config.region,
        "eventTime": _moment(now),
        "receivedTime": _moment(request.received),
        "invocationStatus": outcome.status,
        "requestParameters": {name: value for name, value in asked.items() if value},
        "inferenceId": request.inference_id,
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
    }
    if completed:
        message["responseParameters"] = {
            "contentType": outcome.content_type,
            "outputLocation": location,
        }
    else:
        message["failureReason"] = outcome.reason
        if location:
            message["responseParameters"] = {"outputLocation": location}
    return message


def _moment(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
