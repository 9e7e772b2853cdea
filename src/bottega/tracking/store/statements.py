"""Pieces of SQL for SQLite, each with the values for its places."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bottega.tracking.store.query import COLUMNS, DURATION, Condition, RunQuery, SortKey

TABLES = {"metric": "latest_metrics", "param": "params", "tag": "tags"}

_SIMPLE = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


@dataclass(frozen=True)
class Sql:
    """A piece of a statement."""

    text: str
    values: tuple[Any, ...] = ()

    def __add__(self, other: Sql | str) -> Sql:
        if isinstance(other, str):
            return Sql(self.text + other, self.values)
        return Sql(self.text + other.text, (*self.values, *other.values))


def joined(parts: Iterable[Sql], separator: str) -> Sql:
    """The pieces with a separator in between."""
    found = tuple(parts)
    return Sql(
        separator.join(part.text for part in found),
        tuple(value for part in found for value in part.values),
    )


def comparison(column: str, comparator: str, value: Any) -> Sql:
    """A column compared with a value, as SQLAlchemy writes it for SQLite."""
    if comparator in _SIMPLE:
        return Sql(f"{column} {_SIMPLE[comparator]} ?", (value,))
    if comparator == "LIKE":
        return Sql(f"{column} LIKE ?", (value,))
    if comparator == "ILIKE":
        return Sql(f"lower({column}) LIKE lower(?)", (value,))
    places = ", ".join("?" * len(value))
    if comparator in ("IN", "NOT IN"):
        return Sql(f"{column} {comparator} ({places})", tuple(value))
    raise ValueError(f"no comparator {comparator}")


def is_member(query: RunQuery) -> Sql:
    """Whether the run ``r`` is in the experiments and stages that are searched."""
    ids = ", ".join(str(int(number)) for number in query.experiment_ids)
    places = ", ".join("?" * len(query.stages))
    return Sql(
        f"r.experiment_id IN ({ids}) AND r.lifecycle_stage IN ({places})", tuple(query.stages)
    )


def indexed(condition: Condition) -> bool:
    """Whether the runs that meet the condition can be listed without looking at each run."""
    return condition.kind in TABLES and condition.comparator not in ("IS NULL", "LACKS")


def ids(condition: Condition) -> Sql:
    """The ids of all runs that meet an :func:`indexed` condition, each once."""
    table = TABLES[condition.kind]
    return Sql(f"SELECT x.run_uuid FROM {table} x WHERE ") + _of_key(condition)


def holds(condition: Condition) -> Sql:
    """Whether the condition holds for the run ``r``, by looking it up."""
    if condition.kind == "attribute":
        column = f"r.{COLUMNS[condition.key]}"
        if condition.comparator == "HAS":
            return Sql(f"{column} IS NOT NULL")
        return comparison(column, condition.comparator, condition.value)
    if condition.kind == "dataset":
        return _used_dataset(condition)
    table = TABLES[condition.kind]
    negated = condition.comparator in ("IS NULL", "LACKS")
    start = "NOT EXISTS" if negated else "EXISTS"
    of_run = f"{start} (SELECT 1 FROM {table} x WHERE x.run_uuid = r.run_uuid AND "
    return Sql(of_run) + _of_key(condition) + ")"


def _of_key(condition: Condition) -> Sql:
    key = Sql("x.key = ?", (condition.key,))
    comparator = condition.comparator
    if comparator in ("IS NULL", "IS NOT NULL"):
        return key  # whether there is a row at all
    if comparator == "IS NAN":
        return key + " AND x.is_nan = 1"
    if comparator in ("HAS", "LACKS"):
        if condition.kind == "metric":
            return key + (" AND x.is_nan = 0" if comparator == "HAS" else "")
        return key + " AND x.value IS NOT NULL"
    holds = comparison("x.value", comparator, condition.value)
    if condition.kind != "metric":
        return key + " AND " + holds
    # NaN is kept as 0 with a mark; it is different from everything, and nothing else.
    if comparator == "!=":
        return key + " AND (" + holds + " OR x.is_nan = 1)"
    return key + " AND x.is_nan = 0 AND " + holds


def _used_dataset(condition: Condition) -> Sql:
    start = (
        "EXISTS (SELECT 1 FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
        " WHERE i.destination_type = 'RUN' AND i.destination_id = r.run_uuid AND "
    )
    if condition.key == "context":
        tag = comparison("t.value", condition.comparator, condition.value)
        inner = "EXISTS (SELECT 1 FROM input_tags t WHERE t.input_uuid = i.input_uuid"
        return Sql(f"{start}{inner} AND t.name = 'mlflow.data.context' AND ") + tag + "))"
    columns = {"name": "d.name", "digest": "d.digest"}
    return (
        Sql(start) + comparison(columns[condition.key], condition.comparator, condition.value) + ")"
    )


@dataclass(frozen=True)
class Ordering:
    """How runs are sorted when they have been found: what must be joined, and by what."""

    joins: Sql
    clauses: str


def ordering(query: RunQuery) -> Ordering:
    """The order of a query over the run ``r`` and what is joined to it."""
    joins: list[Sql] = []
    clauses: list[str] = []
    for number, key in enumerate(query.order):
        way = "ASC" if key.ascending else "DESC"
        if key.kind == "attribute":
            clauses += attribute_clauses(key)
            continue
        alias = f"s{number}"
        joins.append(
            Sql(
                f" LEFT JOIN {TABLES[key.kind]} {alias}"
                f" ON {alias}.key = ? AND {alias}.run_uuid = r.run_uuid",
                (key.key,),
            )
        )
        nan = f"WHEN {alias}.is_nan = 1 THEN 1 " if key.kind == "metric" else ""
        clauses.append(f"CASE {nan}WHEN {alias}.value IS NULL THEN 2 ELSE 0 END")
        clauses.append(f"{alias}.value {way}")
    return Ordering(joined(joins, ""), ", ".join([*clauses, *natural(query.order)]))


def attribute_clauses(key: SortKey) -> list[str]:
    """An order by an attribute, runs without it last."""
    column = "r.end_time - r.start_time" if key.key == DURATION else f"r.{COLUMNS[key.key]}"
    if not key.ascending:
        return [f"{column} DESC"]  # SQLite takes nothing for the least: it comes last
    return [f"{column} IS NULL", f"{column} ASC"]


def natural(order: tuple[SortKey, ...]) -> list[str]:
    """What decides between runs that an order does not tell apart."""
    by_start = any(key.kind == "attribute" and key.key == "start_time" for key in order)
    return [*([] if by_start else ["r.start_time DESC"]), "r.run_uuid ASC"]
