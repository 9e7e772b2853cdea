"""Asynchronous inference as a caller sees it: taken in at once, answered in the object store."""

from __future__ import annotations

import asyncio
import base64
import threading
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bottega.errors import ValidationError
from bottega.events import InferenceNotified
from bottega.features.async_inference.objects import ByteBudget
from bottega.metrics.store import MetricName, MetricQuery, dimensions
from bottega.testing.async_inference import AsyncStudio
from bottega.testing.hosting import HostingStudio, until


def notified(events: list[Any], told: dict[str, Any]) -> InferenceNotified:
    """What is told of a request, once; of others something may still come."""
    own = told["OutputLocation"].rpartition("/")[2].removesuffix(".out")

    def of_it() -> list[InferenceNotified]:
        every = [event for event in events if isinstance(event, InferenceNotified)]
        return [event for event in every if event.inference == own]

    until(of_it)
    (event,) = of_it()
    return event


def test_a_body_is_answered_where_the_call_said(served: AsyncStudio, events: list[Any]) -> None:
    told = served.invoke("a", "hello", InferenceId="mine", Accept="text/plain")

    assert told["InferenceId"] == "mine"
    folder, _, name = told["OutputLocation"].rpartition("/")
    own = name.removesuffix(".out")
    assert folder == f"s3://{served.bucket}/a/out"
    assert str(uuid.UUID(own)) == own
    assert told["FailureLocation"] == f"s3://{served.bucket}/a/failed/{own}-error.out"
    served.answered("a")
    assert served.read(told["OutputLocation"]) == b"a: hello"
    assert served.read(told["FailureLocation"]) is None

    event = notified(events, told)
    assert (event.endpoint, event.status) == ("a", "Completed")
    assert event.topic == "arn:aws:sns:us-east-1:000000000000:well"
    message = dict(event.message)
    assert message.pop("receivedTime") <= message.pop("eventTime")
    assert message == {
        "awsRegion": "us-east-1",
        "invocationStatus": "Completed",
        "requestParameters": {"contentType": "text/plain", "endpointName": "a"},
        "responseParameters": {
            "contentType": "text/plain",
            "outputLocation": told["OutputLocation"],
        },
        "inferenceId": "mine",
        "eventVersion": "1.0",
        "eventSource": "aws:sagemaker",
        "eventName": "InferenceResult",
        "responseBody": {
            "content": base64.b64encode(b"a: hello").decode(),
            "encoding": "BASE64",
        },
    }


def test_an_object_is_answered_and_the_caller_names_the_answer(served: AsyncStudio) -> None:
    objects = served.hosting.studio.ports.objects
    objects.put(served.bucket, "in/x y.txt", b"z" * 300_000)

    told = served.invoke(
        "a",
        InputLocation=f"s3://{served.bucket}/in/x y.txt",
        S3OutputPathExtension="today/",
        Filename="answer.txt",
    )

    assert told["OutputLocation"] == f"s3://{served.bucket}/a/out/today/answer.txt"
    assert told["FailureLocation"] == f"s3://{served.bucket}/a/failed/today/answer.txt-error.out"
    served.answered("a")
    assert served.read(told["OutputLocation"]) == b"a: " + b"z" * 300_000


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        ({"body": "raise"}, 'Received server error (500) from primary with message "'),
        ({"InputLocation": "s3://BUCKET/absent"}, "The input cannot be read: s3://"),
        ({"InputLocation": "s3://nowhere/x"}, "s3://nowhere/x: there is no such bucket."),
        (
            {"body": "sleep", "InvocationTimeoutSeconds": 1},
            "The model did not answer within 1 seconds.",
        ),
    ],
)
def test_a_failure_is_told_in_its_place(
    served: AsyncStudio, events: list[Any], request_: dict[str, Any], reason: str
) -> None:
    if "InputLocation" in request_:
        location = request_["InputLocation"].replace("BUCKET", served.bucket)
        request_ = {**request_, "InputLocation": location}

    told = served.invoke("a", **request_)

    served.answered("a")
    failure = served.read(told["FailureLocation"])
    assert failure is not None
    assert reason in failure.decode()
    assert served.read(told["OutputLocation"]) is None
    event = notified(events, told)
    assert event.topic.endswith(":badly")
    assert event.message["failureReason"] == failure.decode()
    assert "responseBody" not in event.message


def test_an_answer_that_cannot_be_written_is_a_failure(served: AsyncStudio) -> None:
    queue = served.hosting.studio.ports.inference_queue
    endpoint = served.hosting.studio.ports.store.get("Endpoint", "a")
    told = served.invoke("a", "first")
    served.answered("a")
    model = _request_like(served, endpoint.created, output="s3://nowhere/x.out")
    queue.add(model, b"second")
    served.answered("a")
    failure = served.read(model.failure_location) or b""
    assert failure == b"The answer cannot be written: s3://nowhere/x.out: there is no such bucket."
    assert served.read(told["OutputLocation"]) == b"a: first"


