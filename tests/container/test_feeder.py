"""What comes out of the pipes of a host, and when the feeder ends."""

from __future__ import annotations

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bottega.algorithms.readers.recordio import MAGIC_BYTES, read_records
from bottega.container import feeder
from bottega.container.feeder import Feed
from bottega.testing.job_folder import JobFolder

Entry = Sequence[int | str]


def describe(
    folder: Path, objects: Sequence[bytes], entries: Sequence[Entry] | None = None, **plan: Any
) -> Path:
    """The folder of a channel that sends these; by default each object by itself."""
    folder.mkdir(parents=True)
    whole = {"seed": None, "gzip": False, "recordio": False, "sharded": False} | plan
    (folder / "plan.json").write_text(json.dumps(whole))
    if entries is None:
        entries = [[number] for number in range(len(objects))]
    (folder / "entries").write_text("".join(f"{json.dumps(entry)}\n" for entry in entries))
    uris = (f"s3://data/{number}" for number in range(len(objects)))
    (folder / "uris").write_text("".join(f"{json.dumps(uri)}\n" for uri in uris))
    for number, data in enumerate(objects):
        path = folder / feeder.object_name(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


class Reader:
    """Reads the pipes of a channel whose feeder is a process of its own.

    A thread would still wait for a reader of the next epoch when the test is over, and fail in a
    later one.

    Args:
        before: what the process does before it feeds.
    """

    def __init__(self, folder: Path, host: int = 0, hosts: int = 1, before: str = "") -> None:
        self.pipe = str(folder.parent / "pipe")
        feeder.make_pipe(f"{self.pipe}_0")
        program = f"import os, sys\n{before}\nfrom bottega.container import feeder\n" + (
            "feeder.Feed(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])).run()"
        )
        arguments = [str(folder), self.pipe, str(host), str(hosts)]
        self.process = subprocess.Popen([sys.executable, "-c", program, *arguments])

    def read(self, epoch: int) -> bytes:
        with open(f"{self.pipe}_{epoch}", "rb") as stream:
            return stream.read()


StartReader = Callable[..., Reader]


@pytest.fixture
def reader_of() -> Iterator[StartReader]:
    readers: list[Reader] = []

    def start(*arguments: Any, **options: Any) -> Reader:
        readers.append(Reader(*arguments, **options))
        return readers[-1]

    yield start
    for reader in readers:
        assert reader.process.poll() is None, "the feeder ended by itself"
        reader.process.kill()
        reader.process.wait()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job").mkdir()
    return tmp_path / "job" / "channel"


LARGE = bytes(range(256)) * 12_000
"""More than a pipe holds, and than is read at once."""


def test_objects_follow_one_another_in_every_epoch(folder: Path, reader_of: StartReader) -> None:
    reader = reader_of(describe(folder, [b"1,2\n", LARGE, b"", b"3,4\n"]))
    for epoch in range(3):
        assert reader.read(epoch) == b"1,2\n" + LARGE + b"3,4\n"


def test_nothing_but_the_pipe_to_come_is_left_of_an_epoch(
    folder: Path, reader_of: StartReader
) -> None:
    reader = reader_of(describe(folder, [b"x"]))
    assert reader.read(0) == b"x"
    assert reader.read(1) == b"x"
    left = {path.name for path in folder.parent.iterdir()}
    assert left - {"pipe_3"} == {"channel", "pipe_2"}


def test_a_reader_that_leaves_early_gets_the_next_epoch_from_its_start(
    folder: Path, reader_of: StartReader
) -> None:
    reader = reader_of(describe(folder, [b"begin", LARGE, b"end"]))
    with open(f"{reader.pipe}_0", "rb", buffering=0) as stream:
        assert stream.read(5) == b"begin"
    os.close(os.open(f"{reader.pipe}_1", os.O_RDONLY))
    assert reader.read(2) == b"begin" + LARGE + b"end"


@pytest.mark.parametrize("before", ["", "del os.splice"])
def test_records_are_wrapped(folder: Path, reader_of: StartReader, before: str) -> None:
    tricky = b"abcd" + MAGIC_BYTES + b"e"
    entries = [[0, "1"], [1, '{"ä": "é"}'], [0, "2"], [2, ""]]
    reader = reader_of(
        describe(folder, [b"image", LARGE, tricky], entries, recordio=True), before=before
    )
    found = reader.read(0)
    assert len(found) % 4 == 0
    assert list(read_records(io.BytesIO(found))) == [
        *(b"image", b"1", LARGE, '{"ä": "é"}'.encode(), b"image", b"2", tricky, b""),
    ]


def test_without_wrapping_parts_follow_one_another(folder: Path, reader_of: StartReader) -> None:
    reader = reader_of(describe(folder, [b"image"], [[0, "1"], ["[2]"]]))
    assert reader.read(0) == b"image1[2]"


@pytest.mark.parametrize("recordio", [True, False])
def test_gzip_is_unpacked(folder: Path, reader_of: StartReader, recordio: bool) -> None:
    objects = [gzip.compress(LARGE), gzip.compress(b"a") + gzip.compress(b"b"), gzip.compress(b"")]
    reader = reader_of(describe(folder, objects, gzip=True, recordio=recordio))
    found = reader.read(0)
    if recordio:
        assert list(read_records(io.BytesIO(found))) == [LARGE, b"ab", b""]
    else:
        assert found == LARGE + b"ab"


def test_a_file_system_without_splice_is_read(folder: Path, reader_of: StartReader) -> None:
    refuse = """
def refuse(*arguments):
    raise OSError(22, "not on this file system")
os.splice = refuse
"""
    assert reader_of(describe(folder, [LARGE]), before=refuse).read(0) == LARGE


def lines_of(data: bytes) -> list[str]:
    return data.decode().split()


def test_every_epoch_has_an_order_of_its_own_that_the_seed_tells(
    folder: Path, reader_of: StartReader
) -> None:
    objects = [f"{number}\n".encode() for number in range(50)]
    described = describe(folder, objects, seed=7)
    epochs = [Feed(str(described), "", 0, 1).order(epoch) for epoch in range(3)]
    again = [Feed(str(described), "", 0, 1).order(epoch) for epoch in range(3)]
    assert epochs == again
    assert len({tuple(order) for order in epochs}) == 3
    reader = reader_of(described)
    for epoch, order in enumerate(epochs):
        assert sorted(order) == list(range(50))
        assert lines_of(reader.read(epoch)) == [str(number) for number in order]


@pytest.mark.parametrize("seed", [None, 3])
def test_hosts_share_what_is_sharded(folder: Path, seed: int | None) -> None:
    described = describe(folder, [b""] * 11, sharded=True, seed=seed)
    feeds = [Feed(str(described), "", host, 3) for host in range(3)]
    for epoch in range(3):
        shares = [feed.order(epoch) for feed in feeds]
        assert Counter(number for share in shares for number in share) == Counter(range(11))
        assert sorted(map(len, shares)) == [3, 4, 4]
    moved = feeds[0].order(0) != feeds[0].order(1)
    assert moved is (seed is not None)


def test_a_host_without_a_share_gets_an_empty_epoch(folder: Path, reader_of: StartReader) -> None:
    reader = reader_of(describe(folder, [b"only"], sharded=True), host=1, hosts=2)
    assert reader.read(0) == reader.read(1) == b""


# As a process beside the host's main process

READ = """
import os
data = os.environ["BOTTEGA_ML_ROOT"] + "/input/data/"
def read(name):
    with open(data + name, "rb") as stream:
        return stream.read()
"""


def script_job(tmp_path: Path, script: str, objects: Sequence[bytes], **plan: Any) -> JobFolder:
    """A job of a script with a channel ``train`` in Pipe mode."""
    job = JobFolder(tmp_path / "ml", {"sagemaker_program": "train.py"}, image="python")
    job.source({"train.py": READ + textwrap.dedent(script)})
    (job.root / "input" / "data").mkdir()
    job.config("inputdataconfig", {"train": {"TrainingInputMode": "Pipe"}})
    describe(job.root / "input" / ".pipe" / "train", objects, **plan)
    return job


def test_a_script_reads_epoch_after_epoch_and_nothing_hangs_at_its_end(tmp_path: Path) -> None:
    job = script_job(
        tmp_path,
        """
        print([len(read(f"train_{epoch}")) for epoch in range(3)])
        print(os.environ["SM_CHANNEL_TRAIN"], os.path.exists(data + "train"))
        """,
        [LARGE, b"x"],
    )
    ended = job.run()
    assert ended.returncode == 0, ended.stderr
    assert str([len(LARGE) + 1] * 3) in ended.stdout
    assert f"{job.root}/input/data/train False" in ended.stdout


def test_a_script_that_never_reads_ends(tmp_path: Path) -> None:
    ended = script_job(tmp_path, "print('done')", [b"x"]).run()
    assert ended.returncode == 0
    assert ended.stdout.endswith("done\n")


def test_the_feeder_outlives_what_a_script_does_to_its_own_group(tmp_path: Path) -> None:
    job = script_job(
        tmp_path,
        """
        import signal, sys
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        os.setsid() if os.getpid() != os.getpgid(0) else None
        os.killpg(0, signal.SIGUSR1)
        print(read("train_0"))
        """,
        [b"rows"],
    )
    assert "b'rows'" in job.run().stdout


def test_a_script_that_becomes_another_program_is_fed(tmp_path: Path) -> None:
    job = script_job(
        tmp_path,
        """
        import sys
        print(read("train_0"), flush=True)
        os.execvp("cat", ["cat", data + "train_1"])
        """,
        [b"rows\n"],
    )
    assert job.run().stdout.endswith("b'rows\\n'\nrows\n")


@pytest.mark.parametrize("recordio", [True, False])
def test_damaged_data_end_the_job_before_it_can_take_them_for_whole(
    tmp_path: Path, recordio: bool
) -> None:
    job = script_job(
        tmp_path,
        "read('train_0'); open(data + 'trained', 'w')",
        [gzip.compress(b"good"), gzip.compress(LARGE)[:-9], b"x"],
        gzip=True,
        recordio=recordio,
    )
    ended = job.run()
    assert ended.returncode == -signal.SIGKILL
    assert job.failure.startswith("ClientError: channel 'train': s3://data/1 cannot be unpacked")
    assert job.failure in ended.stderr
    assert not (job.root / "input" / "data" / "trained").exists()


def test_what_is_no_gzip_is_told(tmp_path: Path) -> None:
    job = script_job(tmp_path, "read('train_0')", [b"plain"], gzip=True)
    job.run()
    assert "Not a gzipped file" in job.failure


def test_a_file_that_is_gone_is_the_platforms_fault(tmp_path: Path) -> None:
    job = script_job(tmp_path, "read('train_0')", [b"x"])
    (job.root / "input" / ".pipe" / "train" / feeder.object_name(0)).unlink()
    job.run()
    assert job.failure.startswith(
        "InternalServerError: channel 'train' cannot be fed: FileNotFound"
    )


def test_the_feeder_ends_when_the_host_is_killed(tmp_path: Path) -> None:
    job = script_job(tmp_path, "print('up', flush=True); read('train_0'); read('never_0')", [b"x"])
    os.mkfifo(job.root / "input" / "data" / "never_0")
    process = job.start()
    assert process.stdout is not None
    assert any(line == "up\n" for line in process.stdout)
    process.kill()
    # Both hold the other ends of these: they end when the last of them is gone.
    process.communicate(timeout=60)


def test_a_container_entrypoint_is_fed(tmp_path: Path) -> None:
    job = script_job(tmp_path, "", [b"rows\n"])
    command = [sys.executable, "-m", "bottega.container.entrypoint", "/bin/sh", "-c"]
    text = 'cat "$0/input/data/train_0" "$0/input/data/train_1"; kill -PIPE $$; echo not here'
    ended = subprocess.run(
        [*command, text, str(job.root)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            **job.variables(),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.stdout == "rows\nrows\n"
    assert ended.returncode == -signal.SIGPIPE


@pytest.mark.parametrize(("program", "code"), [("no-such-program", 127), ("/tmp", 126)])
def test_an_entrypoint_that_cannot_be_run_is_told(tmp_path: Path, program: str, code: int) -> None:
    job = script_job(tmp_path, "", [b"rows\n"])
    ended = subprocess.run(
        [sys.executable, "-m", "bottega.container.entrypoint", program],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(sys.path),
            **job.variables(),
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == code
    assert f"bottega: cannot run {program!r}" in ended.stderr


def test_an_algorithm_learns_from_a_pipe(tmp_path: Path) -> None:
    job = JobFolder(tmp_path / "ml", {"num_round": "2"})
    (job.root / "input" / "data").mkdir()
    pipe = {"TrainingInputMode": "Pipe", "ContentType": "text/csv"}
    job.config("inputdataconfig", {"train": pipe})
    rows = [f"{n % 3},{n},{n * n}\n".encode() for n in range(60)]
    describe(job.root / "input" / ".pipe" / "train", [b"".join(rows[:30]), b"".join(rows[30:])])
    ended = job.run()
    assert ended.returncode == 0, ended.stderr + job.failure
    assert (job.root / "model" / "xgboost-model").exists()
