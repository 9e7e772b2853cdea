"""The one list of transforms: the engine, the palette, the exports and the docs read it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from bottega.nearest import did_you_mean, ending
from bottega.wrangler.errors import FlowError
from bottega.wrangler.transform import Transform

MODULES = (
    "parse_types",
    "manage_columns",
    "manage_rows",
    "filter_rows",
    "handle_missing",
    "handle_outliers",
    "process_numeric",
    "binning",
    "sampling",
    "split_data",
    "balance_data",
    "encode_categorical",
    "format_string",
    "search_and_edit",
    "validate_string",
    "structured",
    "manage_vectors",
    "featurize_text",
    "time_series",
    "aggregate",
    "dimensionality",
    "join_tables",
    "concatenate",
    "custom_formula",
    "custom_code",
    "custom_sql",
)
"""Modules of this package, in the palette's order."""


@cache
def transforms() -> tuple[Transform, ...]:
    """Every transform, in the palette's order."""
    found: list[Transform] = []
    for module_name in MODULES:
        module = importlib.import_module(f"bottega.wrangler.transforms.{module_name}")
        for value in vars(module).values():
            if (
                inspect.isclass(value)
                and issubclass(value, Transform)
                and not inspect.isabstract(value)
                and value.__module__.startswith(module.__name__)
            ):
                found.append(value())
    return tuple(found)


@cache
def _by_key() -> Mapping[tuple[str, str], Transform]:
    table: dict[tuple[str, str], Transform] = {}
    for transform in transforms():
        key = (transform.operator, "" if transform.is_only else transform.name)
        if key in table:
            raise ValueError(f"two transforms for {key}")
        table[key] = transform
    return table


def transform_of(operator: str, parameters: Mapping[str, Any]) -> Transform:
    """The transform that a node of a flow stands for.

    Args:
        operator: of the node.
        parameters: of the node.

    Raises:
        FlowError: it is unknown; the message names the nearest.
    """
    operation = parameters.get("operator", "")
    table = _by_key()
    found = table.get((operator, operation)) or table.get((operator, ""))
    if found is not None:
        return found
    operations = [name for known, name in table if known == operator]
    if operations:
        raise FlowError(
            f"{operator} has no operation {operation!r}{did_you_mean(str(operation), operations)}; "
            f"it has {', '.join(operations)}."
        )
    known = sorted({operator for operator, _ in table})
    raise FlowError(f"The operator {operator!r} is unknown{ending(operator, known)}")


def named(group: str, name: str) -> Transform:
    """A transform by what the palette calls it.

    Raises:
        FlowError: there is none; the message names the nearest.
    """
    for transform in transforms():
        if (transform.group, transform.name) == (group, name):
            return transform
    known = [f"{transform.group}: {transform.name}" for transform in transforms()]
    raise FlowError(f"There is no transform {group}: {name}{ending(f'{group}: {name}', known)}")


def groups() -> Iterator[tuple[str, list[Transform]]]:
    """The headings of the palette and what is under them."""
    table: dict[str, list[Transform]] = {}
    for transform in transforms():
        table.setdefault(transform.group, []).append(transform)
    yield from table.items()
