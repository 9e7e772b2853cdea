"""Requests that are wrong in one way each: the right code and status, and nothing left behind."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bottega.wire.message import WireRequest, WireResponse

Build = Callable[[Any], WireRequest]

CREATE = "SageMaker.CreateModel"
GOOD = b'{"ModelName":"m","PrimaryContainer":{"Image":"i"}}'
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
RUNTIME = "/endpoints/e/invocations"


def json_body(body: bytes, target: str = CREATE, **headers: str) -> Build:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda bench: bench.signed(target, body, headers=named)


def form(body: bytes, service: str = "iam", **more: Any) -> Build:
    return lambda bench: bench.signed("", body, service=service, headers=FORM, **more)


def plain(service: str, method: str, path: str, body: bytes = b"", **headers: str) -> Build:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda bench: bench.signed(
        "", body, service=service, method=method, path=path, headers=named
    )


def unsigned(build: Build) -> Build:
    def made(bench: Any) -> WireRequest:
        request = build(bench)
        headers = {k: v for k, v in request.headers.items() if k != "authorization"}
        return replace(request, headers=headers)

    return made


def changed(build: Build, **changes: Any) -> Build:
    return lambda bench: replace(build(bench), **changes)


def header(build: Build, name: str, value: str) -> Build:
    def made(bench: Any) -> WireRequest:
        request = build(bench)
        return replace(request, headers={**request.headers, name: value})

    return made


def model(**members: Any) -> Build:
    whole = {"ModelName": "m", "PrimaryContainer": {"Image": "i"}, **members}
    return json_body(json.dumps(whole).encode())


ACTION = b"Action=GetRole&Version=2010-05-08&RoleName=R"

CASES: dict[str, tuple[Build, int, str]] = {
    # the JSON text
    "cut off": (json_body(GOOD[:-1]), 400, "SerializationException"),
    "empty array": (json_body(b"[]"), 400, "SerializationException"),
    "a string": (json_body(b'"m"'), 400, "SerializationException"),
    "a number": (json_body(b"7"), 400, "SerializationException"),
    "null": (json_body(b"null"), 400, "SerializationException"),
    "two values": (json_body(GOOD + b"{}"), 400, "SerializationException"),
    "trailing comma": (json_body(b'{"ModelName":"m",}'), 400, "SerializationException"),
    "single quotes": (json_body(b"{'ModelName':'m'}"), 400, "SerializationException"),
    "a comment": (json_body(b'{"ModelName":"m"/**/}'), 400, "SerializationException"),
    "NaN": (json_body(b'{"ModelName":NaN}'), 400, "SerializationException"),
    "Infinity": (json_body(b'{"MaxResults":Infinity}'), 400, "SerializationException"),
    "duplicate name": (
        json_body(b'{"ModelName":"a","ModelName":"b"}'),
        400,
        "SerializationException",
    ),
    "nested duplicate": (
        json_body(b'{"ModelName":"a","VpcConfig":{"Subnets":[],"Subnets":[]}}'),
        400,
        "SerializationException",
    ),
    "invalid UTF-8": (json_body(b'{"ModelName":"\xff"}'), 400, "SerializationException"),
    "UTF-16": (json_body('{"ModelName":"m"}'.encode("utf-16")), 400, "SerializationException"),
    "byte order mark": (json_body(b"\xef\xbb\xbf" + GOOD), 400, "SerializationException"),
    "raw control character": (json_body(b'{"ModelName":"a\nb"}'), 400, "SerializationException"),
    "escaped NUL": (model(ExecutionRoleArn="a\0b"), 400, "SerializationException"),
    "half a surrogate pair": (
        json_body(b'{"ModelName":"\\ud800","PrimaryContainer":{"Image":"i"}}'),
        400,
        "SerializationException",
    ),
    "depth bomb of lists": (json_body(b"[" * 100_000), 400, "SerializationException"),
    "depth bomb of objects": (json_body(b'{"a":' * 50_000), 400, "SerializationException"),
    "closed depth bomb": (
        json_body(b'{"Tags":' + b"[" * 400 + b"]" * 400 + b"}"),
        400,
        "SerializationException",
    ),
    "a number of 5000 digits": (
        json_body(b'{"MaxResults":' + b"9" * 5000 + b"}", "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "form instead of JSON": (
        json_body(ACTION, Content_Type="application/x-amz-json-1.1"),
        400,
        "SerializationException",
    ),
    # members
    "list for structure": (model(PrimaryContainer=[]), 400, "SerializationException"),
    "structure for list": (model(Tags={}), 400, "SerializationException"),
    "structure for string": (model(ModelName={"a": 1}), 400, "SerializationException"),
    "number for string": (model(ModelName=7), 400, "SerializationException"),
    "string for boolean": (model(EnableNetworkIsolation="yes"), 400, "SerializationException"),
    "fraction for integer": (
        json_body(b'{"MaxResults":1.5}', "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "number beyond 32 bits": (
        json_body(b'{"MaxResults":4294967296}', "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "text for time": (
        json_body(b'{"CreationTimeAfter":"yesterday"}', "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "time beyond all calendars": (
        json_body(b'{"CreationTimeAfter":1e300}', "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "infinite time": (
        json_body(b'{"CreationTimeAfter":1e999}', "SageMaker.ListModels"),
        400,
        "SerializationException",
    ),
    "missing member": (json_body(b"{}"), 400, "ValidationException"),
    "null member": (model(ModelName=None), 400, "ValidationException"),
    "name with spaces": (model(ModelName="a b"), 400, "ValidationException"),
    "name that climbs": (model(ModelName="../../etc/passwd"), 400, "ValidationException"),
    "name that is too long": (model(ModelName="a" * 64), 400, "ValidationException"),
    "name of other letters": (model(ModelName="modèle"), 400, "ValidationException"),
    "name with a newline": (model(ModelName="m\n"), 400, "ValidationException"),
    "value outside an enum": (
        json_body(b'{"SortBy":"Size"}', "SageMaker.ListModels"),
        400,
        "ValidationException",
    ),
    "number too large": (
        json_body(b'{"MaxResults":101}', "SageMaker.ListModels"),
        400,
        "ValidationException",
    ),
    "too many elements": (model(Containers=[{"Image": "i"}] * 16), 400, "ValidationException"),
    # what is asked for
    "unknown operation": (json_body(b"{}", "SageMaker.Nonsense"), 400, "UnknownOperationException"),
    "operation in lower case": (
        json_body(b"{}", "SageMaker.createmodel"),
        400,
        "UnknownOperationException",
    ),
    "not implemented": (
        json_body(b"{}", "SageMaker.CreateDomain"),
        400,
        "UnknownOperationException",
    ),
    "target without a dot": (json_body(b"{}", "CreateModel"), 400, "UnknownOperationException"),
    "target of no service": (json_body(b"{}", "Nobody.Does"), 400, "UnknownOperationException"),
    "target that ends in a dot": (
        json_body(b"{}", "SageMaker."),
        400,
        "UnknownOperationException",
    ),
    "target with a path": (
        json_body(b"{}", "SageMaker.../../x"),
        400,
        "UnknownOperationException",
    ),
    "target by GET": (
        lambda bench: bench.signed(CREATE, b"", method="GET"),
        400,
        "UnknownOperationException",
    ),
    "target at another path": (
        lambda bench: bench.signed(CREATE, GOOD, path="/models"),
        400,
        "UnknownOperationException",
    ),
    "no target": (
        plain("sagemaker", "POST", "/", b"{}", Content_Type="application/x-amz-json-1.1"),
        400,
        "UnknownOperationException",
    ),
    "service nobody has": (plain("nonesuch", "POST", "/"), 400, "UnknownOperationException"),
    # content types and codings
    "XML": (json_body(GOOD, Content_Type="text/xml"), 400, "SerializationException"),
    "no content type": (json_body(GOOD, Content_Type=""), 400, "SerializationException"),
    "multipart": (
        json_body(GOOD, Content_Type="multipart/form-data; boundary=x"),
        400,
        "SerializationException",
    ),
    "gzip": (json_body(GOOD, Content_Encoding="gzip"), 400, "SerializationException"),
    # the query protocol
    "form without action": (
        form(b"Version=2010-05-08&RoleName=R"),
        400,
        "MalformedQueryString",
    ),
    "form without version": (form(b"Action=GetRole&RoleName=R"), 400, "MalformedQueryString"),
    "form of another version": (
        form(b"Action=GetRole&Version=1999-01-01&RoleName=R"),
        400,
        "MalformedQueryString",
    ),
    "unknown action": (form(b"Action=Nonsense&Version=2010-05-08"), 400, "InvalidAction"),
    "action of another service": (
        form(b"Action=GetCallerIdentity&Version=2011-06-15"),
        400,
        "InvalidAction",
    ),
    "action not implemented": (
        form(b"Action=CreateUser&Version=2010-05-08&UserName=u"),
        400,
        "InvalidAction",
    ),
    "parameter twice": (form(ACTION + b"&RoleName=S"), 400, "MalformedQueryString"),
    "parameter in two ways": (form(ACTION + b"&RoleName.a=S"), 400, "MalformedQueryString"),
    "form of invalid UTF-8": (form(ACTION + b"&x=%ff"), 400, "MalformedQueryString"),
    "form of raw bytes": (form(ACTION + b"&x=\xff"), 400, "MalformedQueryString"),
    "form depth bomb": (form(ACTION + b"&" + b"a." * 5000 + b"b=1"), 400, "MalformedQueryString"),
    "form of many fields": (form(ACTION + b"&a=1" * 10_001), 400, "MalformedQueryString"),
    "list without numbers": (
        form(
            b"Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn="
            b"arn:aws:iam::000000000000:role/R&ActionNames.member.x=a"
        ),
        400,
        "MalformedQueryString",
    ),
    "form that breaks a constraint": (form(ACTION + b"%20"), 400, "ValidationError"),
    "form with a NUL": (form(ACTION + b"%00"), 400, "MalformedQueryString"),
    "form by PUT": (form(ACTION, method="PUT"), 400, "InvalidAction"),
    "form at a path": (form(ACTION, path="/role"), 400, "InvalidAction"),
    "form, unsigned": (unsigned(form(ACTION)), 403, "MissingAuthenticationToken"),
    "form, changed": (
        changed(form(ACTION), query="Action=GetUser"),
        403,
        "SignatureDoesNotMatch",
    ),
    "form, of another key": (form(ACTION, access_key="AKIAX"), 403, "InvalidClientTokenId"),
    # the data plane
    "endpoint that climbs": (
        plain("sagemaker", "POST", "/endpoints/..%2F..%2Fetc/invocations", b"1"),
        400,
        "ValidationError",
    ),
    "endpoint of dots": (
        plain("sagemaker", "POST", "/endpoints/%2e%2e/invocations", b"1"),
        400,
        "ValidationError",
    ),
    "endpoint path that climbs": (
        plain("sagemaker", "POST", "/endpoints/../../invocations", b"1"),
        400,
        "UnknownOperationException",
    ),
    "endpoint of invalid UTF-8": (
        plain("sagemaker", "POST", "/endpoints/%ff/invocations", b"1"),
        400,
        "SerializationException",
    ),
    "endpoint with a NUL": (
        plain("sagemaker", "POST", "/endpoints/e%00/invocations", b"1"),
        400,
        "SerializationException",
    ),
    "invocation by GET": (plain("sagemaker", "GET", RUNTIME), 400, "UnknownOperationException"),
    "invocation by DELETE": (
        plain("sagemaker", "DELETE", RUNTIME),
        400,
        "UnknownOperationException",
    ),
    "invocation, unsigned": (
        unsigned(plain("sagemaker", "POST", RUNTIME, b"1")),
        403,
        "MissingAuthenticationTokenException",
    ),
    "invocation, wrong header": (
        plain("sagemaker", "POST", RUNTIME, b"1", X_Amzn_SageMaker_Target_Variant="a b"),
        400,
        "ValidationError",
    ),
    "query of invalid UTF-8": (
        plain("sagemaker", "GET", "/FeatureGroup/g?RecordIdentifierValueAsString=%FF"),
        400,
        "SerializationException",
    ),
    "query parameter twice": (
        plain(
            "sagemaker",
            "GET",
            "/FeatureGroup/g?RecordIdentifierValueAsString=1&RecordIdentifierValueAsString=2",
        ),
        400,
        "SerializationException",
    ),
    # signatures, on a request that would otherwise have made a model
    "unsigned": (unsigned(json_body(GOOD)), 403, "MissingAuthenticationTokenException"),
    "changed body": (
        lambda bench: replace(
            bench.signed(CREATE, GOOD.replace(b'"i"', b'"j"')),
            headers=bench.signed(CREATE, GOOD).headers,
        ),
        403,
        "InvalidSignatureException",
    ),
    "changed target": (
        header(json_body(GOOD, "SageMaker.DeleteModel"), "x-amz-target", CREATE),
        403,
        "InvalidSignatureException",
    ),
    "unsigned amz header": (
        header(json_body(GOOD), "x-amz-extra", "1"),
        403,
        "InvalidSignatureException",
    ),
    "foreign key": (
        lambda bench: bench.signed(CREATE, GOOD, access_key="AKIAFOREIGN"),
        403,
        "UnrecognizedClientException",
    ),
    "foreign token": (
        lambda bench: bench.signed(CREATE, GOOD, access_key="ASIAFOREIGN", token="FwoGZXIvYXdz"),
        403,
        "UnrecognizedClientException",
    ),
    "wrong secret": (
        lambda bench: bench.signed(CREATE, GOOD, secret_key="guess"),
        403,
        "InvalidSignatureException",
    ),
    "empty secret": (
        lambda bench: bench.signed(CREATE, GOOD, secret_key=""),
        403,
        "InvalidSignatureException",
    ),
    "other region": (
        lambda bench: bench.signed(CREATE, GOOD, region="eu-west-1"),
        403,
        "InvalidSignatureException",
    ),
    "signed for another service": (
        lambda bench: bench.signed(CREATE, GOOD, service="logs"),
        403,
        "InvalidSignatureException",
    ),
    "basic authorization": (
        header(json_body(GOOD), "authorization", "Basic b3duZXI6eA=="),
        400,
        "IncompleteSignatureException",
    ),
    # objects
    "object, unsigned": (unsigned(plain("s3", "PUT", "/b/k", b"x")), 403, "AccessDenied"),
    "object at another key": (
        changed(plain("s3", "PUT", "/b/k", b"x"), path="/b/../c/k"),
        403,
        "SignatureDoesNotMatch",
    ),
    "object of another body": (
        changed(plain("s3", "PUT", "/b/k", b"x"), body_sha256="0" * 64),
        400,
        "XAmzContentSHA256Mismatch",
    ),
    "object signed for sagemaker": (
        header(plain("sagemaker", "PUT", "/b/k", b"x"), "x-amz-content-sha256", "x"),
        400,
        "UnknownOperationException",
    ),
    "nothing at all": (
        lambda bench: WireRequest("GET", "/", "", {"host": "localhost"}),
        403,
        "AccessDenied",
    ),
    "an odd method": (
        lambda bench: WireRequest("PROPFIND", "/b", "", {"host": "localhost"}),
        403,
        "AccessDenied",
    ),
}


def code_of(response: WireResponse) -> str:
    assert isinstance(response.body, bytes)
    if response.body.startswith(b"{"):
        document = json.loads(response.body)
        assert document["message"], "a refusal says why"
        return str(document["__type"])
    found = re.search(rb"<Code>(\w+)</Code>", response.body)
    assert found
    return found.group(1).decode()


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize("name", CASES)
def test_bad_request(bench: Any, name: str) -> None:
    build, status, code = CASES[name]
    bench.answer(bench.signed(CREATE, b'{"ModelName":"old","PrimaryContainer":{"Image":"i"}}'))
    before = bench.snapshot()
    assert before != ([], {})
    response = bench.answer(build(bench))
    assert (response.status, code_of(response)) == (status, code)
    assert any(name.lower().endswith(("requestid", "request-id")) for name, _ in response.headers)
    assert bench.snapshot() == before


@pytest.mark.parametrize("seconds", [-1000, 1000, -(10**9), 10**9])
def test_skewed_clocks(bench: Any, seconds: int) -> None:
    request = bench.signed(CREATE, GOOD)
    bench.ports.clock.advance(seconds)
    response = bench.answer(request)
    assert (response.status, code_of(response)) == (403, "InvalidSignatureException")
    assert bench.snapshot() == ([], {})


def test_the_good_request_is_good(bench: Any) -> None:
    assert bench.answer(bench.signed(CREATE, GOOD)).status == 200
    assert bench.snapshot() == ([("m", 1)], {})


def test_a_refusal_does_not_echo_secrets(bench: Any) -> None:
    keys = bench.ports.credentials.session("arn:aws:sagemaker:us-east-1:1:training-job/j")
    request = bench.signed(CREATE, GOOD, access_key=keys.access_key, token=keys.token)
    response = bench.answer(request)
    assert response.status == 403
    assert keys.token.encode() not in response.body
    assert keys.secret_key.encode() not in response.body
