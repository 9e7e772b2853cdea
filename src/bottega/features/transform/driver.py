"""The program of one instance: ``python -m bottega.features.transform.driver``.

It reads the objects in its folder, sends their records to the model server beside it, several
requests at once, and writes the answers in the order of the records. It notes how far it is after
the output is on the disk; started again, it cuts the output back to the last note and goes on.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import uvloop

from bottega.container.paths import ContainerPaths
from bottega.features.transform.client import BatchClient, Refused
from bottega.features.transform.feed import Feed, Item, ObjectFault, Request
from bottega.features.transform.json_paths import JsonPath
from bottega.features.transform.progress import DriverFolder, Fault, Progress, Work
from bottega.features.transform.splitting import MEGABYTE, Splitter
from bottega.features.transform.treatment import Treatment, Unfit, kind_of

DEFAULT_PAYLOAD_MB = 6
MOST_MB_AT_ONCE = 100
"""MaxConcurrentTransforms times MaxPayloadInMB."""
_NOTE_BYTES = 64 * MEGABYTE
_MOST_BYTES_HELD = 128 * MEGABYTE
"""Bodies of requests that are under way or wait for an earlier one's answer."""
_MOST_WAITING = 2
"""Times the concurrency: how many requests may be ahead of the one whose answer is written next."""


