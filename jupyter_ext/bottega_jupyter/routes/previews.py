"""``POST /bottega/files/preview``: the first rows of a file of the file browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega.errors import ValidationException
from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.local_files import local_path

ROWS = 20
MOST_ROWS = 1000


class PreviewHandler(BottegaHandler):
    """What PreviewData gives for an object, of a file that is not in the store yet."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer as PreviewData; ``S3Uri`` is the path that was asked for."""
        fields = self.read_fields("path", "max_rows")
        name = fields.text("path")
        rows = fields.number("max_rows", ROWS, most=MOST_ROWS)
        path = await local_path(self, name)
        answer = await self.bottega.in_thread(_preview, path, name, rows)
        await self.finish(json.dumps(answer))


def _preview(path: Path, name: str, rows: int) -> dict[str, Any]:
    from bottega.storage.previews.preview import PreviewFailed, preview_file

    if not path.is_file():
        raise ValidationException(f"{name} is no file; choose one in the folder.")
    try:
        found = preview_file(path, max_rows=rows)
    except (PreviewFailed, OSError) as error:
        raise ValidationException(f"{name} cannot be shown: {error}.") from error
    size = path.stat().st_size
    return {"S3Uri": name, "Objects": 1, "TotalBytes": size, **found.as_answer()}


routes = [(r"/bottega/files/preview", PreviewHandler)]
