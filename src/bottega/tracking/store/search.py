"""Answers a search for runs on SQLite, the cheaper of two ways.

*Collecting* finds all runs that match, by the conditions that few meet, and sorts them.
*Walking* goes through an index in the wanted order, and looks each run up until the page is full.
Counting collects always; a total is remembered until something is written.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from bottega.tracking.store.connections import REMEMBERED, Reader
from bottega.tracking.store.query import NEWEST_FIRST, Condition, RunQuery
from bottega.tracking.store.statements import (
    TABLES,
    Sql,
    holds,
    ids,
    indexed,
    is_member,
    joined,
    natural,
    ordering,
)

LOOKUPS = 3
"""Looking up so many runs one by one costs what listing one more match of a condition does not."""
STEP = 8
"""What a look-up on a walk costs, of which none is near the one before; as listed matches."""


def page(reader: Reader, query: RunQuery, offset: int, limit: int | None) -> list[str]:
    """The ids of the runs in one window of the query's order.

    Args:
        offset: how many to leave out from its start.
        limit: how many to answer at most; None answers all.
    """
    if not query.experiment_ids or not query.stages:
        return []
    if limit is not None and walkable(query) and _walk_is_cheaper(reader, query, offset + limit):
        return walked(reader, query, offset, limit)
    return collected(reader, query, offset, limit)


def page_and_total(
    reader: Reader, query: RunQuery, offset: int, limit: int
) -> tuple[list[str], int]:
    """:func:`page`, and how many runs match.

    Where the matches must be found for their number, their order costs little more, unless it needs
    further look-ups.
    """
    counted = not query.conditions or query.identity() in reader.totals
    orders = query.order or (NEWEST_FIRST,)
    if counted or any(key.kind != "attribute" for key in orders):
        return page(reader, query, offset, limit), count(reader, query)
    if not query.experiment_ids or not query.stages:
        return [], 0
    return collected(reader, query, offset, limit), count(reader, query)


def collected(reader: Reader, query: RunQuery, offset: int, limit: int | None) -> list[str]:
    """:func:`page` by finding everything that matches and sorting it.

    The total comes along where there is a filter, and is remembered: a count would find it all
    over again.
    """
    most = -1 if limit is None else limit
    sort = ordering(query)
    total = "count(*) OVER ()" if query.conditions else "NULL"
    statement = (
        Sql(f"SELECT r.run_uuid, {total}")
        + _collected(reader, query, sort.joins)
        + Sql(f" ORDER BY {sort.clauses} LIMIT ? OFFSET ?", (most, offset))
    )
    rows = reader.connection.execute(statement.text, statement.values).fetchall()
    if rows and rows[0][1] is not None:
        reader.totals[query.identity()] = rows[0][1]
    return [run for run, _ in rows]


def walked(reader: Reader, query: RunQuery, offset: int, limit: int) -> list[str]:
    """:func:`page` of a :func:`walkable` query: runs with a value, then NaN, then the rest."""
    found: list[str] = []
    for segment, statement in _segments(query):
        wanted = limit - len(found)
        rows = _ids(reader, statement + Sql(" LIMIT ? OFFSET ?", (wanted, offset)))
        found += rows
        if len(rows) == wanted:
            break
        offset = 0 if rows else max(0, offset - count(reader, query.restricted(segment)))
    return found


def count(reader: Reader, query: RunQuery) -> int:
    """How many runs match."""
    if not query.experiment_ids or not query.stages:
        return 0
    known = reader.totals.get(query.identity())
    if known is None:
        statement = Sql("SELECT count(*)") + _collected(reader, query)
        known = reader.totals[query.identity()] = _number(reader, statement)
    return known


def _members(reader: Reader, query: RunQuery) -> int:
    """About how many runs are in the experiments and stages."""
    plain = RunQuery(query.experiment_ids, query.stages)
    statement = Sql("SELECT count(*) FROM runs r WHERE ") + is_member(query)
    return _estimated(reader, plain.identity(), statement)


def _met(reader: Reader, condition: Condition) -> int:
    """About how many runs of all experiments meet an indexed condition."""
    statement = Sql("SELECT count(*) FROM (") + ids(condition) + ")"
    return _estimated(reader, ("met", condition), statement)


def _estimated(reader: Reader, identity: tuple[object, ...], statement: Sql) -> int:
    known = reader.estimates.get(identity)
    if known is None:
        if len(reader.estimates) >= REMEMBERED:
            reader.estimates.clear()
        known = reader.estimates[identity] = _number(reader, statement)
    return known


def _narrowest(reader: Reader, query: RunQuery) -> tuple[int, Condition | None]:
    """The condition that fewest runs meet; None where that is being in the experiments at all."""
    best: tuple[int, Condition | None] = (_members(reader, query), None)
    for condition in filter(indexed, query.conditions):
        if (met := _met(reader, condition)) < best[0]:
            best = (met, condition)
    return best


def _collected(reader: Reader, query: RunQuery, joins: Sql = Sql("")) -> Sql:  # noqa: B008
    """``FROM`` and ``WHERE`` over every run ``r`` that matches."""
    fewest, narrowest = _narrowest(reader, query)
    # Listing what meets a condition is the cheaper way, unless it is much more than there is to
    # look up.
    listed = [
        (met, condition)
        for condition in filter(indexed, query.conditions)
        if (met := _met(reader, condition)) < fewest * LOOKUPS or condition is narrowest
    ]
    listed.sort(key=lambda pair: pair[0])
    # Making a set of a list takes longer than going through it: the longest list is gone through.
    start = listed.pop()[1] if narrowest is not None else None
    tests = [is_member(query)]
    # What is tested of the list is tested before the run is looked up; the plus keeps SQLite from
    # looking up the list by the test instead.
    run = "r.run_uuid" if start is None else "+d.run_uuid"
    sets = [condition for _, condition in listed]
    tests += [Sql(f"{run} IN (") + ids(condition) + ")" for condition in sets]
    tests += [holds(each) for each in query.conditions if each is not start and each not in sets]
    if start is None:
        source = Sql(" FROM runs r")
    else:
        # CROSS JOIN is SQLite's word for: in this order.
        source = Sql(" FROM (") + ids(start) + ") d CROSS JOIN runs r ON r.run_uuid = d.run_uuid"
    return source + joins + " WHERE " + joined(tests, " AND ")


def walkable(query: RunQuery) -> bool:
    """Whether there is an index in the query's order."""
    if len(query.order) > 1:
        return False
    key = query.order[0] if query.order else NEWEST_FIRST
    if key.kind != "attribute":
        return True
    # Within one experiment and one stage the index is in the order of the starts.
    return key.key == "start_time" and len(query.experiment_ids) * len(query.stages) == 1


