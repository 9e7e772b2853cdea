"""InvokeEndpoint and its streaming kind as operations, with a real model server behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from bottega.errors import ModelError, ValidationError
from bottega.serving.router import router_of
from bottega.testing.hosting import HostingStudio


@pytest.fixture(scope="module")
def echo(hosting: HostingStudio) -> HostingStudio:
    """An endpoint that answers with its name and the request."""
    hosting.deploy("streaming")
    return hosting


def stream(bench: HostingStudio, body: bytes, endpoint: str = "streaming") -> Mapping[str, Any]:
    """The answer, its parts joined."""

    async def call() -> Mapping[str, Any]:
        studio = bench.studio
        request = {"EndpointName": endpoint, "Body": body, "ContentType": "text/plain"}
        try:
            answer = await studio.registry.call_async(
                "sagemaker-runtime",
                "InvokeEndpointWithResponseStream",
                request,
                studio.owner("sdk"),
            )
            parts = [event["PayloadPart"]["Bytes"] async for event in answer["Body"]]
            return {**answer, "Body": b"".join(parts)}
        finally:
            router_of(studio.ports.routes).close()
            await asyncio.sleep(0)  # for the connections to be closed

    return asyncio.run(call())


def test_an_answer_streams(echo: HostingStudio) -> None:
    answer = stream(echo, b"hello")
    assert answer["Body"] == b"streaming: hello"
    assert answer["InvokedProductionVariant"] == "v0"


def test_a_script_that_raises_is_a_model_error_before_the_stream(echo: HostingStudio) -> None:
    with pytest.raises(ModelError, match="no such customer") as caught:
        stream(echo, b"raise")
    assert caught.value.members["OriginalStatusCode"] == 500


def test_an_unknown_endpoint_has_no_stream(echo: HostingStudio) -> None:
    with pytest.raises(ValidationError, match=r"Endpoint nowhere of account \d+ not found"):
        stream(echo, b"hello", "nowhere")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"TargetModel": "m.tar.gz"}, "serves one model. Leave TargetModel out"),
        ({"TargetContainerHostname": "c"}, "cannot be called one by one"),
        ({"TargetVariant": "other"}, "Variant other of endpoint streaming"),
        ({"SessionId": "NEW_SESSION"}, "SessionId is not there yet"),
    ],
)
def test_a_target_that_does_not_fit_is_refused(
    echo: HostingStudio, more: dict[str, str], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        echo.invoke("streaming", b"hello", **more)
