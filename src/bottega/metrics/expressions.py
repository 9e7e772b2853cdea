"""Metric math: what CloudWatch calls an expression over the metrics of a request.

An expression is read by Python's own parser, after CloudWatch's spellings of three operators were
replaced, and then walked: only what is listed here exists, and nothing is ever evaluated as Python.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

Series = Mapping[float, float]
"""Values by the beginning of their period, in seconds since the epoch."""
Value = float | Series | list[Series]
"""What a part of an expression may be: a number, a time series, an array of them."""

LONGEST = 2048
"""Characters of an expression."""


class ExpressionWrong(ValueError):
    """An expression that cannot be understood; the message says where and what to do."""


@dataclass(frozen=True)
class Expression:
    """One expression that has been read."""

    text: str
    names: frozenset[str]
    """The ids it refers to by name."""
    every: tuple[str, ...]
    """The texts of its ``METRICS(...)``: each refers to all metrics whose id contains it."""
    _tree: ast.expr

    def evaluate(
        self,
        known: Mapping[str, Series],
        metrics: Sequence[str],
        times: Sequence[float],
        period: int,
    ) -> list[Series]:
        """What the expression is, at times that are multiples of the period.

        Args:
            known: by id, whatever :attr:`names` and ``METRICS`` refer to.
            metrics: which of the ids are metrics; ``METRICS()`` is all of them.
            times: the beginnings of all periods asked for, in order.
            period: how long each is, in seconds.

        Returns:
            One series, or several where the expression is an array of them.

        Raises:
            ExpressionWrong: a part is not of the kind that is needed there.
        """
        found = _Evaluation(known, metrics, times, period).of(self._tree)
        if isinstance(found, list):
            return [_finite(series) for series in found]
        if isinstance(found, float):
            return [_finite(dict.fromkeys(times, found))]
        return [_finite(found)]


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        ExpressionWrong: it cannot be understood, or has a function that there is not.
    """
    if len(text) > LONGEST:
        raise ExpressionWrong(f"it has {len(text)} characters; {LONGEST} are allowed")
    if re.match(r"\s*(SEARCH|SELECT)\b", text):
        raise ExpressionWrong(
            "SEARCH and SELECT are not there: name the metrics by MetricStat (ListMetrics lists "
            "them)"
        )
    try:
        tree = ast.parse(_spelled(text).strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionWrong(f"it is no expression: {getattr(error, 'msg', error)}") from error
    names: set[str] = set()
    every: list[str] = []
    _check(tree, names, every)
    return Expression(text, frozenset(names), tuple(every), tree)


_STRINGS_AND_SIGNS = re.compile(r"\"[^\"]*\"|'[^']*'|&&|\|\||\^|\bAND\b|\bOR\b")
_PYTHON = MappingProxyType(
    {"&&": " and ", "||": " or ", "AND": "and", "OR": "or", "^": "**"},
)


def _spelled(text: str) -> str:
    """The text with Python's spelling of operators; what is in quotes stays."""
    return _STRINGS_AND_SIGNS.sub(lambda found: _PYTHON.get(found[0], found[0]), text)


_BINARY: Mapping[type[ast.AST], Callable[[float, float], float]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.Pow: operator.pow,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.And: lambda a, b: bool(a) and bool(b),
        ast.Or: lambda a, b: bool(a) or bool(b),
    }
)
_OVER_ALL: Mapping[str, Callable[[Sequence[float]], float]] = MappingProxyType(
    {
        "SUM": math.fsum,
        "AVG": statistics.fmean,
        "MIN": min,
        "MAX": max,
        "STDDEV": statistics.pstdev,
    }
)
_ONE_BY_ONE: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "ABS": abs,
        "CEIL": math.ceil,
        "FLOOR": math.floor,
        "LOG": math.log,
        "LOG10": math.log10,
    }
)
_NUMBERS_OF_ARGUMENTS: Mapping[str, tuple[int, int]] = MappingProxyType(
    dict.fromkeys((*_OVER_ALL, *_ONE_BY_ONE), (1, 1))
    | {
        "METRICS": (0, 1),
        "FILL": (2, 2),
        "IF": (2, 3),
        "RATE": (1, 1),
        "DIFF": (1, 1),
        "PERIOD": (1, 1),
    }
)
_FILLINGS = ("REPEAT", "LINEAR")