def _request_like(served: AsyncStudio, created: float, output: str, **changes: Any) -> Any:
    from bottega.serving.inference_queue import AsyncRequest

    own = str(uuid.uuid4())
    now = served.hosting.studio.ports.clock.now()
    made = AsyncRequest(
        id=own,
        endpoint="a",
        endpoint_created=created,
        received=now,
        expires=now + 600,
        timeout=60.0,
        inference_id=own,
        content_type="text/plain",
        accept="",
        custom_attributes="",
        input_location="",
        output_location=output or f"s3://{served.bucket}/a/out/{own}.out",
        failure_location=f"s3://{served.bucket}/a/failed/{own}-error.out",
        success_topic="",
        error_topic="",
        tells_answer=(),
    )
    return replace(made, **changes)


def test_a_request_that_waited_too_long_is_not_sent(served: AsyncStudio, tmp_path: Path) -> None:
    """Also where it waits behind others."""
    endpoint = served.hosting.studio.ports.store.get("Endpoint", "a")
    go = tmp_path / "go"
    holding = [served.invoke("a", f"wait for {go}") for _ in range(2)]  # all the endpoint may have
    until(lambda: served.hosting.studio.ports.routes.load.concurrent("a", "v0") == 2)
    expired = _request_like(served, endpoint.created, "", received=1.0, expires=2.0)
    served.hosting.studio.ports.inference_queue.add(expired, b"late")
    until(lambda: served.read(expired.failure_location))
    assert served.read(expired.failure_location) == b"The request was not begun within 1 seconds."
    queue = served.hosting.studio.ports.inference_queue
    until(lambda: queue.backlogs()["a"].size == 2)  # those that the model has
    go.touch()
    served.answered("a")
    assert all(served.read(told["OutputLocation"]) for told in holding)
    assert served.read(expired.output_location) is None


def test_no_more_at_once_than_the_configuration_says(served: AsyncStudio, tmp_path: Path) -> None:
    go, load = tmp_path / "go", served.hosting.studio.ports.routes.load
    told = [served.invoke("a", f"wait for {go}") for _ in range(6)]
    until(lambda: load.concurrent("a", "v0") == 2)
    most = 2
    measured = threading.Event()
    go.touch()

    def watch() -> None:
        nonlocal most
        while not measured.is_set():
            most = max(most, load.concurrent("a", "v0"))

    watcher = threading.Thread(target=watch)
    watcher.start()
    served.answered("a")
    measured.set()
    watcher.join()
    assert most == 2
    assert all(served.read(one["OutputLocation"]) for one in told)


def test_requests_wait_for_capacity(served: AsyncStudio) -> None:
    """While no server answers, nothing is sent and nothing is lost."""
    studio = served.hosting.studio
    endpoint = studio.ports.store.get("Endpoint", "a")
    served.hosting.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="a",
        DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 0}],
    )
    served.hosting.wait("a", "InService")
    until(lambda: not any(v.instances for _, v in studio.ports.routes.get("a").variants()))  # type: ignore[union-attr]
    told = [served.invoke("a", str(number)) for number in range(3)]
    studio.asynchronous.measure()
    now = studio.ports.clock.now()
    query = MetricQuery(_metric("HasBacklogWithoutCapacity"), now - 1, now + 1, 1)
    assert studio.ports.metrics.read(query)[-1].statistics.maximum == 1.0
    query = MetricQuery(_metric("ApproximateBacklogSize"), now - 1, now + 1, 1)
    assert studio.ports.metrics.read(query)[-1].statistics.maximum == 3.0
    assert studio.ports.inference_queue.backlogs()["a"].size == 3

    served.hosting.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="a",
        DesiredWeightsAndCapacities=[{"VariantName": "v0", "DesiredInstanceCount": 1}],
    )
    served.answered("a")
    assert [served.read(one["OutputLocation"]) for one in told] == [b"a: 0", b"a: 1", b"a: 2"]
    served.hosting.wait("a", "InService")
    assert studio.ports.store.get("Endpoint", "a").created == endpoint.created


def _metric(name: str, **more: str) -> MetricName:
    return MetricName("AWS/SageMaker", name, dimensions(EndpointName="a", **more))


