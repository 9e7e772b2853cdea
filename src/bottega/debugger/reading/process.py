"""The reading process: ``python -m bottega.debugger.reading.process <descriptor>``.

It answers what is asked over a socket, one message after the other, and ends when nobody asked for
a while or the other side has gone. What it remembers it can read again at any time.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from bottega.debugger.reading.courses import Refused, TensorReader, finite
from bottega.debugger.reading.timeline import ProfileView
from bottega.debugger.tensors.exceptions import BrokenTensorFile

IDLE_SECONDS = 300.0
_OPEN = 8
"""Of how many jobs what was read is remembered: those that were asked for last."""

Thing = TypeVar("Thing")


class Readers:
    """The readers of folders that were asked for lately."""

    def __init__(self) -> None:
        self._tensors: OrderedDict[str, TensorReader] = OrderedDict()
        self._profiles: OrderedDict[str, ProfileView] = OrderedDict()

    def answer(self, method: str, folder: str, arguments: dict[str, Any]) -> Any:
        """What a method of a folder's reader says.

        Raises:
            Refused: it refuses.
        """
        if method == "timeline":
            view = _open(self._profiles, folder, ProfileView)
            view.refresh()
            return self._timeline(view, **arguments)
        reader = _open(self._tensors, folder, TensorReader)
        try:
            reader.refresh()
        except BrokenTensorFile as error:
            raise Refused(f"The tensors cannot be read: {error}") from error
        methods: dict[str, Callable[..., Any]] = {
            "summary": reader.summary,
            "names": reader.names,
            "courses": reader.courses,
        }
        return methods[method](**arguments)

    def _timeline(
        self, view: ProfileView, begin: float, end: float, whole: bool, points: int, events: int
    ) -> dict[str, Any]:
        span = view.span()
        if whole and span is not None:
            begin, end = min(begin, span[0]), max(end, span[1])
        return {
            "span": span,
            "begin": begin,
            "end": end,
            **view.window(begin, end, points, events),
        }


def _open(known: OrderedDict[str, Thing], folder: str, make: Callable[[Path], Thing]) -> Thing:
    if folder not in known:
        known[folder] = make(Path(folder))
        while len(known) > _OPEN:
            known.popitem(last=False)
    known.move_to_end(folder)
    return known[folder]


def serve(connection: Connection) -> None:
    """Answer until nobody asks any more."""
    readers = Readers()
    while connection.poll(IDLE_SECONDS):
        try:
            request = json.loads(connection.recv_bytes())
        except EOFError:
            return
        answer: dict[str, Any]
        try:
            answer = {"result": finite(readers.answer(**request))}
        except Refused as refusal:
            answer = {"refusal": str(refusal)}
        except Exception:
            text = traceback.format_exc()
            sys.stderr.write(text)
            answer = {"failure": text}
        connection.send_bytes(json.dumps(answer).encode())


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is the argument."""
    serve(Connection(int(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
