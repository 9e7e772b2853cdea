"""Where tuning looks for the values of hyperparameters.

>>> parameter_ranges({"max_depth": (2, 8), "eta": (0.01, 0.5, "log"), "kind": ["a", "b"]})
... # doctest: +NORMALIZE_WHITESPACE
{'IntegerParameterRanges': [{'Name': 'max_depth', 'MinValue': '2', 'MaxValue': '8',
                             'ScalingType': 'Auto'}],
 'ContinuousParameterRanges': [{'Name': 'eta', 'MinValue': '0.01', 'MaxValue': '0.5',
                                'ScalingType': 'Logarithmic'}],
 'CategoricalParameterRanges': [{'Name': 'kind', 'Values': ['a', 'b']}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bottega.algorithms.base import Algorithm, Hyperparameter
from bottega.errors import ClientFault

SCALINGS: Mapping[str, str] = {
    "auto": "Auto",
    "linear": "Linear",
    "log": "Logarithmic",
    "logarithmic": "Logarithmic",
    "reverse-log": "ReverseLogarithmic",
    "reverselogarithmic": "ReverseLogarithmic",
}
"""The words for SageMaker's scaling types, in small letters."""
INTEGER, CONTINUOUS, CATEGORICAL = (
    "IntegerParameterRanges",
    "ContinuousParameterRanges",
    "CategoricalParameterRanges",
)


def parameter_ranges(
    ranges: Mapping[str, Any], algorithm: Algorithm | None = None
) -> dict[str, list[dict[str, Any]]]:
    """``ParameterRanges`` as the API takes them.

    Args:
        ranges: by hyperparameter: a tuple ``(low, high)`` or ``(low, high, scaling)``, or a list of
            the values to choose from. Two whole numbers are a range of whole numbers, except where
            the algorithm knows better.
        algorithm: the built-in algorithm that is tuned.

    Raises:
        ClientFault: a range is none.
    """
    found: dict[str, list[dict[str, Any]]] = {INTEGER: [], CONTINUOUS: [], CATEGORICAL: []}
    for name, given in ranges.items():
        member, described = _range(name, given, _known(name, algorithm))
        found[member].append(described)
    return {member: described for member, described in found.items() if described}


def recommended(algorithm: Algorithm, given: Mapping[str, Any]) -> dict[str, Any]:
    """The ranges an algorithm recommends for the few hyperparameters that most people set.

    Args:
        algorithm: the built-in algorithm.
        given: hyperparameters whose values are fixed.
    """
    found: dict[str, Any] = {}
    for parameter in algorithm.hyperparameters.visible():
        tunable = parameter.tunable
        if tunable is None or not parameter.essential or parameter.name in given:
            continue
        if tunable.choices:
            found[parameter.name] = list(tunable.choices)
        elif tunable.minimum is not None and tunable.maximum is not None:
            found[parameter.name] = (tunable.minimum, tunable.maximum, tunable.scaling)
    return found


def _known(name: str, algorithm: Algorithm | None) -> Hyperparameter | None:
    schema = algorithm.hyperparameters if algorithm is not None else None
    return schema[name] if schema is not None and name in schema else None


def _range(name: str, given: Any, known: Hyperparameter | None) -> tuple[str, dict[str, Any]]:
    if isinstance(given, list):
        if not given:
            raise ClientFault(f"the range of {name!r} has no values; give some, or leave it out")
        return CATEGORICAL, {"Name": name, "Values": [_choice(value) for value in given]}
    if not isinstance(given, tuple) or len(given) not in (2, 3):
        raise ClientFault(
            f"the range of {name!r}, {given!r}, is none: give (low, high), (low, high, scaling), "
            "or a list of values to choose from"
        )
    low, high = (_number(name, end) for end in given[:2])
    scaling = "Auto"
    if len(given) == 3:
        word = str(given[2]).lower()
        if word not in SCALINGS:
            raise ClientFault(
                f"the range of {name!r} cannot be scaled as {given[2]!r}; scalings are "
                "linear, log, reverse-log and auto"
            )
        scaling = SCALINGS[word]
    whole = float(low).is_integer() and float(high).is_integer()
    if known is not None and known.kind in ("integer", "continuous"):
        integer = known.kind == "integer"
        if integer and not whole:
            raise ClientFault(
                f"{name} takes whole numbers; its range cannot end at {given[0]} and {given[1]}"
            )
    else:
        integer = isinstance(low, int) and isinstance(high, int)
    texts = [str(int(end)) if integer else repr(float(end)) for end in (low, high)]
    ends = {"MinValue": texts[0], "MaxValue": texts[1], "ScalingType": scaling}
    return INTEGER if integer else CONTINUOUS, {"Name": name, **ends}


def _number(name: str, end: Any) -> int | float:
    if hasattr(end, "item") and not getattr(end, "shape", None):
        end = end.item()  # a number of numpy's
    if isinstance(end, bool) or not isinstance(end, (int, float)):
        raise ClientFault(
            f"the range of {name!r} ends at {end!r}, which is no number; a list has values to "
            "choose from"
        )
    return end


def _choice(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
