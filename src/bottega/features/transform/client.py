"""Requests of a driver to its model server: asked again until they are answered or refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bottega.serving.answers import ServerAnswer
from bottega.serving.model_client import (
    AnswerLate,
    AnswerLost,
    ModelClient,
    Unreachable,
)

_PING = b"GET /ping HTTP/1.1\r\nhost: model\r\n\r\n"
_PARAMETERS = b"GET /execution-parameters HTTP/1.1\r\nhost: model\r\n\r\n"
_PING_SECONDS = 2.0
_PARAMETERS_SECONDS = 30.0
_PING_PAUSE_SECONDS = 0.05
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
MOST_DEATHS = 3
"""How often a model server may end while it works on one request."""
_LONGEST_WORDS = 400
"""Characters of an answer that go into a message."""


class Refused(Exception):
    """The model did not answer with a result. The message says how, and what it said."""


class BatchClient:
    """Sends the requests of one driver.

    Args:
        concurrency: how many at once.
        timeout: seconds one may take.
        retries: of a request that failed, besides those whose server ended.
    """

    def __init__(
        self,
        socket: Path,
        headers: Mapping[str, str],
        *,
        concurrency: int,
        timeout: float,
        retries: int,
    ) -> None:
        self._client = ModelClient(asyncio.get_running_loop())
        self._socket = socket
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        self._head = f"POST /invocations HTTP/1.1\r\nhost: model\r\n{lines}".encode("latin-1")
        self._slots = asyncio.Semaphore(concurrency)
        self._timeout = timeout
        self._retries = retries
        self._well = False
        self._asking = asyncio.Lock()

    async def ask(self, body: bytes) -> bytes:
        """The answer to a request; waits as long as there is no server.

        Raises:
            Refused: the model refuses it or fails with it, or it takes too long, each time; or the
                server ends whenever it works on it.
        """
        message = self._head + b"content-length: %d\r\n\r\n" % len(body) + body
        async with self._slots:
            failures = deaths = 0
            while True:
                await self._until_well()
                try:
                    answer = await self._client.send(self._socket, message, self._timeout)
                except Unreachable:
                    self._well = False
                    continue
                except AnswerLost:
                    self._well = False
                    deaths += 1
                    if deaths >= MOST_DEATHS:
                        raise Refused(
                            f"the model server ended {deaths} times while it worked on it; its log "
                            "says more"
                        ) from None
                    continue
                except AnswerLate:
                    problem = (
                        f"the model server did not answer within {self._timeout:g} seconds; "
                        "ModelClientConfig.InvocationsTimeoutInSeconds sets the limit"
                    )
                else:
                    if 200 <= answer.status < 300:
                        return answer.body
                    problem = _words(answer)
                    if answer.status < 500 and answer.status != 429:
                        raise Refused(problem)
                failures += 1
                if failures > self._retries:
                    raise Refused(problem)
                pause = _FIRST_PAUSE_SECONDS * 2 ** (failures - 1)
                await asyncio.sleep(min(pause, _LONGEST_PAUSE_SECONDS))
                self._well = False

    async def parameters(self) -> Mapping[str, Any]:
        """What ``/execution-parameters`` says; empty where the model server does not know it."""
        while True:
            await self._until_well()
            try:
                answer = await self._client.send(self._socket, _PARAMETERS, _PARAMETERS_SECONDS)
            except (Unreachable, AnswerLost):
                self._well = False
                continue
            except AnswerLate:
                return {}
            if answer.status != 200:
                return {}
            try:
                found = json.loads(answer.body)
            except ValueError:
                return {}
            return found if isinstance(found, dict) else {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    async def _until_well(self) -> None:
        if self._well:
            return
        async with self._asking:
            while not self._well:
                try:
                    answer = await self._client.send(self._socket, _PING, _PING_SECONDS)
                    self._well = answer.status == 200
                except (Unreachable, AnswerLost, AnswerLate):
                    self._well = False
                if not self._well:
                    await asyncio.sleep(_PING_PAUSE_SECONDS)


def _words(answer: ServerAnswer) -> str:
    who = "client" if answer.status < 500 else "server"
    text = answer.body[: 4 * _LONGEST_WORDS].decode("utf-8", "replace").strip()
    if len(text) > _LONGEST_WORDS:
        text = f"{text[:_LONGEST_WORDS]}..."
    return f'{who} error ({answer.status}) from the model with message "{text}"'
