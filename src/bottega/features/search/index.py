"""An index of the resources of one kind, beside the store.

Reading a hundred thousand documents takes a second or two. So values are kept in arrays, property
by property, when somebody has asked for them: of names that owners choose, as those of metrics, all
at once; and results are kept in order by the last properties that somebody sorted by. Each search
first reads again what the store says has changed. A resource takes some hundred bytes; for one that
is in the store and not here, nothing is lost but time.
"""

from __future__ import annotations

import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.features.search.columns import Column, Numbers, column
from bottega.features.search.comparing import Condition
from bottega.features.search.expressions import Combination, Match
from bottega.features.search.kinds import Candidate, Searchable
from bottega.features.search.order import Order
from bottega.features.search.properties import (
    HYPERPARAMETERS,
    METRICS,
    OWNED,
    TAGS,
    Property,
    property_of,
)
from bottega.features.search.reading import Path, Reading, Single
from bottega.features.search.selecting import Selection, pick, walk
from bottega.storage.metadata import MetadataStore, Resource

MOST_PROPERTIES = 64
"""Properties with names of SageMaker's that are kept; the one that was not asked for the longest
makes room. More than one expression can name. Names of owners' have no limit but what their
resources have."""
COMMON = ("CreationTime", "LastModifiedTime")
"""What is kept without being asked for, beside name and status: most searches sort by it."""
MOST_ORDERS = 6
AT_ONCE = 500
"""Documents that are read at once where a property cannot be told from the arrays."""


@dataclass(frozen=True)
class Found:
    """The rows that match."""

    rows: set[int]
    certain: bool
    """False where some of them may not, and the documents have to be asked."""


