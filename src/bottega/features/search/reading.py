"""Takes the values of properties out of very many resources at once.

Decoding whole documents, and putting value by value into arrays, takes several times as long as
what is done here. Of the JSON only the members that somebody asks for become objects. Resources
that have the same properties, as nearly all of a studio have, are handed on together, so that each
array takes up many values in one go.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from bottega.features.search.kinds import Searchable
from bottega.features.search.properties import (
    HYPERPARAMETERS,
    METRICS,
    OWNED,
    TAGS,
    Property,
)
from bottega.storage.metadata import Written

AT_ONCE = 100
"""Resources whose values are held as objects; many more no longer fit a processor's cache, which
makes everything here a third slower."""

Path = tuple[str, ...]

_SCALARS = frozenset((str, float, int, bool))
_NOTHING: Mapping[str, Any] = {}
_MODIFIED = "LastModifiedTime"


@dataclass
class Alike:
    """Resources that have one value each of the same properties."""

    paths: Sequence[Path]
    names: list[str] = field(default_factory=list)
    values: list[Sequence[Any]] = field(default_factory=list)
    """Those of one resource after the other, in the order of the paths."""


@dataclass
class Single:
    """A resource of whose properties some has several values."""

    name: str
    values: Mapping[Path, Sequence[Any]]


class Metric(msgspec.Struct, gc=False):
    """What is read of a metric."""

    MetricName: str
    Value: Any


class Reading:
    """Reads the properties of resources of one kind.

    Args:
        searchable: the kind.
        properties: those to be read, by their paths.
        owned: those of :data:`~bottega.features.search.properties.OWNED` that are read beside them,
            with every name there is.
    """

    def __init__(
        self,
        searchable: Searchable,
        properties: Mapping[Path, Property],
        owned: Collection[str] = OWNED,
    ) -> None:
        known = searchable.shape.members.keys()
        self._paths = tuple(properties)
        self._properties = properties
        heads = {path[0] for path in properties}
        has_parameters = HYPERPARAMETERS in owned and HYPERPARAMETERS in known
        has_metrics = METRICS in owned and bool(searchable.metrics)
        # Unless somebody asks for other members of the metrics.
        light = has_metrics and searchable.metrics not in heads
        types: dict[str, Any] = {searchable.metrics: list[Metric]} if light else {}
        self._members = sorted(heads | {_MODIFIED})
        more = [*([HYPERPARAMETERS] * has_parameters), *([searchable.metrics] * has_metrics)]
        self._type = msgspec.defstruct(
            "Document",
            [
                (name, types.get(name, Any), msgspec.UNSET)
                for name in dict.fromkeys([*self._members, *more])
            ],
            gc=False,
        )
        self._decode = msgspec.json.Decoder(self._type).decode
        self._of_members = _getter_of(self._members)
        self._flat = all(len(path) == 1 for path in properties)
        self._values = _getter_of([path[0] for path in properties])
        self._parameters = _owned(HYPERPARAMETERS, there=has_parameters)
        self._metrics = _owned(searchable.metrics, there=has_metrics)
        of_metric = attrgetter if light else itemgetter
        self._metric_name, self._metric_value = of_metric("MetricName"), of_metric("Value")

    def read(
        self, documents: Iterable[Written], tags: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Alike | Single]:
        """The values of all of them, in any order.

        Args:
            documents: resources.
            tags: by the name of the resource.
        """
        rest = iter(documents)
        while some := list(islice(rest, AT_ONCE)):
            yield from self._some(some, tags)

    def _some(
        self, documents: Sequence[Written], tags: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Alike | Single]:
        groups: dict[Any, Alike | None] = {}
        last, group = None, None
        for name, modified, text in documents:
            found = self._document(text)
            found.LastModifiedTime = modified
            values = list(self._values(found)) if self._flat else []
            paths = self._paths
            several: Mapping[Path, Sequence[Any]] = {}
            if not (self._flat and _SCALARS.issuperset(map(type, values))):
                paths, values, several = self._several(found)
            parameters = self._parameters(found) or _NOTHING
            metrics = self._metrics(found) or ()
            marks = tags.get(name, _NOTHING)
            names = paths, tuple(parameters), tuple(map(self._metric_name, metrics)), tuple(marks)
            values += parameters.values()
            values += map(self._metric_value, metrics)
            values += marks.values()
            if names != last:
                if names not in groups:
                    groups[names] = _group(names)
                last, group = names, groups[names]
            if group is not None and not several:
                group.names.append(name)
                group.values.append(values)
            else:
                # Of metrics of one name the last one counts.
                each = dict(zip(_paths(names), values, strict=True))
                one_each = {path: (value,) for path, value in each.items()}
                yield Single(name, {**one_each, **several})
        yield from (group for group in groups.values() if group is not None and group.names)

    def _document(self, text: str) -> Any:
        try:
            return self._decode(text)
        except msgspec.MsgspecError:  # it has NaN, say, which is no JSON for everybody
            return msgspec.convert(json.loads(text), self._type)

    def _several(self, found: Any) -> tuple[tuple[Path, ...], list[Any], dict[Path, Any]]:
        """(paths, values) of properties with one value each, and those with several."""
        item = _Item(
            {
                name: value
                for name, value in zip(self._members, self._of_members(found), strict=True)
                if value is not msgspec.UNSET and value != {}
            }
        )
        each = {path: wanted.values(item) for path, wanted in self._properties.items()}
        one = {path: values[0] for path, values in each.items() if len(values) == 1}
        return tuple(one), [*one.values()], {p: v for p, v in each.items() if len(v) > 1}


@dataclass
class _Item:
    """What a property needs of a candidate."""

    document: Mapping[str, Any]


def _owned(member: str, *, there: bool) -> Callable[[Any], Any]:
    return attrgetter(member) if there else lambda found: None


def _getter_of(members: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """What gives a tuple of them, also where there is one or none."""
    if len(members) > 1:
        return attrgetter(*members)
    return lambda found: tuple(getattr(found, member) for member in members)


def _group(names: Any) -> Alike | None:
    paths = _paths(names)
    return Alike(paths) if len(set(paths)) == len(paths) else None


def _paths(names: Any) -> list[Path]:
    paths, parameters, metrics, tags = names
    return [
        *paths,
        *((HYPERPARAMETERS, name) for name in parameters),
        *((METRICS, name) for name in metrics),
        *((TAGS, name) for name in tags),
    ]
