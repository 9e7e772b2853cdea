"""The websocket ``/bottega/events``: what changes in the studio, as it changes."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from jupyter_server.auth.decorator import authorized, ws_authenticated
from tornado.websocket import WebSocketClosedError

from bottega_jupyter.base import BottegaSocket
from bottega_jupyter.event_hub import Message

WAITING_MESSAGES = 256
"""A socket that has not taken so many is dropped; it comes back with its cursor."""
TRY_AGAIN_LATER = 1013
UNSUPPORTED = 1003


class EventsSocket(BottegaSocket):
    """Gives ``{"events", "cursor", "reset"}``, and ``{"status"}`` when the daemon goes and comes.

    With ``?cursor=`` of the last message it begins where that ended.
    """

    @ws_authenticated
    @authorized
    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Become a websocket."""
        await super().get(*args, **kwargs)

    def open(self, *args: str, **kwargs: str) -> None:
        """Begin to listen."""
        super().open(*args, **kwargs)
        self._waiting: asyncio.Queue[Message] = asyncio.Queue(WAITING_MESSAGES)
        self._writing = asyncio.create_task(self._write())
        self.bottega.hub.join(self, self.get_argument("cursor", None) or None)

    def deliver(self, message: Message) -> None:
        """Send a message as soon as the other side has taken those before it."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.bottega.hub.leave(self)
            self._writing.cancel()
            self.close(TRY_AGAIN_LATER, "too slow")

    def on_message(self, message: str | bytes) -> None:
        """Nothing is to be said here."""
        self.close(UNSUPPORTED, "this socket takes no messages")

    def on_close(self) -> None:
        """Listen no more."""
        self.bottega.hub.leave(self)
        self._writing.cancel()
        super().on_close()

    async def _write(self) -> None:
        while True:
            message = await self._waiting.get()
            try:
                await self.write_message(json.dumps(message))
            except WebSocketClosedError:
                return  # on_close comes, or has come


routes = [(r"/bottega/events", EventsSocket)]
