"""Kernels that find bottega: each is started with what ``bottega env`` prints, as its user."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from logging import Logger
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server import CallContext

from bottega.errors import BottegaError
from bottega_jupyter.identity import OWNER, session_name
from bottega_jupyter.server import BottegaServer

START_SECONDS = 20.0
"""How long a kernel that runs already is held back for the daemon."""


class KernelEnvironment:
    """Adds to the environment that Jupyter gives a kernel; what a kernel's own spec sets wins.

    The address is known before the daemon answers, so where none runs one is started while the
    kernel starts. Whatever goes wrong here, the kernel starts.
    """

    def __init__(self, server: BottegaServer, log: Logger) -> None:
        self._server = server
        self._log = log
        self._starting: asyncio.Task[None] | None = None

    def add_to(self, manager: Any) -> None:
        """Have every kernel of a kernel manager started so; its restarts keep what it was given."""
        plain = manager.start_kernel

        async def start_kernel(*arguments: Any, **settings: Any) -> Any:
            settings["env"] = await self.extended(settings.get("env"))
            kernel = await ensure_async(plain(*arguments, **settings))
            await self._started()
            return kernel

        manager.start_kernel = start_kernel

    async def extended(self, given: Mapping[str, str] | None) -> dict[str, str]:
        """The environment of a new kernel.

        Args:
            given: what Jupyter would give it; None stands for the server's own environment.
        """
        environment = dict(os.environ if given is None else given)
        try:
            # Not in the server's own threads: no kernel waits for those who download.
            added, runs = await asyncio.to_thread(self._added, _person())
        except (BottegaError, OSError) as error:
            self._log.warning("this kernel is started without bottega: %s", error)
            return environment
        if not runs and (self._starting is None or self._starting.done()):
            self._starting = asyncio.create_task(self._start(added["AWS_ENDPOINT_URL"]))
        from bottega.daemon.environment import UNSET

        kept = {name: value for name, value in environment.items() if name not in UNSET}
        return kept | added

    async def _started(self) -> None:
        """Wait for a daemon that is being started: nobody has the kernel before it can be reached.

        Clients try a refused connection again, but on a busy machine not for long enough.
        """
        if self._starting is not None:
            await asyncio.wait([self._starting], timeout=START_SECONDS)

    def _added(self, person: str) -> tuple[dict[str, str], bool]:
        """What is added for a user, and whether a daemon has the home already."""
        from bottega.daemon.address import reserve
        from bottega.daemon.environment import client_environment

        server = self._server
        url, runs = reserve(server.config)
        keys = server.keys_of(person)
        return {
            **client_environment(server.config, server.link.credentials, url),
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token,
        }, runs

    async def _start(self, promised: str) -> None:
        try:
            url = await self._server.link.start()
        except (BottegaError, OSError) as error:
            self._log.warning("bottega does not start, so kernels cannot reach it: %s", error)
            return
        if url != promised:
            self._log.warning(
                "bottega answers at %s because %s was taken; restart the kernels that were started "
                "before it",
                url,
                promised,
            )


def _person() -> str:
    """Who has asked for the kernel: the user of the request that is being answered."""
    handler = CallContext.get(CallContext.JUPYTER_HANDLER)
    if handler is None:
        return OWNER
    return session_name(handler.current_user, handler.identity_provider)