def _check(node: ast.expr, names: set[str], every: list[str]) -> None:
    """Refuse what is not listed here, and collect what is referred to."""
    match node:
        case ast.Name(id=name):
            if not re.fullmatch(r"[a-z][a-zA-Z0-9_]*", name):
                raise ExpressionWrong(f"{name} is no id: ids begin with a small letter")
            names.add(name)
        case ast.Constant(value=bool() | None):
            raise ExpressionWrong(f"{ast.unparse(node)} is no number")
        case ast.Constant(value=int() | float()):
            pass
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            _check(left, names, every)
            _check(right, names, every)
        case ast.BoolOp(values=values):
            for value in values:
                _check(value, names, every)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _BINARY:
            _check(left, names, every)
            _check(right, names, every)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=operand):
            _check(operand, names, every)
        case ast.List(elts=elements) if elements:
            for element in elements:
                _check(element, names, every)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            _check_call(function, arguments, names, every)
        case _:
            raise ExpressionWrong(
                f"{ast.unparse(node)!r} is not understood: there are numbers, ids, + - * / ^, "
                "comparisons, AND, OR, arrays in brackets and functions"
            )


def _check_call(
    function: str, arguments: list[ast.expr], names: set[str], every: list[str]
) -> None:
    if function not in _NUMBERS_OF_ARGUMENTS:
        raise ExpressionWrong(
            f"there is no function {function}; there are "
            + ", ".join(sorted(_NUMBERS_OF_ARGUMENTS))
        )
    fewest, most = _NUMBERS_OF_ARGUMENTS[function]
    if not fewest <= len(arguments) <= most:
        wanted = str(most) if fewest == most else f"{fewest} or {most}"
        raise ExpressionWrong(f"{function} has {len(arguments)} arguments; it takes {wanted}")
    if function == "METRICS":
        text = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else ""
        if arguments and not (isinstance(arguments[0], ast.Constant) and isinstance(text, str)):
            raise ExpressionWrong('METRICS takes a text in quotes, such as METRICS("errors")')
        every.append(str(text))
        return
    if function == "FILL":
        filling = arguments[1]
        if isinstance(filling, ast.Name) and filling.id in _FILLINGS:
            arguments = arguments[:1]
    for argument in arguments:
        _check(argument, names, every)


class _Evaluation:
    """One walk over an expression that was checked."""

    def __init__(
        self,
        known: Mapping[str, Series],
        metrics: Sequence[str],
        times: Sequence[float],
        period: int,
    ) -> None:
        self._period = period
        self._known = known
        self._metrics = metrics
        self._times = times

    def of(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=value):
                assert isinstance(value, int | float)
                return float(value)
            case ast.Name(id=name):
                return self._known[name]
            case ast.BinOp(left=left, op=op, right=right):
                return _both(_BINARY[type(op)], self.of(left), self.of(right))
            case ast.Compare(left=left, ops=[compared], comparators=[right]):
                return _both(_BINARY[type(compared)], self.of(left), self.of(right))
            case ast.BoolOp(op=joined, values=values):
                found = self.of(values[0])
                for part in values[1:]:
                    found = _both(_BINARY[type(joined)], found, self.of(part))
                return found
            case ast.UnaryOp(op=sign, operand=operand):
                factor = -1.0 if isinstance(sign, ast.USub) else 1.0
                return _both(operator.mul, factor, self.of(operand))
            case ast.List(elts=elements):
                return [self._series(element) for element in elements]
            case ast.Call(func=ast.Name(id=function), args=arguments):
                return self._call(function, arguments)
        raise AssertionError(ast.dump(node))

    def _call(self, function: str, arguments: list[ast.expr]) -> Value:
        if function == "METRICS":
            part = (
                arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else ""
            )
            return [self._known[name] for name in self._metrics if str(part) in name]
        given = self.of(arguments[0])
        if function in _OVER_ALL:
            return _over_all(_OVER_ALL[function], given, function)
        if function == "IF":
            return self._choose(given, arguments[1:])
        if function == "FILL":
            return _each(given, lambda series: self._filled(series, arguments[1]), function)
        if function == "RATE":
            return _each(given, lambda series: _steps(series, per_second=True), function)
        if function == "DIFF":
            return _each(given, lambda series: _steps(series, per_second=False), function)
        if function == "PERIOD":
            return float(self._period)
        one = _ONE_BY_ONE[function]
        return _both(lambda value, _: one(value), given, 0.0)

    def _series(self, node: ast.expr) -> Series:
        found = self.of(node)
        if isinstance(found, list):
            raise ExpressionWrong("an array cannot hold another array")
        return dict.fromkeys(self._times, found) if isinstance(found, float) else found

    def _choose(self, condition: Value, branches: list[ast.expr]) -> Value:
        values = [self.of(branch) for branch in branches]
        if isinstance(condition, list) or any(isinstance(value, list) for value in values):
            raise ExpressionWrong("IF takes no arrays")
        if isinstance(condition, float):
            condition = dict.fromkeys(self._times, condition)
        chosen: dict[float, float] = {}
        for time, holds in condition.items():
            value = values[0] if holds else (values[1] if len(values) > 1 else {})
            if isinstance(value, float):
                chosen[time] = value
            elif not isinstance(value, list) and time in value:
                chosen[time] = value[time]
        return chosen

    def _filled(self, series: Series, filling: ast.expr) -> Series:
        if isinstance(filling, ast.Name) and filling.id in _FILLINGS:
            return _between(series, self._times, linear=filling.id == "LINEAR")
        other = self._series(filling)
        return {time: series.get(time, other.get(time, math.nan)) for time in self._times}


