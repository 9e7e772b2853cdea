"""What a step can be told: one description for the checks, the forms and the file.

In a ``.flow`` file parameters lie in groups inside groups, as SageMaker has them; everywhere else
they are a flat mapping of names to values. :class:`ParameterSet` translates and judges.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from bottega.nearest import ending
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import ParameterError

Kind = Literal[
    "column",  # the name of a column
    "columns",  # names of columns; a single text in the file is a list of one
    "new_column",  # the name of a column to be made
    "choice",
    "text",
    "texts",
    "integer",
    "number",
    "boolean",
    "value",  # text, number or boolean, to be read as the column's type
    "code",
    "formula",
    "records",  # a list of mappings, each with the parameters in ``fields``
]
ABSENT: Any = None
"""The value of a parameter that is not set and has no default."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a transform, an analysis or a source."""

    name: str
    """In the checked values; an identifier."""
    kind: Kind
    label: str
    """In forms, sentence case."""
    sentence: str
    """What it does, with its unit where it has one."""
    path: str = ""
    """Where it lies in the node's parameters, below the transform's own group, with dots between
    the levels; from the top when it begins with a slash. The name when empty."""
    required: bool = False
    default: Any = ABSENT
    choices: tuple[str, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf
    types: frozenset[ColumnType] | None = None
    """The types of columns that it takes; all when None."""
    when: tuple[str, tuple[Any, ...]] | None = None
    """Only heeded, and only in the form, while another parameter has one of these values."""
    fields: tuple[Parameter, ...] = ()
    language: str = ""
    """Of code: ``python`` or ``sql``."""

    def as_answer(self) -> dict[str, Any]:
        """For the API; names as in the shape ``FlowParameter``."""
        answer: dict[str, Any] = {
            "Name": self.name,
            "Kind": self.kind,
            "Label": self.label,
            "Sentence": self.sentence,
            "Required": self.required,
        }
        if self.default is not ABSENT:
            answer["Default"] = self.default
        if self.choices:
            answer["Choices"] = list(self.choices)
        if math.isfinite(self.minimum):
            answer["Minimum"] = self.minimum
        if math.isfinite(self.maximum):
            answer["Maximum"] = self.maximum
        if self.types is not None:
            answer["ColumnTypes"] = sorted(self.types)
        if self.when is not None:
            answer["When"] = {"Parameter": self.when[0], "Values": list(self.when[1])}
        if self.fields:
            answer["Fields"] = [field.as_answer() for field in self.fields]
        if self.language:
            answer["Language"] = self.language
        return answer


class ParameterSet:
    """All parameters of one thing.

    Args:
        parameters: in the order of the form.
        group: the path of the mapping that holds them; empty for the node's parameters themselves.
    """

    def __init__(self, parameters: Iterable[Parameter], group: str = "") -> None:
        self._parameters = tuple(parameters)
        self._group = group

    def __iter__(self) -> Any:
        return iter(self._parameters)

    def read(self, node_parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The flat values of a node, unjudged; what is not set is left out."""
        found: dict[str, Any] = {}
        for parameter in self._parameters:
            place: Any = node_parameters
            for part in self._path(parameter):
                place = place.get(part, ABSENT) if isinstance(place, Mapping) else ABSENT
            if place is not ABSENT:
                found[parameter.name] = place
        return found

    def write(
        self, values: Mapping[str, Any], into: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """A node's parameters with these flat values; what else was in them stays.

        Raises:
            ParameterError: a name is unknown.
        """
        by_name = {parameter.name: parameter for parameter in self._parameters}
        result: dict[str, Any] = _copied(into or {})
        for name, value in values.items():
            if name not in by_name:
                raise ParameterError(name, f"There is no parameter {name!r}{ending(name, by_name)}")
            *parents, last = self._path(by_name[name])
            place = result
            for part in parents:
                if not isinstance(place.get(part), dict):
                    place[part] = {}
                place = place[part]
            if value is ABSENT:
                place.pop(last, None)
            else:
                place[last] = value
        return result

    def check(self, values: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
        """Judge flat values against the table that comes in.

        Returns:
            Every parameter's value by its name, defaults filled in, numbers as numbers, names of
            columns known to exist and of a type that fits.

        Raises:
            ParameterError: names the parameter, the value and what is allowed.
        """
        checked: dict[str, Any] = {}
        for parameter in self._parameters:
            if parameter.when is not None and not self._heeded(parameter, checked):
                checked[parameter.name] = parameter.default
                continue
            value = values.get(parameter.name, ABSENT)
            if _is_empty(value, parameter):
                if parameter.required:
                    raise ParameterError(
                        parameter.name, f"{parameter.label} is missing. {parameter.sentence}"
                    )
                checked[parameter.name] = parameter.default
                continue
            checked[parameter.name] = _judged(parameter, value, schema)
        return checked

    def _heeded(self, parameter: Parameter, checked: Mapping[str, Any]) -> bool:
        assert parameter.when is not None
        name, allowed = parameter.when
        return checked.get(name) in allowed

    def _path(self, parameter: Parameter) -> list[str]:
        path = parameter.path or parameter.name
        if path.startswith("/"):
            return path[1:].split(".")
        return [*(self._group.split(".") if self._group else ()), *path.split(".")]


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    return [_copied(part) for part in value] if isinstance(value, list) else value


def _is_empty(value: Any, parameter: Parameter) -> bool:
    if value is ABSENT:
        return True
    if parameter.kind in ("text", "value", "texts"):
        return False  # empty text is a text
    return value in ("", [])


def _judged(parameter: Parameter, value: Any, schema: Schema) -> Any:
    match parameter.kind:
        case "column":
            if isinstance(value, list) and len(value) == 1:
                (value,) = value
            return _column(parameter, value, schema)
        case "columns":
            names = value if isinstance(value, list) else [value]
            checked = [_column(parameter, name, schema) for name in names]
            repeated = next((name for name in checked if checked.count(name) > 1), None)
            if repeated is not None:
                raise ParameterError(
                    parameter.name, f"{parameter.label}: {repeated!r} is given twice."
                )
            return checked
        case "choice":
            if value not in parameter.choices:
                allowed = ", ".join(parameter.choices)
                raise ParameterError(
                    parameter.name,
                    f"{parameter.label}: {value!r} is none of {allowed}"
                    f"{ending(str(value), parameter.choices)}",
                )
            return value
        case "integer" | "number":
            return _number(parameter, value)
        case "boolean":
            return _boolean(parameter, value)
        case "texts":
            parts = value if isinstance(value, list) else [value]
            return [_text(parameter, part) for part in parts]
        case "value":
            if isinstance(value, bool | int | float | str):
                return value
            raise ParameterError(
                parameter.name, f"{parameter.label}: {value!r} is no text, number or boolean."
            )
        case "records":
            return _records(parameter, value, schema)
        case "new_column":
            return _new_column(parameter, value)
        case _:
            return _text(parameter, value)


def _column(parameter: Parameter, name: Any, schema: Schema) -> str:
    text = _text(parameter, name)
    if text not in schema:
        try:
            schema[text]
        except ParameterError as error:
            raise ParameterError(parameter.name, f"{parameter.label}: {error.message}") from None
    kind = schema.type(text)
    if parameter.types is not None and kind not in parameter.types:
        allowed = " or ".join(sorted(parameter.types))
        raise ParameterError(
            parameter.name,
            f"{parameter.label}: column {text!r} is {kind}, and this takes {allowed}; parse it as "
            "another type first.",
        )
    return text


def _new_column(parameter: Parameter, value: Any) -> str:
    text = _text(parameter, value)
    if not text.strip() or text.startswith("__"):
        raise ParameterError(
            parameter.name,
            f"{parameter.label}: {text!r} cannot name a column; a name is not blank and does not "
            "begin with two underscores.",
        )
    return text


def _text(parameter: Parameter, value: Any) -> str:
    if not isinstance(value, str):
        raise ParameterError(parameter.name, f"{parameter.label}: {value!r} is no text.")
    if "\x00" in value:
        raise ParameterError(parameter.name, f"{parameter.label}: a NUL character cannot be used.")
    return value


def _number(parameter: Parameter, value: Any) -> int | float:
    what = "whole number" if parameter.kind == "integer" else "number"
    number: int | float
    try:
        if isinstance(value, bool):
            raise TypeError
        number = int(value) if parameter.kind == "integer" else float(value)
        if isinstance(value, float) and number != value and not math.isnan(value):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ParameterError(
            parameter.name, f"{parameter.label}: {value!r} is no {what}."
        ) from None
    if not parameter.minimum <= number <= parameter.maximum or math.isnan(number):
        raise ParameterError(
            parameter.name,
            f"{parameter.label}: {value!r} is not {_range(parameter.minimum, parameter.maximum)}.",
        )
    return number


def _range(minimum: float, maximum: float) -> str:
    if math.isfinite(minimum) and math.isfinite(maximum):
        return f"between {minimum:g} and {maximum:g}"
    return f"at least {minimum:g}" if math.isfinite(minimum) else f"at most {maximum:g}"


def _boolean(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    # Files of SageMaker's have both.
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ParameterError(parameter.name, f"{parameter.label}: {value!r} is neither true nor false.")


def _records(parameter: Parameter, value: Any, schema: Schema) -> list[dict[str, Any]]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ParameterError(parameter.name, f"{parameter.label}: {value!r} is no list.")
    fields = ParameterSet(parameter.fields)
    checked = []
    for number, record in enumerate(value, 1):
        if not isinstance(record, Mapping):
            raise ParameterError(
                parameter.name, f"{parameter.label}, entry {number}: {record!r} is no mapping."
            )
        try:
            checked.append(fields.check(fields.read(record), schema))
        except ParameterError as error:
            raise ParameterError(
                parameter.name, f"{parameter.label}, entry {number}: {error.message}"
            ) from error
    return checked
