"""The store of metrics in SQLite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bottega.clock import ManualClock
from bottega.metrics.sqlite_store import SqliteMetricStore
from bottega.metrics.store import MetricStore
from bottega.testing.metric_store_case import MetricStoreCase


class TestSqliteMetricStore(MetricStoreCase):
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "metrics.sqlite"

    @pytest.fixture
    def store(self, file: Path, clock: ManualClock) -> Iterator[MetricStore]:
        opened = SqliteMetricStore(file, clock)
        yield opened
        opened.close()

    @pytest.fixture
    def reopen(self, file: Path, clock: ManualClock) -> Callable[[], MetricStore]:
        return lambda: SqliteMetricStore(file, clock)

    def test_only_the_owner_may_read_it(self, store: MetricStore, file: Path) -> None:
        assert file.stat().st_mode & 0o777 == 0o600