def test_what_happened_is_measured(served: AsyncStudio) -> None:
    studio = served.hosting.studio
    before = studio.ports.clock.now()
    for number in range(3):
        served.invoke("a", str(number))
    served.invoke("a", "raise")
    served.answered("a")

    def counted(name: str) -> float:
        studio.asynchronous.measure()
        query = MetricQuery(
            _metric(name, VariantName="v0"), before - 1, studio.ports.clock.now() + 1, 1
        )
        periods = studio.ports.metrics.read(query)
        return sum(p.statistics.count for p in periods if p.time >= int(before))

    for name, count in (
        ("InvocationsProcesssed", 3),
        ("InvocationFailures", 1),
        ("TimeInBacklog", 4),
        ("TotalProcessingTime", 4),
    ):
        until(lambda: counted(name) >= count, timeout=10)  # noqa: B023


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({}, "either an InputLocation or a Body"),
        ({"body": "x", "InputLocation": "s3://b/k"}, "either an InputLocation or a Body"),
        ({"InputLocation": "https://b/k"}, "InputLocation: 'https://b/k' is not an S3 URI"),
        ({"InputLocation": "s3://b/"}, "names a bucket and no object"),
        ({"body": "x", "Accept": "a\nb"}, "Accept has characters"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(
    served: AsyncStudio, request_: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        served.invoke("a", **request_)
    served.answered("a")


def test_endpoints_that_do_not_take_it_say_so(hosting: HostingStudio) -> None:
    studio = AsyncStudio(hosting)
    with pytest.raises(ValidationError, match="Endpoint absent of account 000000000000 not found"):
        studio.invoke("absent", "x")
    hosting.deploy("real-time")
    with pytest.raises(ValidationError, match="real-time of account 000000000000 is not an async"):
        studio.invoke("real-time", "x")


def test_the_backlog_of_a_deleted_endpoint_fails_with_words(
    hosting: HostingStudio, tmp_path: Path
) -> None:
    studio = AsyncStudio(hosting)
    studio.deploy("going", MaxConcurrentInvocationsPerInstance=1)
    go = tmp_path / "go"
    taken, *waiting = [studio.invoke("going", f"wait for {go}") for _ in range(3)]
    until(lambda: hosting.studio.ports.routes.load.concurrent("going", "v0") == 1)
    hosting.call("DeleteEndpoint", EndpointName="going")
    for told in waiting:
        until(lambda: studio.read(told["FailureLocation"]))  # noqa: B023
        failure = studio.read(told["FailureLocation"])
        assert failure == b"Endpoint going was deleted before it answered."
    go.touch()
    until(lambda: hosting.gone("going"))
    studio.answered("going")
    # What the model had is answered, or fails with its server, and not both.
    ends = [studio.read(taken["OutputLocation"]), studio.read(taken["FailureLocation"])]
    assert ends.count(None) == 1
    assert len(studio.objects("going/")) == 3


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "other"


def test_what_a_former_process_wrote_is_not_asked_again(home: Path) -> None:
    """A kill between the answer and the queue's removal of its request."""
    with HostingStudio.opened(home, preload=False, isolation="process") as opened:
        opened.studio.start()
        studio = AsyncStudio(opened)
        studio.deploy("a")
        created = opened.studio.ports.store.get("Endpoint", "a").created
        opened.studio.asynchronous.close()
        requests = [_request_like(studio, created, "") for _ in range(3)]
        for request in requests:
            opened.studio.ports.inference_queue.add(request, b"asked again")
        objects = opened.studio.ports.objects
        key = requests[0].output_location.partition(f"{studio.bucket}/")[2]
        objects.put(studio.bucket, key, b"old", metadata={"bottega-request": requests[0].id})
        key = requests[1].failure_location.partition(f"{studio.bucket}/")[2]
        objects.put(studio.bucket, key, b"old", metadata={"bottega-request": requests[1].id})
        key = requests[2].output_location.partition(f"{studio.bucket}/")[2]
        objects.put(studio.bucket, key, b"of somebody else")
    with HostingStudio.opened(home, preload=False, isolation="process") as opened:
        opened.studio.start()
        studio = AsyncStudio(opened)
        studio.answered("a")
        assert studio.read(requests[0].output_location) == b"old"
        assert studio.read(requests[0].failure_location) is None
        assert studio.read(requests[1].output_location) is None
        assert studio.read(requests[1].failure_location) == b"old"
        assert studio.read(requests[2].output_location) == b"a: asked again"
        opened.delete_all()


def test_inputs_wait_for_room_in_the_order_they_came() -> None:
    async def use() -> list[str]:
        budget, told = ByteBudget(100), []

        async def hold(name: str, size: int, until: asyncio.Event) -> None:
            async with budget.held(size):
                told.append(name)
                await until.wait()

        first, second, third = (asyncio.Event() for _ in range(3))
        tasks = [
            asyncio.create_task(hold("small", 60, first)),
            asyncio.create_task(hold("larger than all", 1000, second)),
            asyncio.create_task(hold("small again", 10, third)),
        ]
        for expected, done in (
            (["small"], first),
            (["small", "larger than all"], second),
            (["small", "larger than all", "small again"], third),
        ):
            while len(told) < len(expected):
                await asyncio.sleep(0)
            for _ in range(5):
                await asyncio.sleep(0)
            assert told == expected
            done.set()
        await asyncio.gather(*tasks)
        return told

    assert len(asyncio.run(use())) == 3
