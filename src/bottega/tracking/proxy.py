"""The way to MLflow's pages and API: who may come in, and the streaming both ways.

An mlflow client shows a bearer token. A browser shows a password, under any user name, or comes
once with ``/mlflow/?token=...`` and has a cookie from then on.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
from yarl import URL

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

PREFIX = b"/mlflow"
COOKIE = "bottega-tracking"
RETRY_SECONDS = 1
KEEP_ALIVE_SECONDS = 30
"""Shorter than MLflow's server keeps an idle connection."""

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization te trailer trailers"
    b" transfer-encoding upgrade expect".split()
)
_SECRETS = frozenset((b"authorization", b"cookie"))
_WRITES = re.compile(
    rb"/mlflow/(?:ajax-)?api/[\d.]+/mlflow/(?:runs|experiments|logged-models)"
    rb"(?:/(?!search|get|list)[^/]+)*"
)
"""Paths of requests that change runs, unless they are GETs; those that only ask begin otherwise."""


def tracking_proxy(
    socket: Path,
    authenticate: Callable[[str], bool],
    changed: Callable[[], None] = lambda: None,
) -> TrackingProxy:
    """The ASGI application that the daemon mounts at ``/mlflow``.

    Args:
        socket: where MLflow's server listens.
        authenticate: whether a token opens the tracker; see :func:`token_check`.
        changed: told after each request that may have changed runs.
    """
    return TrackingProxy(socket, authenticate, changed)


def token_check(token: str) -> Callable[[str], bool]:
    """The check for one token, in a time that tells nothing about it."""
    return lambda shown: hmac.compare_digest(shown.encode(), token.encode())


class TrackingProxy:
    """Passes requests of those who may on to MLflow's server."""

    def __init__(
        self,
        socket: Path,
        authenticate: Callable[[str], bool],
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._socket = socket
        self._authenticate = authenticate
        self._changed = changed
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        else:
            await self._answer(scope, receive, send)

    async def aclose(self) -> None:
        """Close the connections to MLflow."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self.aclose()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        headers: Headers = scope["headers"]
        path, query = _target(scope)
        if path == PREFIX:
            return await _redirect(send, "/mlflow/", query)
        arguments = parse_qsl(query, keep_blank_values=True)
        if path == PREFIX + b"/" and any(name == "token" for name, _ in arguments):
            return await self._log_in(arguments, send)
        credential = _credential(headers)
        if credential is None or not self._authenticate(credential.token):
            challenge = [(b"www-authenticate", b'Basic realm="bottega tracking", charset="UTF-8"')]
            reason = "This tracker needs a token; `bottega env` prints MLFLOW_TRACKING_TOKEN."
            return await _refuse(send, 401, "UNAUTHENTICATED", reason, challenge)
        if credential.ambient and not _same_origin(headers):
            reason = "A page of another origin may not use your login to this tracker."
            return await _refuse(send, 403, "PERMISSION_DENIED", reason)
        await self._pass_on(scope["method"], path, query, headers, receive, send)

    async def _log_in(self, arguments: list[tuple[str, str]], send: Send) -> None:
        token = next(value for name, value in arguments if name == "token")
        if not self._authenticate(token):
            return await _refuse(send, 401, "UNAUTHENTICATED", "The token in the address is wrong.")
        rest = urlencode([(name, value) for name, value in arguments if name != "token"])
        cookie = f"{COOKIE}={token}; Path=/mlflow; HttpOnly; SameSite=Strict"
        await _redirect(send, "/mlflow/", rest, [(b"set-cookie", cookie.encode())])

    async def _pass_on(
        self,
        method: str,
        path: bytes,
        query: str,
        headers: Headers,
        receive: Receive,
        send: Send,
    ) -> None:
        url = URL(f"http://localhost{path.decode('ascii')}{'?' * bool(query)}{query}", encoded=True)
        kept = _end_to_end(headers, without=_SECRETS)
        names = {name for name, _ in headers}
        has_body = (
            b"transfer-encoding" in names or dict(headers).get(b"content-length", b"0") != b"0"
        )
        body = _Body(receive) if has_body else None
        started = False
        try:
            async with self._client().request(
                method,
                url,
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in kept],
                data=None if body is None else body.chunks(),
                allow_redirects=False,
            ) as answer:
                await send(
                    {
                        "type": "http.response.start",
                        "status": answer.status,
                        "headers": _end_to_end(
                            (name.lower(), value) for name, value in answer.raw_headers
                        ),
                    }
                )
                started = True
                if method != "GET" and answer.status < 400 and _WRITES.fullmatch(path):
                    self._changed()
                async for chunk in answer.content.iter_any():
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
        except (aiohttp.ClientError, ConnectionError) as error:
            if body is not None and body.abandoned:
                return  # the client is gone: nobody is there to be answered
            log.info("MLflow does not answer %s %s: %s", method, path.decode("ascii"), error)
            if started:
                raise  # the listener cuts the connection: half a file is not taken for whole
            reason = "The tracker is starting; try again in a moment."
            retry = [(b"retry-after", str(RETRY_SECONDS).encode())]
            await _refuse(send, 503, "TEMPORARILY_UNAVAILABLE", reason, retry)

    def _client(self) -> aiohttp.ClientSession:
        """The connections, made on the loop that uses them."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(
                    str(self._socket), limit=64, keepalive_timeout=KEEP_ALIVE_SECONDS
                ),
                # A large artifact takes as long as it takes; each side's own patience is the limit.
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session


