"""Functions of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.transforms.casting import WHOLE_NUMBERS
from bottega.wrangler.transforms.custom_formula.terms import Context, Term, missing_if_nan, refuse
from bottega.wrangler.transforms.rounding import round_pandas, round_sql

Build = Callable[[Context, Sequence[Term]], Term]
_FLOAT = ColumnType.FLOAT


def calculated(context: Context, function: str, *numbers: str) -> str:
    """Pandas code that applies a function of numpy's without its warnings."""
    context.code.require("import numpy as np")
    name = context.code.function("calculate", _CALCULATE)
    return f"{name}(np.{function}, {', '.join(numbers)})"


_CALCULATE = '''
def calculate(function, *numbers):
    """A function of numbers; what is no number is missing."""
    with np.errstate(all="ignore"):
        return function(*numbers)
'''


def _plain(sql: str, numpy: str, domain: str = "") -> Build:
    """A function of one number; a domain leaves out what it has no value for."""

    def build(context: Context, args: Sequence[Term]) -> Term:
        number = context.number(args[0])
        text, series = missing_if_nan(f"{sql}({number.sql})"), context.series(number, _FLOAT)
        if domain:
            text = f"CASE WHEN {number.sql} {domain} THEN {text} END"
            series = f"{series}.where({series} {domain})"
        return Term(_FLOAT, text, calculated(context, numpy, series))

    return build


def _two(sql: str, numpy: str) -> Build:
    def build(context: Context, args: Sequence[Term]) -> Term:
        left, right = map(context.number, args)
        text = missing_if_nan(f"{sql}({left.sql}, {right.sql})")
        series = [context.series(term, _FLOAT) for term in (left, right)]
        return Term(_FLOAT, text, calculated(context, numpy, *series))

    return build


def _log(context: Context, args: Sequence[Term]) -> Term:
    if len(args) == 1:
        return _plain("ln", "log", "> 0")(context, args)
    base, number = (_plain("ln", "log", "> 0")(context, [arg]) for arg in args)
    python = f"({number.python} / {base.python}.where({base.python} != 0))"
    return Term(_FLOAT, missing_if_nan(f"({number.sql} / nullif({base.sql}, 0))"), python)


def _power(context: Context, args: Sequence[Term]) -> Term:
    base, exponent = map(context.number, args)
    series = [context.series(term, _FLOAT) for term in (base, exponent)]
    guard = f"({series[0]} != 0) | ({series[1]} >= 0)"
    python = calculated(context, "power", f"{series[0]}.where({guard})", series[1])
    # numpy has nothing to the power of 0 as 1, and 1 to the power of nothing, too.
    python = f"{python}.where({series[0]}.notna() & {series[1]}.notna())"
    text = missing_if_nan(f"pow({base.sql}, {exponent.sql})")
    return Term(_FLOAT, f"CASE WHEN {base.sql} <> 0 OR {exponent.sql} >= 0 THEN {text} END", python)


def _absolute(context: Context, args: Sequence[Term]) -> Term:
    (number,) = args
    if number.type != ColumnType.LONG:
        number = context.number(number)
    return Term(number.type, f"abs({number.sql})", f"{context.series(number, _FLOAT)}.abs()")


def _sign(context: Context, args: Sequence[Term]) -> Term:
    number = context.number(args[0])
    python = calculated(context, "sign", context.series(number, _FLOAT))
    return Term(_FLOAT, f"sign({number.sql})::DOUBLE", python)


def _whole(sql: str, numpy: str) -> Build:
    """To whole numbers; too large ones are missing."""

    def build(context: Context, args: Sequence[Term]) -> Term:
        (number,) = args
        if number.type == ColumnType.LONG:
            return number
        number = context.number(number)
        function = context.code.function("whole_numbers", WHOLE_NUMBERS)
        inner = calculated(context, numpy, context.series(number, _FLOAT))
        text = f"TRY_CAST({sql}({number.sql}) AS BIGINT)"
        return Term(ColumnType.LONG, text, f"{function}({inner})")

    return build


def _round(context: Context, args: Sequence[Term]) -> Term:
    number, decimals = args[0], 0
    if len(args) == 2:
        decimals = context.fixed_whole(args[1], "The number of decimals of round", -15, 15)
    if number.type == ColumnType.LONG and decimals >= 0:
        return number
    number = context.number(number)
    series = context.series(number, _FLOAT)
    python = round_pandas(series, decimals, "Nearest", context.code)
    return Term(_FLOAT, f"({round_sql(f'({number.sql})', decimals)})", python)


