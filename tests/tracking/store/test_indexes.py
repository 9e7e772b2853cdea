"""Indexes and statistics come onto any database of MLflow's, and stay out of its way."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from bottega.testing.run_samples import SampleRun, SampleStore
from bottega.tracking.store import indexes


def present(samples: SampleStore) -> set[str]:
    with closing(sqlite3.connect(samples.database)) as connection:
        found = connection.execute(
            "SELECT name FROM sqlite_master WHERE name LIKE 'bottega%' AND type = 'index'"
            " AND tbl_name NOT LIKE 'bottega%'"
        )
        return {name for (name,) in found}


def test_a_prepared_database_has_them_and_is_left_alone(samples: SampleStore) -> None:
    assert present(samples) == set(indexes.INDEXES)
    assert not indexes.prepare(samples.database)


def test_what_a_kill_left_undone_is_done_the_next_time(samples: SampleStore) -> None:
    samples.add(*[SampleRun(metrics={"auc": 0.5})] * 3)
    with closing(sqlite3.connect(samples.database)) as connection:
        connection.execute("DROP INDEX bottega_metrics_by_value")
        connection.execute("DROP INDEX bottega_tags_by_value")
    assert indexes.prepare(samples.database)
    assert present(samples) == set(indexes.INDEXES)
    assert not indexes.prepare(samples.database)


def test_they_can_be_taken_away(samples: SampleStore) -> None:
    indexes.drop(samples.database)
    assert present(samples) == set()
    indexes.drop(samples.database)


def test_a_search_of_a_metric_goes_through_its_index(samples: SampleStore) -> None:
    with samples.readers.read() as reader:
        plan = reader.connection.execute(
            "EXPLAIN QUERY PLAN SELECT r.run_uuid FROM latest_metrics s"
            " CROSS JOIN runs r ON r.run_uuid = s.run_uuid"
            " WHERE s.key = 'auc' AND s.is_nan = 0 ORDER BY s.value DESC LIMIT 5"
        ).fetchall()
    steps = [step for *_, step in plan]
    assert any("COVERING INDEX bottega_metrics_by_value" in step for step in steps)
