"""What all routes of one Jupyter server work with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from logging import Logger
from typing import TYPE_CHECKING, Any, TypeVar

from bottega.config import Config
from bottega_jupyter.daemon_link import Call, DaemonLink
from bottega_jupyter.event_hub import EventHub
from bottega_jupyter.identity import OWNER, session_keys

if TYPE_CHECKING:
    from bottega.credentials import SessionKeys
    from bottega.sdk.client import RemoteClient
    from bottega.sdk.session import Session

T = TypeVar("T")

SETTING = "bottega"
"""Under this name it is among the settings of the web application."""
THREADS = 8
"""How much of what blocks runs at once; more waits for its turn."""
WATCH_GRACE_SECONDS = 20
"""How much longer than agreed the daemon may be silent before it counts as gone."""


class BottegaServer:
    """One home, as this Jupyter server uses it."""

    def __init__(self, config: Config, log: Logger) -> None:
        self.config = config
        self.link = DaemonLink(config)
        self.hub = EventHub(self._watch, self.link.start, log)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bottega")

    def keys_of(self, name: str) -> SessionKeys:
        """The keys of the user with this session name."""
        return session_keys(self.link.credentials, self.config, name)

    async def in_session(self, name: str, work: Callable[[Session], T]) -> T:
        """Do what blocks, in a thread, with an SDK session of the user with this name.

        Raises:
            BottegaError: the work was refused, or the daemon did not come up.
        """

        def act() -> T:
            from bottega.sdk.session import Session

            return work(Session(self._client(name), self.config))

        return await self.in_thread(act)

    async def with_client(self, name: str, work: Callable[[RemoteClient], T]) -> T:
        """As :meth:`in_session`, with the session's client alone."""
        return await self.in_thread(lambda: work(self._client(name)))

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Do what blocks, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    async def close(self) -> None:
        """Let go of everything; the daemon goes on."""
        await self.hub.close()
        await self.link.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _client(self, name: str) -> RemoteClient:
        from bottega.daemon import lifecycle
        from bottega.sdk.client import RemoteClient

        config = self.config
        return RemoteClient(
            lifecycle.start(config).url,
            config.region,
            self.keys_of(name),
            revive=lambda: lifecycle.start(config).url,
        )

    async def _watch(self, cursor: str | None, wait: int) -> dict[str, Any]:
        """Ask the daemon what happened since the cursor; for all users of this server at once."""
        import json

        from bottega.sdk.signing import operation_headers

        request = {"WaitSeconds": wait} | ({"Cursor": cursor} if cursor is not None else {})
        call = Call(
            "POST",
            "/",
            headers=operation_headers("bottega", "WatchEvents"),
            body=json.dumps(request).encode(),
            keys=self.keys_of(OWNER),
            revives=False,
        )
        async with asyncio.timeout(wait + WATCH_GRACE_SECONDS):
            return dict(json.loads(await self.link.fetch(call)))
