"""``GET /bottega/archives/<bucket>/<key>``: what is in a ``.tar.gz`` of the object store."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import IO

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.downloads import PIECE_BYTES, DownloadHandler


class ArchiveHandler(DownloadHandler):
    """The files in an archive, or one of them."""

    @authenticated
    @authorized
    async def get(self, bucket: str, key: str) -> None:
        """Answer ``{"members": [{"name", "size"}]}``; with ``?member=NAME``, that file."""
        from bottega_jupyter.archives import list_members, take_member

        name = self.get_argument("member", "", strip=False)
        if not name:
            members = await self.bottega.with_client(
                self.person, lambda client: list_members(client, bucket, key)
            )
            await self.finish(json.dumps({"members": members}))
            return
        file, size = await self.bottega.with_client(
            self.person, lambda client: take_member(client, bucket, key, name)
        )
        with file:
            await self.send_file(name, self._pieces(file), size=size)

    async def _pieces(self, file: IO[bytes]) -> AsyncIterator[bytes]:
        while piece := await self.bottega.in_thread(file.read, PIECE_BYTES):
            yield piece


routes = [(r"/bottega/archives/([^/]+)/(.+)", ArchiveHandler)]
