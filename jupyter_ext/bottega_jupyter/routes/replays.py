"""``/bottega/replays``: a folder of the file browser in which a failed job is done again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.local_files import contents_path, local_path

if TYPE_CHECKING:
    from bottega.sdk.replays import ReplayedKind


class ReplaysHandler(BottegaHandler):
    """Replays of training and processing jobs."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Make one; answer ``{"notebook", "folder", "notes", "secrets"}``."""
        fields = self.read_fields("job", "folder", "kind")
        job = fields.text("job")
        # A kind without replays is refused by the session, in the words of everybody's refusals.
        kind = cast("ReplayedKind", fields.optional_text("kind") or "Training")
        folder = await local_path(self, fields.optional_text("folder") or "", "write")
        made = await self.bottega.in_session(
            self.person, lambda session: session.replay(job, folder, kind=kind)
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
