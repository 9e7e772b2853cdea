"""Carries HTTP from a model server's Unix socket to the port of its container."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from yarl import URL

from bottega.compute.docker.container import Reach

_OF_ONE_CONNECTION = frozenset(
    {
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "host", "content-length"),
    }
)
_CONNECT_SECONDS = 5.0
_DEAF = (
    "The container does not listen on its port: it must answer GET /ping and POST /invocations on "
    "8080, or on SAGEMAKER_BIND_TO_PORT where that is set."
)


class Bridge:
    """A reverse proxy for one container.

    Requests go out whole, with their length, because many small servers do not read a body that
    comes in chunks; answers come back as they are made. Each request has a connection of its own to
    the container: a server that closes an idle connection must not cost a request.

    Args:
        answer_seconds: how long an answer may take to begin, and to go on.
    """

    def __init__(self, reach: Reach, answer_seconds: float) -> None:
        self._reach = reach
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=answer_seconds
        )
        self._session: aiohttp.ClientSession

    @asynccontextmanager
    async def listening(self, path: str) -> AsyncIterator[None]:
        """Answer at a socket while the context lasts."""
        connector = aiohttp.TCPConnector(
            limit=0, force_close=True, socket_factory=self._reach.connector()
        )
        async with aiohttp.ClientSession(
            connector=connector, timeout=self._timeout, auto_decompress=False
        ) as self._session:
            runner = web.ServerRunner(web.Server(self._carry), shutdown_timeout=1.0)
            await runner.setup()
            try:
                await web.UnixSite(runner, path, backlog=1024).start()
                yield
            finally:
                await runner.cleanup()

    async def _carry(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _OF_ONE_CONNECTION
        }
        target = URL(f"http://127.0.0.1:{self._reach.port}{request.raw_path}", encoded=True)
        try:
            answer = await self._session.request(
                request.method,
                target,
                data=body or None,
                headers=headers,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError:
            return web.Response(status=503, text=_DEAF)
        except TimeoutError:
            return web.Response(status=504, text="The container did not answer in time.")
        except (aiohttp.ClientError, OSError) as error:
            return web.Response(status=502, text=f"The container gave no answer: {error}")
        async with answer:
            return await self._give_back(request, answer)

    async def _give_back(
        self, request: web.BaseRequest, answer: aiohttp.ClientResponse
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        for name, value in answer.headers.items():
            if name.lower() not in _OF_ONE_CONNECTION:
                response.headers.add(name, value)
        if answer.content_length is not None:
            response.content_length = answer.content_length
        elif answer.status not in (204, 304):
            response.enable_chunked_encoding()
        await response.prepare(request)
        # What breaks off in the middle ends the connection, so that the reader can tell.
        async for piece in answer.content.iter_any():
            await response.write(piece)
        await response.write_eof()
        return response
