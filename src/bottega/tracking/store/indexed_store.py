"""MLflow's own store on SQLite: searches that use our indexes, metrics that share commits."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow.entities import (
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import TEMPORARILY_UNAVAILABLE
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.utils import validation
from mlflow.utils.search_utils import SearchUtils

from bottega.tracking.store import indexes, metric_points, query, search
from bottega.tracking.store.connections import Reader, Readers
from bottega.tracking.store.writes import Writes

log = logging.getLogger(__name__)

SCHEME = "sqlite"
STATISTICS_SECONDS = 30.0
"""How often somebody looks whether the tables have outgrown their statistics."""
IDS_AT_ONCE = 5000


class IndexedStore(SqlAlchemyStore):
    """Answers ``search_runs`` and keeps metrics as the class it extends does, sooner."""

    def __init__(self, db_uri: str, default_artifact_root: str, read_db_uri: Any = None) -> None:
        """Open the store; arguments as MLflow's."""
        super().__init__(db_uri, default_artifact_root, read_db_uri)  # type: ignore[no-untyped-call]
        self.database = Path(db_uri.removeprefix("sqlite:///"))
        self.readers = Readers(self.database)
        self.writes = Writes(self.database)
        self.ManagedSessionMaker = self._in_turn(self.ManagedSessionMaker)

    def _in_turn(self, sessions: Any) -> Any:
        """MLflow's sessions, of which those that write wait for each other and for our writes.

        SQLite has whoever wants to write sleep and look again, up to a tenth of a second each time:
        beside a writer that goes on and on somebody would look for a long while.
        """

        @contextmanager
        def managed(read_only: bool = True) -> Iterator[Any]:
            if read_only:
                with sessions(read_only=True) as session:
                    yield session
            else:
                with self.writes.turn, sessions(read_only=False) as session:
                    yield session

        return managed

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric],
        params: Sequence[Param],
        tags: Sequence[RunTag],
    ) -> None:
        """Log a batch as MLflow does; one of metrics alone is a single write."""
        if not metrics or params or tags or any(metric.model_id for metric in metrics):
            super().log_batch(run_id, metrics, params, tags)  # type: ignore[no-untyped-call]
            return
        check: Any = validation
        check._validate_run_id(run_id)
        check._validate_batch_log_data(metrics, params, tags)
        check._validate_batch_log_limits(metrics, params, tags)
        self._log_metrics(run_id, metrics)

    def _log_metrics(self, run_id: str, metrics: Sequence[Metric]) -> None:
        check: Any = validation
        for number, metric in enumerate(metrics):
            path = "" if len(metrics) == 1 else f"metrics[{number}]"
            check._validate_metric(metric.key, metric.value, metric.timestamp, metric.step, path)
        points = [
            metric_points.point(metric.key, metric.value, metric.timestamp, metric.step)
            for metric in metrics
        ]
        try:
            written = self.writes.run(
                lambda connection: metric_points.insert(connection, run_id, points)
            )
        except sqlite3.OperationalError as error:
            raise MlflowException(str(error), TEMPORARILY_UNAVAILABLE) from error
        if not written:  # MLflow has the words for why
            super()._log_metrics(run_id, metrics)  # type: ignore[no-untyped-call]

    def _search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None,
        run_view_type: Any,
        max_results: int | None,
        order_by: Sequence[str] | None,
        page_token: str | None,
    ) -> tuple[list[Run], str | None]:
        check: Any = self._validate_max_results_param
        check(max_results, allow_null=True)
        language: Any = SearchUtils
        conditions = query.parse_conditions(filter_string)
        order = query.parse_order(order_by)
        if conditions is None or order is None:
            found: tuple[list[Run], str | None] = super()._search_runs(  # type: ignore[no-untyped-call]
                experiment_ids, filter_string, run_view_type, max_results, order_by, page_token
            )
            return found
        offset = language.parse_start_offset_from_page_token(page_token)
        question = query.RunQuery(
            query.numbers(experiment_ids), query.stages_of(run_view_type), conditions, order
        )
        with self.readers.read() as reader:
            limit = None if max_results is None else max_results + 1
            ids = search.page(reader, question, offset, limit)
            token = None
            if max_results is not None and len(ids) > max_results:
                token = language.create_page_token(offset + max_results)
                ids = ids[:max_results]
            runs = entities(reader, ids)
            if not _linked(reader, ids):
                return runs, token
        with self.ManagedSessionMaker() as session:
            inputs = self._get_run_inputs(session, ids)  # type: ignore[no-untyped-call]
            outputs = self._get_model_outputs_bulk(ids, session)
        return [
            Run(
                run.info,
                run.data,
                RunInputs(dataset_inputs=used),
                RunOutputs(outputs[run.info.run_id]),
            )
            for run, used in zip(runs, inputs, strict=True)
        ], token

    def keep_statistics(self) -> None:
        """Renew the statistics whenever the tables have grown a lot, for as long as this lives."""
        while True:
            time.sleep(STATISTICS_SECONDS)
            try:
                self.renew_statistics()
            except sqlite3.Error as error:
                log.warning("the statistics of %s stay as they are: %s", self.database, error)

    def renew_statistics(self) -> bool:
        """Make statistics if they are needed; returns whether they were."""
        if not indexes.prepare(self.database):
            return False
        # An open connection goes on with the statistics that it found when it was opened.
        self.engine.dispose()
        self.readers.close()
        self.writes.close()
        return True


