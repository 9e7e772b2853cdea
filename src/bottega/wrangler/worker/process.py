"""The worker's program: ``python -m bottega.wrangler.worker.process``.

Arguments: the number of the socket's descriptor, the folder to work in, which it removes at its
end, and JSON with ``folder`` (where paths of files begin, or null) and ``memory`` (bytes).
"""

from __future__ import annotations

import json
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

    def __init__(self, channel: Channel, work: Path, options: dict[str, Any]) -> None:
        from bottega.wrangler.worker.session import Session

        self._channel = channel
        self._sending = threading.Lock()
        folder = options.get("folder")
        self._session = Session(
            work, Path(folder) if folder is not None else None, memory=options.get("memory")
        )

    def run(self) -> None:
        """Serve. Returns when there is nobody left to serve."""
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="wrangler")
        try:
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
    descriptor, work, options = int(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    logging.basicConfig(level=logging.WARNING, format="%(name)s: %(message)s", stream=sys.stderr)
    # What a user's code prints belongs into the log; nothing reads this process's output.
    os.dup2(2, 1)
    channel = Channel(socket.socket(fileno=descriptor))
    Program(channel, work, options).run()
    # Threads may be deep in a query; whatever they would have found, nobody waits for it.
    import shutil

    shutil.rmtree(work, ignore_errors=True)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