def _walk_is_cheaper(reader: Reader, query: RunQuery, wanted: int) -> bool:
    key = query.order[0] if query.order else NEWEST_FIRST
    members = _members(reader, query)
    length = members
    if key.kind != "attribute":
        length = _met(reader, Condition(key.kind, key.key, "HAS"))
    fewest, _ = _narrowest(reader, query)
    met = [_met(reader, condition) for condition in query.conditions if indexed(condition)]
    # As if conditions had nothing to do with each other, and matches were spread evenly.
    matches = fewest
    if met:
        matches = math.ceil(members * math.prod(min(1.0, one / max(1, members)) for one in met))
    steps = min(length, wanted * math.ceil(length / max(1, matches)))
    return steps * (1 + STEP * len(query.conditions)) < fewest + sum(met)


def _segments(query: RunQuery) -> Iterator[tuple[Condition, Sql]]:
    key = query.order[0] if query.order else NEWEST_FIRST
    tests = joined([is_member(query), *map(holds, query.conditions)], " AND ")
    way = "ASC" if key.ascending else "DESC"
    rest = ", ".join(natural(query.order))
    if key.kind == "attribute":  # every run has a start
        yield (
            Condition("attribute", "start_time", "HAS"),
            Sql("SELECT r.run_uuid FROM runs r WHERE ")
            + tests
            + f" ORDER BY r.start_time {way}, {rest}",
        )
        return
    marks = {"HAS": "s.value IS NOT NULL"}
    if key.kind == "metric":
        marks = {"HAS": "s.is_nan = 0", "IS NAN": "s.is_nan = 1"}
    for has, mark in marks.items():
        yield (
            Condition(key.kind, key.key, has),
            Sql(
                f"SELECT r.run_uuid FROM {TABLES[key.kind]} s"
                " CROSS JOIN runs r ON r.run_uuid = s.run_uuid"
                f" WHERE s.key = ? AND {mark} AND ",
                (key.key,),
            )
            + tests
            + f" ORDER BY s.value {way}, {rest}",
        )
    segment = Condition(key.kind, key.key, "LACKS")
    yield (
        segment,
        Sql("SELECT r.run_uuid FROM runs r WHERE ")
        + tests
        + " AND "
        + holds(segment)
        + f" ORDER BY {rest}",
    )


def _ids(reader: Reader, statement: Sql) -> list[str]:
    return [run for (run,) in reader.connection.execute(statement.text, statement.values)]


def _number(reader: Reader, statement: Sql) -> int:
    (number,) = reader.connection.execute(statement.text, statement.values).fetchone()
    return int(number)
