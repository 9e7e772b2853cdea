"""The program that sends the records, over a model server made of a few lines: whatever ends it,
and whenever, it goes on to the same result.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.features.transform.driver import Driver, Pace
from bottega.features.transform.progress import DriverFolder, Progress, Work

Answer = Callable[[str, bytes], tuple[int, bytes]]
"""Path and body to status and body."""


def bracketed(path: str, body: bytes) -> tuple[int, bytes]:
    lines = body.removesuffix(b"\n").split(b"\n")
    return 200, b"".join(b"<%s>\n" % line for line in lines)


def work(socket: Path, count: int, **changes: Any) -> Work:
    values: dict[str, Any] = {
        "socket": str(socket),
        "objects": tuple(f"s3://b/{n}" for n in range(count)),
        "content_type": "text/plain",
        "accept": "",
        "gzip": False,
        "split": "Line",
        "strategy": "MultiRecord",
        "concurrency": 1,
        "payload_mb": 1,
        "timeout": 10.0,
        "retries": 0,
        "assemble": True,
        "input_filter": "$",
        "output_filter": "$",
        "join": False,
        "ids": False,
    }
    return Work(**{**values, **changes})


class Bench:
    """A driver's folder, and a model server."""

    def __init__(self, root: Path, files: list[bytes], answer: Answer, **changes: Any) -> None:
        self.folder = DriverFolder(root)
        self.folder.inputs.mkdir()
        self.folder.outputs.mkdir()
        for index, content in enumerate(files):
            self.folder.input(index).write_bytes(content)
        self.socket = root / "s"
        work(self.socket, len(files), **changes).save(self.folder.task)
        self.answer = answer
        self.seen: list[tuple[str, bytes]] = []
        self._open = 0
        self.outputs: list[bytes] = []
        self.progress = Progress()

    async def run(self, cuts: list[int]) -> None:
        """Run drivers to the end; each of ``cuts`` ends one after so many requests."""
        server = await asyncio.start_unix_server(self._serve, str(self.socket))
        async with server:
            for cut in cuts:
                self.seen.clear()
                running = asyncio.ensure_future(Driver(self.folder, note_seconds=0.0).run())
                while not running.done() and len(self.seen) < cut:
                    await asyncio.sleep(0)
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            await Driver(self.folder).run()
            while self._open:
                await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in lines if line)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                path = first.split(" ")[1]
                status, answer = (200, b"")
                if path != "/ping":
                    self.seen.append((path, body))
                    status, answer = self.answer(path, body)
                writer.write(b"HTTP/1.1 %d x\r\ncontent-length: %d\r\n\r\n" % (status, len(answer)))
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
            self._open -= 1


def run(
    files: list[bytes], answer: Answer = bracketed, cuts: list[int] | None = None, **changes: Any
) -> Bench:
    with tempfile.TemporaryDirectory() as root:
        bench = Bench(Path(root), files, answer, **changes)
        asyncio.run(bench.run(cuts or []))
        paths = sorted(bench.folder.outputs.iterdir(), key=lambda path: int(path.name))
        bench.outputs = [path.read_bytes() for path in paths]
        bench.progress = Progress.load(bench.folder.progress)
        return bench


LINE = st.text(st.sampled_from("ab,1"), max_size=5)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(LINE, max_size=12), min_size=1, max_size=4),
    st.sampled_from(["SingleRecord", "MultiRecord"]),
    st.integers(1, 5),
    st.lists(st.integers(0, 12), max_size=3),
)
def test_whenever_it_ends_the_result_is_the_same(
    objects: list[list[str]], strategy: str, concurrency: int, cuts: list[int]
) -> None:
    files = ["\n".join(lines).encode() for lines in objects]
    bench = run(files, cuts=cuts, strategy=strategy, concurrency=concurrency)
    outputs, progress = bench.outputs, bench.progress
    assert outputs == [
        b"".join(f"<{line}>\n".encode() for line in lines if line) for lines in objects
    ]
    assert progress.finished
    assert not progress.faults


def test_a_failed_object_leaves_no_output_and_the_next_is_done() -> None:
    def answer(path: str, body: bytes) -> tuple[int, bytes]:
        return (400, b"bad customer") if body == b"x\n" else bracketed(path, body)

    bench = run([b"1\n", b"2\nx\n3\n4\n", b"5\n"], answer, strategy="SingleRecord", concurrency=4)
    outputs, progress = bench.outputs, bench.progress
    assert outputs == [b"<1>\n", b"<5>\n"]
    (fault,) = progress.faults
    assert fault.index == 1
    assert fault.reason == 'line 2: client error (400) from the model with message "bad customer"'


def test_a_failed_request_is_sent_again() -> None:
    calls: list[bytes] = []

    def answer(path: str, body: bytes) -> tuple[int, bytes]:
        calls.append(body)
        return (500, b"") if len(calls) < 3 else bracketed(path, body)

    bench = run([b"1\n"], answer, retries=2)
    assert bench.outputs == [b"<1>\n"]
    assert calls == [b"1\n"] * 3


def test_a_refusal_is_not() -> None:
    bench = run([b"1\n"], lambda path, body: (415, b"no"), retries=3)
    assert len(bench.seen) == 1


def test_the_model_says_what_the_job_leaves_open() -> None:
    parameters = {
        "MaxConcurrentTransforms": 3,
        "BatchStrategy": "SINGLE_RECORD",
        "MaxPayloadInMB": 2,
    }

    def answer(path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/execution-parameters":
            return 200, json.dumps(parameters).encode()
        return bracketed(path, body)

    bench = run([b"1\n2\n"], answer, strategy=None, concurrency=None, payload_mb=None)
    assert [body for path, body in bench.seen if path == "/invocations"] == [b"1\n", b"2\n"]
    assert bench.outputs == [b"<1>\n<2>\n"]


def pace(parameters: Mapping[str, Any], **changes: Any) -> Pace:
    given = {"strategy": None, "concurrency": None, "payload_mb": None, **changes}
    return Pace.of(work(Path("/s"), 0, **given), parameters)


def test_what_the_job_says_goes_before_what_the_model_says() -> None:
    said = {"MaxConcurrentTransforms": 3, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}
    assert pace(said) == Pace(3, 2, single=True)
    assert pace(said, strategy="MultiRecord", concurrency=5, payload_mb=0) == Pace(5, 0, False)
    assert pace({}) == Pace(1, 6, single=False)


def test_what_the_model_says_is_kept_in_bounds() -> None:
    assert pace({"MaxConcurrentTransforms": 900, "MaxPayloadInMB": 900}) == Pace(1, 100, False)
    assert pace({"MaxPayloadInMB": 900}, concurrency=4) == Pace(4, 25, single=False)
    assert pace({"MaxConcurrentTransforms": 900}) == Pace(16, 6, single=False)
    assert pace({"MaxConcurrentTransforms": "x", "MaxPayloadInMB": -1}) == Pace(1, 6, False)
