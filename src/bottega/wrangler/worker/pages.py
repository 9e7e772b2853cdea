"""Pages of a table, and of two tables side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bottega.wrangler.columns import ROW, Column, ColumnType, Schema
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import Applied
from bottega.wrangler.sql_text import escaped, name, names
from bottega.wrangler.transform import Columns, Query, Rows
from bottega.wrangler.worker.cells import cell


@dataclass
class Page:
    """Some rows, as the shape ``PreviewFlowResponse`` has them."""

    columns: list[dict[str, str]]
    rows: list[list[Any]]
    row_ids: list[int]
    row_changes: list[str] | None = None
    before: list[dict[str, Any]] | None = None
    changes: dict[str, int] | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def as_answer(self) -> dict[str, Any]:
        """For the API."""
        answer: dict[str, Any] = {
            "Columns": self.columns,
            "Rows": self.rows,
            "RowIds": self.row_ids,
            **self.extra,
        }
        if self.row_changes is not None:
            answer |= {
                "RowChanges": self.row_changes,
                "Before": self.before,
                "Changes": self.changes,
            }
        return answer


def plain_page(relation: Relation, offset: int, limit: int, columns: Sequence[str]) -> Page:
    """Rows of a table, in its order."""
    found = relation.page(offset, limit, columns)
    return Page(
        [{"Name": c.name, "Type": c.type.value} for c in relation.schema.select(columns)],
        [[cell(value) for value in row[1:]] for row in found],
        [row[0] for row in found],
    )


class Counts:
    """What has been counted of whole tables, so that no further page counts it again.

    Args:
        found: results by what they are of; kept by who asks for pages.
        key: of the comparison.
    """

    def __init__(self, found: dict[str, Any], key: str) -> None:
        self._found = found
        self._key = key

    def of(self, what: str, count: Callable[[], Any]) -> Any:
        """A count, taken now or before."""
        key = f"{self._key} {what}"
        if key not in self._found:
            self._found[key] = count()
        return self._found[key]


def aligned_page(
    before: Relation, applied: Applied, after: Schema, offset: int, limit: int, counts: Counts
) -> Page | None:
    """A table before and after a step, row by row, or None where rows do not correspond.

    The step computes columns or leaves rows out, so both tables come out of one scan of the first.
    """
    rendering = applied.rendering
    if isinstance(rendering, Rows):
        return _without_rows(before, rendering, offset, limit, counts)
    if isinstance(rendering, Columns):
        return _with_columns(before, rendering, after, offset, limit, counts)
    return None


def subset_page(before: Relation, after: Relation, offset: int, limit: int, counts: Counts) -> Page:
    """A table before and after a step that only leaves rows out, whatever decides which.

    Args:
        before: the whole table.
        after: some of its rows, with the same hidden numbers; best one that is kept.
        offset: of the page, in the table before.
        limit: of the page.
        counts: what is known of both.
    """
    shown = names([ROW, *before.schema.names])
    mark = before.schema.free_name("__kept")
    marked = before.then(
        Query(
            f"SELECT {escaped(shown)}, {ROW} IN (SELECT {ROW} FROM {{input_1}}) AS {name(mark)} "
            "FROM {input}"
        ),
        before.schema.with_columns([Column(mark, ColumnType.BOOLEAN)]),
        after,
    )
    marked = replace(marked, ordered=False, dense=before.dense)
    rows, stay = counts.of("tables", lambda: (before.count(), after.count()))
    return _marked_page(marked, name(mark), before.schema, offset, limit, rows, stay)


def _without_rows(
    before: Relation, rendering: Rows, offset: int, limit: int, counts: Counts
) -> Page:
    kept = escaped(f"coalesce({rendering.where}, FALSE)")
    rows, stay = counts.of(
        "rows",
        lambda: before.row(f"SELECT count(*), count(*) FILTER (WHERE {kept}) FROM {{table}}"),
    )
    return _marked_page(before, kept, before.schema, offset, limit, rows, stay)


def _marked_page(
    table: Relation, kept: str, schema: Schema, offset: int, limit: int, rows: int, stay: int
) -> Page:
    """A page of all rows, in which those that do not stay are marked.

    Args:
        table: all rows.
        kept: SQL that says which stay.
        schema: of what is shown.
        offset: of the page.
        limit: of the page.
        rows: how many there are.
        stay: how many stay.
    """
    shown = escaped(names(schema.names))
    found = table.database.rows(_window(table, f"{ROW}, {kept} AS __kept, {shown}", offset, limit))
    return Page(
        [{"Name": c.name, "Type": c.type.value} for c in schema],
        [[cell(value) for value in row[2:]] for row in found],
        [row[0] for row in found],
        ["" if row[1] else "removed" for row in found],
        [{} for _ in found],
        _changes(removed=rows - stay),
        {"TotalRows": rows},
    )


def _with_columns(
    before: Relation,
    rendering: Columns,
    after: Schema,
    offset: int,
    limit: int,
    counts: Counts,
) -> Page:
    old = before.schema
    shown = [(column, "" if column.name in old else "added") for column in after]
    shown += [(column, "removed") for column in old if column.name not in after]
    changed = [c for c in after if c.name in old and c.name in rendering.set]
    items = [ROW]
    for column, change in shown:
        expression = rendering.set.get(column.name) if change != "removed" else None
        items.append(f"{expression or name(column.name)} AS {name('a ' + column.name)}")
    items += [f"{name(column.name)} AS {name('b ' + column.name)}" for column in changed]
    inside = escaped(", ".join(items))
    found = before.database.rows(_window(before, inside, offset, limit))
    rows, totals = counts.of("cells", lambda: _changed_cells(before, rendering, changed))
    width = 1 + len(shown)
    row_changes, former = [], []
    for row in found:
        was: dict[str, Any] = {}
        for position, column in enumerate(changed):
            now = row[1 + after.names.index(column.name)]
            then = row[width + position]
            if now != then and not (now is None and then is None):
                was[column.name] = cell(then)
        former.append(was)
        row_changes.append("changed" if was else "")
    return Page(
        [
            {"Name": c.name, "Type": c.type.value, **({"Change": change} if change else {})}
            for c, change in shown
        ],
        [[cell(value) for value in row[1:width]] for row in found],
        [row[0] for row in found],
        row_changes,
        former,
        _changes(
            cells=sum(totals),
            added=sum(change == "added" for _, change in shown),
            gone=sum(change == "removed" for _, change in shown),
        ),
        {"TotalRows": rows},
    )


def _changed_cells(
    before: Relation, rendering: Columns, changed: Sequence[Column]
) -> tuple[int, list[int]]:
    """How many rows there are, and in how many of them each column changes."""
    counts = [
        f"count(*) FILTER (WHERE ({rendering.set[column.name]}) IS DISTINCT FROM "
        f"{name(column.name)})"
        if _comparable(before.schema, column)
        else f"count({name(column.name)})"
        for column in changed
    ]
    rows, *found = before.row(
        escaped(f"SELECT {', '.join(['count(*)', *counts])} FROM ") + "{table}"
    )
    return int(rows), [int(count) for count in found]


def _comparable(schema: Schema, column: Column) -> bool:
    """Whether a value may be equal to what it was; a column of another type changes throughout."""
    old = schema.type(column.name)
    return old == column.type or (old.is_number and column.type.is_number)


def _window(relation: Relation, items: str, offset: int, limit: int) -> str:
    if relation.dense:
        rest = f"WHERE {ROW} >= {offset} AND {ROW} < {offset + limit} ORDER BY {ROW}"
    else:
        sort = "" if relation.ordered else f"ORDER BY {ROW} "
        rest = f"{sort}LIMIT {limit} OFFSET {offset}"
    return relation.sql(f"SELECT {items} FROM {{table}} {rest}")


def _changes(
    *, cells: int = 0, removed: int = 0, new: int = 0, added: int = 0, gone: int = 0
) -> dict[str, int]:
    return {
        "CellsChanged": cells,
        "RowsAdded": new,
        "RowsRemoved": removed,
        "ColumnsAdded": added,
        "ColumnsRemoved": gone,
    }


def unaligned_page(
    before: Relation,
    after: Relation,
    offset: int,
    limit: int,
    columns: Sequence[str],
    counts: Counts,
) -> Page:
    """The table after a step that makes rows of its own, and what became of the sizes."""
    page = plain_page(after, offset, limit, columns)
    old, new = counts.of("tables", lambda: (before.count(), after.count()))
    page.columns = [
        {**column, **({} if column["Name"] in before.schema else {"Change": "added"})}
        for column in page.columns
    ]
    page.row_changes, page.before = ["" for _ in page.rows], [{} for _ in page.rows]
    page.changes = _changes(
        removed=max(0, old - new),
        new=max(0, new - old),
        added=sum(c.name not in before.schema for c in after.schema),
        gone=sum(c.name not in after.schema for c in before.schema),
    )
    page.extra = {"TotalRows": new}
    return page
