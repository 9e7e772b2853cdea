"""Group commit: every write is whole, and is there once it has returned."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from bottega.tracking.store.writes import Writes


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY)")
    return path


def numbers(database: Path) -> list[int]:
    with closing(sqlite3.connect(database)) as connection:
        return [number for (number,) in connection.execute("SELECT number FROM numbers")]


def add(*values: int, then: Exception | None = None) -> object:
    def work(connection: sqlite3.Connection) -> int:
        for value in values:
            connection.execute("INSERT INTO numbers VALUES (?)", (value,))
        if then is not None:
            raise then
        return sum(values)

    return work


def test_what_returned_can_be_read(database: Path) -> None:
    writes = Writes(database)
    assert writes.run(add(1, 2)) == 3  # type: ignore[arg-type]
    assert numbers(database) == [1, 2]
    writes.close()
    assert writes.run(add(3)) == 3  # type: ignore[arg-type]
    writes.close()


def test_a_work_that_raises_leaves_nothing_and_harms_nobody(database: Path) -> None:
    """All at once: the failing ones are in the same transactions as the others."""
    writes = Writes(database)
    start = threading.Barrier(16)

    def one(number: int) -> str:
        start.wait()
        then = ValueError(str(number)) if number % 3 == 0 else None
        try:
            writes.run(add(number, number + 100, then=then))  # type: ignore[arg-type]
        except ValueError as error:
            return str(error)
        return "written"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(one, range(16)))
    writes.close()
    expected = [str(number) if number % 3 == 0 else "written" for number in range(16)]
    assert outcomes == expected
    kept = [number for number in range(16) if number % 3]
    assert numbers(database) == sorted([*kept, *(number + 100 for number in kept)])


def test_an_error_of_the_database_is_one_of_its_work_alone(database: Path) -> None:
    writes = Writes(database)
    writes.run(add(7))  # type: ignore[arg-type]
    with pytest.raises(sqlite3.IntegrityError):
        writes.run(add(8, 7))  # type: ignore[arg-type]
    assert numbers(database) == [7]
    writes.close()


def test_who_waits_for_the_turn_shares_a_transaction(database: Path) -> None:
    writes = Writes(database)
    begun: list[str] = []
    writes.run(lambda connection: connection.set_trace_callback(begun.append))
    with ThreadPoolExecutor(8) as pool:
        with writes.turn:
            waiting = [pool.submit(writes.run, add(number)) for number in range(8)]  # type: ignore[arg-type]
            while len(writes._waiting) < 8:
                threading.Event().wait(0.001)
        assert [each.result() for each in waiting] == list(range(8))
    assert begun.count("COMMIT") == 2  # that of the first work, and one for all eight
    writes.close()


def test_a_database_that_cannot_be_written_is_told_to_all(tmp_path: Path) -> None:
    writes = Writes(tmp_path / "nowhere" / "some.db")
    with pytest.raises(sqlite3.OperationalError):
        writes.run(add(1))  # type: ignore[arg-type]
