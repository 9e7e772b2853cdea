"""``POST /bottega/sources``: bring a script, or a folder with one, into the store."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.local_files import local_path

if TYPE_CHECKING:
    from pathlib import Path

    from bottega.sdk.session import Session


class SourceHandler(BottegaHandler):
    """Code of the file browser."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"program", "uri"}``: what a job in script mode is told."""
        fields = self.read_fields("path", "source_dir", "prefix")
        script = await local_path(self, fields.text("path"))
        folder = fields.optional_text("source_dir")
        source_dir = None if folder is None else await local_path(self, folder)
        key = f"{fields.text('prefix').strip('/')}/sourcedir.tar.gz"
        answer = await self.bottega.in_session(
            self.person, lambda session: _upload(session, script, source_dir, key)
        )
        await self.finish(json.dumps(answer))


def _upload(session: Session, script: Path, source_dir: Path | None, key: str) -> dict[str, str]:
    from bottega.sdk.source import Source

    code = Source.of(script, source_dir)
    uri = code.upload(session.client, session.config.bucket, key)
    return {"program": code.program, "uri": uri}


routes = [(r"/bottega/sources", SourceHandler)]
