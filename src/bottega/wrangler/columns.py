"""The types that columns have, and the schemas of tables.

A value is missing or it is not: NULL in the engine, and NaN, NaT or NA in pandas. Floating-point
NaN is missing everywhere; infinity is a value.

=============  ===================  ==========================  ====================================
type           DuckDB               pandas (3)                  meaning
=============  ===================  ==========================  ====================================
``long``       BIGINT               ``Int64``                   whole numbers of 64 bits
``float``      DOUBLE               ``float64``                 numbers
``boolean``    BOOLEAN              ``boolean``                 true or false
``string``     VARCHAR              ``str``                     text; empty text is not missing
``date``       DATE                 ``datetime64[us]``          a day (midnight in pandas)
``datetime``   TIMESTAMP            ``datetime64[us]``          a moment without a time zone
``vector``     DOUBLE[]             object of lists             numbers of one length
``array``      VARCHAR[]            object of lists             texts, any number of them
=============  ===================  ==========================  ====================================

The first six are SageMaker's; it calls the last two a vector and an array.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bottega.nearest import nearest
from bottega.wrangler.errors import DataError, ParameterError

ROW = "__row"
"""The hidden column of every table inside the engine: a BIGINT, unique, whose order is the table's.

It need not be dense. A column of the user's with this name is refused by the sources.
"""


class ColumnType(StrEnum):
    """What a column holds."""

    LONG = "long"
    FLOAT = "float"
    BOOLEAN = "boolean"
    STRING = "string"
    DATE = "date"
    DATETIME = "datetime"
    VECTOR = "vector"
    ARRAY = "array"

    @property
    def duckdb(self) -> str:
        """The type in the engine."""
        return _DUCKDB[self]

    @property
    def pandas(self) -> str:
        """The dtype in pandas."""
        return _PANDAS[self]

    @property
    def is_number(self) -> bool:
        """Whether one can calculate with it."""
        return self in NUMBERS

    @property
    def is_time(self) -> bool:
        """Whether it is a point in time."""
        return self in TIMES


NUMBERS = frozenset({ColumnType.LONG, ColumnType.FLOAT})
TIMES = frozenset({ColumnType.DATE, ColumnType.DATETIME})
SCALARS = frozenset(set(ColumnType) - {ColumnType.VECTOR, ColumnType.ARRAY})

_DUCKDB = {
    ColumnType.LONG: "BIGINT",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.STRING: "VARCHAR",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
    ColumnType.VECTOR: "DOUBLE[]",
    ColumnType.ARRAY: "VARCHAR[]",
}
_PANDAS = {
    ColumnType.LONG: "Int64",
    ColumnType.FLOAT: "float64",
    ColumnType.BOOLEAN: "boolean",
    ColumnType.STRING: "str",
    ColumnType.DATE: "datetime64[us]",
    ColumnType.DATETIME: "datetime64[us]",
    ColumnType.VECTOR: "object",
    ColumnType.ARRAY: "object",
}


@dataclass(frozen=True)
class Column:
    """One column."""

    name: str
    type: ColumnType


class Schema:
    """The columns of a table, in their order.

    Names are looked up exactly; but two that differ in nothing but capitals cannot be told apart by
    the engine, so there are no such tables.

    Raises:
        DataError: two columns have the same name, or differ in nothing but capitals.
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self._columns = tuple(columns)
        self._by_name = {column.name: column for column in self._columns}
        self._folded: dict[str, str] = {}
        for column in self._columns:
            key = column.name.lower()
            if key in self._folded:
                raise DataError(
                    f"Two columns would be called {self._folded[key]!r} and {column.name!r}; names "
                    "must differ in more than capitals. Rename one, or choose another name."
                )
            self._folded[key] = column.name

    @classmethod
    def of(cls, **types: ColumnType | str) -> Schema:
        """A schema in short: ``Schema.of(age="long", name="string")``."""
        return cls(Column(name, ColumnType(kind)) for name, kind in types.items())

    def __iter__(self) -> Iterator[Column]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Schema) and self._columns == other._columns

    def __hash__(self) -> int:
        return hash(self._columns)

    def __repr__(self) -> str:
        return f"Schema({', '.join(f'{c.name}: {c.type}' for c in self._columns)})"

    @property
    def names(self) -> list[str]:
        """The names, in their order."""
        return [column.name for column in self._columns]

    def __getitem__(self, name: str) -> Column:
        """The column of a name.

        Raises:
            ParameterError: there is none; the message names the nearest.
        """
        try:
            return self._by_name[name]
        except KeyError:
            raise ParameterError("", f"There is no column {name!r}{self._hint(name)}.") from None

    def type(self, name: str) -> ColumnType:
        """The type of a column."""
        return self[name].type

    def of_type(self, types: Iterable[ColumnType]) -> list[str]:
        """The names of the columns that have one of these types."""
        wanted = frozenset(types)
        return [column.name for column in self._columns if column.type in wanted]

    def without(self, names: Iterable[str]) -> Schema:
        """The schema without some columns."""
        gone = frozenset(names)
        return Schema(column for column in self._columns if column.name not in gone)

    def with_columns(self, columns: Iterable[Column]) -> Schema:
        """The schema with columns set: a known name keeps its place, a new one comes last."""
        changed = {column.name: column for column in columns}
        kept = [changed.pop(column.name, column) for column in self._columns]
        return Schema((*kept, *changed.values()))

    def select(self, names: Sequence[str]) -> Schema:
        """The schema of these columns, in this order."""
        return Schema(self[name] for name in names)

    def free_name(self, wanted: str) -> str:
        """The name itself, or with the first number behind it that no column has."""
        name, number = wanted, 0
        while name.lower() in self._folded:
            number += 1
            name = f"{wanted}_{number}"
        return name

    def _hint(self, name: str) -> str:
        closest = nearest(name, self.names)
        if closest:
            return f"; did you mean {closest!r}"
        shown = ", ".join(map(repr, self.names[:8])) + (", …" if len(self) > 8 else "")
        return f"; the table has {shown or 'no columns'}"
