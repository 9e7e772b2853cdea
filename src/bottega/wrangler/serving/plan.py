"""Which steps and which columns an answer needs.

Rows that are served come one at a time, and without the label. So of a fitted flow

* steps that only choose or sort rows for training are left out,
* steps where a row means nothing without the others are refused,
* every column is followed from the source to the table that comes out: what comes from the label
  alone is left out, with the steps that make it; a feature that is computed from the label and from
  other columns is refused, since nobody could compute it of a new row,
* what no feature needs is not computed, and need not be in a request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bottega.nearest import ending
from bottega.wrangler.columns import Schema
from bottega.wrangler.engine.learning import columns_read
from bottega.wrangler.engine.run import checked_values
from bottega.wrangler.errors import FlowError, at_node, refuse_untrusted
from bottega.wrangler.flow.document import Node
from bottega.wrangler.serving.fitted import Fitted, title
from bottega.wrangler.transform import (
    Columns,
    InMemory,
    Query,
    Rendering,
    Rows,
    Step,
    Transform,
    Values,
)
from bottega.wrangler.transforms.registry import transform_of

_ANY = "\0"
"""Stands for all columns of the source but the label: what a program reads is not known."""
_FREE_TEXT = ("code", "formula")
Origins = Mapping[str, frozenset[str]]
"""For each column the columns of the source that it is computed from."""


@dataclass(frozen=True)
class ServedStep:
    """One step of an answer."""

    node: str
    name: str
    rendering: Rendering
    before: Schema
    after: Schema


@dataclass(frozen=True)
class ServingPlan:
    """How rows of a source become features."""

    source: Schema
    """Every column of the source, in its order."""
    label: frozenset[str]
    """The source's columns that the label comes from; no request needs them."""
    needed: Schema
    """The columns that are read. A label may be among them where a program sees the whole table;
    it is missing then."""
    steps: tuple[ServedStep, ...]
    features: Schema
    """What comes out."""
    runs_code: bool
    """Whether code that came with the flow is among the steps."""

    @property
    def asked(self) -> list[str]:
        """The columns that a row without names has, in order."""
        return [name for name in self.source.names if name not in self.label]


def serving_plan(fitted: Fitted, *, trusted: bool) -> ServingPlan:
    """Find out what an answer needs.

    Args:
        fitted: the flow.
        trusted: whether code that came with it may run.

    Raises:
        FlowError: a step cannot be served, the label is not there, or a feature is computed from
            it; the error names the node.
    """
    chain, source = _chain(fitted)
    schema = fitted.sources[source]
    origins: Origins = {column: frozenset({column}) for column in schema.names}
    steps: list[tuple[ServedStep, frozenset[str]]] = []
    runs_code = False
    for node, output in chain:
        with at_node(node.id):
            made = _step(fitted, node, output, schema)
            if made is None:
                continue
            step, transform, values = made
            refuse_untrusted(transform.name, runs_code=transform.runs_code, trusted=trusted)
        runs_code = runs_code or transform.runs_code
        origins = _origins(step, transform, values, origins)
        schema = step.after
        steps.append((step, _changed(step, transform, values)))
    label = _label_sources(fitted, origins, schema, fitted.sources[source])
    features = _features(schema, origins, label, fitted)
    return _pruned(fitted.sources[source], label, steps, features, runs_code)


def _chain(fitted: Fitted) -> tuple[list[tuple[Node, str]], str]:
    """The steps from the source to the node, each with its output, and the source's id."""
    flow = fitted.flow
    node, output = flow.node(fitted.node_id), fitted.output
    chain: list[tuple[Node, str]] = []
    while node.type != "SOURCE":
        if not node.inputs:
            raise FlowError("The node has no input.", node=node.id)
        if node.type == "TRANSFORM" and not node.disabled:
            if len(node.inputs) > 1:
                raise FlowError(
                    f"{title(flow, node.id)} combines tables; rows that come one at a time have no "
                    "second table. Serve the flow up to the step before it.",
                    node=node.id,
                )
            chain.append((node, output))
        link = node.inputs[0]
        node, output = flow.node(link.node_id), link.output_name
    if node.id not in fitted.sources:
        raise FlowError("The flow was not fitted with this source.", node=node.id)
    return chain[::-1], node.id


