"""The one way in: every call is checked, authorised, audited, and every failure is a refusal."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Iterator

import pytest

from bottega.context import Context, Identity
from bottega.errors import (
    AccessDeniedException,
    InternalFailure,
    UnknownOperationException,
    ValidationException,
)
from bottega.events import Event, OperationCalled
from bottega.registry import Registry, operation
from bottega.studio import Studio, registry_of_operations

module = types.ModuleType("some_operations")


@operation("DescribeModel", note="a note")
def describe_model(context: Context, request):
    if request["ModelName"] == "explode":
        raise RuntimeError("a secret detail")
    return {"ModelName": request["ModelName"]}


@operation("ListModels")
def list_models(context: Context, request):
    found = context.call("sagemaker", "DescribeModel", {"ModelName": "m"})
    return {"Models": [{**found, "ModelArn": "a" * 20, "CreationTime": 1.0}]}


@operation("InvokeEndpoint", service="sagemaker-runtime")
async def invoke_endpoint(context: Context, request):
    await asyncio.sleep(0)
    return {"Body": request["Body"]}


for function in (describe_model, list_models, invoke_endpoint):
    function.__module__ = "some_operations"
    setattr(module, function.__name__, function)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    opened = Studio.temporary(isolation="process", preload=False)
    yield opened
    opened.close()


@pytest.fixture
def registry() -> Registry:
    return Registry.from_modules([module])


@pytest.fixture
def trail(studio: Studio) -> Iterator[list[OperationCalled]]:
    seen: list[OperationCalled] = []

    def listen(event: Event) -> None:
        if isinstance(event, OperationCalled):
            seen.append(event)

    unsubscribe = studio.ports.events.subscribe(listen)
    yield seen
    unsubscribe()


def test_a_call_is_answered_and_audited(studio, registry, trail):
    answer = registry.call("sagemaker", "DescribeModel", {"ModelName": "m"}, studio.owner("cli"))
    assert answer == {"ModelName": "m"}
    (line,) = trail
    assert (line.operation, line.face, line.resource, line.error_code) == (
        "DescribeModel",
        "cli",
        "m",
        "",
    )


def test_an_operation_calls_others_for_the_same_caller(studio, registry, trail):
    answer = registry.call("sagemaker", "ListModels", {}, studio.owner("cli"))
    assert answer["Models"][0]["ModelName"] == "m"
    assert [line.operation for line in trail] == ["DescribeModel", "ListModels"]
    assert {line.face for line in trail} == {"cli"}
    with pytest.raises(RuntimeError, match="not made by a registry"):
        studio.owner("cli").call("sagemaker", "DescribeModel", {"ModelName": "m"})


def test_a_bad_request_never_reaches_the_operation(studio, registry, trail):
    with pytest.raises(ValidationException, match="Member must not be null"):
        registry.call("sagemaker", "DescribeModel", {}, studio.owner("cli"))
    assert trail[0].error_code == "ValidationException"


def test_a_stranger_is_refused(studio, registry, trail):
    owner = studio.owner("wire")
    stranger = Context(owner.ports, Identity("AKIA", "arn:aws:iam::0:user/x", "x"), "r", "wire")
    with pytest.raises(AccessDeniedException) as caught:
        registry.call("sagemaker", "DescribeModel", {"ModelName": "m"}, stranger)
    assert caught.value.message == (
        "User: arn:aws:iam::0:user/x is not authorized to perform: sagemaker:DescribeModel because "
        "no identity-based policy allows the sagemaker:DescribeModel action"
    )
    assert trail[0].error_code == "AccessDeniedException"


@pytest.mark.parametrize(
    ("service", "name", "text"),
    [
        ("sagemaker", "CreateDomain", "docs/coverage.md"),
        ("sagemaker", "MakeCoffee", "has no operation 'MakeCoffee'"),
        ("nowhere", "X", "has no operation"),
    ],
)
def test_what_is_not_there_says_so(studio, registry, service: str, name: str, text: str):
    with pytest.raises(UnknownOperationException, match=text):
        registry.call(service, name, {}, studio.owner("cli"))


def test_a_surprise_is_an_internal_failure_without_the_detail(studio, registry, caplog):
    context = studio.owner("cli")
    with pytest.raises(InternalFailure) as caught:
        registry.call("sagemaker", "DescribeModel", {"ModelName": "explode"}, context)
    assert "a secret detail" not in caught.value.message
    assert context.request_id in caught.value.message
    assert "a secret detail" in caplog.text


def test_a_coroutine_goes_the_same_way(studio, registry, trail):
    request = {"EndpointName": "e", "Body": b"1"}
    call = registry.call_async("sagemaker-runtime", "InvokeEndpoint", request, studio.owner("sdk"))
    assert asyncio.run(call) == {"Body": b"1"}
    assert trail[0].resource == "e"


def test_no_operation_is_registered_twice():
    with pytest.raises(ValueError, match="registered twice"):
        Registry([*registry_of_operations().operations()] * 2)


def test_operations_of_other_modules_are_not_picked_up():
    other = types.ModuleType("other")
    other.borrowed = describe_model
    assert Registry.from_modules([other]).operations() == ()
