"""What hyperparameters an algorithm takes: one description for the API, the forms, tuning and docs.

Hyperparameters arrive as strings. :meth:`HyperparameterSchema.check` is the only place that judges
them, before a job starts and again inside it.

>>> schema = HyperparameterSchema(
...     (Hyperparameter("eta", "continuous", "Step size.", interval=Interval(0, 1)),)
... )
>>> schema.check({"eta": "0.3"})
{'eta': 0.3}
>>> schema.check({"eta": "7"})
Traceback (most recent call last):
bottega.algorithms.hyperparameters.HyperparameterError: Hyperparameter eta: 7 is not in [0,1].
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from bottega.nearest import nearest

Kind = Literal["integer", "continuous", "categorical", "text"]


class HyperparameterError(ValueError):
    """A hyperparameter is unknown, missing or has a value it cannot have.

    The message names the parameter, the value, what is allowed and, where it helps, what to do.
    """

    def __init__(self, name: str, message: str) -> None:
        super().__init__(f"Hyperparameter {name}: {message}")
        self.name = name


@dataclass(frozen=True)
class Interval:
    """A range of numbers; ``str`` gives SageMaker's notation, ``(0,1]`` or ``[0,∞)``."""

    minimum: float = -math.inf
    maximum: float = math.inf
    open_minimum: bool = False
    open_maximum: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.minimum if self.open_minimum else value >= self.minimum
        below = value < self.maximum if self.open_maximum else value <= self.maximum
        return above and below and math.isfinite(value)

    def __str__(self) -> str:
        left = "(" if self.open_minimum or self.minimum == -math.inf else "["
        right = ")" if self.open_maximum or self.maximum == math.inf else "]"
        return f"{left}{_number(self.minimum)},{_number(self.maximum)}{right}"


@dataclass(frozen=True)
class TunableRange:
    """Where tuning is recommended to search."""

    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    scaling: Literal["Auto", "Linear", "Logarithmic"] = "Auto"


@dataclass(frozen=True)
class Condition:
    """True when another hyperparameter has one of these values."""

    name: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} is {' or '.join(self.values)}"


@dataclass(frozen=True)
class Hyperparameter:
    """One hyperparameter."""

    name: str
    kind: Kind
    description: str
    """One sentence."""
    default: str | None = None
    """What the algorithm does without it, as text; None when there is no default."""
    interval: Interval | None = None
    """For numbers."""
    choices: tuple[str, ...] = ()
    """For categories."""
    also: tuple[str, ...] = ()
    """Words that are accepted beside numbers, such as ``auto``; each stands for itself."""
    required: bool = False
    required_when: Condition | None = None
    used_when: Condition | None = None
    """Forms show it only then; a value given anyway is accepted."""
    aliases: tuple[str, ...] = ()
    """Other names of the same parameter; giving two of them is an error."""
    tunable: TunableRange | None = None
    parse: Callable[[str], Any] | None = None
    """For text: gives the value or raises ValueError with the rest of the sentence
    ("... must be a list")."""
    deprecated: str = ""
    """Why the value has no effect any more; it is checked, logged and then ignored."""
    essential: bool = False
    """One of the few that most people set."""
    hidden: bool = False
    """Accepted, but not shown in forms and docs."""

    @property
    def range(self) -> str:
        """What is allowed, as a person reads it."""
        if self.choices:
            return ", ".join(self.choices)
        if self.kind == "text":
            return "any text"
        numbers = str(self.interval) if self.interval is not None else "any number"
        return " or ".join((numbers, *self.also))

    def convert(self, text: str) -> Any:
        """Turn the text into the value: int, float, or str, or whatever ``parse`` gives.

        Raises:
            HyperparameterError: it cannot be that.
        """
        value = text.strip()
        if self.parse is not None:
            try:
                return self.parse(value)
            except ValueError as error:
                raise HyperparameterError(self.name, f"{value!r} {error}.") from error
        if self.kind == "categorical":
            if value not in self.choices:
                raise HyperparameterError(self.name, f"{value!r} is not one of {self.range}.")
            return value
        if self.kind == "text" or value in self.also:
            return value
        return self._convert_number(value)

    def _convert_number(self, value: str) -> int | float:
        noun = "an integer" if self.kind == "integer" else "a number"
        allowed = f" in {self.range}" if self.interval is not None or self.also else ""
        try:
            number = float(value)
            whole = int(number) if self.kind == "integer" else None
        except (ValueError, OverflowError) as error:
            message = f"{value!r} is not {noun}{allowed}."
            raise HyperparameterError(self.name, message) from error
        if math.isnan(number) or (whole is not None and whole != number):
            raise HyperparameterError(self.name, f"{value!r} is not {noun}{allowed}.")
        if self.interval is not None and number not in self.interval:
            raise HyperparameterError(self.name, f"{value} is not in {self.range}.")
        return number if whole is None else whole


