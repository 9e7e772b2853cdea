"""Answers that a browser saves as a file, sent piece by piece and never shown as a page of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator

from bottega_jupyter.base import BottegaHandler

PIECE_BYTES = 1 << 18


class DownloadHandler(BottegaHandler):
    """The base of routes that give files.

    What is in them comes from jobs and from anywhere, so it must not run as part of Jupyter's
    origin: it is an attachment, of the type that it says, and without rights if it is shown anyway.
    """

    @property
    def content_security_policy(self) -> str:
        return "sandbox; default-src 'none'"

    async def send_file(
        self, name: str, pieces: AsyncIterator[bytes], *, size: int | None, content_type: str = ""
    ) -> None:
        """Send a file.

        Args:
            name: under which the browser saves it; what is after the last slash counts.
            pieces: its bytes; an error among them cuts the connection, so that half a file is not
                taken for the whole.
            size: in bytes, where it is known.
            content_type: what it is, where that is known.
        """
        self.set_attachment_header(name.rstrip("/").rpartition("/")[2] or "download")
        self.set_header("Content-Type", content_type or "application/octet-stream")
        self.set_header("X-Content-Type-Options", "nosniff")
        if size is not None:
            self.set_header("Content-Length", str(size))
        try:
            async for piece in pieces:
                self.write(piece)
                await self.flush()
        except BaseException:
            if self._headers_written:
                self.detach().close()
            raise
        await self.finish()
