"""A flow as one query over its sources."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bottega.wrangler.columns import ROW, Schema
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.engine.run import FlowEngine
from bottega.wrangler.export.exported import Exported, free, identifier
from bottega.wrangler.export.program import known_source
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.flow.summaries import shortened, summary, title
from bottega.wrangler.sources.nodes import Source
from bottega.wrangler.sql_text import literal, name, names
from bottega.wrangler.transform import InMemory

_SQL = "application/sql"
_QUOTED_OR_NAME = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|__t\w+""")
Output = tuple[str, str]


def query_of(
    flow: Flow, node_id: str, output: str, file_name: str, engine: FlowEngine, *, trusted: bool
) -> Exported:
    """Write the query of a node's table, in DuckDB's SQL.

    Where a step is none of SQL, there is no query, and a note says which step that is.

    Raises:
        FlowError: a node above it is wrong; names it.
    """
    prepared = engine.prepare(flow, node_id, output, trusted=trusted)
    reasons = [
        f"The step {title(one.node, one.transform)} cannot be said in SQL."
        for one in prepared.steps
        if isinstance(one.rendering, InMemory)
    ]
    writer = _Writer(flow, engine, trusted)
    reasons += writer.unreadable(node_id)
    if reasons:
        text = "".join(f"-- {reason}\n" for reason in reasons)
        return Exported(text, f"{file_name}.sql", _SQL, tuple(reasons))
    text = writer.text(node_id, output)
    notes = (
        "The dialect is DuckDB's; the column __row keeps the order of rows.",
        *writer.notes,
    )
    return Exported(text, f"{file_name}.sql", _SQL, notes)


class _Writer:
    """Composes the steps anew over sources that are read where they are."""

    def __init__(self, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
        self._flow, self._engine, self._trusted = flow, engine, trusted
        self._made: dict[Output, str] = {}
        self._queries: list[tuple[str, str, str]] = []
        self._taken: set[str] = set()
        self.notes: list[str] = []

    def unreadable(self, node_id: str) -> list[str]:
        """Why sources cannot be read in a query, in sentences."""
        found = []
        for node in self._flow.upstream(node_id):
            if node.type == "SOURCE":
                source = Source.of(node)
                kind, _ = known_source(self._engine, node, source)
                if kind not in ("csv", "tsv", "parquet"):
                    found.append(f"{source.shown_name} ({kind}) is not read in a query.")
        return found

    def text(self, node_id: str, output: str) -> str:
        """The query."""
        last, schema = self._table(node_id, output)
        parts = [
            f"-- {comment}\n{query} AS (\n    {sql}\n)" for query, comment, sql in self._queries
        ]
        parts = [part.replace("\n", "\n    ").replace("-- ", "    -- ", 1) for part in parts]
        joined = ",\n".join(parts)
        return f"WITH\n{joined}\nSELECT {names(schema.names)}\nFROM {last}\nORDER BY {ROW}\n"

    def _table(self, node_id: str, output: str) -> tuple[str, Schema]:
        relation = self._engine.prepare(self._flow, node_id, output, trusted=self._trusted).relation
        for node in self._flow.upstream(node_id):
            for link in node.inputs:
                self._one(self._flow.node(link.node_id), link.output_name)
        return self._one(self._flow.node(node_id), output), relation.schema

    def _one(self, node: Node, output: str) -> str:
        """The name of the query that gives a table."""
        if (node.id, output) in self._made:
            return self._made[node.id, output]
        if node.type == "SOURCE":
            made = self._source(node)
        elif node.type != "TRANSFORM" or node.disabled:
            link = node.inputs[0]
            made = self._one(self._flow.node(link.node_id), link.output_name)
        else:
            made = self._step(node, output)
        self._made[node.id, output] = made
        return made

    def _source(self, node: Node) -> str:
        source = Source.of(node)
        kind, options = known_source(self._engine, node, source)
        schema = self._engine.prepare(self._flow, node.id, trusted=self._trusted).relation.schema
        made = free(f"{identifier(source.shown_name.split('.')[0], 'table')}_source", self._taken)
        scan = _scan(source, kind, options, schema)
        shown = ", ".join(_read(c.name, c.type.duckdb, kind, options) for c in schema)
        sql = f"SELECT row_number() OVER () - 1 AS {ROW}, {shown}\n    FROM {scan}"
        self._queries.append((made, source.shown_name, sql))
        return made

    def _step(self, node: Node, output: str) -> str:
        prepared = self._engine.prepare(self._flow, node.id, output, trusted=self._trusted)
        applied = next(one for one in prepared.steps if one.node.id == node.id)
        assert not isinstance(applied.rendering, InMemory)
        inputs = [
            (self._one(self._flow.node(link.node_id), link.output_name), schema)
            for link, schema in zip(
                node.inputs, (applied.step.schema, *applied.step.others), strict=True
            )
        ]
        first, *rest = (
            Relation(self._engine.database, schema, ((f"__t{number}x", table),))
            for number, (table, schema) in enumerate(inputs)
        )
        relation = first.then(applied.rendering, prepared.relation.schema, *rest)
        sql = _with_names(relation.queries)
        number = sum(1 for one in self._made.values() if one.startswith("step_")) + 1
        made = free(f"step_{number}_{identifier(applied.transform.name, '')}", self._taken)
        words = f"{title(node, applied.transform)}: "
        words += summary(applied.transform, applied.step.values, None)
        self._queries.append((made, shortened(words.rstrip(": "), 90), sql))
        return made


def _with_names(queries: Sequence[tuple[str, str]]) -> str:
    """The last of some queries, with what the others are called here in the places of their own
    names: those are tables already."""
    places = dict(queries[:-1])
    return _QUOTED_OR_NAME.sub(lambda match: places.get(match[0], match[0]), queries[-1][1])


def _scan(source: Source, kind: str, options: Mapping[str, Any], schema: Schema) -> str:
    if kind == "parquet":
        return f"read_parquet({literal(source.uri)})"
    quote = options.get("Quote", '"')
    texts = ", ".join(f"{literal(column.name)}: 'VARCHAR'" for column in schema)
    return (
        f"read_csv({literal(source.uri)}, auto_detect = false, "
        f"delim = {literal(options.get('Delimiter', ','))}, quote = {literal(quote)}, "
        f"escape = {literal(quote)}, header = {literal(options.get('HasHeader', True))}, "
        f"skip = {options.get('SkipLines', 0)}, nullstr = [''], columns = {{{texts}}})"
    )


def _read(column: str, kind: str, file: str, options: Mapping[str, Any]) -> str:
    shown = name(column)
    if kind == "VARCHAR" and file != "parquet":
        return shown
    if file == "parquet":
        return f"CAST({shown} AS {kind}) AS {shown}"
    # What stands for nothing, such as NA, is no value: the text is cast here and not by the reader,
    # which would take over the cast of a bare column, and fail.
    text = f"trim({shown})"
    if kind == "DOUBLE":
        text = f"replace({text}, ',', '.')" if options.get("DecimalComma") else text
        return f"nullif(TRY_CAST({text} AS DOUBLE), 'nan'::DOUBLE) AS {shown}"
    return f"TRY_CAST({text} AS {kind}) AS {shown}"