def numeric(context: Context, term: Term) -> Term:
    """The same term, NULL as a whole number, beside which any number keeps its type."""
    return context.as_type(term, ColumnType.LONG) if term.type is None else term


def _modulo(context: Context, args: Sequence[Term]) -> Term:
    return remainder(context, *args)


def remainder(context: Context, left: Term, right: Term) -> Term:
    """The remainder, with the sign of the left; missing where the right is zero."""
    kind, (left, right) = context.same_type([numeric(context, left), numeric(context, right)])
    if not kind.is_number:
        raise refuse(f"% needs numbers, not {kind}.")
    text = f"({left.sql} % nullif({right.sql}, 0))"
    if kind == _FLOAT:
        text = missing_if_nan(text)
    divisor = context.series(right, kind)
    function = context.code.function("remainder", _REMAINDER)
    context.code.require("import numpy as np")
    return Term(kind, text, f"{function}({context.series(left, kind)}, {divisor})")


_REMAINDER = '''
def remainder(left, right):
    """What is left over of a division, with the sign of the left; missing where the right is 0."""
    with np.errstate(all="ignore"):
        return np.fmod(left, right.mask(right == 0, 1)).mask((right == 0) | right.isna())
'''


def _extreme(sql: str, pandas: str) -> Build:
    def build(context: Context, args: Sequence[Term]) -> Term:
        kind, terms = context.same_type(args)
        if all(term.type is None for term in args):
            kind, terms = _FLOAT, [context.number(term) for term in args]
        if not kind.is_number and not kind.is_time:
            raise refuse(f"{sql} compares numbers or times, not {kind}.")
        listed = ", ".join(context.series(term, kind) for term in terms)
        text = f"{sql}({', '.join(term.sql for term in terms)})"
        return Term(kind, text, f"pd.concat([{listed}], axis=1).{pandas}(axis=1)")

    return build


NUMBER_FUNCTIONS: dict[str, tuple[str, int, int, Build]] = {
    "abs": ("abs(number)", 1, 1, _absolute),
    "sign": ("sign(number)", 1, 1, _sign),
    "signum": ("signum(number)", 1, 1, _sign),
    "ceil": ("ceil(number)", 1, 1, _whole("ceil", "ceil")),
    "ceiling": ("ceiling(number)", 1, 1, _whole("ceil", "ceil")),
    "floor": ("floor(number)", 1, 1, _whole("floor", "floor")),
    "round": ("round(number, decimals)", 1, 2, _round),
    "sqrt": ("sqrt(number)", 1, 1, _plain("sqrt", "sqrt", ">= 0")),
    "cbrt": ("cbrt(number)", 1, 1, _plain("cbrt", "cbrt")),
    "exp": ("exp(number)", 1, 1, _plain("exp", "exp")),
    "ln": ("ln(number)", 1, 1, _plain("ln", "log", "> 0")),
    "log": ("log(base, number) or log(number)", 1, 2, _log),
    "log2": ("log2(number)", 1, 1, _plain("log2", "log2", "> 0")),
    "log10": ("log10(number)", 1, 1, _plain("log10", "log10", "> 0")),
    "pow": ("pow(base, exponent)", 2, 2, _power),
    "power": ("power(base, exponent)", 2, 2, _power),
    "mod": ("mod(number, divisor)", 2, 2, _modulo),
    "sin": ("sin(number)", 1, 1, _plain("sin", "sin")),
    "cos": ("cos(number)", 1, 1, _plain("cos", "cos")),
    "tan": ("tan(number)", 1, 1, _plain("tan", "tan")),
    "asin": ("asin(number)", 1, 1, _plain("asin", "arcsin")),
    "acos": ("acos(number)", 1, 1, _plain("acos", "arccos")),
    "atan": ("atan(number)", 1, 1, _plain("atan", "arctan")),
    "atan2": ("atan2(y, x)", 2, 2, _two("atan2", "arctan2")),
    "degrees": ("degrees(radians)", 1, 1, _plain("degrees", "degrees")),
    "radians": ("radians(degrees)", 1, 1, _plain("radians", "radians")),
    "greatest": ("greatest(value, ...)", 2, 99, _extreme("greatest", "max")),
    "least": ("least(value, ...)", 2, 99, _extreme("least", "min")),
}

"""By name: how it is called, the fewest and the most arguments, and its translation."""
