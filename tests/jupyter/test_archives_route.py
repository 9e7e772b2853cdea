"""Archives of the store, looked into without trust."""

from __future__ import annotations

import gzip
import io
import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from bottega.tar_archives import tarfile
from bottega.testing.daemon import TestDaemon
from bottega_jupyter import archives

Fetch = Callable[..., Any]
BUCKET = "archives-route"


@pytest.fixture(scope="module")
def put(studio: TestDaemon) -> Callable[[str, bytes], None]:
    s3 = studio.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    return lambda key, body: s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def packed(*members: tuple[str, bytes], links: tuple[str, ...] = ()) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        for name in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        for name, body in members:
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return target.getvalue()


async def refusal(jp_fetch: Fetch, key: str, **query: str) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as refused:
        await jp_fetch("bottega", "archives", BUCKET, key, params=query)
    assert refused.value.response is not None
    return refused.value.code, json.loads(refused.value.response.body)["message"]


async def test_members_are_listed_and_given(
    jp_fetch: Fetch, put: Callable[[str, bytes], None]
) -> None:
    large = bytes(range(256)) * 4096
    members = ("./model.bin", large), ("../../up", b"u"), ("a/b c.html", b"<b>")
    put("deep/model.tar.gz", packed(*members, links=("link",)))
    where = ("bottega", "archives", BUCKET, "deep", "model.tar.gz")
    found = json.loads((await jp_fetch(*where)).body)
    assert found == {
        "members": [
            {"name": "model.bin", "size": len(large)},
            {"name": "../../up", "size": 1},
            {"name": "a/b c.html", "size": 3},
        ]
    }
    answer = await jp_fetch(*where, params={"member": "model.bin"})
    assert answer.body == large
    answer = await jp_fetch(*where, params={"member": "a/b c.html"})
    assert answer.body == b"<b>"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")


async def test_what_is_not_in_it_is_not_given(
    jp_fetch: Fetch, put: Callable[[str, bytes], None]
) -> None:
    put("links.tar.gz", packed(("file", b"x"), links=("link",)))
    for name in ("link", "nothing", "/etc/passwd"):
        status, message = await refusal(jp_fetch, "links.tar.gz", member=name)
        assert status == 404
        assert name in message
    assert (await refusal(jp_fetch, "missing.tar.gz"))[0] == 404


@pytest.mark.parametrize(
    "body",
    [b"", b"plain text", gzip.compress(b"no tar" * 200), packed(("a", b"x" * 9999))[:60]],
    # Compressed bytes hold the time, and tests are told apart by their names.
    ids=["empty", "text", "no tar", "cut off"],
)
async def test_what_is_no_archive_is_refused(
    jp_fetch: Fetch, put: Callable[[str, bytes], None], body: bytes
) -> None:
    put("wrong.tar.gz", body)
    status, message = await refusal(jp_fetch, "wrong.tar.gz")
    assert status == 400
    assert "no .tar.gz archive" in message


async def test_an_archive_that_unpacks_to_too_much_is_refused(
    jp_fetch: Fetch, put: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("bomb.tar.gz", packed(("zeros", bytes(1 << 20)), ("after", b"")))
    monkeypatch.setattr(archives, "LARGEST_UNPACKED_BYTES", 1 << 19)
    assert (await refusal(jp_fetch, "bomb.tar.gz"))[0] == 400
    assert (await refusal(jp_fetch, "bomb.tar.gz", member="zeros"))[0] == 400


async def test_a_file_that_does_not_fit_on_the_disk_is_refused(
    jp_fetch: Fetch, put: Callable[[str, bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("large.tar.gz", packed(("model", bytes(5000))))
    full = shutil.disk_usage("/")._replace(free=4999)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: full)
    status, message = await refusal(jp_fetch, "large.tar.gz", member="model")
    assert status == 400
    assert "has 5000 bytes" in message
    assert "4999 bytes left" in message


async def test_a_header_that_fills_the_memory_is_refused(
    jp_fetch: Fetch, put: Callable[[str, bytes], None]
) -> None:
    put("header.tar.gz", packed(("n" * (archives.LARGEST_HEADER_BYTES + 1), b"")))
    status, message = await refusal(jp_fetch, "header.tar.gz")
    assert status == 400
    assert "header" in message
