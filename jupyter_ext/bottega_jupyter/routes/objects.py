"""``/bottega/objects/<bucket>``: look through the object store, download, upload."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode
from xml.etree import ElementTree

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from tornado.http1connection import HTTP1Connection
from tornado.web import authenticated, stream_request_body

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.daemon_link import Call
from bottega_jupyter.downloads import PIECE_BYTES, DownloadHandler

LARGEST_UPLOAD_BYTES = 5 * 1024**3
"""What S3, and the daemon, takes in one request."""
PIECES_AHEAD = 8
"""How many pieces of an upload are held for a daemon that is slower than the browser."""


class ListingHandler(BottegaHandler):
    """The objects under a prefix, a window at a time."""

    @authenticated
    @authorized
    async def get(self, bucket: str) -> None:
        """Answer ``{"objects", "prefixes", "next"}``; ``?next=`` asks for the next window."""
        query = {
            "list-type": "2",
            "encoding-type": "url",
            "prefix": self.get_argument("prefix", "", strip=False),
            "delimiter": self.get_argument("delimiter", "", strip=False),
            "continuation-token": self.get_argument("next", ""),
        }
        text = urlencode({k: v for k, v in query.items() if v}, quote_via=quote, safe="-_.~")
        path = f"/{quote(bucket, safe='')}?{text}"
        call = Call("GET", path, keys=self.keys, scope="s3", repeatable=True)
        await self.finish(json.dumps(_listing(await self.bottega.link.fetch(call))))


@stream_request_body
class ObjectHandler(DownloadHandler):
    """One object, in pieces both ways."""

    _upload: asyncio.Task[bytes] | None = None

    async def prepare(self) -> None:  # type: ignore[override]
        """Let an upload begin, of somebody who may, before its first byte is taken."""
        await super().prepare()
        if self.request.method == "PUT":
            await ensure_async(self._begin(*self.path_args))

    @authenticated
    @authorized
    async def get(self, bucket: str, key: str) -> None:
        """Download."""
        call = Call("GET", _path(bucket, key), keys=self.keys, scope="s3", repeatable=True)
        async with self.bottega.link.send(call) as answer:
            await self.send_file(
                key,
                answer.content.iter_chunked(PIECE_BYTES),
                size=answer.content_length,
                content_type=answer.headers.get("Content-Type", ""),
            )

    @authenticated
    @authorized
    async def put(self, bucket: str, key: str) -> None:
        """Upload; answer ``{"uri"}`` once the object is kept."""
        await self.data_received(None)
        assert self._upload is not None
        await self._upload
        await self.finish(json.dumps({"uri": f"s3://{bucket}/{key}"}))

    @authenticated
    @authorized
    async def _begin(self, bucket: str, key: str) -> None:
        connection = cast(HTTP1Connection, self.request.connection)
        connection.set_max_body_size(LARGEST_UPLOAD_BYTES)
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(PIECES_AHEAD)
        headers = {
            name: self.request.headers[name]
            for name in ("Content-Length", "Content-Type")
            if name in self.request.headers
        }
        call = Call(
            "PUT", _path(bucket, key), headers=headers, body=self._body, keys=self.keys, scope="s3"
        )
        self._upload = asyncio.create_task(self.bottega.link.fetch(call))
        # Where the browser is gone by then, nobody asks how it ended.
        self._upload.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def data_received(self, chunk: bytes | None) -> None:
        """Pass a piece on, or the end; waits while the daemon is behind.

        What comes after the daemon has refused is dropped, and the answer says why; so is the body
        of a download.
        """
        if self._upload is None:
            return
        handed_on = asyncio.create_task(self._pieces.put(chunk))
        await asyncio.wait({handed_on, self._upload}, return_when=asyncio.FIRST_COMPLETED)
        handed_on.cancel()

    def on_connection_close(self) -> None:
        """Nothing is kept of an upload that breaks off."""
        if self._upload is not None:
            self._upload.cancel()
        super().on_connection_close()

    async def _body(self) -> AsyncIterator[bytes]:
        while (piece := await self._pieces.get()) is not None:
            yield piece


def _path(bucket: str, key: str) -> str:
    from bottega.sdk.client import object_path

    return object_path(quote(bucket, safe=""), key)


def _listing(text: bytes) -> dict[str, Any]:
    """What the front end gets for S3's answer."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    objects = [
        {
            "key": unquote(entry.findtext("Key", "")),
            "size": int(entry.findtext("Size", "0")),
            "modified": datetime.fromisoformat(entry.findtext("LastModified", "")).timestamp(),
        }
        for entry in root.iter("Contents")
    ]
    prefixes = [unquote(entry.findtext("Prefix", "")) for entry in root.iter("CommonPrefixes")]
    return {
        "objects": objects,
        "prefixes": prefixes,
        "next": root.findtext("NextContinuationToken", ""),
    }


routes = [
    (r"/bottega/objects/([^/]+)", ListingHandler),
    (r"/bottega/objects/([^/]+)/(.+)", ObjectHandler),
]
