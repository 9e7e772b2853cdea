"""WatchEvents: what happens, told to those who keep asking."""

from __future__ import annotations

from bottega.context import Context
from bottega.errors import ValidationException
from bottega.event_log import CursorInvalid
from bottega.events import (
    Event,
    InferenceNotified,
    MetricsChanged,
    ResourceChanged,
    RuleNotified,
    TrackingChanged,
)
from bottega.registry import operation
from bottega.specs.generated.studio import StudioEvent, WatchEventsRequest, WatchEventsResponse

_WAIT_SECONDS = 20


@operation(
    "WatchEvents",
    service="bottega",
    note="Answered calls leave no line in the audit trail: an open page calls without end.",
)
async def watch_events(context: Context, request: WatchEventsRequest) -> WatchEventsResponse:
    """Wait for something to happen since the cursor; a stopping studio answers at once."""
    seconds = request.get("WaitSeconds", _WAIT_SECONDS)
    try:
        news = await context.ports.event_log.wait(request.get("Cursor", ""), seconds=seconds)
    except CursorInvalid as error:
        raise ValidationException(
            "Cursor is not one that WatchEvents gave. Leave it out to begin with the events from "
            "now on."
        ) from error
    return {
        "Events": [_shown(event) for event in news.events],
        "Cursor": news.cursor,
        "Reset": news.reset,
    }


def _shown(event: Event) -> StudioEvent:
    match event:
        case ResourceChanged():
            return {
                "Time": event.time,
                "Type": "ResourceChanged",
                "Change": event.change,
                "Kind": event.kind,
                "Name": event.name,
                "Status": event.status,
                "Version": event.version,
            }
        case MetricsChanged():
            return {
                "Time": event.time,
                "Type": "MetricsChanged",
                "Kind": event.kind,
                "Name": event.name,
            }
        case TrackingChanged():
            return {"Time": event.time, "Type": "TrackingChanged", "Name": event.experiment}
        case InferenceNotified():
            return {
                "Time": event.time,
                "Type": "InferenceNotified",
                "Kind": "Endpoint",
                "Name": event.endpoint,
                "Status": event.status,
                "TopicArn": event.topic,
                "Notification": dict(event.message),
            }
        case RuleNotified():
            return {
                "Time": event.time,
                "Type": "RuleNotified",
                "Kind": "TrainingJob",
                "Name": event.job,
                "Status": "IssuesFound",
                "Notification": {
                    "RuleConfigurationName": event.rule,
                    "Channel": event.channel,
                    "Address": event.address,
                    "Text": event.text,
                },
            }
        case _:
            raise TypeError(f"{event} is not told to those who watch")
