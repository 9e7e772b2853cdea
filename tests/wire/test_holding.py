"""Answers that are held for those who would ask again: who, how long, and until what."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega import specs
from bottega.context import Context
from bottega.registry import OperationSpec, Registry, Settling, operation
from bottega.storage.metadata import Resource
from bottega.studio import registry_of_operations
from bottega.wire import holding
from bottega.wire.core import Wire
from bottega.wire.holding import Asker, Holder
from bottega.wire.message import WireRequest

BOTO3 = "Boto3/1.44.8 md/Botocore#1.44.8 lang/python#3.11.7 m/E,e,N,b,Z Botocore/1.44.8"
WAITER = BOTO3.replace("m/E,e,N", "m/E,e,N,B")
SDK = f"{BOTO3} lib/AWS-SageMaker-Python-SDK#2.257.7"
SETTLING = Settling("ProcessingJob", "ProcessingJobName", frozenset({"InProgress", "Stopping"}))
PATIENT = 60.0


@operation("DescribeProcessingJob", settling=SETTLING)
def describe(context: Context, request: Mapping[str, Any]) -> Mapping[str, Any]:
    return context.ports.store.get("ProcessingJob", request["ProcessingJobName"]).body


SPEC: OperationSpec = describe.__bottega_operation__  # type: ignore[attr-defined]


@pytest.fixture
def wire(bench: Any) -> Wire:
    return Wire(Registry([SPEC]), bench.ports, bench.objects)


def make_job(bench: Any, name: str, *, age: float = 0.0, status: str = "InProgress") -> None:
    made = bench.ports.clock.now() - age
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:processing-job/{name}"
    bench.ports.store.create(Resource("ProcessingJob", name, arn, status, made, made, {}))


def end_job(bench: Any, name: str, status: str = "Completed") -> None:
    bench.ports.store.modify("ProcessingJob", name, lambda job: replace(job, status=status))


def asks(bench: Any, name: str, agent: str, **headers: str) -> WireRequest:
    signed: WireRequest = bench.signed(
        "SageMaker.DescribeProcessingJob", b'{"ProcessingJobName":"%s"}' % name.encode()
    )
    return replace(signed, headers={**signed.headers, "user-agent": agent, **headers})


@pytest.mark.parametrize(
    ("agent", "attempt", "expected"),
    [
        (BOTO3, "attempt=1; max=3", None),
        (WAITER, "attempt=1; max=3", Asker(waiter=True)),
        (SDK, "attempt=1; max=3", Asker(waiter=False)),
        (SDK, "attempt=2; max=3", None),
        (WAITER, "attempt=2", None),
        (f"{BOTO3} lib/AWS-SageMakerCore#2.27.0", "attempt=1", Asker(waiter=False)),
        ("curl/8 m/Bc", "attempt=1", None),
        ("", "attempt=1", None),
    ],
)
def test_only_clients_that_wait_are_held(agent: str, attempt: str, expected: Asker | None) -> None:
    assert Asker.of({"user-agent": agent, "amz-sdk-request": attempt}) == expected


@settings(max_examples=60)
@given(
    waiter=st.booleans(),
    age=st.floats(-1e9, 1e9),
    pause=st.none() | st.floats(0, 1e6),
)
def test_nobody_is_held_long_or_longer_than_they_pause(
    waiter: bool, age: float, pause: float | None
) -> None:
    seconds = Asker(waiter).patience(age=age, pause=pause)
    assert 0 <= seconds <= holding.LONGEST_SECONDS
    if waiter and pause is not None:
        assert seconds <= pause


def test_an_sdk_is_held_only_while_the_job_is_young() -> None:
    sdk = Asker(waiter=False)
    assert sdk.patience(age=0.1, pause=None) == 0  # a look right after the job was made
    assert sdk.patience(age=5.0, pause=None) == 10
    assert sdk.patience(age=0.1, pause=0.1) == holding.SOON_SECONDS  # it comes back soon
    assert sdk.patience(age=6.0, pause=5.0) == 9
    assert sdk.patience(age=14.0, pause=0.5) == 1
    assert sdk.patience(age=15.0, pause=5.0) == 0


def test_the_operations_that_are_polled_name_what_they_are_about() -> None:
    found = {spec.name: spec for spec in registry_of_operations().operations() if spec.settling}
    assert {
        "DescribeTrainingJob",
        "DescribeProcessingJob",
        "DescribeTransformJob",
        "DescribeEndpoint",
    } <= set(found)
    for name, spec in found.items():
        assert spec.settling is not None
        model = specs.operation_model(spec.service, name)
        assert model.input_shape is not None
        assert spec.settling.member in model.input_shape.required_members
        status = model.output_shape.members[f"{spec.settling.kind}Status"]
        assert spec.settling.statuses < set(status.enum)


def test_a_question_about_a_job_on_its_way_may_be_held(bench: Any, wire: Wire) -> None:
    make_job(bench, "j", age=5.0)
    request = asks(bench, "j", SDK)
    asked = wire.question(request, wire.route(request))
    assert asked is not None
    assert (asked.name, asked.settling) == ("j", SETTLING)
    assert 0 < asked.seconds <= 10


def test_others_are_not_looked_at(bench: Any, wire: Wire) -> None:
    make_job(bench, "j", age=5.0)
    assert wire.route(asks(bench, "j", BOTO3)).asker is None
    listing = replace(bench.signed(), headers={**bench.signed().headers, "user-agent": WAITER})
    assert wire.route(listing).asker is None


@pytest.mark.parametrize("name", ["ended", "missing", "not-a-name!"])
def test_what_has_an_answer_now_is_answered_now(bench: Any, wire: Wire, name: str) -> None:
    make_job(bench, "ended", status="Failed")
    request = asks(bench, name, WAITER)
    assert wire.question(request, wire.route(request)) is None


@pytest.mark.parametrize("name", ['["x"]', "7", '"\\ud800"', "null"])
def test_what_is_no_name_is_for_the_refusal(bench: Any, wire: Wire, name: str) -> None:
    body = b'{"ProcessingJobName":%s}' % name.encode()
    signed: WireRequest = bench.signed("SageMaker.DescribeProcessingJob", body)
    request = replace(signed, headers={**signed.headers, "user-agent": WAITER})
    assert wire.question(request, wire.route(request)) is None
    assert wire.handle(request).status == 400


def test_whoever_may_not_ask_is_not_held(bench: Any, wire: Wire) -> None:
    make_job(bench, "j", age=5.0)
    right = asks(bench, "j", WAITER)
    wrong = replace(right, headers={**right.headers, "x-amz-date": "20200101T000000Z"})
    assert wire.question(wrong, wire.route(wrong)) is None
    assert wire.handle(wrong).status in (400, 403)


@pytest.mark.parametrize("change", ["Completed", "Failed", "deleted", "closed"])
def test_the_answer_comes_when_the_job_has_settled(bench: Any, wire: Wire, change: str) -> None:
    make_job(bench, "j", age=5.0)
    make_job(bench, "other")
    request = asks(bench, "j", WAITER)
    asked = wire.question(request, wire.route(request))
    assert asked is not None

    async def journey() -> None:
        waiting = asyncio.ensure_future(wire.hold(replace(asked, seconds=PATIENT)))
        await asyncio.sleep(0)
        end_job(bench, "other")
        end_job(bench, "j", "Stopping")
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert not waiting.done()
        if change == "deleted":
            bench.ports.store.delete("ProcessingJob", "j")
        elif change == "closed":
            bench.ports.event_log.close()
        else:
            end_job(bench, "j", change)
        await asyncio.wait_for(waiting, PATIENT / 2)

    asyncio.run(journey())


def test_a_change_between_the_look_and_the_wait_is_not_missed(bench: Any, wire: Wire) -> None:
    make_job(bench, "j", age=5.0)
    request = asks(bench, "j", WAITER)
    asked = wire.question(request, wire.route(request))
    assert asked is not None
    end_job(bench, "j")
    held = wire.hold(replace(asked, seconds=PATIENT))
    asyncio.run(asyncio.wait_for(held, PATIENT / 2))


def test_time_runs_out(bench: Any, wire: Wire) -> None:
    make_job(bench, "j", age=5.0)
    request = asks(bench, "j", WAITER)
    call = wire.route(request)
    asked = wire.question(request, call)
    assert asked is not None
    assert asked.seconds == holding.FIRST_SECONDS
    asyncio.run(wire.hold(replace(asked, seconds=0.05)))
    again = wire.question(request, call)
    assert again is not None
    assert again.seconds < holding.FIRST_SECONDS  # as long as it has paused since


def test_beyond_the_most_nobody_is_held(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MOST_HELD", 0)
    holder = Holder(bench.ports.event_log)
    cursor = bench.ports.event_log.read().cursor
    held = holder.hold("me", SETTLING, "j", cursor, PATIENT)
    asyncio.run(asyncio.wait_for(held, PATIENT / 2))
    assert holder.pause("me", SETTLING, "j") is not None
    assert holder.pause("you", SETTLING, "j") is None
