"""One interface to a studio, over the wire or in the same process."""

from __future__ import annotations

import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote

import urllib3

from bottega.credentials import Credentials
from bottega.errors import BottegaError, ServiceUnavailable, from_code

if TYPE_CHECKING:
    from bottega.studio import Studio

TARGETS: Mapping[str, str] = {
    "sagemaker": "SageMaker",
    "logs": "Logs_20140328",
    "bottega": "Bottega",
}
"""The services that speak JSON, and how they name their operations on the wire."""

REPEATABLE = ("Describe", "Filter", "Get", "List", "Search")
"""Operations that may be sent again when nobody knows whether the first call was done."""


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
    credentials: Credentials = field(repr=False)
    revive: Callable[[], str] | None = field(default=None, repr=False)
    """Starts the daemon when it is gone; gives the address at which it answers then."""
    _pool: urllib3.PoolManager = field(
        default_factory=lambda: urllib3.PoolManager(maxsize=8, retries=False), repr=False
    )

    def call(
        self, service: str, operation: str, request: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{TARGETS[service]}.{operation}",
        }
        body = json.dumps(request or {}).encode()
        scope = "logs" if service == "logs" else "sagemaker"
        repeatable = operation.startswith(REPEATABLE)
        answer = self._send("POST", "/", scope, headers, body, repeatable=repeatable)
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
        path = f"/{bucket}/{quote(key, safe='/-_.~')}"
        if isinstance(source, bytes):
            self._send("PUT", path, "s3", {}, source)
        else:
            with source.open("rb") as stream:
                size = str(source.stat().st_size)
                self._send("PUT", path, "s3", {"Content-Length": size}, stream)
        return f"s3://{bucket}/{key}"

    def get_object(self, bucket: str, key: str, target: Path) -> None:
        path = f"/{bucket}/{quote(key, safe='/-_.~')}"
        answer = self._send("GET", path, "s3", {}, b"", stream=True)
        try:
            with target.open("wb") as out:
                shutil.copyfileobj(answer, out, 1 << 20)
        finally:
            answer.release_conn()

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
            raise _refusal(answer.status, answer.headers, answer.data)
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
        from botocore.auth import S3SigV4Auth, SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials as Keys

        request = AWSRequest(method, self.url + path, headers=dict(headers), data=body)
        keys = Keys(self.credentials.access_key, self.credentials.secret_key)
        if scope == "s3":
            request.context["client_config"] = None
            request.context["payload_signing_enabled"] = False
            request.headers["X-Amz-Content-SHA256"] = "UNSIGNED-PAYLOAD"
            S3SigV4Auth(keys, scope, self.region).add_auth(request)
        else:
            SigV4Auth(keys, scope, self.region).add_auth(request)
        return self._pool.request(
            method,
            self.url + path,
            body=body,
            headers=dict(request.headers.items()),
            preload_content=not stream,
            timeout=urllib3.Timeout(connect=5, read=None if stream else 300),
        )


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> BottegaError:
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
    code = headers.get("x-amzn-errortype", "") or fields.get("__type", str(status))
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
        context = self.studio.owner("sdk")
        return dict(self.studio.registry.call(service, operation, request or {}, context))

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

        # A thread of its own, because the caller may be inside a loop, as in a notebook.
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(asyncio.run, call()).result()
        return answer["Body"], answer.get("ContentType", "")

    def put_object(self, bucket: str, key: str, source: bytes | Path) -> str:
        self.studio.ports.objects.put(bucket, key, source)
        return f"s3://{bucket}/{key}"

    def get_object(self, bucket: str, key: str, target: Path) -> None:
        self.studio.ports.objects.download(bucket, key, target)
