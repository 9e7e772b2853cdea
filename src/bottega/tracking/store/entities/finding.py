"""Finds entities: filtered, sorted, counted and paged in SQL. Counting stops somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bottega.tracking.store.connections import Reader
from bottega.tracking.store.entities import component_documents, experiments, trials
from bottega.tracking.store.entities.filters import NUMBERS_END
from bottega.tracking.store.entities.planning import START, Search, plan, remembered
from bottega.tracking.store.statements import Sql, joined

MOST_COUNTED = 1_000
"""Beyond so many a total says that there are at least so many."""


def find(reader: Reader, asked: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the entities that satisfy an expression.

    Args:
        asked: ``kind``; ``expression``, a SearchExpression or None; ``visible``, pairs of a tag's
            key and value, of which an entity has the value or not the tag; ``sort_by``, a property;
            ``descending``; ``after``, the position of the last entity before the page, or None;
            ``limit``; ``whole``, whether to answer everything about each; ``counted``, whether to
            answer how many there are.

    Returns:
        ``documents``; ``next``, the position of the last of them if there are more, else None;
        ``total``, no more than :data:`MOST_COUNTED`, and whether it is ``exact``.

    Raises:
        Refusal: the expression or the order makes no sense.
    """
    search = plan(reader, asked)
    limit = asked["limit"]
    rows = _page(reader, search, asked["after"], limit + 1)
    more = len(rows) > limit
    total = rows[0][3] if rows else None
    rows = rows[:limit]
    owners = [owner for owner, *_ in rows]
    answer: dict[str, Any] = {
        "documents": documents(reader, asked["kind"], owners, whole=asked["whole"]),
        "next": _position(rows[-1]) if more else None,
    }
    if asked["counted"]:
        total = _count(reader, search) if total is None else total
        answer |= {"total": min(total, MOST_COUNTED), "exact": total <= MOST_COUNTED}
    return answer


def documents(
    reader: Reader, kind: str, owners: Sequence[Any], *, whole: bool
) -> list[dict[str, Any]]:
    """What SageMaker shows of entities, by their keys in the tables."""
    if kind == "Experiment":
        return experiments.documents(reader.connection, owners)
    if kind == "TrialComponent":
        return component_documents.documents(reader.connection, owners, whole=whole)
    found = trials.documents(reader.connection, owners)
    if whole:
        for number, trial in zip(owners, found, strict=True):
            trial["TrialComponentSummaries"] = _of_trial(reader, number)
    return found


def _of_trial(reader: Reader, number: int) -> list[dict[str, Any]]:
    """The components of a trial, no more than a search shows of anything."""
    rows = reader.connection.execute(
        "SELECT m.run_uuid FROM bottega_members m JOIN runs r ON r.run_uuid = m.run_uuid"
        " JOIN bottega_components c ON c.run_uuid = m.run_uuid"
        " WHERE m.trial_id = ? AND r.lifecycle_stage = 'active' ORDER BY c.created DESC LIMIT 100",
        (number,),
    )
    runs = [run for (run,) in rows]
    return component_documents.documents(reader.connection, runs, whole=False)


# -- pages -----------------------------------------------------------------------------------------

Row = tuple[Any, Any, str, int | None]
"""An entity's key, what it is sorted by (None where it lacks that), its name, and how many there
are in all, if that came along."""


def _position(row: Row) -> dict[str, Any]:
    """What a page token says of the last entity before the page."""
    _, value, name, _ = row
    return {"value": value, "name": name}


def _page(reader: Reader, search: Search, after: Mapping[str, Any] | None, limit: int) -> list[Row]:
    """Entities in order: those that have what they are sorted by, then the rest, by name."""
    found: list[Row] = []
    if after is None or after["value"] is not None:
        found = _run(reader, _with_value(search, after), limit)
        after = None
    if len(found) < limit and not search.sort.always:
        found += _run(reader, _without_value(search, after), limit - len(found))
    return found


