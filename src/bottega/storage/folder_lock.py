"""One process at a time: a lock file that the system lets go of when its holder dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreInUse(Exception):
    """Another process, or another store of this process, has the folder open."""


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock file.

    Raises:
        StoreInUse: somebody else holds it.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreInUse(
                f"{file.parent} is open already; only one process at a time may use an object store"
            ) from error
        yield
    finally:
        os.close(descriptor)
