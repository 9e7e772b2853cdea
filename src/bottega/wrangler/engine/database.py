"""One DuckDB database: its limits, and what it may touch."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from bottega.wrangler.errors import DataError

_SHARE_OF_MEMORY = 0.5
_LEAST_MEMORY = 256 << 20


class Database:
    """A database in a folder of its own, which it removes when it is closed.

    Tables larger than the memory it may use live in the folder. May be used from several threads;
    each statement gets a cursor of its own.

    Args:
        folder: where to work; a temporary one when None.
        memory: bytes it may use; half of the machine's when None.
        threads: as many as the process may use when None.
    """

    def __init__(
        self, folder: Path | None = None, *, memory: int | None = None, threads: int | None = None
    ) -> None:
        if folder is None:
            folder = Path(tempfile.mkdtemp(prefix="bottega-wrangler-"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self.memory = memory or default_memory()
        self.threads = threads or len(os.sched_getaffinity(0))
        self._connection = duckdb.connect(
            folder / "tables.duckdb",
            config={
                "memory_limit": f"{self.memory >> 20}MiB",
                "threads": self.threads,
                "temp_directory": str(folder / "spill"),
                "preserve_insertion_order": True,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        self._names = iter(range(1 << 62))
        self._unwanted: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give everything back; tables are gone."""
        self._connection.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def free_name(self, prefix: str) -> str:
        """A name that no table has had. Whoever asks is about to keep something more, so what
        nobody wants any more is removed first."""
        while self._unwanted:
            self._unwanted.popleft()()
        with self._lock:
            return f"{prefix}_{next(self._names)}"

    def remove_with(self, owner: object, remove: Callable[[], object]) -> None:
        """Remove something of the database's once an object is gone.

        It happens at the next :meth:`free_name`: an object may go at any moment, also while its
        thread is inside the engine.
        """
        weakref.finalize(owner, self._unwanted.append, remove).atexit = False

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one statement.

        Raises:
            DataError: the data are not what the statement needs; the engine's words say why.
        """
        cursor = self._connection.cursor()
        try:
            yield cursor
        except (duckdb.DataError, duckdb.InvalidInputException, duckdb.IOException) as error:
            raise DataError(f"{_first_line(error)}") from error
        except duckdb.OutOfMemoryException as error:
            raise DataError(
                f"This needs more than the {self.memory >> 20} MiB of memory it may use. Prepare "
                "fewer rows, drop columns first, or give it more memory."
            ) from error
        finally:
            cursor.close()

    def execute(self, sql: str) -> None:
        """Run a statement for its effect."""
        with self.cursor() as cursor:
            cursor.execute(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self.cursor() as cursor:
            return cursor.execute(sql).fetchall()

    def arrow(self, sql: str) -> Any:
        """The rows of a query as a ``pyarrow.Table``."""
        with self.cursor() as cursor:
            return cursor.sql(sql).to_arrow_table()

    def described(self, sql: str) -> Sequence[tuple[str, str]]:
        """The names and the engine's types of a query's columns; the query does not run."""
        with self.cursor() as cursor:
            return [(row[0], row[1]) for row in cursor.execute(f"DESCRIBE {sql}").fetchall()]


def default_memory() -> int:
    """Half of what the machine, or the control group, has."""
    import psutil

    total = psutil.virtual_memory().total
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            total = min(total, int(Path(path).read_text()))
        except (OSError, ValueError):  # not under such a group, or "max"
            continue
    return max(int(total * _SHARE_OF_MEMORY), _LEAST_MEMORY)


def _first_line(error: Exception) -> str:
    return str(error).split("\n\n", 1)[0].replace("\n", " ")
