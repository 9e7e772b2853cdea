"""What those who watch are told. How they wait is tested with the log, and with a daemon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ValidationException
from bottega.events import InferenceNotified, MetricsChanged, TrackingChanged
from bottega.features.studio import watch
from bottega.storage.metadata import Resource
from bottega.testing.operations import Operations


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Operations]:
    with Operations(tmp_path / "h", watch) as operations:
        yield operations


def ask(studio: Operations, **request: Any) -> Mapping[str, Any]:
    return asyncio.run(studio.call_async("bottega", "WatchEvents", **request))


def test_each_kind_of_event_is_told_with_what_belongs_to_it(studio: Operations) -> None:
    start = ask(studio, WaitSeconds=0)
    assert start["Events"] == []
    assert start["Reset"] is False
    now = studio.ports.clock.now()
    created = studio.ports.store.create(Resource("Model", "m", "", "", now, now))
    studio.ports.store.update(created)
    studio.ports.events.publish(MetricsChanged(now, "TrainingJob", "j"))
    studio.ports.events.publish(TrackingChanged(now, "7"))
    topic = "arn:aws:sns:us-east-1:000000000000:t"
    message = {"invocationStatus": "Failed", "requestParameters": {"endpointName": "e"}}
    studio.ports.events.publish(InferenceNotified(now, "e", "i", "Failed", topic, message))
    told = ask(studio, Cursor=start["Cursor"])
    assert told["Events"] == [
        {
            "Time": now,
            "Type": "ResourceChanged",
            "Change": "created",
            "Kind": "Model",
            "Name": "m",
            "Status": "",
            "Version": 2,
        },
        {"Time": now, "Type": "MetricsChanged", "Kind": "TrainingJob", "Name": "j"},
        {"Time": now, "Type": "TrackingChanged", "Name": "7"},
        {
            "Time": now,
            "Type": "InferenceNotified",
            "Kind": "Endpoint",
            "Name": "e",
            "Status": "Failed",
            "TopicArn": topic,
            "Notification": message,
        },
    ]
    assert ask(studio, Cursor=told["Cursor"], WaitSeconds=0)["Events"] == []


def test_a_cursor_of_a_former_studio_is_reset(studio: Operations) -> None:
    answer = ask(studio, Cursor="0123456789abcdef-5")
    assert answer["Reset"] is True
    assert answer["Events"] == []
    assert ask(studio, Cursor=answer["Cursor"], WaitSeconds=0)["Reset"] is False


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        ({"Cursor": "nonsense"}, "Cursor is not one that WatchEvents gave. Leave it out"),
        ({"WaitSeconds": 61}, "'waitSeconds' failed to satisfy constraint"),
        ({"WaitSeconds": -1}, "'waitSeconds' failed to satisfy constraint"),
    ],
)
def test_what_makes_no_sense_is_refused(
    studio: Operations, request_: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationException, match=says):
        ask(studio, **request_)