def _linked(reader: Reader, ids: Sequence[str]) -> bool:
    """Whether any of the runs has data sets or models; few have, and MLflow's way of asking for
    them takes longer than all the rest of a page."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = tuple(ids[start : start + IDS_AT_ONCE])
        places = ", ".join("?" * len(some))
        (found,) = reader.connection.execute(
            "SELECT EXISTS (SELECT 1 FROM inputs WHERE destination_type = 'RUN'"
            f" AND destination_id IN ({places})) OR EXISTS (SELECT 1 FROM inputs"
            f" WHERE source_type = 'RUN_OUTPUT' AND source_id IN ({places}))",
            some * 2,
        ).fetchone()
        if found:
            return True
    return False


def entities(reader: Reader, ids: Sequence[str]) -> list[Run]:
    """MLflow's entities of runs, in the order of the ids, without what :func:`_linked` is about."""
    found: dict[str, Run] = {}
    for start in range(0, len(ids), IDS_AT_ONCE):
        for run in _some_entities(reader, ids[start : start + IDS_AT_ONCE]):
            found[run.info.run_id] = run
    return [found[run] for run in ids]


def _some_entities(reader: Reader, ids: Sequence[str]) -> Iterator[Run]:
    places = ", ".join("?" * len(ids))

    def rows(columns: str, table: str) -> Iterator[Any]:
        statement = f"SELECT {columns} FROM {table} WHERE run_uuid IN ({places})"
        return reader.connection.execute(statement, tuple(ids))

    metrics: dict[str, list[Metric]] = defaultdict(list)
    for run, key, value, is_nan, timestamp, step in rows(
        "run_uuid, key, value, is_nan, timestamp, step", "latest_metrics"
    ):
        metrics[run].append(Metric(key, float("nan") if is_nan else value, timestamp, step))
    params: dict[str, list[Param]] = defaultdict(list)
    for run, key, value in rows("run_uuid, key, value", "params"):
        params[run].append(Param(key, value))
    tags: dict[str, list[RunTag]] = defaultdict(list)
    names: dict[str, str] = {}
    for run, key, value in rows("run_uuid, key, value", "tags"):
        tags[run].append(RunTag(key, value))
        if key == query.RUN_NAME_TAG:
            names[run] = value
    for run, name, experiment, user, status, start, end, stage, artifacts in rows(
        "run_uuid, name, experiment_id, user_id, status, start_time, end_time,"
        " lifecycle_stage, artifact_uri",
        "runs",
    ):
        info = RunInfo(
            run_id=run,
            # The oldest runs have their name in a tag only.
            run_name=name or names.get(run) or name,
            experiment_id=str(experiment),
            user_id=user,
            status=status,
            start_time=start,
            end_time=end,
            lifecycle_stage=stage,
            artifact_uri=artifacts,
        )
        data = RunData(metrics[run], params[run], tags[run])
        yield Run(info, data, RunInputs(dataset_inputs=[]), RunOutputs([]))


def install() -> Callable[[], IndexedStore]:
    """Make MLflow's server use this store for SQLite.

    Returns:
        What gives the server's store, once MLflow has opened it.
    """
    from mlflow.server import handlers

    opened: list[IndexedStore] = []

    def open_store(store_uri: str, artifact_uri: str) -> IndexedStore:
        store = IndexedStore(store_uri, artifact_uri)
        opened.append(store)
        threading.Thread(target=store.keep_statistics, daemon=True, name="statistics").start()
        return store

    registry: Any = handlers._tracking_store_registry
    registry.register(SCHEME, open_store)
    return lambda: opened[-1]
