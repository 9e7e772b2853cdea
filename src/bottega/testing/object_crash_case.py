"""What every object store must pass: a kill in the middle of writing."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bottega.storage.objects import ObjectStore
from bottega.testing.object_store_samples import bytes_of, read


@dataclass(frozen=True)
class CrashSite:
    """A store for a process that will be killed."""

    opening: str
    """Python source that leaves the store in the variable ``store``."""
    reopen: Callable[[], ObjectStore]


class ObjectCrashCase:
    """Kills; a part of :class:`~bottega.testing.object_store_case.ObjectStoreCase`."""

    @pytest.mark.parametrize("acknowledged", [3, 40, 120])
    def test_a_kill_loses_nothing_acknowledged(
        self, crash_site: CrashSite, acknowledged: int
    ) -> None:
        program = crash_site.opening + _WRITER
        with subprocess.Popen(
            [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(acknowledged)]
            process.send_signal(signal.SIGKILL)
            # What was written to the pipe before the kill was acknowledged as well.
            lines += process.stdout.readlines()
        versions: dict[str, int] = {}
        for line in lines:
            if line.endswith("\n"):
                key, number = line.split()
                versions[key] = int(number)
        store = crash_site.reopen()
        try:
            found = {info.key: info for info in store.each("b")}
            assert versions.keys() <= found.keys()
            for key, info in found.items():
                data = read(store, "b", key)
                version = int(data[:8])
                assert version >= versions.get(key, 0)
                assert data == written_version(key, version)
                assert info.size == len(data)
        finally:
            store.close()


def written_version(key: str, version: int) -> bytes:
    """What the process that is killed writes under a key, its version in the first eight bytes."""
    size = (0, 5_000, 70_000, 400_000)[(version + len(key)) % 4]
    return f"{version:08}".encode() + bytes_of(size, version)


_WRITER = textwrap.dedent(
    """
    import hashlib, sys, threading
    from bottega.testing.object_crash_case import written_version

    store.ensure_bucket("b")
    said = threading.Lock()

    def write(name):
        for version in range(1, 10_000):
            data = written_version(name, version)
            if version % 3:
                store.put("b", name, data)
            else:
                upload = store.begin_upload("b", name)
                half = len(data) // 2
                halves = enumerate((data[:half], data[half:]), start=1)
                parts = [store.put_part(upload, number, each) for number, each in halves]
                store.complete_upload(upload, [(part.number, part.etag) for part in parts])
            with said:
                sys.stdout.write(f"{name} {version}\\n")
                sys.stdout.flush()

    for name in ("a", "bb", "ccc", "dddd"):
        threading.Thread(target=write, args=(name,)).start()
    """
)
