"""Metrics read from log lines by regular expressions, as CloudWatch does it for SageMaker."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import regex

from bottega.compute.logs import LogEvent
from bottega.tracking.port import MetricPoint

MATCH_TIMEOUT_SECONDS = 0.5
PATIENCE = 10
"""How many lines an expression may take too long on before it is given up for this log."""
_LOG = logging.getLogger(__name__)


class BadMetricDefinition(Exception):
    """A regular expression that cannot be used; the message says which and why."""


_TAB = "#011"
"""How CloudWatch writes a tab."""

# The form of the stock expressions of XGBoost: what stands before the value is plain text.
_STOCK = re.compile(r"\.\*\\\[\[0-9\]\+\\\]\.\*(#011[\w:@-]+)\(.+\)")


@dataclass(frozen=True)
class Definition:
    """One metric's expression, compiled."""

    name: str
    pattern: regex.Pattern[str]
    needle: str
    """Text that every line has which it can match; empty where that is not known.

    A built-in algorithm has dozens of expressions, and looking for a text is far cheaper than
    letting an expression fail.
    """

    @classmethod
    def of(cls, name: str, pattern: regex.Pattern[str]) -> Definition:
        stock = _STOCK.fullmatch(pattern.pattern)
        return cls(name, pattern, stock.group(1) if stock else "")


@dataclass
class MetricScraper:
    """Turns log lines into points, in the order of the lines.

    Each metric's step is the number of values it had before, so that reading a log again from its
    start gives the same points again.
    """

    definitions: Sequence[Definition]
    _steps: dict[str, int] = field(default_factory=dict)
    last: dict[str, MetricPoint] = field(default_factory=dict)
    """The latest point of each metric."""
    _too_slow: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, definitions: Iterable[Mapping[str, Any]]) -> MetricScraper:
        """Compile SageMaker's MetricDefinitions.

        Raises:
            BadMetricDefinition: an expression does not compile, or has no group to take the value
                from.
        """
        compiled = []
        for definition in definitions:
            name, expression = definition["Name"], definition["Regex"]
            try:
                pattern = regex.compile(expression)
            except regex.error as error:
                raise BadMetricDefinition(
                    f"the regular expression of metric {name!r} is not valid: {error}"
                ) from error
            if not pattern.groups:
                raise BadMetricDefinition(
                    f"the regular expression of metric {name!r} has no group for the value"
                )
            compiled.append(Definition.of(name, pattern))
        return cls(compiled)

    def feed(self, events: Iterable[LogEvent]) -> Iterator[MetricPoint]:
        """The points of these lines.

        A tab is matched as ``#011`` too, because CloudWatch writes it so and the stock expressions
        expect that. An expression that takes too long on a line is passed over for that line, and
        for the rest of the log when that goes on.
        """
        # Most lines of most logs have nothing that any expression of an algorithm looks for.
        marked = all(item.needle.startswith(_TAB) for item in self.definitions)
        for event in events:
            if marked and "\t" not in event.message and _TAB not in event.message:
                continue
            lines = [event.message]
            if "\t" in event.message:
                lines = sorted([*lines, event.message.replace("\t", _TAB)])
            for definition in self.definitions:
                for line in lines:
                    if definition.needle not in line:
                        continue
                    value = self._value(definition, line)
                    if value is None:
                        continue
                    name = definition.name
                    step = self._steps.get(name, 0)
                    self._steps[name] = step + 1
                    point = MetricPoint(name, value, event.timestamp, step)
                    self.last[name] = point
                    yield point
                    break

    def _value(self, definition: Definition, line: str) -> float | None:
        try:
            match = definition.pattern.search(line, timeout=MATCH_TIMEOUT_SECONDS)
        except TimeoutError:
            name = definition.name
            self._too_slow[name] += 1
            if self._too_slow[name] >= PATIENCE:
                _LOG.warning("the expression of metric %r is too slow; it is given up", name)
                self.definitions = [item for item in self.definitions if item.name != name]
            return None
        if match is None or match.group(1) is None:
            return None
        try:
            return float(match.group(1))
        except ValueError:
            return None

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList: the last value of each metric."""
        return [
            {"MetricName": name, "Value": point.value, "Timestamp": point.timestamp / 1000}
            for name, point in sorted(self.last.items())
        ][:40]
