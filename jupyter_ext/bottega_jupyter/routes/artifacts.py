"""``GET /bottega/runs/<run_id>/artifacts?path=``: a file that a run has logged."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega.errors import ValidationException
from bottega_jupyter.daemon_link import Call
from bottega_jupyter.downloads import PIECE_BYTES, DownloadHandler


class ArtifactHandler(DownloadHandler):
    """One artifact; MLflow has no users, so the daemon is shown the home's own token."""

    @authenticated
    @authorized
    async def get(self, run_id: str) -> None:
        """Download."""
        path = self.get_argument("path", "", strip=False)
        if not path:
            raise ValidationException("Say which artifact: ?path=...")
        query = urlencode({"run_uuid": run_id, "path": path}, quote_via=quote, safe="-_.~")
        token = self.bottega.link.credentials.tracking_token
        call = Call(
            "GET",
            f"/mlflow/get-artifact?{query}",
            headers={"Authorization": f"Bearer {token}"},
            repeatable=True,
        )
        async with self.bottega.link.send(call) as answer:
            await self.send_file(
                path,
                answer.content.iter_chunked(PIECE_BYTES),
                size=answer.content_length,
                content_type=answer.headers.get("Content-Type", ""),
            )


routes = [(r"/bottega/runs/([^/]+)/artifacts", ArtifactHandler)]
