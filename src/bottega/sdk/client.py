"""One interface to a studio, over the wire or in the same process."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

import urllib3

from bottega.errors import BottegaError, ServiceUnavailable, from_code
from bottega.sdk.signing import Keys, is_repeatable, operation_headers, scope_of, signed_headers

if TYPE_CHECKING:
    from bottega.studio import Studio

ANSWER_SECONDS = 300
CONNECT_SECONDS = 5


class Client(ABC):
    """Calls operations. Every method raises the :class:`BottegaError` the operation refused
    with.
    """

    @abstractmethod
    def call(
        self, service: str, operation: str, request: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Call an operation of sagemaker, logs or bottega."""

    @abstractmethod
    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str
    ) -> tuple[bytes, str]:
        """InvokeEndpoint: the answer and its content type."""

    @abstractmethod
    def put_object(self, bucket: str, key: str, source: bytes | Path) -> str:
        """Store an object; returns its ``s3://`` URI."""

    @abstractmethod
    def get_object(self, bucket: str, key: str, target: Path) -> None:
        """Write an object to a file."""


@dataclass
class RemoteClient(Client):
    """Talks to a daemon over signed HTTP."""

    url: str
    region: str
    credentials: Keys = field(repr=False)
    revive: Callable[[], str] | None = field(default=None, repr=False)
    """Starts the daemon when it is gone; gives the address at which it answers then."""
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=8, retries=False), repr=False
    )

    def call(
        self, service: str, operation: str, request: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = operation_headers(service, operation)
        body = json.dumps(request or {}).encode()
        answer = self._send(
            "POST", "/", scope_of(service), headers, body, repeatable=is_repeatable(operation)
        )
        text = answer.data
        return dict(json.loads(text)) if text else {}

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str
    ) -> tuple[bytes, str]:
        path = f"/endpoints/{quote(endpoint, safe='')}/invocations"
        headers = {"Content-Type": content_type, "Accept": accept}
        answer = self._send("POST", path, "sagemaker", headers, body)
        return answer.data, answer.headers.get("Content-Type", "")

    def put_object(self, bucket: str, key: str, source: bytes | Path) -> str:
        path = object_path(bucket, key)
        if isinstance(source, bytes):
            self._send("PUT", path, "s3", {}, source)
        else:
            with source.open("rb") as stream:
                size = str(source.stat().st_size)
                self._send("PUT", path, "s3", {"Content-Length": size}, stream)
        return f"s3://{bucket}/{key}"

    def get_object(self, bucket: str, key: str, target: Path) -> None:
        with self.open_object(bucket, key) as stream, target.open("wb") as out:
            shutil.copyfileobj(stream, out, 1 << 20)

    @contextmanager
    def open_object(self, bucket: str, key: str) -> Iterator[urllib3.BaseHTTPResponse]:
        """Read an object as it comes, without keeping it anywhere."""
        answer = self._send("GET", object_path(bucket, key), "s3", {}, b"", stream=True)
        try:
            yield answer
        finally:
            answer.close()  # one that was not read to its end must not be used again

    def _send(
        self,
        method: str,
        path: str,
        scope: str,
        headers: Mapping[str, str],
        body: bytes | BinaryIO,
        *,
        repeatable: bool = True,
        stream: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; once more, to a daemon started anew, where that does no harm."""
        try:
            answer = self._attempt(method, path, scope, headers, body, stream)
        except urllib3.exceptions.HTTPError as error:
            never_sent = isinstance(error, urllib3.exceptions.NewConnectionError)
            if self.revive is None or not (never_sent or repeatable):
                raise self._gone(error) from error
            self.url = self.revive()
            if not isinstance(body, bytes):
                body.seek(0)
            try:
                answer = self._attempt(method, path, scope, headers, body, stream)
            except urllib3.exceptions.HTTPError as again:
                raise self._gone(again) from again
        if answer.status >= 400:
            raise refusal_of(answer.status, answer.headers, answer.data)
        return answer

    def _gone(self, error: Exception) -> ServiceUnavailable:
        return ServiceUnavailable(
            f"the bottega at {self.url} went away before it answered ({error}). `bottega start` "
            "starts it; look whether the call was done before you send it again"
        )

    def _attempt(
        self,
        method: str,
        path: str,
        scope: str,
        headers: Mapping[str, str],
        body: bytes | BinaryIO,
        stream: bool,
    ) -> urllib3.BaseHTTPResponse:
        url = self.url + path
        signed = signed_headers(
            self.credentials, method, url, headers, body, scope=scope, region=self.region
        )
        return self._pool.request(
            method,
            url,
            body=body,
            headers=signed,
            preload_content=not stream,
            timeout=patience(stream=stream),
        )


def patience(*, stream: bool) -> urllib3.Timeout:
    """How long to wait for an answer; one that streams may pause as long as it likes."""
    return urllib3.Timeout(connect=CONNECT_SECONDS, read=None if stream else ANSWER_SECONDS)


def object_path(bucket: str, key: str) -> str:
    """Where an object is below the daemon's address."""
    return f"/{bucket}/{quote(key, safe='/-_.~')}"


def refusal_of(status: int, headers: Mapping[str, str], body: bytes) -> BottegaError:
    """The error a response stands for."""
    if body.lstrip().startswith(b"<"):
        from xml.etree import ElementTree

        root = ElementTree.fromstring(body)
        code = root.findtext(".//Code") or str(status)
        return from_code(code, root.findtext(".//Message") or code, status=status)
    try:
        fields = json.loads(body)
    except ValueError:
        fields = {}
    code = headers.get("x-amzn-errortype", "") or fields.get("__type")
    code = code or fields.get("error_code", str(status))  # MLflow, behind the daemon, has this one
    message = fields.get("message") or fields.get("Message") or f"HTTP {status}"
    error = from_code(code.rpartition("#")[2].partition(":")[0], message, status=status)
    error.members = {k: v for k, v in fields.items() if k not in ("__type", "message", "Message")}
    return error


@dataclass
class LocalClient(Client):
    """Calls the operations of a studio opened in this process."""

    studio: Studio = field(repr=False)

    def call(
        self, service: str, operation: str, request: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        registry, context = self.studio.registry, self.studio.owner("sdk")
        if not registry.find(service, operation).is_async:
            return dict(registry.call(service, operation, request or {}, context))
        waiting = registry.call_async(service, operation, request or {}, context)
        return dict(_in_a_loop(waiting))

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str, accept: str
    ) -> tuple[bytes, str]:
        import asyncio

        from bottega.serving.router import router_of

        registry, context = self.studio.registry, self.studio.owner("sdk")
        request = {
            "EndpointName": endpoint,
            "Body": body,
            "ContentType": content_type,
            "Accept": accept,
        }

        async def call() -> Mapping[str, Any]:
            try:
                return await registry.call_async(
                    "sagemaker-runtime", "InvokeEndpoint", request, context
                )
            finally:
                router_of(self.studio.ports.routes).close()
                await asyncio.sleep(0)  # for the connections to be closed

        answer = _in_a_loop(call())
        return answer["Body"], answer.get("ContentType", "")

    def put_object(self, bucket: str, key: str, source: bytes | Path) -> str:
        self.studio.ports.objects.put(bucket, key, source)
        return f"s3://{bucket}/{key}"

    def get_object(self, bucket: str, key: str, target: Path) -> None:
        self.studio.ports.objects.download(bucket, key, target)


def _in_a_loop(coroutine: Coroutine[Any, Any, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Run a coroutine in a thread of its own: the caller may be inside a loop, as in a notebook."""
    import asyncio

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()
