"""The worker's program: ``python -m bottega.wrangler.worker.process``.

Arguments: the number of the socket's descriptor, and the folder to work in, which it removes at its
end. It imports what it will need, and then waits for its first message, which says where paths of
files begin; so that one may stand ready before anybody opens a folder.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bottega.wrangler.errors import FlowError
from bottega.wrangler.worker.protocol import Channel, Closed

log = logging.getLogger("bottega.wrangler")
_THREADS = 6


class Program:
    """Answers requests, several at a time, until the other side has gone."""

    def __init__(self, channel: Channel, work: Path) -> None:
        self._channel = channel
        self._sending = threading.Lock()
        self._work = work
        self._session: Any = None

    def run(self) -> None:
        """Serve. Returns when there is nobody left to serve."""
        from bottega.wrangler.insight import profile, suggestions  # noqa: F401
        from bottega.wrangler.transforms.custom_formula import translate  # noqa: F401
        from bottega.wrangler.transforms.registry import transforms
        from bottega.wrangler.worker.session import Session

        transforms()
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="wrangler")
        try:
            folder = self._channel.receive()["folder"]
            self._session = Session(self._work, Path(folder) if folder is not None else None)
            while True:
                pool.submit(self._answer, self._channel.receive())
        except Closed:
            pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, request: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": request["id"]}
        try:
            method = getattr(self._session, request["method"])
            answer["result"] = method(**request["arguments"])
        except FlowError as error:
            answer["refusal"] = {
                "message": error.message,
                "node": error.node,
                "parameter": error.parameter,
            }
        except BaseException:
            text = traceback.format_exc()
            log.error("%s failed:\n%s", request["method"], text)
            answer["failure"] = text
        try:
            with self._sending:
                self._channel.send(answer)
        except ValueError:
            message = "The answer is too large. Ask for fewer rows or columns."
            with self._sending:
                self._channel.send({"id": request["id"], "refusal": {"message": message}})
        except Closed:
            return  # and run() returns, too


def main(arguments: list[str]) -> None:
    """Serve until the daemon ends or hangs up."""
    descriptor, work = int(arguments[0]), Path(arguments[1])
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    # What a user's code prints belongs into the log; nothing reads this process's output.
    os.dup2(2, 1)
    channel = Channel(socket.socket(fileno=descriptor))
    Program(channel, work).run()
    # Threads may be deep in a query; whatever they would have found, nobody waits for it.
    import shutil

    shutil.rmtree(work, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
