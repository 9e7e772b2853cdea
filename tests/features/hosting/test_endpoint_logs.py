"""What model servers print is found under the endpoint's log group."""

from __future__ import annotations

from typing import Any

from bottega.testing.hosting import ECHO, HostingStudio, until

GROUP = "/aws/sagemaker/Endpoints/talks"


def logs(studio: HostingStudio, operation: str, **request: Any) -> Any:
    context = studio.studio.owner("sdk")
    return studio.studio.registry.call("logs", operation, request, context)


def test_each_instance_has_a_stream_that_can_be_read(hosting: HostingStudio) -> None:
    head = "def predict_fn(data, model):"
    script = ECHO.replace(head, f"{head}\n    print('asked for', data, flush=True)")
    hosting.config("talks", hosting.echo_model("talks", script), instances=2)
    hosting.call("CreateEndpoint", EndpointName="talks", EndpointConfigName="talks")
    hosting.wait("talks", "InService")
    hosting.invoke_together("talks", ["one", "two", "three"])
    found = logs(hosting, "DescribeLogStreams", logGroupName=GROUP, orderBy="LastEventTime")
    names = [stream["logStreamName"] for stream in found["logStreams"]]
    assert len(names) == 2
    assert all(name.startswith("v0/i-") for name in names)

    def lines() -> set[str]:
        pages = [
            logs(hosting, "GetLogEvents", logGroupName=GROUP, logStreamName=n, startFromHead=True)
            for n in names
        ]
        return {event["message"] for page in pages for event in page["events"]}

    until(lambda: {"asked for one", "asked for two", "asked for three"} <= lines())
    hosting.delete("talks")
    still_there = logs(hosting, "DescribeLogStreams", logGroupName=GROUP)["logStreams"]
    assert [stream["logStreamName"] for stream in still_there] == sorted(names)
