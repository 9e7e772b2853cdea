"""The object store through the extension: listing, and bytes that stream both ways."""

from __future__ import annotations

import hashlib
import json
import tracemalloc
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from tornado.httpclient import HTTPClientError
from yarl import URL

from bottega.testing.daemon import TestDaemon

Fetch = Callable[..., Any]
LARGE = 50 * 1024 * 1024
PIECE = 1024 * 1024


@pytest.fixture(scope="module")
def bucket(studio: TestDaemon) -> str:
    name = "objects-route"
    studio.client("s3").create_bucket(Bucket=name)
    return name


@pytest.fixture
def browser(
    http_server: Any, http_server_port: Any, jp_base_url: str, jp_auth_header: dict[str, str]
) -> Callable[..., Any]:
    """A client that streams, which tornado's own does not."""
    root = f"http://127.0.0.1:{http_server_port[1]}{jp_base_url.rstrip('/')}"

    @asynccontextmanager
    async def request(method: str, path: str, **more: Any) -> AsyncIterator[Any]:
        url = URL(root + path, encoded=True)
        async with (
            aiohttp.ClientSession(headers=jp_auth_header) as session,
            session.request(method, url, **more) as answer,
        ):
            yield answer

    return request


async def listing(jp_fetch: Fetch, bucket: str, **query: str) -> Any:
    return json.loads((await jp_fetch("bottega", "objects", bucket, params=query)).body)


async def test_a_listing_has_objects_prefixes_and_windows(
    jp_fetch: Fetch, studio: TestDaemon
) -> None:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="listing-route")
    keys = ["a b+c.csv", "data/1.csv", "data/ü&=.csv", "top"]
    for key in keys:
        s3.put_object(Bucket="listing-route", Key=key, Body=key.encode())
    found = await listing(jp_fetch, "listing-route", delimiter="/")
    assert [entry["key"] for entry in found["objects"]] == ["a b+c.csv", "top"]
    assert [entry["size"] for entry in found["objects"]] == [9, 3]
    assert all(entry["modified"] > 1.7e9 for entry in found["objects"])
    assert (found["prefixes"], found["next"]) == (["data/"], "")
    found = await listing(jp_fetch, "listing-route", prefix="data/")
    assert [entry["key"] for entry in found["objects"]] == keys[1:3]


async def test_the_windows_of_a_long_listing_follow_one_another(
    jp_fetch: Fetch, studio: TestDaemon
) -> None:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket="long-route")
    keys = [f"{number:04}" for number in range(1005)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: s3.put_object(Bucket="long-route", Key=key, Body=b""), keys))
    first = await listing(jp_fetch, "long-route")
    assert first["next"]
    second = await listing(jp_fetch, "long-route", next=first["next"])
    assert [entry["key"] for entry in first["objects"] + second["objects"]] == keys
    assert second["next"] == ""


@pytest.mark.parametrize("key", ["plain.bin", "deep/er/a b+c%.txt", "ü/&=?#", "page.html"])
async def test_what_is_uploaded_comes_back_as_a_file_to_save(
    browser: Callable[..., Any], bucket: str, key: str
) -> None:
    path = f"/bottega/objects/{bucket}/{quote(key)}"
    headers = {"Content-Type": "text/html"}
    async with browser("PUT", path, data=b"<script>", headers=headers) as answer:
        assert answer.status == 200
        assert await answer.json() == {"uri": f"s3://{bucket}/{key}"}
    async with browser("GET", path) as answer:
        assert await answer.read() == b"<script>"
        headers = answer.headers
    assert headers["Content-Type"] == "text/html"
    name = quote(key.rpartition("/")[2], safe="")
    assert headers["Content-Disposition"].replace("+", "%20").endswith(f"''{name}") or "b+c" in key
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Content-Security-Policy"].startswith("sandbox")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_object_streams_both_ways(
    browser: Callable[..., Any], bucket: str, chunked: bool
) -> None:
    path = f"/bottega/objects/{bucket}/large-{chunked}.bin"
    block = hashlib.sha256(b"x").digest() * (PIECE // 32)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(LARGE // PIECE):
            yield block

    headers = {} if chunked else {"Content-Length": str(LARGE)}
    tracemalloc.start()
    try:
        async with browser("PUT", path, data=pieces(), headers=headers) as answer:
            assert answer.status == 200, await answer.text()
        received = 0
        async with browser("GET", path) as answer:
            assert answer.headers["Content-Length"] == str(LARGE)
            async for piece in answer.content.iter_chunked(PIECE):
                received += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert received == LARGE
    assert peak < LARGE / 4  # browser and Jupyter server together


async def test_an_upload_that_the_daemon_refuses_says_why(browser: Callable[..., Any]) -> None:
    path = "/bottega/objects/no-such-bucket/key"
    async with browser("PUT", path, data=b"x" * PIECE) as answer:
        assert answer.status == 404
        assert (await answer.json())["code"] == "NoSuchBucket"


async def test_what_is_not_there_is_said(jp_fetch: Fetch, bucket: str) -> None:
    for path in ([bucket, "nothing"], ["no-such-bucket"], ["no-such-bucket", "nothing"]):
        with pytest.raises(HTTPClientError) as refused:
            await jp_fetch("bottega", "objects", *path)
        assert refused.value.code == 404
        assert refused.value.response is not None
        assert json.loads(refused.value.response.body)["code"] in ("NoSuchKey", "NoSuchBucket")


async def test_an_upload_that_breaks_off_leaves_nothing(
    browser: Callable[..., Any], bucket: str, studio: TestDaemon, jp_fetch: Fetch
) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * PIECE
        raise ConnectionResetError("gone")

    headers = {"Content-Length": str(2 * PIECE)}
    with pytest.raises((aiohttp.ClientError, ConnectionResetError)):
        async with browser(
            "PUT", f"/bottega/objects/{bucket}/broken", data=breaking(), headers=headers
        ):
            pass
    found = await listing(jp_fetch, bucket, prefix="broken")
    assert found["objects"] == []
