"""A flow as a pandas program, put together from what its steps write."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.run import Applied, FlowEngine
from bottega.wrangler.export.exported import free, identifier
from bottega.wrangler.export.python_layout import WIDTH, broken, imports
from bottega.wrangler.export.readers import Reader, write
from bottega.wrangler.flow.document import Flow, Node
from bottega.wrangler.flow.summaries import shortened, summary, title
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sources.nodes import Source

_TAKEN = frozenset({"pd", "np", "inf", "json", "csv", "re", "os", "math", "list", "dict", "df"})
Output = tuple[str, str]
"""A node and one of its outputs."""


@dataclass
class Program:
    """The parts of a program, from which modules and notebooks are made."""

    name: str
    """Of the function that prepares."""
    readers: list[Reader]
    schema: Schema
    """Of the table that comes out."""
    imports: list[str] = field(default_factory=list)
    constants: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    """Sources of functions that the main one calls, without those that read."""
    loads: list[str] = field(default_factory=list)
    prepare: str = ""
    notes: list[str] = field(default_factory=list)
    served: tuple[Applied, ...] = ()
    """The steps, in their order."""

    def module(self, docstring: str, extra: Sequence[str] = (), main: str = "") -> str:
        """The whole as a file.

        Args:
            docstring: what the module says of itself.
            extra: further definitions, behind the main function.
            main: what it does when it is run; nothing when empty.
        """
        blocks = [*self.functions, *self.loads, self.prepare, *extra]
        if main:
            blocks.append(f'if __name__ == "__main__":\n{textwrap.indent(main, "    ")}')
        body = "\n".join(self.constants) + "\n\n\n" + "\n\n\n".join(blocks)
        used = imports(self.imports, body)
        head = [f'"""{docstring}"""', "", *used]
        if self.constants:
            head += ["", *self.constants]
        lines = "\n".join([*head, "", "", "\n\n\n".join(blocks)]).split("\n")
        return "\n".join(broken(lines)).rstrip("\n") + "\n"


def program_of(
    flow: Flow, node_id: str, output: str, name: str, engine: FlowEngine, *, trusted: bool
) -> Program:
    """Write the program of a node's table, with what its steps have learnt from the engine's data.

    Raises:
        FlowError: a node above it is wrong; names it.
    """
    return _Writer(flow, engine, trusted).program((node_id, output), identifier(name, "prepare"))


class _Writer:
    """Writes the steps one after the other, each on the variable that holds its table."""

    def __init__(self, flow: Flow, engine: FlowEngine, trusted: bool) -> None:
        self._flow, self._engine, self._trusted = flow, engine, trusted
        self._code = PandasCode()
        self._taken = set(_TAKEN)
        self._variables: dict[Output, str] = {}
        self._uses: dict[Output, int] = {}
        self._readers: list[Reader] = []
        self._notes: list[str] = []
        self._applied: dict[str, Applied] = {}

    def program(self, target: Output, name: str) -> Program:
        """The program for a table."""
        self._taken.add(name)
        prepared = self._engine.prepare(self._flow, *target, trusted=self._trusted)
        target = self._resolved(*target)
        order = self._order(target)
        sources = [one for one in order if self._flow.node(one[0]).type == "SOURCE"]
        for one in sources:
            self._add_source(one, alone=len(sources) == 1)
        for one in order:
            if one not in self._variables:
                self._add_step(one)
        schema = prepared.relation.schema
        loads, functions = [], dict(self._code.functions)
        for reader in self._readers:
            loads.append(functions.pop(reader.function))
        return Program(
            name,
            self._readers,
            schema,
            [*self._code.imports],
            [f"{key} = {text}" for key, text in self._code.constants.items()],
            list(functions.values()),
            loads,
            self._function(name, target),
            self._notes,
            tuple(self._applied.values()),
        )

    def _resolved(self, node_id: str, output: str) -> Output:
        """The table that a node gives, past steps that are switched off and nodes that pass on."""
        node = self._flow.node(node_id)
        while node.type not in ("SOURCE", "TRANSFORM") or node.disabled:
            output = node.inputs[0].output_name
            node = self._flow.node(node.inputs[0].node_id)
        return node.id, output

    def _inputs(self, one: Output) -> list[Output]:
        return [self._resolved(i.node_id, i.output_name) for i in self._flow.node(one[0]).inputs]

    def _order(self, target: Output) -> list[Output]:
        """Every table that is needed, each after those that it is made of."""
        order: dict[Output, None] = {}
        stack = [(target, False)]
        while stack:
            current, entered = stack.pop()
            if entered:
                order.setdefault(current)
            elif current not in order:
                stack.append((current, True))
                stack += [(one, False) for one in reversed(self._inputs(current))]
        for one in order:
            for above in self._inputs(one):
                self._uses[above] = self._uses.get(above, 0) + 1
        return list(order)

    def _add_source(self, one: Output, *, alone: bool) -> None:
        node = self._flow.node(one[0])
        source = Source.of(node)
        wanted = identifier(source.shown_name.split(".")[0], "table")
        variable = "df" if alone else free(wanted, self._taken)
        schema = self._engine.prepare(self._flow, *one, trusted=self._trusted).relation.schema
        kind, options = known_source(self._engine, node, source)
        reader = Reader(source, kind, options, schema, variable)
        self._variables[one] = variable
        self._readers.append(reader)
        self._notes += write(reader, self._code)

    def _add_step(self, one: Output) -> None:
        prepared = self._engine.prepare(self._flow, *one, trusted=self._trusted)
        applied = next(step for step in prepared.steps if step.node.id == one[0])
        first, *others = self._inputs(one)
        words = f"{title(applied.node, applied.transform)}: "
        words += summary(applied.transform, applied.step.values, None)
        self._code.line(f"# {shortened(words.rstrip(': '), WIDTH - 8)}")
        wanted = "" if one[1] == "default" else identifier(one[1], "")
        self._code.table, *rest = [self._owned(table, wanted) for table in (first, *others)]
        self._code.others = tuple(rest)
        variable = self._code.table
        applied.transform.pandas(applied.step, self._code)
        self._variables[one] = variable
        self._applied[applied.node.id] = applied

    def _owned(self, table: Output, wanted: str) -> str:
        """A variable with a table, which a step may change; a copy where others take it, too."""
        variable = self._variables[table]
        self._uses[table] -= 1
        if not self._uses[table]:
            return variable
        copied = free(wanted or variable, self._taken)
        self._code.line(f"{copied} = {variable}.copy()")
        return copied

    def _function(self, name: str, target: Output) -> str:
        arguments = [reader.variable for reader in self._readers]
        what = "the table" if len(arguments) == 1 else "the tables"
        lines = [
            f"def {name}({', '.join(arguments)}):",
            f'    """Prepare {what}; what comes in stays as it is."""',
            *(f"    {variable} = {variable}.copy()" for variable in arguments),
            *(f"    {line}" if line else "" for line in self._code.lines),
            f"    return {self._variables[target]}.reset_index(drop=True)",
        ]
        return "\n".join(lines)


def known_source(engine: FlowEngine, node: Node, source: Source) -> tuple[str, dict[str, object]]:
    """The format of a source and how it is read, as it was found out."""
    found = getattr(engine.sources, "known", None)
    if found is not None:
        kind, options = found(node)
        return str(kind), dict(options)
    kind = "sql" if source.kind == "sql" else str(source.options.get("ContentType", "csv"))
    return kind, dict(source.options)
