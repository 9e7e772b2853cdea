"""The way from the Jupyter server to the daemon: signed, pooled, and started on first need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bottega.config import Config
from bottega.errors import ServiceUnavailable

if TYPE_CHECKING:
    import aiohttp

    from bottega.credentials import Credentials
    from bottega.sdk.signing import Keys

CONNECT_SECONDS = 5.0

Body = bytes | Callable[[], AsyncIterator[bytes]]
"""What is sent: bytes, or what gives the bytes piece by piece."""


@dataclass(frozen=True)
class Call:
    """One request to the daemon."""

    method: str
    path: str
    """Path and query, quoted."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Body = b""
    keys: Keys | None = field(default=None, repr=False)
    """Of whom the request is; None for one that shows a token of its own."""
    scope: str = "sagemaker"
    """The signing name of the service."""
    repeatable: bool = False
    """Whether it may be sent again when nobody knows whether it was done."""
    revives: bool = True
    """Whether a daemon that is gone is started again, and the request sent to that."""


class DaemonLink:
    """Everything this Jupyter server asks the daemon goes through here."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._url: str | None = None
        self._starting = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    @cached_property
    def credentials(self) -> Credentials:
        """The keys of the home, made when it has none yet."""
        from bottega.credentials import Credentials

        return Credentials.load(self.config)

    async def start(self) -> str:
        """Start the daemon if it does not run; returns its address.

        Raises:
            DaemonNotStarted: it did not come up.
        """
        async with self._starting:
            self._url = await asyncio.to_thread(self._start)
            return self._url

    def _start(self) -> str:
        # What takes a tenth of a second to load is loaded here, beside the event loop.
        import aiohttp  # noqa: F401
        import botocore.auth
        import botocore.awsrequest  # noqa: F401

        from bottega.daemon import lifecycle

        return lifecycle.start(self.config).url

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    @asynccontextmanager
    async def send(self, call: Call) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request and give the answer, whose body is still to be read.

        Raises:
            BottegaError: the daemon refused, in its own words.
            ServiceUnavailable: it went away; where it may be started again, it went away twice, or
                nobody knows whether the request was done.
            DaemonNotStarted: it did not come up.
        """
        import aiohttp

        answer = await self._answer(call)
        try:
            if answer.status >= 400:
                from bottega.sdk.client import refusal_of

                raise refusal_of(answer.status, answer.headers, await answer.read())
            yield answer
        except aiohttp.ClientError as error:
            raise self._gone(error) from error
        finally:
            answer.close()  # gives the connection back where the body was read to its end

    async def fetch(self, call: Call) -> bytes:
        """Send a request and give the body of the answer; otherwise as :meth:`send`."""
        async with self.send(call) as answer:
            return await answer.read()

    async def _answer(self, call: Call) -> aiohttp.ClientResponse:
        import aiohttp

        url = self._url or await self.start()
        try:
            return await self._attempt(url, call)
        except aiohttp.ClientError as error:
            never_sent = isinstance(error, aiohttp.ClientConnectorError)
            if not call.revives or not (never_sent or call.repeatable):
                raise self._gone(error) from error
        url = await self.start()
        try:
            return await self._attempt(url, call)
        except aiohttp.ClientError as error:
            raise self._gone(error) from error

    async def _attempt(self, url: str, call: Call) -> aiohttp.ClientResponse:
        from yarl import URL

        headers = dict(call.headers)
        plain = call.body if isinstance(call.body, bytes) else None
        if call.keys is not None:
            from bottega.sdk.signing import signed_headers

            headers = signed_headers(
                call.keys,
                call.method,
                url + call.path,
                headers,
                plain,
                scope=call.scope,
                region=self.config.region,
            )
        return await self._connections().request(
            call.method,
            URL(url + call.path, encoded=True),
            headers=headers,
            data=call.body if isinstance(call.body, bytes) else call.body(),
            allow_redirects=False,
        )

    def _connections(self) -> aiohttp.ClientSession:
        import aiohttp

        if self._session is None:
            unwanted = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
            settings: dict[str, Any] = {
                "timeout": aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                "cookie_jar": aiohttp.DummyCookieJar(),
                "auto_decompress": False,
                "skip_auto_headers": unwanted,
            }
            self._session = aiohttp.ClientSession(**settings)
        return self._session

    def _gone(self, error: Exception) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"the bottega at {self._url} went away before it answered ({error}). `bottega start` "
            "starts it; look whether the call was done before you send it again"
        )
