"""A fitted flow: the document with what every step has learnt, and what it was fitted for.

The latter lies under the document's own key ``bottega``:

===============  ===================================================================================
``node_id``      the node whose table was asked for
``output_name``  which of its outputs
``label``        the column that a model learns to predict; empty for none
``sources``      for each SOURCE node above it the ``[name, type]`` of its columns
===============  ===================================================================================
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.errors import FlowError
from bottega.wrangler.flow.document import Flow
from bottega.wrangler.transform import State
from bottega.wrangler.transforms.registry import transform_of

_KEY = "bottega"


@dataclass(frozen=True)
class Fitted:
    """A fitted flow, and what it was fitted for."""

    flow: Flow
    node_id: str
    output: str
    label: str
    sources: Mapping[str, Schema]
    """What came out of each SOURCE node."""

    @classmethod
    def of(
        cls,
        flow: Flow,
        states: Mapping[str, State],
        sources: Mapping[str, Schema],
        node_id: str,
        output: str = "default",
        label: str = "",
    ) -> Fitted:
        """Put together what was learnt."""
        raw = copy.deepcopy(dict(flow.with_states(states).raw))
        own = raw.get(_KEY)
        raw[_KEY] = {
            **(own if isinstance(own, dict) else {}),
            "node_id": node_id,
            "output_name": output,
            "label": label,
            "sources": {
                source: [[column.name, column.type.value] for column in schema]
                for source, schema in sources.items()
            },
        }
        return cls(Flow(raw), node_id, output, label, dict(sources))

    @classmethod
    def parse(cls, text: str | bytes) -> Fitted:
        """Read what :meth:`text` gave.

        Raises:
            FlowError: it is no flow, or one that was not fitted.
        """
        flow = Flow.parse(text)
        own: Any = flow.raw.get(_KEY) or {}
        try:
            sources = {
                str(source): Schema(Column(str(name), ColumnType(kind)) for name, kind in columns)
                for source, columns in own["sources"].items()
            }
            found = cls(
                flow,
                str(own["node_id"]),
                str(own["output_name"]),
                str(own["label"]),
                sources,
            )
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise FlowError(
                "This flow is not fitted: it does not say what its steps have learnt. Run it, as a "
                "processing job or with FlowTransformer.fit, and take the flow that this leaves."
            ) from error
        flow.node(found.node_id)
        return found

    def text(self) -> str:
        """As a file's content."""
        return self.flow.text()


def only_end(flow: Flow) -> str:
    """The node whose table one means when one names none.

    Raises:
        FlowError: there are several, or none.
    """
    ends = flow.ends()
    if len(ends) == 1:
        return ends[0].id
    if not ends:
        raise FlowError("The flow has no table: add a source to it.")
    known = ", ".join(f"{title(flow, node.id)} ({node.id})" for node in ends)
    raise FlowError(f"The flow ends in {len(ends)} tables; say which one you want: {known}.")


def title(flow: Flow, node_id: str) -> str:
    """What to call a node in a message."""
    node = flow.node(node_id)
    named: Any = node.raw.get("name")
    if named:
        return str(named)
    if node.type == "TRANSFORM":
        try:
            return transform_of(node.operator, node.parameters).name
        except FlowError:  # an unknown operation is called as the file calls it
            pass
    short = node.operator.rpartition("_")[0].rpartition(".")[2]
    return str(node.parameters.get("operator") or short or node.operator)