def _step(
    fitted: Fitted, node: Node, output: str, schema: Schema
) -> tuple[ServedStep, Transform, Values] | None:
    """A step as it is served; None where it is left out."""
    transform = transform_of(node.operator, node.parameters)
    called = title(fitted.flow, node.id)
    values = checked_values(transform, node, schema, ())
    serving = transform.serving_of(values)
    if serving == "refuse":
        raise FlowError(
            f"{called} needs other rows beside the one that is asked for, so it cannot be served. "
            "Serve the flow up to the step before it, or switch the step off."
        )
    if transform.learns and node.state is None:
        raise FlowError(f"{called} has not learnt anything yet: this flow is not fitted.")
    step = Step(schema, values, node.state or {}, (), output)
    after, rendering = transform.columns(step), transform.served(step)
    if isinstance(rendering, Rows):
        return None  # rows are chosen for training; each one that is asked for gets an answer
    if serving == "skip" and not isinstance(rendering, Columns):
        if after == schema:
            return None
        raise FlowError(
            f"{called} changes columns and needs other rows for it, so it cannot be served."
        )
    # A step that is for training only and changes columns of each row, such as dropping those that
    # were mostly missing, is part of what the model has seen.
    return ServedStep(node.id, called, rendering, schema, after), transform, values


def _origins(step: ServedStep, transform: Transform, values: Values, before: Origins) -> Origins:
    rendering = step.rendering
    if isinstance(rendering, Columns):
        free = any(parameter.kind in _FREE_TEXT for parameter in transform.parameters)
        return {
            column: _union(before, _read(rendering.set[column], step.before, free))
            if column in rendering.set
            else before[column]
            for column in step.after.names
        }
    touched = transform.touches(step.before, values)
    made = _union(before, touched) if touched else frozenset({_ANY})
    return {
        column: before[column] | made
        if column in before and column in touched
        else before.get(column, made)
        for column in step.after.names
    }


def _changed(step: ServedStep, transform: Transform, values: Values) -> frozenset[str]:
    """The columns that are not the same after a step that is a query or a program."""
    touched = transform.touches(step.before, values)
    if not touched:
        return frozenset(step.after.names)
    return frozenset(c for c in step.after.names if c in touched or c not in step.before)


def _union(origins: Origins, columns: Iterable[str]) -> frozenset[str]:
    return frozenset(source for column in columns for source in origins.get(column, ()))


def _read(expression: str, schema: Schema, free: bool) -> frozenset[str]:
    """The columns that an expression reads."""
    read = columns_read([expression])
    found = {column for column in schema.names if column in read}
    if free:
        # What somebody wrote may name columns without quotes, in any case.
        words = {word.casefold() for word in _words(expression)}
        words |= {word.casefold() for word in read}
        found |= {column for column in schema.names if column.casefold() in words}
    return frozenset(found)


def _words(expression: str) -> Iterable[str]:
    word = ""
    for character in f"{expression} ":
        if character.isalnum() or character == "_":
            word += character
        elif word:
            if character != "(":
                yield word
            word = ""


def _label_sources(
    fitted: Fitted, origins: Origins, table: Schema, source: Schema
) -> frozenset[str]:
    label = fitted.label
    if not label:
        return frozenset()
    if label in origins:
        found = origins[label]
    elif label in source:
        found = frozenset({label})
    else:
        known = list(dict.fromkeys([*table.names, *source.names]))
        raise FlowError(f"There is no column {label!r} to be the label{ending(label, known)}")
    if not found or _ANY in found:
        raise FlowError(
            f"The label {label!r} does not come from columns of the source that are known: a step "
            "computes it from the whole table."
        )
    return found


def _features(schema: Schema, origins: Origins, label: frozenset[str], fitted: Fitted) -> Schema:
    for column in schema.names:
        shared = origins[column] & label
        if shared and not origins[column] <= label:
            raise FlowError(
                f"Column {column!r} is computed from the label ({', '.join(sorted(shared))}) and "
                "from other columns; a row that is to be predicted has no label. Drop it.",
                node=fitted.node_id,
            )
    return Schema(c for c in schema if not origins[c.name] & label)


def _pruned(
    source: Schema,
    label: frozenset[str],
    steps: Sequence[tuple[ServedStep, frozenset[str]]],
    features: Schema,
    runs_code: bool,
) -> ServingPlan:
    """From the features back to the source: only what something needs later is computed."""
    kept: list[ServedStep] = []
    needed = set(features.names)
    for step, changed in reversed(steps):
        if isinstance(step.rendering, Columns):
            computed = {c: e for c, e in step.rendering.set.items() if c in needed}
            after = Schema(column for column in step.after if column.name in needed)
            read = {n for e in computed.values() for n in _read(e, step.before, free=True)}
            needed = read | {c for c in needed if c not in computed}
            kept.append(replace(step, rendering=Columns(computed), after=after))
        else:
            assert isinstance(step.rendering, Query | InMemory)
            if not needed & changed:
                continue
            needed = set(step.before.names)
            kept.append(step)
    kept.reverse()
    before = Schema(column for column in source if column.name in needed)
    start, chained = before, []
    for step in kept:
        chained.append(replace(step, before=start))
        start = step.after
    return ServingPlan(source, label, before, tuple(chained), features, runs_code)
