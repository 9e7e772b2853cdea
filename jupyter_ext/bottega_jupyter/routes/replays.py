"""``/bottega/replays``: a folder of the file browser in which a failed job is done again."""

from __future__ import annotations

import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.local_files import contents_path, local_path


class ReplaysHandler(BottegaHandler):
    """Replays of training jobs."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Make one; answer ``{"notebook", "folder", "notes", "secrets"}``."""
        fields = self.read_fields("job", "folder")
        job = fields.text("job")
        folder = await local_path(self, fields.optional_text("folder") or "", "write")
        made = await self.bottega.in_session(
            self.person, lambda session: session.replay(job, folder)
        )
        await self.finish(
            json.dumps(
                {
                    "notebook": contents_path(self, made.notebook),
                    "folder": contents_path(self, made.folder),
                    "notes": list(made.notes),
                    "secrets": list(made.secrets),
                }
            )
        )


routes = [(r"/bottega/replays", ReplaysHandler)]
