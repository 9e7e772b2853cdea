"""The one signature of a transform.

A transform says once what it is: its parameters, what it learns, which columns come out, and what
it does, in two languages. The engine runs the SQL; the exported program is the pandas code; the
tests hold the two to the same table.

*Learning and applying are apart.* :meth:`Transform.fit` sees the whole table and returns plain
JSON; everything else gets that back. So what was learnt from the training data is applied unchanged
in a job, in an endpoint and in exported code.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from bottega.wrangler.columns import Schema
from bottega.wrangler.parameters import Parameter, ParameterSet
from bottega.wrangler.sql_text import escaped

if TYPE_CHECKING:
    import pandas as pd

    from bottega.wrangler.pandas_code import PandasCode

Values = Mapping[str, Any]
"""Checked parameters by name."""
State = Mapping[str, Any]
"""What was learnt: JSON, no NaN; infinity as the texts ``inf`` and ``-inf``."""

Serving = Literal["apply", "skip", "refuse"]
"""What becomes of a step in front of a model, where rows come one at a time.

``apply``: every row that comes out depends on one row that goes in. ``skip``: it only chooses or
adds rows for training. ``refuse``: a row means nothing without the others.
"""


class Table(Protocol):
    """A table inside the engine, as :meth:`Transform.fit` sees it. It may be larger than memory."""

    @property
    def schema(self) -> Schema:
        """Its columns, without the hidden one."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query in which ``{table}`` stands for the table.

        The hidden column ``__row`` can be used in it. Braces of the query's own are doubled.
        """

    def row(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""

    def frame(self) -> pd.DataFrame:
        """All of it in memory, typed as ``columns`` says, with the index 0, 1, …"""


@dataclass(frozen=True)
class Step:
    """What a transform is rendered for."""

    schema: Schema
    """Of the table that comes in; of the first, where there are several."""
    values: Values
    state: State
    others: tuple[Schema, ...] = ()
    """Of the further tables of joins and concatenations."""
    output: str = "default"
    """Which output is wanted, of a transform that has several."""


# What a transform's SQL can be. The engine composes them, so that a chain of steps is one query.


@dataclass(frozen=True)
class Columns:
    """Each row stays; columns are computed from it.

    ``set`` gives an expression for every new or changed column. Expressions see the columns as they
    come in, all at once. A changed column keeps its place, new ones come last in the order given,
    unless ``order`` names all columns that come out.
    """

    set: Mapping[str, str]
    drop: Sequence[str] = ()
    order: Sequence[str] | None = None


@dataclass(frozen=True)
class Rows:
    """The rows stay for which a condition is true; their order stays."""

    where: str


@dataclass(frozen=True)
class Query:
    """Any query over ``{input}`` (and ``{input_1}``, … for the further tables).

    It selects ``__row`` first, then exactly the columns that :meth:`Transform.columns` names, in
    that order. ``__row`` is unique and says the order of the rows: what came in, or a
    ``row_number()`` over an order that is total. Braces of its own are doubled.
    """

    sql: str
    ordered: bool = False
    """Whether rows come out in the order of ``__row`` without being sorted."""
    subset: bool = False
    """Whether every row that comes out is a row that came in, unchanged and with its ``__row``."""


@dataclass(frozen=True)
class InMemory:
    """What only a library does: the whole table in memory, with the same types and index as
    :meth:`Table.frame`. What comes back is brought to the schema that was promised.
    """

    function: InMemoryFunction
    rowwise: bool = False
    """Whether what comes out of a row depends on that row alone: the function may then be called
    with some rows at a time, in their order."""


class InMemoryFunction(Protocol):
    """From frames to a frame."""

    def __call__(self, *frames: pd.DataFrame) -> pd.DataFrame: ...


Rendering = Columns | Rows | Query | InMemory


class Transform(ABC):
    """One operation of the catalogue. Has no state of its own; one instance serves all."""

    operator: ClassVar[str]
    """The id in the file, ``sagemaker.spark.handle_missing_0.1``."""
    name: ClassVar[str]
    """The operation in the file's ``operator`` and in the palette, ``Drop missing``. A transform
    whose operator has a single operation names it for the palette only: see ``is_only``."""
    is_only: ClassVar[bool] = False
    """Whether the operator has no other operation: nodes then have no ``operator`` parameter."""
    group: ClassVar[str]
    """The palette's heading, ``Handle missing``."""
    sentence: ClassVar[str]
    """What it does."""
    edge_cases: ClassVar[str]
    """What happens to null, empty and infinite values, for the docs and the form."""
    parameter_group: ClassVar[str] = ""
    """Where its parameters lie in a node, ``drop_missing_parameters``."""
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    serving: ClassVar[Serving] = "apply"
    inputs: ClassVar[int] = 1
    learns: ClassVar[bool] = False
    """Whether :meth:`fit` learns anything."""
    runs_code: ClassVar[bool] = False
    """Whether it runs code that came with the flow; such a flow must be trusted first."""
    words: ClassVar[tuple[str, ...]] = ()
    """Other words that people search for."""

    @classmethod
    def parameter_set(cls) -> ParameterSet:
        """The parameters with their place in a node."""
        return ParameterSet(cls.parameters, cls.parameter_group)

    @classmethod
    def as_answer(cls) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowTransform``."""
        return {
            "Operator": cls.operator,
            "Name": cls.name,
            "Group": cls.group,
            "Sentence": cls.sentence,
            "EdgeCases": cls.edge_cases,
            "Parameters": [parameter.as_answer() for parameter in cls.parameters],
            "Serving": cls.serving,
            "Inputs": cls.inputs,
            "Learns": cls.learns,
            "RunsCode": cls.runs_code,
            "Words": list(cls.words),
        }

    def check(self, schema: Schema, values: Values, others: tuple[Schema, ...] = ()) -> None:
        """Refuse what the parameters' descriptions cannot say.

        Raises:
            ParameterError: names the parameter, the column and the value.
        """
        return  # most descriptions say all there is to say

    def outputs(self, values: Values) -> tuple[str, ...]:
        """The names of the tables that come out."""
        return ("default",)

    def statistics(self, schema: Schema, values: Values) -> Mapping[str, str]:
        """Aggregates to learn from, by name, as SQL expressions over the table that comes in.

        For a transform that needs nothing else; the engine computes those of several steps in one
        pass over the data. :meth:`learn` gets the results.
        """
        return {}

    def learn(self, schema: Schema, values: Values, found: Mapping[str, Any]) -> State:
        """The state from the results of :meth:`statistics`.

        Raises:
            DataError: there is nothing to learn from; says which column.
        """
        return dict(found)

    def fit(self, table: Table, values: Values) -> State:
        """Learn from the whole table. The default asks :meth:`statistics` and :meth:`learn`.

        Raises:
            DataError: there is nothing to learn from; says which column.
        """
        wanted = self.statistics(table.schema, values)
        if not wanted:
            return {}
        expressions = escaped(", ".join(wanted.values()))
        found = table.row(f"SELECT {expressions} FROM {{table}}")
        return self.learn(table.schema, values, dict(zip(wanted, found, strict=True)))

    @abstractmethod
    def columns(self, step: Step) -> Schema:
        """The schema of the table that comes out."""

    @abstractmethod
    def sql(self, step: Step) -> Rendering:
        """What the engine runs."""

    def serving_of(self, values: Values) -> Serving:
        """What becomes of a step with these values in front of a model."""
        return self.serving

    def served(self, step: Step) -> Rendering:
        """What runs in front of a model: the same columns as :meth:`sql` gives, and every row.

        To be overridden where :meth:`sql` drops rows *and* changes columns.
        """
        return self.sql(step)

    @abstractmethod
    def pandas(self, step: Step, code: PandasCode) -> None:
        """Write the same as pandas code, as a colleague would: see :class:`PandasCode`."""

    def touches(self, schema: Schema, values: Values) -> frozenset[str]:
        """The columns of the table that comes in which a step reads or writes.

        What a served flow needs of a row follows from it. The default: those that parameters name.
        """
        found: set[str] = set()
        for parameter in self.parameters:
            value = values.get(parameter.name)
            if parameter.kind == "column" and value is not None:
                found.add(value)
            elif parameter.kind == "columns" and value is not None:
                found.update(value)
            elif parameter.kind == "new_column" and isinstance(value, str) and value in schema:
                found.add(value)
        return frozenset(found)
