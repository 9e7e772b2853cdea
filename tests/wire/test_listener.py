"""The listener on a real socket, with real clients and with sockets that misbehave."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import botocore.exceptions
import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

LARGE = os.urandom(1 << 20) * 3
"""More than the listener keeps in memory."""


@pytest.fixture(scope="module")
def plain(live: Any) -> Iterator[urllib3.HTTPConnectionPool]:
    with urllib3.HTTPConnectionPool("127.0.0.1", live.port, retries=False) as pool:
        yield pool


def raw(
    live: Any, data: bytes, *, answers: int = 1, wait: float = 0.3, half_close: bool = False
) -> bytes:
    """What the server says to these bytes.

    Args:
        answers: stop listening after this many complete ones.
        wait: seconds of silence after which no more is expected.
        half_close: say that nothing more will be sent.
    """
    with closing(socket.create_connection(("127.0.0.1", live.port), timeout=10)) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        connection.settimeout(wait)
        said = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while complete(said) < answers and (chunk := connection.recv(65536)):
                said += chunk
        return said


def complete(said: bytes) -> int:
    """How many answers, other than 100, are there with all of their bodies."""
    count = 0
    while (end := said.find(b"\r\n\r\n")) >= 0:
        head, said = said[:end], said[end + 4 :]
        length = re.search(rb"content-length: (\d+)", head)
        size = int(length.group(1)) if length else 0
        if len(said) < size:
            break
        said = said[size:]
        count += not head.startswith(b"HTTP/1.1 100 ")
    return count


def statuses(said: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", said)]


def healthy(live: Any) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=10)
    with closing(connection):
        connection.request("GET", "/-/health")
        answer = connection.getresponse()
        return bool(answer.status == 200 and json.loads(answer.read())["status"] == "ok")


def test_health_needs_no_signature(live: Any, plain: Any) -> None:
    answer = plain.request("GET", "/-/health")
    assert answer.status == 200
    assert answer.json()["status"] == "ok"
    assert answer.json()["pid"] == os.getpid()
    assert answer.json()["version"]
    assert "server" not in answer.headers


def test_real_clients(live: Any) -> None:
    sagemaker = live.client("sagemaker")
    sagemaker.create_model(ModelName="live", PrimaryContainer={"Image": "i"})
    assert sagemaker.describe_model(ModelName="live")["ModelName"] == "live"
    assert (
        "content-length"
        in sagemaker.delete_model(ModelName="live")["ResponseMetadata"]["HTTPHeaders"]
    )
    answer = live.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"123")
    assert answer["Body"].read() == b"321"
    assert live.client("sts").get_caller_identity()["Account"] == "000000000000"
    with pytest.raises(botocore.exceptions.ClientError, match="Could not find"):
        sagemaker.describe_model(ModelName="live")


@pytest.mark.parametrize("body", [b"", b"small", LARGE], ids=["empty", "small", "large"])
def test_objects_of_every_size(live: Any, body: bytes) -> None:
    s3 = live.client("s3")
    s3.put_object(Bucket="b", Key="k", Body=body)
    assert live.bench.objects.objects["/b/k"] == body
    assert s3.get_object(Bucket="b", Key="k")["Body"].read() == body
    assert s3.head_object(Bucket="b", Key="k")["ContentLength"] == len(body)


def test_large_bodies_leave_no_file(live: Any) -> None:
    live.client("s3").put_object(Bucket="b", Key="large", Body=LARGE)
    assert list((live.bench.ports.config.home / "tmp").iterdir()) == []


def test_presigned_urls_over_http(live: Any, plain: Any) -> None:
    s3 = live.client("s3")
    s3.put_object(Bucket="b", Key="é x", Body=b"data")
    url = s3.generate_presigned_url("get_object", {"Bucket": "b", "Key": "é x"})
    assert plain.request("GET", url).data == b"data"
    assert plain.request("GET", url + "&versionId=1").status == 403


def test_an_invocation_that_is_large(live: Any) -> None:
    body = b"1," * (2 << 20)
    answer = live.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=body)
    assert answer["Body"].read() == body[::-1]


# --- hosts and mounts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("127.9.9.9:1234", 200),
        ("localhost", 200),
        ("LOCALHOST.:80", 200),
        ("bucket.localhost:8080", 200),
        ("[::1]:80", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:80", 421),
        ("10.0.0.1", 421),
        ("[::2]", 421),
        ("127.0.0.1:x", 421),
        ("evil@127.0.0.1", 421),
        ("", 421),
    ],
)
@pytest.mark.parametrize("path", ["/-/health", "/mlflow/x"])
def test_host_names(live: Any, host: str, status: int, path: str) -> None:
    said = raw(live, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    assert statuses(said) == [status]


def test_no_host_at_all(live: Any) -> None:
    assert statuses(raw(live, b"GET /-/health HTTP/1.0\r\n\r\n")) == [400]


def test_mounts_get_their_requests_unchanged(plain: Any) -> None:
    assert plain.request("GET", "/mlflow").json() == {"mounted": "/mlflow"}
    assert plain.request("POST", "/mlflow/api?x=1").json() == {"mounted": "/mlflow/api"}
    assert plain.request("GET", "/mlflowery").status == 403


def test_a_bucket_may_have_the_name_of_a_mount(live: Any, plain: Any) -> None:
    s3 = live.client("s3")
    s3.put_object(Bucket="mlflow", Key="k", Body=b"mine")
    assert s3.get_object(Bucket="mlflow", Key="k")["Body"].read() == b"mine"
    url = s3.generate_presigned_url("get_object", {"Bucket": "mlflow", "Key": "k"})
    assert plain.request("GET", url).data == b"mine"


# --- limits -----------------------------------------------------------------------------------


def head_of(target: str, length: int, extra: str = "") -> bytes:
    return (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: {target}\r\n"
        f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {length}\r\n{extra}\r\n"
    ).encode()


def test_a_body_that_is_too_large_is_refused_unread(live: Any) -> None:
    said = raw(live, head_of("SageMaker.CreateModel", 100 << 20))
    assert statuses(said) == [413]
    assert b"RequestEntityTooLargeException" in said
    assert b"8388608 bytes" in said


def test_who_waits_to_be_told_to_send_is_told_not_to(live: Any) -> None:
    said = raw(live, head_of("SageMaker.CreateModel", 100 << 20, "Expect: 100-continue\r\n"))
    assert statuses(said) == [413]  # and no 100
    assert b"connection: close" in said


def test_who_waits_to_be_told_to_send_is_told_to(live: Any) -> None:
    said = raw(live, head_of("SageMaker.CreateModel", 2, "Expect: 100-continue\r\n") + b"{}")
    assert statuses(said) == [100, 403]


def test_a_chunked_body_that_grows_too_large(live: Any) -> None:
    head = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: SageMaker.CreateModel\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
    said = raw(live, head + chunk * 9 + b"0\r\n\r\n")
    assert statuses(said) == [413]
    assert list((live.bench.ports.config.home / "tmp").iterdir()) == []


def test_a_large_unsigned_upload_is_refused_before_its_body(live: Any) -> None:
    head = b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n"
    said = raw(live, head + b"Expect: 100-continue\r\n\r\n")
    assert statuses(said) == [403]
    assert b"AccessDenied" in said


def test_an_invocation_has_a_limit_of_its_own(live: Any) -> None:
    head = b"POST /endpoints/e/invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
    assert statuses(raw(live, head + b"6291456\r\nExpect: 100-continue\r\n\r\n")) == [100]
    assert statuses(raw(live, head + b"6291457\r\n\r\n")) == [413]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: 1\r\n" * 20_000 + b"\r\n", 431),
        (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"FOO / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"PROPFIND /b HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /%ff/%00 HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
        (b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
        ),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
            400,
        ),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n", 403),
    ],
)
def test_requests_that_are_no_good(live: Any, request_bytes: bytes, status: int) -> None:
    before = live.bench.snapshot()
    assert statuses(raw(live, request_bytes)) == [status]
    assert live.bench.snapshot() == before
    assert healthy(live)


def test_head_has_no_body(live: Any) -> None:
    said = raw(live, b"HEAD /b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert statuses(said) == [403]
    assert said.endswith(b"\r\n\r\n")


def test_a_client_that_goes_away_in_the_middle(live: Any) -> None:
    before = live.bench.snapshot()
    request = live.bench.signed(service="s3", method="PUT", target="", path="/b/gone", body=LARGE)
    head = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k != "content-length")
    text = f"PUT /b/gone HTTP/1.1\r\n{head}content-length: {len(LARGE)}\r\n\r\n"
    raw(live, text.encode() + LARGE[: 2 << 20], half_close=True)
    assert healthy(live)
    assert live.bench.snapshot() == before


def test_a_client_that_does_not_wait_for_its_download(live: Any) -> None:
    s3 = live.client("s3")
    s3.put_object(Bucket="b", Key="k", Body=LARGE)
    body = s3.get_object(Bucket="b", Key="k")["Body"]
    body.read(10)
    body.close()
    assert healthy(live)


def test_two_requests_at_once_on_one_connection(live: Any) -> None:
    one = b"GET /-/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    assert statuses(raw(live, one + one, answers=2)) == [200, 200]


# --- fuzz -------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        b"GET ",
        b"POST ",
        b"PUT ",
        b"/",
        b"*",
        b"/%",
        b"/b/k?uploads",
        b" HTTP/1.1\r\n",
        b"\r\n",
        b"Host: localhost\r\n",
        b"Host: localhost\r\nHost: x\r\n",
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"Expect: 100-continue\r\n",
        b"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/s3/aws4_request\r\n",
        b"abc",
        b"\x00",
        b"X-Amz-Target: SageMaker.CreateModel\r\n",
        b"Content-Type: application/json\r\n",
        b"Connection: close\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"\xff\xfe",
    ]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(PIECES | st.binary(max_size=20), max_size=14).map(b"".join))
def test_any_bytes_on_the_socket(live: Any, data: bytes) -> None:
    before = live.bench.snapshot()
    said = raw(live, data, wait=0.1)
    codes = [code for code in statuses(said) if code != 100]
    assert all(400 <= code < 500 for code in codes), said
    assert live.bench.snapshot() == before
    assert healthy(live)


@settings(max_examples=60, deadline=None)
@given(position=st.integers(min_value=0), value=st.integers(min_value=0, max_value=255))
def test_any_changed_byte_of_a_good_request(live: Any, position: int, value: int) -> None:
    body = b'{"ModelName":"fuzzed","PrimaryContainer":{"Image":"i"}}'
    request = live.bench.signed("SageMaker.CreateModel", body)
    lines = "".join(f"{k}: {v}\r\n" for k, v in request.headers.items() if k != "content-length")
    good = f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body
    place = position % len(good)
    data = good[:place] + bytes([value]) + good[place + 1 :]
    codes = statuses(raw(live, data, wait=1))
    assert all(code == 200 or 400 <= code < 500 for code in codes)
    created = any(name == "fuzzed" for name, _ in live.bench.snapshot()[0])
    assert created == (200 in codes)
    if created:
        live.bench.ports.store.delete("Model", "fuzzed")
    assert hashlib.sha256(body).hexdigest() == request.body_sha256
