"""Data capture from a configuration to what a screen is shown, with a model that answers."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest

from bottega.testing.hosting import HostingStudio


@pytest.fixture
def hosting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostingStudio]:
    home = tmp_path_factory.mktemp("home") / "h"
    with HostingStudio.opened(home, preload=False, isolation="process") as opened:
        opened.studio.start()
        yield opened
        opened.delete_all()


def test_what_is_asked_and_answered_is_kept(hosting: HostingStudio) -> None:
    bucket = hosting.studio.ports.config.bucket
    variant = {
        "VariantName": "v0",
        "ModelName": hosting.echo_model("m"),
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": f"s3://{bucket}/kept",
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/plain"]},
    }
    hosting.call(
        "CreateEndpointConfig",
        EndpointConfigName="c",
        ProductionVariants=[variant],
        DataCaptureConfig=capture,
    )
    hosting.call("CreateEndpoint", EndpointName="e", EndpointConfigName="c")
    hosting.wait("e", "InService")
    bodies = [f"row {number}" for number in range(30)]
    hosting.invoke_together("e", bodies, InferenceId="together")
    hosting.invoke("e", b"\x00\x01", ContentType="application/octet-stream", InferenceId="last")
    recorder = hosting.studio.ports.routes.capture
    assert recorder is not None
    assert recorder.waiting("e") == 31
    recorder.flush()

    answer = hosting.ask("ListCapturedRecords", EndpointName="e", MaxRecords=200)

    assert (answer["ObjectCount"], answer["RecordsDropped"], answer["SamplingPercentage"]) == (
        1,
        0,
        100,
    )
    last, *others = answer["Records"]
    assert last["InferenceId"] == "last"
    assert base64.b64decode(last["Input"]["Data"]) == b"\x00\x01"
    found = {(r["Input"]["Data"], r["Output"]["Data"]) for r in others}
    assert found == {(body, f"m: {body}") for body in bodies}
    assert {r["InferenceId"] for r in others} == {"together"}
    assert len({r["EventId"] for r in answer["Records"]}) == 31