def _run(reader: Reader, statement: Sql, limit: int) -> list[Row]:
    statement += Sql(" LIMIT ?", (limit,))
    return list(reader.connection.execute(statement.text, statement.values))


def _with_value(search: Search, after: Mapping[str, Any] | None) -> Sql:
    kind, sort = search.kind, search.sort
    way, beyond = ("DESC", "<") if search.descending else ("ASC", ">")
    source, value, tests = _source(search), _sort_value(search), list(search.tests)
    if _walks(search):
        source = Sql(f"{sort.table} s CROSS JOIN ") + search.kind.source.replace(
            " CROSS JOIN", f" ON {kind.owner} = s.run_uuid CROSS JOIN"
        )
        value = Sql("s.value")
        tests = [Sql("s.key = ? AND s.is_nan = 0", (sort.key,)), *tests]
    elif not sort.always:
        tests.append(value + " IS NOT NULL")
    if after is not None:
        position = Sql(f", {kind.name}) {beyond} (?, ?)", (after["value"], after["name"]))
        tests.append(Sql("(") + value + position)
    # Where everything has to be found to sort it, counting it costs nothing.
    counts = search.start is not None and sort.always and after is None
    return (
        Sql(f"SELECT {kind.owner}, ")
        + value
        + f", {kind.name}, {'count(*) OVER ()' if counts else 'NULL'} FROM "
        + source
        + " WHERE "
        + joined([Sql(kind.alive), *tests], " AND ")
        + " ORDER BY "
        + value
        + f" {way}, {kind.name} {way}"
    )


def _without_value(search: Search, after: Mapping[str, Any] | None) -> Sql:
    kind = search.kind
    way, beyond = ("DESC", "<") if search.descending else ("ASC", ">")
    tests = [*search.tests, _sort_value(search) + " IS NULL"]
    if after is not None:
        tests.append(Sql(f"{kind.name} {beyond} ?", (after["name"],)))
    return (
        Sql(f"SELECT {kind.owner}, NULL, {kind.name}, NULL FROM ")
        + _source(search)
        + " WHERE "
        + joined([Sql(kind.alive), *tests], " AND ")
        + f" ORDER BY {kind.name} {way}"
    )


def _walks(search: Search) -> bool:
    """Whether there is an index of rows in the wanted order, and no better place to start."""
    return bool(search.sort.table) and search.start is None


def _source(search: Search) -> Sql:
    kind, start = search.kind, search.start
    if start is None:
        return Sql(kind.source)
    # CROSS JOIN is SQLite's word for: in this order.
    head, cross, rest = kind.source.partition(" CROSS JOIN")
    distinct = "DISTINCT " if start.found.several else ""
    return (
        Sql(f"(SELECT {distinct}owner FROM (")
        + start.listed()
        + f")) d CROSS JOIN {head} ON {kind.owner} = {START}{cross}{rest}"
    )


def _sort_value(search: Search) -> Sql:
    """What an entity is sorted by; of several values the least."""
    sort = search.sort
    if sort.rows is None:
        return sort.value
    value = sort.value
    if sort.type == "mixed":  # numbers before texts
        value = (
            Sql("CASE WHEN ")
            + value
            + f" <= {NUMBERS_END} THEN CAST("
            + value
            + " AS REAL) ELSE "
            + value
            + " END"
        )
    return (
        Sql("(SELECT min(") + value + ") " + sort.rows + f" AND {sort.owner} = {search.kind.owner})"
    )


def _count(reader: Reader, search: Search) -> int:
    """How many entities satisfy the conditions, or one more than :data:`MOST_COUNTED`."""
    statement = (
        Sql("SELECT count(*) FROM (SELECT 1 FROM ")
        + _source(search)
        + " WHERE "
        + joined([Sql(search.kind.alive), *search.tests], " AND ")
        + f" LIMIT {MOST_COUNTED + 1})"
    )
    return remembered(reader, statement)