Rule = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True)
class HyperparameterSchema:
    """All hyperparameters of an algorithm, in the order of its docs, and rules between them."""

    parameters: tuple[Hyperparameter, ...]
    rules: tuple[Rule, ...] = ()
    """Each gets the converted values and raises HyperparameterError."""
    ignored_prefixes: tuple[str, ...] = ("sagemaker_",)
    """Names of the platform's own, which are no hyperparameters."""
    _by_name: Mapping[str, Hyperparameter] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index = {alias: p for p in self.parameters for alias in (p.name, *p.aliases)}
        object.__setattr__(self, "_by_name", index)

    def __getitem__(self, name: str) -> Hyperparameter:
        """The parameter of this name or alias. Raises: KeyError."""
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def visible(self) -> tuple[Hyperparameter, ...]:
        """Those a person is meant to see."""
        return tuple(p for p in self.parameters if not p.hidden)

    def defaults(self) -> dict[str, str]:
        """The default of every parameter that has one, as text."""
        return {p.name: p.default for p in self.parameters if p.default is not None}

    def check(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Judge and convert what a user gave; defaults are not filled in.

        Args:
            values: names (or aliases) to text.

        Returns:
            The canonical names with values of the right types.

        Raises:
            HyperparameterError: the first thing that is wrong, in a fixed order.
        """
        found: dict[str, Any] = {}
        for problem in self._judge(values, found):
            raise problem
        return found

    def problems(self, values: Mapping[str, str]) -> list[HyperparameterError]:
        """Everything that is wrong, in the order in which :meth:`check` looks.

        Rules between parameters are judged where each of them alone is right.
        """
        return list(self._judge(values, {}))

    def _judge(
        self, values: Mapping[str, str], found: dict[str, Any]
    ) -> Iterator[HyperparameterError]:
        """Convert into ``found``, and tell what cannot be."""
        given: dict[str, str] = {}
        sound = True
        for name in sorted(values):
            if name.startswith(self.ignored_prefixes):
                continue
            try:
                self._take(name, values[name], given, found)
            except HyperparameterError as problem:
                sound = False
                yield problem
        missing = (parameter for parameter in self.parameters if parameter.name not in given)
        checks: list[Rule] = [partial(self._check_presence, parameter) for parameter in missing]
        for check in [*checks, *(self.rules if sound else ())]:
            try:
                check(found)
            except HyperparameterError as problem:
                yield problem

    def _take(self, name: str, text: str, given: dict[str, str], found: dict[str, Any]) -> None:
        parameter = self._by_name.get(name)
        if parameter is None:
            raise HyperparameterError(name, self._unknown(name))
        if (other := given.get(parameter.name)) is not None:
            raise HyperparameterError(name, f"the same as {other}; give only one of them.")
        given[parameter.name] = name
        found[parameter.name] = parameter.convert(text)

    def _check_presence(self, parameter: Hyperparameter, found: Mapping[str, Any]) -> None:
        if parameter.name in found:
            return
        if parameter.required:
            raise HyperparameterError(
                parameter.name, f"required; give a value in {parameter.range}."
            )
        condition = parameter.required_when
        if condition is None:
            return
        value = found.get(condition.name, self[condition.name].default)
        if str(value) in condition.values:
            message = (
                f"required when {condition.name} is {value}; give a value in {parameter.range}."
            )
            raise HyperparameterError(parameter.name, message)

    def _unknown(self, name: str) -> str:
        close = nearest(name, [p.name for p in self.visible()])
        hint = f" Did you mean {close}?" if close else ""
        return f"this algorithm has no such hyperparameter.{hint}"


def _number(value: float) -> str:
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    whole = abs(value) < 2**53 and value == round(value)
    return f"{value:.0f}" if whole else f"{value:g}"
