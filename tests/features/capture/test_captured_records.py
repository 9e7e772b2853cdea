"""ListCapturedRecords: the newest of what data capture has kept of an endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.clock import ManualClock
from bottega.config import Config
from bottega.errors import ValidationException
from bottega.features.capture import records as module
from bottega.serving.capture import CaptureRecorder
from bottega.serving.invocation import Invocation
from bottega.serving.routing import CaptureSettings
from bottega.storage.folder_objects import FolderObjectStore
from bottega.studio import Studio
from bottega.testing.hosting import HostingStudio

START = 1_700_000_000.0


class Captured:
    """A studio that stands still, with an endpoint that captures."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(START)
        config = Config.load(home, environment={}, tracking=False, preload=False)
        self.studio = Studio.open(config, clock=self.clock)
        self.bench = HostingStudio(self.studio)
        self.settings = CaptureSettings(
            f"s3://{config.bucket}/kept",
            1.0,
            frozenset({"Input", "Output"}),
            frozenset({"text/csv"}),
            frozenset(),
        )

    @property
    def recorder(self) -> CaptureRecorder:
        recorder = self.studio.ports.routes.capture
        assert recorder is not None
        return recorder

    def endpoint(self, name: str, destination: str = "") -> None:
        """As it stands in the store once it serves."""
        self.bench.config(name, self.bench.echo_model(name))
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": 30,
            "DestinationS3Uri": destination or self.settings.destination,
            "CaptureOptions": [{"CaptureMode": "Input"}],
        }
        self.bench.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)

        def serving(present: Any) -> Any:
            active = {**present.private["target"], "capture": capture}
            private = {**present.private, "target": None, "active": active}
            return replace(present, status="InService", private=private)

        self.studio.ports.store.modify("Endpoint", name, serving)

    def record(self, number: int, variant: str = "v0", **more: Any) -> None:
        """One record in an object of its own."""
        invocation = Invocation(b"%d" % number, "text/csv", custom_attributes="n")
        self.recorder.record(
            "e", variant, self.settings, invocation, 200, "x/y", b"out", f"id-{number}"
        )

    def ask(self, **more: Any) -> Any:
        return self.bench.ask("ListCapturedRecords", EndpointName="e", **more)


@pytest.fixture
def captured(tmp_path: Path) -> Iterator[Captured]:
    made = Captured(tmp_path / "h")
    yield made
    made.studio.close()


def test_the_newest_come_first_across_hours_days_and_variants(captured: Captured) -> None:
    captured.endpoint("e")
    for number in range(30):
        captured.record(number, "a" if number % 3 else "b")
        captured.recorder.flush()
        captured.clock.advance(4000.5)

    answer = captured.ask(MaxRecords=5)

    assert [r["InferenceId"] for r in answer["Records"]] == [f"id-{29 - n}" for n in range(5)]
    assert answer["ObjectCount"] == 30
    assert len(answer["Objects"]) == 20
    assert not answer["MoreObjects"]
    modified = [found["LastModifiedTime"] for found in answer["Objects"]]
    assert modified == sorted(modified, reverse=True)
    assert answer["DestinationS3Uri"] == captured.settings.destination
    assert answer["SamplingPercentage"] == 30
    first = answer["Records"][0]
    assert first["VariantName"] == "a"
    assert first["InferenceTime"] == int(START + 29 * 4000.5)
    assert first["CustomAttributes"] == "n"
    assert first["Input"] == {
        "ContentType": "text/csv",
        "Encoding": "CSV",
        "Data": "29",
        "Truncated": False,
    }
    assert first["Output"]["Encoding"] == "BASE64"

    only = captured.ask(VariantName="b", MaxRecords=200)
    assert [r["InferenceId"] for r in only["Records"]] == [f"id-{27 - 3 * n}" for n in range(10)]
    assert only["ObjectCount"] == 10
    assert captured.ask(MaxRecords=0)["Records"] == []


def test_what_waits_and_what_was_dropped_is_told(captured: Captured) -> None:
    captured.endpoint("e")
    captured.record(1)
    answer = captured.ask()
    assert (answer["RecordsWaiting"], answer["RecordsDropped"]) == (1, 0)
    assert answer["Records"] == answer["Objects"] == []


def test_large_bodies_are_cut_and_objects_are_read_within_bounds(
    captured: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured.endpoint("e")
    for number in range(3):
        captured.record(number)
        body = Invocation(b"x" * 100_000, "text/csv")
        captured.recorder.record("e", "v0", captured.settings, body, 200, "", b"", "large")
        captured.recorder.flush()
        captured.clock.advance(1.0)
    monkeypatch.setattr(module, "MOST_READ_BYTES", 250_000)
    answer = captured.ask()
    assert [r["InferenceId"] for r in answer["Records"]] == ["large", "id-2", "large", "id-1"]
    data = answer["Records"][0]["Input"]
    assert (len(data["Data"]), data["Truncated"]) == (module.SHOWN_CHARACTERS, True)
    monkeypatch.setattr(module, "MOST_COUNTED", 2)
    answer = captured.ask()
    assert (answer["ObjectCount"], answer["MoreObjects"]) == (2, True)


def test_lines_of_somebody_else_are_passed_over(captured: Captured) -> None:
    captured.endpoint("e")
    captured.record(1)
    captured.recorder.flush()
    objects, bucket = captured.studio.ports.objects, captured.studio.ports.config.bucket
    for name, text in (("a", b"no json"), ("b", b"[]"), ("c", json.dumps({"x": 1}).encode())):
        objects.put(bucket, f"kept/e/v0/2030/01/01/00/00-00-{name}.jsonl", text + b"\n")
    answer = captured.ask()
    assert [r["InferenceId"] for r in answer["Records"]] == ["id-1"]
    assert answer["ObjectCount"] == 4


def test_an_endpoint_without_capture_has_nothing(captured: Captured) -> None:
    captured.bench.config("e", captured.bench.echo_model("e"))
    captured.bench.call("CreateEndpoint", EndpointName="e", EndpointConfigName="e")
    answer = captured.ask()
    assert answer["Records"] == []
    assert "DestinationS3Uri" not in answer
    with pytest.raises(ValidationException, match="Could not find endpoint"):
        captured.bench.ask("ListCapturedRecords", EndpointName="absent")


def test_a_destination_that_is_not_there_is_empty(captured: Captured) -> None:
    captured.endpoint("e", "s3://nowhere/kept")
    assert captured.ask()["ObjectCount"] == 0


def test_a_stopping_studio_writes_what_waits(tmp_path: Path) -> None:
    made = Captured(tmp_path / "h")
    made.record(1)
    made.studio.close()
    store = FolderObjectStore(tmp_path / "h" / "objects", made.clock)
    (found,) = store.each(made.studio.ports.config.bucket, "kept/e/v0/2023/11/14/22/13-20-000-")
    assert found.content_type == "application/jsonlines"
    store.close()