@dataclass(frozen=True)
class Pace:
    """How requests are made where neither the job nor the model leaves it open."""

    concurrency: int
    payload_mb: int
    single: bool

    @classmethod
    def of(cls, work: Work, parameters: Mapping[str, Any]) -> Pace:
        """From the job, else from ``/execution-parameters``, else SageMaker's defaults."""
        payload = work.payload_mb
        if payload is None:
            most = max(1, MOST_MB_AT_ONCE // (work.concurrency or 1))
            payload = _number(parameters.get("MaxPayloadInMB"), most)
            payload = DEFAULT_PAYLOAD_MB if payload is None else payload
        concurrency = work.concurrency or None
        if concurrency is None:
            room = max(1, MOST_MB_AT_ONCE // max(payload, 1))
            concurrency = _number(parameters.get("MaxConcurrentTransforms"), room) or 1
        strategy = work.strategy or parameters.get("BatchStrategy")
        single = strategy in ("SingleRecord", "SINGLE_RECORD")
        return cls(concurrency, payload, single)


def _number(value: object, most: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        return None
    return min(value, most)


class Driver:
    """Transforms the objects of one folder.

    Args:
        note_seconds: how often it notes how far it is; the most that a kill makes it do again.
    """

    def __init__(self, folder: DriverFolder, *, note_seconds: float = 0.5) -> None:
        self._note_seconds = note_seconds
        self._folder = folder
        self._work = Work.load(folder.task)
        self._progress = self._saved = Progress.load(folder.progress)
        self._output: BinaryIO | None = None
        self._dirty: list[Path] = []
        self._unnoted_bytes = 0

    async def run(self) -> None:
        """Do what is left to do."""
        work = self._work
        headers = {"content-type": work.content_type, "accept": work.accept}
        pace = Pace.of(work, {})
        if None in (work.concurrency, work.payload_mb, work.strategy):
            asking = BatchClient(
                Path(work.socket), headers, concurrency=1, timeout=work.timeout, retries=0
            )
            pace = Pace.of(work, await asking.parameters())
            asking.close()
        client = BatchClient(
            Path(work.socket),
            headers,
            concurrency=pace.concurrency,
            timeout=work.timeout,
            retries=work.retries,
        )
        splitter = Splitter(work.split, pace.single, pace.payload_mb * MEGABYTE)
        treatment = _treatment(work, single=pace.single or work.split == "None")
        feed = Feed(self._folder, work, splitter, treatment, self._progress)
        try:
            async with asyncio.TaskGroup() as group:
                notes = group.create_task(self._note_regularly())
                await self._transform(feed, client, treatment, _MOST_WAITING * pace.concurrency)
                notes.cancel()
        finally:
            client.close()
            feed.close()
            self._close_output()
        self._progress = replace(self._progress, finished=True)
        self._note()

    async def _transform(
        self, feed: Feed, client: BatchClient, treatment: Treatment, window: int
    ) -> None:
        waiting: deque[tuple[Item, asyncio.Task[bytes] | None]] = deque()
        held = 0
        more = True
        try:
            while True:
                while more and len(waiting) < window and (held < _MOST_BYTES_HELD or not waiting):
                    item = feed.next()
                    if item is None:
                        more = False
                        break
                    task = None
                    if isinstance(item, Request) and item.batch.records:
                        task = asyncio.create_task(client.ask(item.body))
                        held += len(item.body)
                    waiting.append((item, task))
                if not waiting:
                    return
                item, task = waiting.popleft()
                reason = await self._settle(item, task, treatment)
                held -= len(item.body) if isinstance(item, Request) else 0
                if reason:
                    feed.skip(item.index)
                    for other, running in [one for one in waiting if one[0].index == item.index]:
                        await _end(running)
                        held -= len(other.body) if isinstance(other, Request) else 0
                    waiting = deque(one for one in waiting if one[0].index != item.index)
                    self._fail(item.index, reason)
                if self._unnoted_bytes >= _NOTE_BYTES:
                    self._note()
        finally:
            for _, running in waiting:
                await _end(running)

    async def _settle(
        self, item: Item, task: asyncio.Task[bytes] | None, treatment: Treatment
    ) -> str:
        """Write what an item has to say; returns why its object fails."""
        if isinstance(item, ObjectFault):
            return item.reason
        if not isinstance(item, Request):
            self._complete(item.index)
            return ""
        batch = item.batch
        data = b""
        if task is not None:
            try:
                data = treatment.output(batch, await task)
            except Refused as error:
                return f"{self._range(item)}: {error}"
            except Unfit as error:
                return str(error)
        self._write(item, data)
        return ""

    def _range(self, item: Request) -> str:
        if self._work.split == "None":
            return "the whole object"
        what = "line" if self._work.split == "Line" else "record"
        if item.batch.first == item.batch.last:
            return f"{what} {item.batch.first}"
        return f"{what}s {item.batch.first} to {item.batch.last}"

    # -- output -----------------------------------------------------------------------------------

    def _open_output(self) -> BinaryIO:
        """The present object's output, as long as the last note says."""
        if self._output is None:
            path = self._folder.output(self._progress.index)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            stream = os.fdopen(descriptor, "r+b")
            if stream.seek(0, os.SEEK_END) < self._progress.written:
                raise RuntimeError(f"{path} is shorter than what was noted as written")
            stream.seek(self._progress.written)
            stream.truncate()
            self._output = stream
            self._dirty.append(path)
        return self._output

    def _write(self, item: Request, data: bytes) -> None:
        self._open_output().write(data)
        self._unnoted_bytes += len(data)
        progress = self._progress
        self._progress = replace(
            progress,
            read=item.batch.end,
            line=item.batch.last + 1,
            written=progress.written + len(data),
            requests=progress.requests + (item.batch.records > 0),
        )

    def _complete(self, index: int) -> None:
        self._open_output()
        self._close_output()
        self._next(index)

    def _fail(self, index: int, reason: str) -> None:
        print(f"{self._work.objects[index]}: {reason}", flush=True)
        self._close_output()
        path = self._folder.output(index)
        path.unlink(missing_ok=True)
        self._dirty = [dirty for dirty in self._dirty if dirty != path]
        faults = (*self._progress.faults, Fault(index, reason))
        self._progress = replace(self._progress, faults=faults)
        self._next(index)

    def _close_output(self) -> None:
        if self._output is not None:
            self._output.close()
            self._output = None

    def _next(self, index: int) -> None:
        self._progress = replace(self._progress, index=index + 1, read=0, line=1, written=0)

    async def _note_regularly(self) -> None:
        while True:
            await asyncio.sleep(self._note_seconds)
            if self._progress is not self._saved:
                self._note()

    def _note(self) -> None:
        if self._output is not None:
            self._output.flush()
        self._progress.save(self._folder.progress, self._dirty)
        self._saved = self._progress
        present = self._folder.output(self._progress.index)
        self._dirty = [present] if self._output is not None else []
        self._unnoted_bytes = 0


async def _end(task: asyncio.Task[bytes] | None) -> None:
    if task is not None:
        task.cancel()
        with suppress(asyncio.CancelledError, Refused):
            await task


def _treatment(work: Work, *, single: bool) -> Treatment:
    return Treatment(
        kind=kind_of(work.content_type),
        lines=work.split == "Line",
        single=single,
        assemble=work.assemble,
        input_filter=JsonPath.parse(work.input_filter),
        output_filter=JsonPath.parse(work.output_filter),
        join=work.join,
        ids=work.ids,
        clock=time.time,
    )


def main() -> None:
    """Transform what is left; the folder is the ML root."""
    driver = Driver(DriverFolder(ContainerPaths.of().root))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(driver.run())


if __name__ == "__main__":
    main()