class Index:
    """What is known of the resources of one kind. Its methods must not overlap: see ``lock``."""

    def __init__(self, store: MetadataStore, searchable: Searchable) -> None:
        self.lock = threading.Lock()
        self._number = 0
        self._store = store
        self._searchable = searchable
        self._properties: OrderedDict[Path, Property] = OrderedDict()
        for name in (*COMMON, f"{searchable.record}Name", f"{searchable.record}Status"):
            if name in searchable.shape.members:
                self._keep(property_of(searchable, name))
        self._heads: set[str] = set()
        self._clear()

    def refresh(self, properties: Iterable[Property], *, heads: Collection[str] = ()) -> None:
        """Take up what has changed, and see to it that these properties can be asked for.

        Args:
            properties: some.
            heads: those of :data:`~bottega.features.search.properties.OWNED` of which every name is
                meant.
        """
        known = self._heads.issuperset(heads)
        self._heads.update(heads)
        for each in properties:
            known = self._keep(each) and known
        since = self._number if known else 0
        changes = self._store.changes(self._searchable.kind, since)
        if changes.names is None or not known:
            self._read_everything()
        elif changes.names:
            self._read(changes.names)
        self._number = changes.number

    def matching(self, match: Match) -> Found:
        """The rows that satisfy an expression whose properties were refreshed."""
        if isinstance(match, Condition):
            return self._passing(match)
        if not isinstance(match, Combination):
            return Found(self._all(), certain=False)
        parts = [self.matching(part) for part in match.parts]
        certain = all(part.certain for part in parts)
        if match.every:
            by_size = sorted((part.rows for part in parts), key=len)
            return Found(set.intersection(*by_size) if by_size else self._all(), certain)
        return Found(set().union(*(part.rows for part in parts)), certain)

    def select(
        self,
        matching: set[int],
        by: Property,
        behind: Mapping[str, Any] | None,
        *,
        descending: bool,
        limit: int,
    ) -> Selection:
        """The next of the rows that match, in the order of a property that was refreshed.

        Args:
            matching: some rows.
            by: the property.
            behind: the position of the last one before, as an earlier selection told it.
            descending: the way of the order.
            limit: how many at most.
        """
        way: Any = {"descending": descending, "limit": limit}
        numbers = self._column(by)
        if by.path[0] not in COMMON and isinstance(numbers, Numbers) and not numbers.repeated:
            everything = len(matching) == len(self._row_of)
            return pick(numbers, self._names, matching, behind, everything=everything, **way)
        return walk(self._order(by), matching, behind, **way)

    def name(self, row: int) -> str:
        """Of the resource in a row."""
        return self._names[row]

    def checked(self, found: Found, match: Match) -> set[int]:
        """The rows of what was found that match, by their documents where that is not certain."""
        if found.certain:
            return found.rows
        rows, passed = sorted(found.rows), set()
        for start in range(0, len(rows), AT_ONCE):
            some = {self._names[row]: row for row in rows[start : start + AT_ONCE]}
            for name, resource in self._store.get_many(self._searchable.kind, some).items():
                if match(Candidate(self._searchable, resource, self._store)):
                    passed.add(some[name])
        return passed

    def vocabulary(self) -> set[str]:
        """Names of properties that owners chose, of which some resource has a value."""
        return {".".join(path) for path, held in self._owned.items() if len(held)}

    def _order(self, by: Property) -> Order:
        """Every row in the order of a property."""
        order = self._orders.get(by.path)
        if order is None:
            if len(self._orders) >= MOST_ORDERS:
                self._orders.popitem(last=False)
            order = self._orders[by.path] = Order(by)
            order.fill(self._names, self._row_of.values(), self._column(by))
        self._orders.move_to_end(by.path)
        return order

    def _clear(self) -> None:
        self._number = 0
        self._names: list[str] = []
        self._row_of: dict[str, int] = {}
        self._free: list[int] = []
        self._columns: dict[Path, Column] = {}
        self._owned: dict[Path, Column] = {}
        self._orders: OrderedDict[Path, Order] = OrderedDict()

    def _all(self) -> set[int]:
        return set(self._row_of.values())

    def _keep(self, wanted: Property) -> bool:
        """Note that a property is asked for; returns whether its values are known."""
        head = wanted.path[0]
        if self._is_owned(wanted.path):
            known = head in self._heads
            self._heads.add(head)
            return known
        known = wanted.path in self._properties
        self._properties[wanted.path] = wanted
        self._properties.move_to_end(wanted.path)
        while len(self._properties) > MOST_PROPERTIES:
            path, _ = self._properties.popitem(last=False)
            self._columns.pop(path, None)
            self._orders.pop(path, None)
        return known

    def _is_owned(self, path: Path) -> bool:
        return len(path) == 2 and path[0] in OWNED

    def _column(self, of: Property) -> Column:
        columns = self._owned if self._is_owned(of.path) else self._columns
        if of.path not in columns:
            columns[of.path] = column(of.type)
        return columns[of.path]

    def _passing(self, condition: Condition) -> Found:
        held = self._column(condition.property)
        if condition.test is None:
            rows = held.having()
        elif not held.exact:
            return Found(self._all(), certain=False)
        else:
            rows = held.passing(condition)
        return Found(self._all() - rows if condition.negated else rows, certain=True)

    def _read_everything(self) -> None:
        self._clear()
        kind = self._searchable.kind
        tags = self._store.all_tags(kind) if TAGS in self._heads else {}
        reading = Reading(self._searchable, self._properties, self._heads)
        for found in reading.read(self._store.scan(kind), tags):
            if isinstance(found, Single):
                row = self._add([found.name])[0]
                self._change(row, found.values, fresh=True)
                continue
            rows = self._add(found.names)
            for path, values in zip(found.paths, zip(*found.values, strict=True), strict=True):
                self._column_at(path).extend(rows, values)
        # Made in one go they lie side by side in memory, which halves the time of looking rows up.
        self._row_of = dict(zip(self._names, range(len(self._names)), strict=True))

    def _add(self, names: Sequence[str]) -> array[int]:
        """Rows for resources that are not here yet, behind all others."""
        rows = array("I", range(len(self._names), len(self._names) + len(names)))
        self._names += names
        return rows

    def _read(self, names: Iterable[str]) -> None:
        found = self._store.get_many(self._searchable.kind, names)
        for name in names:
            if name in found:
                resource = found[name]
                candidate = Candidate(self._searchable, resource, self._store)
                self._put(resource, candidate.tags if TAGS in self._heads else {})
            elif (row := self._row_of.pop(name, None)) is not None:
                self._change(row, {})
                for order in self._orders.values():
                    order.remove(row)
                self._free.append(row)

    def _put(self, resource: Resource, tags: Mapping[str, str]) -> None:
        row = self._row_of.get(resource.name)
        fresh = row is None
        if row is None:
            row = self._free.pop() if self._free else len(self._names)
            self._names[row : row + 1] = [resource.name]
            self._row_of[resource.name] = row
        candidate = Candidate(self._searchable, resource, self._store)
        self._change(row, self._values(candidate, tags), fresh=fresh)
        for path, order in self._orders.items():
            held = self._owned if path in self._owned else self._columns
            order.put(row, resource.name, held[path].of(row))

    def _values(self, candidate: Candidate, tags: Mapping[str, str]) -> dict[Path, Sequence[Any]]:
        values: dict[Path, Sequence[Any]] = {
            path: wanted.values(candidate) for path, wanted in self._properties.items()
        }
        for head, owned in (
            (HYPERPARAMETERS, candidate.document.get(HYPERPARAMETERS, {})),
            (METRICS, candidate.metrics),
            (TAGS, tags),
        ):
            if head in self._heads:
                values.update({(head, name): (value,) for name, value in owned.items()})
        return values

    def _change(
        self, row: int, values: Mapping[Path, Sequence[Any]], *, fresh: bool = False
    ) -> None:
        if not fresh:
            for columns in (self._columns, self._owned):
                for path, held in columns.items():
                    if path not in values:
                        held.put(row, ())
        for path, present in values.items():
            self._column_at(path).put(row, present)

    def _column_at(self, path: Path) -> Column:
        if path in self._properties:
            return self._column(self._properties[path])
        if path not in self._owned:
            types = {HYPERPARAMETERS: "mixed", METRICS: "number", TAGS: "text"}
            self._owned[path] = column(types[path[0]])  # type: ignore[arg-type]
        return self._owned[path]
