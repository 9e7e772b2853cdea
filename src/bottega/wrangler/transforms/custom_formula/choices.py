"""Comparisons, missing values and cases. Logic has three values, as in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bottega.wrangler.columns import SCALARS, ColumnType
from bottega.wrangler.transforms.custom_formula.terms import Context, Term, constant, refuse

Build = Callable[[Context, Sequence[Term]], Term]
_BOOLEAN = ColumnType.BOOLEAN


def truth(context: Context, term: Term) -> Term:
    """A term that is true or false.

    Raises:
        ParameterError: it is neither.
    """
    if term.type not in (_BOOLEAN, None):
        raise refuse(f"a condition is {term.kind}; compare it with something.")
    return Term(_BOOLEAN, f"({term.sql})::BOOLEAN", context.series(term, _BOOLEAN))


def compared(context: Context, operator: str, left: Term, right: Term) -> Term:
    """A comparison; missing where one of the two is. The operator is SQL's."""
    kind, (left, right) = context.same_type([left, right])
    if kind not in SCALARS:
        raise refuse(f"{kind} cannot be compared.")
    one, other = context.series(left, kind), context.operand(right, kind)
    function = context.code.function("compare", _COMPARE)
    symbol = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[operator]
    python = f'{function}({one}, {other}, "{symbol}")'
    return Term(_BOOLEAN, f"({left.sql} {operator} {right.sql})", python)


_COMPARE = '''
def compare(left, right, how):
    """A comparison (eq, ne, lt, le, gt, ge) of columns; missing where one of the two is."""
    result = getattr(left, how)(right).astype("boolean")
    return result.mask(left.isna() | pd.isna(right))
'''


def same(context: Context, left: Term, right: Term) -> Term:
    """Equality for which missing values are equal: ``<=>``."""
    equal = compared(context, "=", left, right)
    kind, (left, right) = context.same_type([left, right])
    one, other = (context.series(term, kind) for term in (left, right))
    python = f"({equal.python}.fillna(False) | ({one}.isna() & {other}.isna()))"
    return Term(_BOOLEAN, f"({left.sql} IS NOT DISTINCT FROM {right.sql})", python)


def is_missing(context: Context, term: Term) -> Term:
    """Whether a value is missing."""
    python = f'{context.series(term)}.isna().astype("boolean")'
    return Term(_BOOLEAN, f"({term.sql} IS NULL)", python)


def negated(context: Context, term: Term) -> Term:
    """NOT."""
    term = truth(context, term)
    return Term(_BOOLEAN, f"(NOT {term.sql})", f"(~{term.python})")


def joined(context: Context, operator: str, left: Term, right: Term) -> Term:
    """AND, OR."""
    left, right = truth(context, left), truth(context, right)
    symbol = {"AND": "&", "OR": "|"}[operator]
    python = f"({left.python} {symbol} {right.python})"
    return Term(_BOOLEAN, f"({left.sql} {operator} {right.sql})", python)


def one_of(context: Context, term: Term, listed: Sequence[Term]) -> Term:
    """``IN`` with a list of constants."""
    if not all(part.is_constant and part.type is not None for part in listed):
        raise refuse("IN takes a list of numbers or texts.")
    kind, (term, *parts) = context.same_type([term, *listed])
    if kind not in SCALARS:
        raise refuse(f"{kind} cannot be compared.")
    series = context.series(term, kind)
    values = ", ".join(part.python for part in parts)
    python = f'{series}.isin([{values}]).astype("boolean").mask({series}.isna())'
    return Term(_BOOLEAN, f"({term.sql} IN ({', '.join(p.sql for p in parts)}))", python)


def chosen(context: Context, cases: Sequence[tuple[Term, Term]], otherwise: Term | None) -> Term:
    """The value of the first case whose condition is true."""
    default = constant(None, None) if otherwise is None else otherwise
    kind, (default, *values) = context.same_type([default, *(value for _, value in cases)])
    conditions = [truth(context, condition) for condition, _ in cases]
    function = context.code.function("choose", _CHOOSE)
    pairs = list(zip(conditions, values, strict=True))
    written = ", ".join(
        f"({condition.python}, {context.operand(value, kind)})" for condition, value in pairs
    )
    python = f"{function}({context.series(default, kind)}, {written})"
    text = " ".join(f"WHEN {condition.sql} THEN {value.sql}" for condition, value in pairs)
    return Term(kind, f"(CASE {text} ELSE {default.sql} END)", python)


_CHOOSE = '''
def choose(default, *cases):
    """The value of the first case whose condition is true, or else the default."""
    result = default
    for condition, value in reversed(cases):
        result = result.mask(condition.fillna(False).astype(bool), value)
    return result
'''


def first_present(context: Context, args: Sequence[Term]) -> Term:
    """The first value that is not missing."""
    kind, terms = context.same_type(args)
    python = context.series(terms[0], kind)
    for term in terms[1:]:
        if term.type is None or (term.is_constant and term.value is None):
            continue
        python = f"{python}.fillna({context.operand(term, kind)})"
    return Term(kind, f"coalesce({', '.join(term.sql for term in terms)})", python)


def _nullif(context: Context, args: Sequence[Term]) -> Term:
    equal = compared(context, "=", *args)
    kind, (value, other) = context.same_type(args)
    series = context.series(value, kind)
    python = f"{series}.mask({equal.python}.fillna(False).astype(bool))"
    return Term(kind, f"nullif({value.sql}, {other.sql})", python)


def _if(context: Context, args: Sequence[Term]) -> Term:
    return chosen(context, [(args[0], args[1])], args[2])


def _nvl2(context: Context, args: Sequence[Term]) -> Term:
    return chosen(context, [(is_missing(context, args[0]), args[2])], args[1])


CHOICE_FUNCTIONS: dict[str, tuple[str, int, int, Build]] = {
    "coalesce": ("coalesce(value, ...)", 1, 99, first_present),
    "nvl": ("nvl(value, replacement)", 2, 2, first_present),
    "ifnull": ("ifnull(value, replacement)", 2, 2, first_present),
    "nullif": ("nullif(value, other)", 2, 2, _nullif),
    "if": ("if(condition, value, otherwise)", 3, 3, _if),
    "nvl2": ("nvl2(value, if present, if missing)", 3, 3, _nvl2),
    "isnull": ("isnull(value)", 1, 1, lambda c, args: is_missing(c, args[0])),
    "isnotnull": (
        "isnotnull(value)",
        1,
        1,
        lambda c, args: negated(c, is_missing(c, args[0])),
    ),
}
"""By name: how it is called, the fewest and the most arguments, and its translation."""
