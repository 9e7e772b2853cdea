"""Parameters of rules: fields of a rule's class, read from the texts of a request.

A rule is a dataclass. What a request may set is a field made by :func:`parameter`; what the rule
remembers is any other field::

    @dataclass
    class AllZero(Rule):
        threshold: float = parameter(100.0, at_least=0, doc="Percentage of zeros ...")
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bottega.nearest import nearest

EVALUATORS_OWN = frozenset(
    {
        *("rule_to_invoke", "action_json", "source_s3_uri"),
        *("base_trial", "other_trial", "other_trials"),
    }
)
"""Members of RuleParameters that are not the rule's: whoever evaluates it reads them."""

_FALSE = {"false", "0", "no", "off"}
_TRUE = {"true", "1", "yes", "on"}
_NOTHING = {"", "none", "null"}


class ParameterRefused(ValueError):
    """A rule's parameter is unknown or has no meaning; the text says which and what would."""


@dataclass(frozen=True)
class Limits:
    """What a parameter may be.

    Attributes:
        doc: what it means, with its unit.
        kind: what its text is read as: bool, int, float or str.
        several: it is a list, its values separated by commas.
        optional: ``None`` is a value, too.
        at_least: the smallest value, if there is one.
        at_most: the largest value, if there is one.
        choices: the only texts allowed; empty for any. Letters' case does not matter.
        pattern: its texts are regular expressions.
    """

    doc: str
    kind: type
    several: bool = False
    optional: bool = False
    at_least: float | None = None
    at_most: float | None = None
    choices: tuple[str, ...] = ()
    pattern: bool = False


def parameter(
    default: Any,
    *,
    doc: str,
    kind: type | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    choices: Sequence[str] = (),
    pattern: bool = False,
) -> Any:
    """A field of a rule that a request may set.

    Args:
        default: its value where a request does not set it; a tuple for a list.
        kind: needed where the default does not say it. The others are those of :class:`Limits`.
    """
    several = isinstance(default, tuple)
    example = default[0] if several and default else "" if several else default
    limits = Limits(
        doc,
        kind or type(example),
        several,
        default is None,
        at_least,
        at_most,
        tuple(choices),
        pattern,
    )
    return dataclasses.field(default=default, metadata={"limits": limits})


def parameters_of(rule: type) -> dict[str, tuple[Limits, Any]]:
    """What a request may set of a rule: its limits and its default, by name."""
    return {
        field.name: (field.metadata["limits"], field.default)
        for field in dataclasses.fields(rule)
        if "limits" in field.metadata
    }


def read(rule: type, texts: Mapping[str, str]) -> dict[str, Any]:
    """The values that the texts of a request mean, by parameter, ready for the rule's constructor.

    Names are matched without regard to letters' case; what is not the rule's but the evaluator's
    (:data:`EVALUATORS_OWN`, ``other_trial_*``) is left out.

    Raises:
        ParameterRefused: one of them is unknown, malformed or beyond its limits.
    """
    known = parameters_of(rule)
    values: dict[str, Any] = {}
    for name, text in texts.items():
        own = name.lower()
        if own in known:
            limits, default = known[own]
            try:
                values[own] = _value(str(text).strip(), limits, default)
            except ParameterRefused as refusal:
                raise ParameterRefused(
                    f"The parameter {name} of the rule {rule.__name__} {refusal}"
                ) from None
        elif own not in EVALUATORS_OWN and not own.startswith("other_trial"):
            raise ParameterRefused(_unknown(rule.__name__, name, sorted(known)))
    return values


def _unknown(rule: str, name: str, known: Sequence[str]) -> str:
    if not known:
        return f'The rule {rule} has no parameters, so "{name}" means nothing to it. Leave it out.'
    guess = nearest(name.lower(), known)
    meant = f' Did you mean "{guess}"?' if guess else ""
    return f'The rule {rule} has no parameter "{name}".{meant} It has {", ".join(known)}.'


def _value(text: str, limits: Limits, default: Any) -> Any:
    if limits.optional and text.lower() in _NOTHING:
        return None
    if limits.several:
        return tuple(default) if text.lower() in _NOTHING else _list(text, limits)
    return _single(text, limits)


def _single(text: str, limits: Limits) -> Any:
    if limits.kind is bool:
        return _truth(text)
    if limits.kind is str:
        return _text(text, limits)
    return _number(text, limits)


def _truth(text: str) -> bool:
    if text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    raise ParameterRefused(f'is "{text}"; it has to be True or False.')


def _number(text: str, limits: Limits) -> float:
    whole = limits.kind is int
    try:
        # Clients that compute with floats send whole numbers such as 10.0.
        value = int(re.sub(r"\.0*$", "", text)) if whole else float(text)
    except ValueError:
        value = math.nan
    if math.isnan(value):
        what = "a whole number" if whole else "a number"
        raise ParameterRefused(f'is "{text}"; it has to be {what}.')
    if limits.at_least is not None and value < limits.at_least:
        raise ParameterRefused(f"is {text}; it has to be at least {limits.at_least:g}.")
    if limits.at_most is not None and value > limits.at_most:
        raise ParameterRefused(f"is {text}; it has to be at most {limits.at_most:g}.")
    return value


def _list(text: str, limits: Limits) -> tuple[Any, ...]:
    # Some send a list as Python or JSON writes it.
    bare = text[1:-1] if text[0] in "[(" and text[-1] in "])" and not limits.pattern else text
    parts = [part.strip().strip("'\"") for part in bare.split(",")]
    return tuple(_single(part, limits) for part in parts if part)


def _text(text: str, limits: Limits) -> str:
    if limits.pattern:
        try:
            re.compile(text)
        except re.error as error:
            raise ParameterRefused(
                f'has "{text}", which is no regular expression: {error}.'
            ) from None
    if limits.choices:
        for choice in limits.choices:
            if choice.lower() == text.lower():
                return choice
        raise ParameterRefused(f'is "{text}"; it has to be one of {", ".join(limits.choices)}.')
    return text
