"""Requests to the tracking server, and what its refusals mean."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import urllib3

from bottega.tracking.port import (
    TrackingExists,
    TrackingMissing,
    TrackingRefused,
    TrackingUnavailable,
    TrackingUnreachable,
)
from bottega.tracking.unix_http import UnixConnectionPool

PREFIX = "/mlflow"
API = f"{PREFIX}/api/2.0/mlflow/"
ARTIFACTS = f"{PREFIX}/api/2.0/mlflow-artifacts/artifacts/"
QUESTIONS = "/bottega/"
"""Where the tracking server answers what MLflow cannot (``bottega.tracking.store.routes``)."""

TIMEOUT = urllib3.Timeout(connect=5, read=60)
_PAUSE_SECONDS = 0.05


class TrackingServer:
    """The tracking server behind a Unix socket; may be shared between threads."""

    def __init__(self, socket: Path) -> None:
        self._pool = UnixConnectionPool(socket, maxsize=8, timeout=TIMEOUT)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def wait_ready(self, timeout: float) -> bool:
        """Wait until the server answers, at most ``timeout`` seconds. Returns whether it does."""
        deadline = time.monotonic() + timeout
        while True:
            left = max(_PAUSE_SECONDS, deadline - time.monotonic())
            try:
                self.send("GET", f"{PREFIX}/health", timeout=urllib3.Timeout(left))
                return True
            except TrackingUnavailable:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(_PAUSE_SECONDS)

    def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout: urllib3.Timeout = TIMEOUT,
    ) -> Mapping[str, Any]:
        """A request of MLflow's REST API, such as ``runs/create``."""
        parsed: Mapping[str, Any] = self._json(method, API + path, body, timeout)
        return parsed

    def ask(
        self, question: str, arguments: Mapping[str, Any], *, timeout: urllib3.Timeout = TIMEOUT
    ) -> Any:
        """One of our own questions."""
        return self._json("POST", QUESTIONS + question, arguments, timeout)

    def ask_when_ready(
        self,
        question: str,
        arguments: Mapping[str, Any],
        *,
        timeout: urllib3.Timeout,
        patience: float,
    ) -> Any:
        """:meth:`ask`; a server that is starting is asked as soon as it has started.

        One that was asked and gave no answer is not asked again: it may still be at work on it.
        """
        try:
            return self.ask(question, arguments, timeout=timeout)
        except TrackingUnreachable:  # it was not sent, so it may be sent again
            self.await_ready(patience)
            return self.ask(question, arguments, timeout=timeout)

    def await_ready(self, patience: float) -> None:
        """Wait until the server answers, at most so many seconds.

        Raises:
            TrackingUnavailable: it does not.
        """
        if not self.wait_ready(patience):
            raise TrackingUnavailable("MLflow is still starting; ask again in some seconds.")

    def _json(
        self, method: str, path: str, body: Mapping[str, Any] | None, timeout: urllib3.Timeout
    ) -> Any:
        encoded = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = self.send(method, path, body=encoded, headers=headers, timeout=timeout)
        return json.loads(answer or b"{}")

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: urllib3.Timeout = TIMEOUT,
        most: int | None = None,
    ) -> bytes:
        """One request; a broken connection is just reported.

        Args:
            most: bytes of the answer to read; what is beyond them stays unread.

        Raises:
            TrackingUnreachable: nothing listens.
            TrackingUnavailable: the server does not answer, or not now.
            TrackingRefused: it refuses.
        """
        try:
            answer = self._pool.urlopen(
                method,
                path,
                body=body,
                headers=headers,
                timeout=timeout,
                retries=False,
                preload_content=False,
            )
            try:
                content = answer.read(most)
            finally:
                answer.close()  # one that was not read to its end must not be used again
        except urllib3.exceptions.NewConnectionError as error:
            raise TrackingUnreachable(f"MLflow does not answer: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise TrackingUnavailable(f"MLflow does not answer: {error}") from error
        if answer.status < 400:
            return content
        raise _refusal(answer.status, content, f"{method} {path.partition('?')[0]}")


def _refusal(status: int, body: bytes, request: str) -> TrackingRefused | TrackingUnavailable:
    try:
        details = json.loads(body)
        code, message = str(details.get("error_code", "")), str(details.get("message", ""))
    except (ValueError, AttributeError):
        code, message = "", body[:200].decode(errors="replace")
    text = f"MLflow answers {request} with {status} {code}: {message}"
    if status >= 500 or status in (408, 429):
        return TrackingUnavailable(text)
    kinds = {
        "RESOURCE_DOES_NOT_EXIST": TrackingMissing,
        "RESOURCE_ALREADY_EXISTS": TrackingExists,
    }
    return kinds.get(code, TrackingRefused)(text, reason=message)
