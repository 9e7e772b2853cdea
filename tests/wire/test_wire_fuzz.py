"""Any bytes at all: a refusal in the caller's words, never an internal failure, never a change."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.clock import ManualClock
from bottega.errors import SerializationException
from bottega.wire import sigv4
from bottega.wire.json_values import read_document
from bottega.wire.message import WireRequest, WireResponse
from bottega.wire.sigv4_claim import Claim

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    [
        "ModelName",
        "PrimaryContainer",
        "Containers",
        "Tags",
        "VpcConfig",
        "MaxResults",
        "NextToken",
        "CreationTimeAfter",
        "SortBy",
        "Image",
        "Environment",
    ]
)
HEADER_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
FRAGMENT = st.sampled_from(
    [
        "AWS4-HMAC-SHA256 ",
        "Credential=",
        "SignedHeaders=",
        "Signature=",
        "/",
        "aws4_request",
        ",",
        "us-east-1",
        "sagemaker",
        "s3",
        "host",
        ";",
        "=",
        " ",
        "0" * 64,
        "20260101",
        "%",
        "&",
        "X-Amz-Signature=",
        "X-Amz-Algorithm=",
        "X-Amz-Credential=",
        "X-Amz-Expires=",
        "Expires=",
        "AWSAccessKeyId=",
        "Signature=",
        "é",
        "\t",
        "%ff",
        "+",
    ]
)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, request: Any) -> Iterator[Any]:
    make_bench = request.getfixturevalue("bench_maker")
    made = make_bench(Path(tmp_path_factory.mktemp("fuzz")), ManualClock(1_800_000_000.0))
    yield made
    made.ports.store.close()


def check(response: WireResponse) -> None:
    assert 400 <= response.status < 500, response.body


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_reading_any_bytes(body: bytes) -> None:
    with contextlib.suppress(SerializationException):
        read_document(body)


class Signed:
    """Requests that are signed with our own rules, so that fuzzing reaches the parsers quickly."""

    def __init__(self, studio: Any) -> None:
        self.studio = studio

    def answer(self, request: WireRequest) -> WireResponse:
        keys = self.studio.ports.credentials
        route = self.studio.wire.route(request).route
        now = "20270115T080000Z"  # the second at which the studio's clock stands
        scope = f"{now[:8]}/us-east-1/{route.signing_name}/aws4_request"
        names = ";".join(sorted({*request.headers, "host", "x-amz-date"}))
        headers = {**request.headers, "host": "localhost", "x-amz-date": now}
        request = replace(request, headers=headers)
        claim = Claim(
            keys.access_key, scope, now[:8], "us-east-1", route.signing_name, names, "", now, ""
        )
        key = sigv4.signing_key(keys.secret_key, scope)
        signature = sigv4.signature(request, claim, request.body_sha256, key)
        authorization = (
            f"AWS4-HMAC-SHA256 Credential={keys.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return self.studio.answer(
            replace(request, headers={**headers, "authorization": authorization})
        )


def request_of(
    body: bytes, *, method: str = "POST", path: str = "/", query: str = "", **headers: str
) -> WireRequest:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    digest = hashlib.sha256(body).hexdigest()
    return WireRequest(method, path, query, named, io.BytesIO(body), len(body), digest)


def as_json(target: str, body: bytes) -> WireRequest:
    return request_of(body, x_amz_target=target, content_type="application/x-amz-json-1.1")


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=200).filter(lambda b: b.strip() not in (b"", b"{}")))
def test_any_json_body(studio: Any, body: bytes) -> None:
    response = Signed(studio).answer(as_json("SageMaker.CreateModel", body))
    check(response)
    assert b"Signature" not in response.body  # it was the body that was refused


@settings(max_examples=100, deadline=None)
@given(document=st.dictionaries(MEMBERS | st.text(max_size=5), JSON, max_size=6))
def test_any_json_document(studio: Any, document: dict[str, Any]) -> None:
    body = json.dumps(document).encode()
    for target in ("SageMaker.CreateModel", "SageMaker.DeleteModel", "SageMaker.ListModels"):
        response = Signed(studio).answer(as_json(target, body))
        assert response.status == 200 or 400 <= response.status < 500, response.body


@settings(max_examples=200, deadline=None)
@given(
    body=st.binary(max_size=120)
    | st.lists(
        st.sampled_from(
            [
                b"Action=GetRole",
                b"Version=2010-05-08",
                b"RoleName=",
                b"Action",
                b"a.b.c=1",
                b"%ff",
                b"Action=SimulatePrincipalPolicy",
                b"ActionNames.member.1=s3:x",
                b"%00",
                b"=",
                b".",
                b"PolicySourceArn=arn:aws:iam::0:role/x",
                b"ActionNames=",
                b"ActionNames.member=1",
            ]
        ),
        max_size=6,
    ).map(b"&".join)
)
def test_any_form(studio: Any, body: bytes) -> None:
    request = request_of(
        body,
        authorization="AWS4-HMAC-SHA256 Credential=a/b/c/iam/aws4_request",
        content_type="application/x-www-form-urlencoded",
    )
    response = Signed(studio).answer(request)
    assert response.status == 200 or 400 <= response.status < 500, response.body


@settings(max_examples=200, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"]),
    path=st.lists(
        st.sampled_from(
            [
                "endpoints",
                "invocations",
                "FeatureGroup",
                "Record",
                "..",
                ".",
                "",
                "%2e%2e",
                "%ff",
                "%00",
                "human-loops",
                "a",
                "%E2%82%AC",
                "é",
                "b c",
            ]
        ),
        max_size=5,
    ).map(lambda parts: "/" + "/".join(parts)),
    query=HEADER_TEXT,
    content_type=HEADER_TEXT,
    body=st.binary(max_size=30),
)
def test_any_path(
    studio: Any, method: str, path: str, query: str, content_type: str, body: bytes
) -> None:
    request = request_of(
        body,
        method=method,
        path=path,
        query=query,
        authorization="AWS4-HMAC-SHA256 Credential=a/b/c/sagemaker/aws4_request",
        content_type=content_type,
    )
    response = Signed(studio).answer(request)
    assert response.status == 200 or 400 <= response.status < 500, response.body


@settings(max_examples=500, deadline=None)
@given(
    authorization=st.lists(FRAGMENT | HEADER_TEXT, max_size=12).map("".join),
    query=st.lists(FRAGMENT | HEADER_TEXT, max_size=12).map("".join),
    target=st.sampled_from(["", "SageMaker.CreateModel", "Logs_20140328.X", "é", "."])
    | HEADER_TEXT,
    date=st.sampled_from(["20270115T080000Z", "", "x", "99999999T999999Z", "00000000T000000Z"]),
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE"]),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=20),
    token=HEADER_TEXT,
)
def test_any_head_without_a_right_signature(
    studio: Any,
    authorization: str,
    query: str,
    target: str,
    date: str,
    method: str,
    path: str,
    token: str,
) -> None:
    before = studio.snapshot()
    headers = {"authorization": authorization, "x-amz-date": date, "host": "localhost"}
    headers |= {"x-amz-target": target, "x-amz-security-token": token}
    given_headers = {name: value for name, value in headers.items() if value}
    request = WireRequest(method, "/" + path, query, given_headers)
    check(studio.answer(request))
    assert studio.snapshot() == before
