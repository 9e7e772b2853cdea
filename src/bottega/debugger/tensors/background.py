"""Leaving files in a thread of its own, so that a training does not wait for the disk."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait

from bottega.debugger.tensors.writer import Sink


class BackgroundSink(Sink):
    """Another sink, written to in order and a little later.

    After a write has failed nothing more is written, for what comes later may point to it;
    :meth:`flush` raises what was wrong. What waits is in memory: whoever writes much flushes.

    Args:
        sink: what writes.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="tensors")
        self._waiting: list[Future[None]] = []
        self._failed = False

    def write(self, name: str, content: bytes) -> None:
        """Have a file be left."""
        try:
            self._waiting.append(self._thread.submit(self._write, name, content))
        except RuntimeError:  # the interpreter ends: ours is the last thread
            wait(self._waiting)
            self._write(name, content)

    @property
    def failed(self) -> bool:
        """Whether something could not be written."""
        return self._failed

    def flush(self) -> None:
        """Wait until everything is written.

        Raises:
            OSError: something could not be.
        """
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.result()

    def _write(self, name: str, content: bytes) -> None:
        if self._failed:
            return
        try:
            self._sink.write(name, content)
        except BaseException:
            self._failed = True
            raise