class _Body:
    """A request's body as it comes in."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.abandoned = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The pieces in order.

        Raises:
            ConnectionResetError: the client went away before the end.
        """
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.abandoned = True
                raise ConnectionResetError("the client went away")
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body", False):
                return


class _Credential:
    """What a request shows to be let in.

    Attributes:
        token: the token itself.
        ambient: whether a browser adds it by itself, also to requests that other pages cause.
    """

    def __init__(self, token: str, *, ambient: bool) -> None:
        self.token = token
        self.ambient = ambient


def _credential(headers: Headers) -> _Credential | None:
    fields = dict(headers)
    scheme, _, value = fields.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() == "bearer":
        return _Credential(value.strip(), ambient=False)
    if scheme.lower() == "basic":
        try:
            _, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return _Credential(password, ambient=True)
    try:
        cookies = SimpleCookie(fields.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return None
    morsel = cookies.get(COOKIE)
    return None if morsel is None else _Credential(morsel.value, ambient=True)


def _same_origin(headers: Headers) -> bool:
    """Whether the page that caused the request, if it says so, came from this very address.

    Browsers give cookies and remembered passwords to requests of pages from other ports of the same
    host too, and MLflow takes every page from this machine for a friend.
    """
    fields = dict(headers)
    origin = fields.get(b"origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc == fields.get(b"host", b"")


def _target(scope: Message) -> tuple[bytes, str]:
    """Path and query as they came over the wire; a mount may have taken the prefix off."""
    path: bytes = scope.get("raw_path") or str(scope["path"]).encode()
    path = path.partition(b"?")[0]
    if path != PREFIX and not path.startswith(PREFIX + b"/"):
        path = PREFIX + path
    return path, scope.get("query_string", b"").decode("latin-1")


def _end_to_end(
    headers: Iterable[tuple[bytes, bytes]], *, without: frozenset[bytes] = frozenset()
) -> Headers:
    """The headers that go through; those of one connection, and those named, stay here."""
    return [(name, value) for name, value in headers if name not in _HOP_BY_HOP | without]


async def _redirect(
    send: Send, path: str, query: str, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    location = f"{path}?{query}" if query else path
    # The address held a secret: it shall not be kept, nor be told to the next page.
    shown: Headers = [(b"cache-control", b"no-store"), (b"referrer-policy", b"no-referrer")]
    start = {"type": "http.response.start", "status": 303}
    await send({**start, "headers": [(b"location", location.encode()), *shown, *headers]})
    await send({"type": "http.response.body", "body": b""})


async def _refuse(
    send: Send,
    status: int,
    code: str,
    message: str,
    headers: Iterable[tuple[bytes, bytes]] = (),
) -> None:
    """Refuse in MLflow's own form, which its client shows to the user."""
    body = json.dumps({"error_code": code, "message": message}).encode()
    shown: Headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": [*shown, *headers]})
    await send({"type": "http.response.body", "body": body})