def _both(function: Callable[[float, float], float], left: Value, right: Value) -> Value:
    """Apply a function where both have a value; arrays one by one."""
    if isinstance(left, list) or isinstance(right, list):
        lefts = left if isinstance(left, list) else None
        rights = right if isinstance(right, list) else None
        if lefts is not None and rights is not None and len(lefts) != len(rights):
            raise ExpressionWrong(f"arrays of {len(lefts)} and {len(rights)} cannot be combined")
        count = len(lefts if lefts is not None else rights or [])
        pairs = [
            (lefts[i] if lefts is not None else left, rights[i] if rights is not None else right)
            for i in range(count)
        ]
        found = [_both(function, a, b) for a, b in pairs]
        return [series for series in found if isinstance(series, Mapping)]
    if isinstance(left, float) and isinstance(right, float):
        return _number(function, left, right)
    if isinstance(left, float):
        assert isinstance(right, Mapping)
        return {time: _number(function, left, value) for time, value in right.items()}
    if isinstance(right, float):
        return {time: _number(function, value, right) for time, value in left.items()}
    return {
        time: _number(function, value, right[time]) for time, value in left.items() if time in right
    }


def _number(function: Callable[[float, float], float], left: float, right: float) -> float:
    """A result that is none, such as that of a division by zero, is NaN."""
    try:
        found = function(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        return math.nan
    return float(found) if not isinstance(found, complex) else math.nan


def _over_all(function: Callable[[Sequence[float]], float], given: Value, name: str) -> Value:
    """Of an array the value at each time, over those that have one; of a series one number."""
    if isinstance(given, float):
        raise ExpressionWrong(f"{name} takes a metric or an array of metrics, no number")
    if not isinstance(given, list):
        return float(function(list(given.values()))) if given else math.nan
    times = sorted({time for series in given for time in series})
    return {
        time: float(function([series[time] for series in given if time in series]))
        for time in times
    }


def _each(given: Value, function: Callable[[Series], Series], name: str) -> Value:
    if isinstance(given, float):
        raise ExpressionWrong(f"{name} takes a metric, no number")
    return [function(series) for series in given] if isinstance(given, list) else function(given)


def _steps(series: Series, *, per_second: bool) -> Series:
    """The change from each value to the next."""
    times = sorted(series)
    return {
        after: (series[after] - series[before]) / ((after - before) if per_second else 1)
        for before, after in pairwise(times)
    }


def _between(series: Series, times: Sequence[float], *, linear: bool) -> Series:
    """Fill gaps with the value before, or on the line between both sides."""
    filled = dict(series)
    known = sorted(series)
    for time in times:
        before = [at for at in known if at < time]
        after = [at for at in known if at > time]
        if time in filled or not before or (linear and not after):
            continue
        low, value = before[-1], series[before[-1]]
        if linear:
            share = (time - low) / (after[0] - low)
            value += (series[after[0]] - value) * share
        filled[time] = value
    return filled


def _finite(series: Series) -> Series:
    """Without what is no number, which is as good as missing; in order of time."""
    return {time: series[time] for time in sorted(series) if math.isfinite(series[time])}
