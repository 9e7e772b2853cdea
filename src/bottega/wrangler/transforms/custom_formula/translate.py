"""From the text of a formula to SQL and pandas code.

The grammar is sqlglot's for Spark, with functions left as they are written: what each means, and
that both languages mean the same, is said in the modules beside this one and nowhere else.

Operators: ``+ - * / % div``, ``= == <> != < <= > >= <=>``, ``AND OR NOT``, ``||``,
``IS [NOT] NULL``, ``[NOT] IN (constants)``, ``[NOT] BETWEEN``, ``[NOT] LIKE``, ``RLIKE``,
``CASE``, ``CAST``.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import sqlglot
from sqlglot import exp
from sqlglot.dialects.spark import Spark
from sqlglot.errors import SqlglotError

from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal, name
from bottega.wrangler.transforms.casting import can_cast, cast_pandas, cast_sql
from bottega.wrangler.transforms.custom_formula import choices
from bottega.wrangler.transforms.custom_formula.choices import CHOICE_FUNCTIONS
from bottega.wrangler.transforms.custom_formula.number_functions import NUMBER_FUNCTIONS, remainder
from bottega.wrangler.transforms.custom_formula.terms import (
    Context,
    Term,
    constant,
    meant,
    missing_if_nan,
    refuse,
)
from bottega.wrangler.transforms.custom_formula.text_functions import (
    TEXT_FUNCTIONS,
    concatenated,
    matching,
)
from bottega.wrangler.transforms.custom_formula.time_functions import TIME_FUNCTIONS
from bottega.wrangler.transforms.text_times import time_formats

FUNCTIONS = {**NUMBER_FUNCTIONS, **TEXT_FUNCTIONS, **TIME_FUNCTIONS, **CHOICE_FUNCTIONS}
"""Every function by its name."""
LONGEST = 10_000
"""The most characters of a formula."""
_AGGREGATES = frozenset(
    (
        *("sum", "avg", "mean", "count", "min", "max", "first", "last", "median", "mode", "corr"),
        *("stddev", "stddev_samp", "stddev_pop", "variance", "var_samp", "var_pop"),
        *("collect_list", "collect_set", "approx_count_distinct"),
        *("percentile", "percentile_approx"),
    )
)
_CHANGING = frozenset(
    (
        *("rand", "randn", "random", "uuid", "monotonically_increasing_id"),
        *("now", "current_date", "current_timestamp", "curdate"),
    )
)
_TYPES = {
    exp.DType.BIGINT: ColumnType.LONG,
    exp.DType.INT: ColumnType.LONG,
    exp.DType.SMALLINT: ColumnType.LONG,
    exp.DType.TINYINT: ColumnType.LONG,
    exp.DType.DOUBLE: ColumnType.FLOAT,
    exp.DType.FLOAT: ColumnType.FLOAT,
    exp.DType.DECIMAL: ColumnType.FLOAT,
    exp.DType.TEXT: ColumnType.STRING,
    exp.DType.VARCHAR: ColumnType.STRING,
    exp.DType.BOOLEAN: ColumnType.BOOLEAN,
    exp.DType.DATE: ColumnType.DATE,
    exp.DType.TIMESTAMP: ColumnType.DATETIME,
    exp.DType.TIMESTAMPTZ: ColumnType.DATETIME,
    exp.DType.TIMESTAMPNTZ: ColumnType.DATETIME,
    exp.DType.TIMESTAMPLTZ: ColumnType.DATETIME,
}
_COMPARISONS: dict[type[Any], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ARITHMETIC: dict[type[Any], str] = {exp.Add: "+", exp.Sub: "-", exp.Mul: "*"}


class _Formula(Spark):
    """Spark's grammar, in which a function is a name with arguments."""

    class Parser(Spark.Parser):  # type: ignore[valid-type, misc]
        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
            word: parser
            for word, parser in Spark.Parser.FUNCTION_PARSERS.items()
            if word in ("CAST", "TRY_CAST")
        }


def translate(formula: str, schema: Schema, code: PandasCode) -> Term:
    """A formula over the columns of a table.

    Args:
        formula: as somebody wrote it.
        schema: of the table.
        code: collects what the pandas code needs.

    Raises:
        ParameterError: it cannot be read or means nothing here; says what in it, and the nearest
            column or function.
    """
    if len(formula) > LONGEST:
        raise refuse(f"it has {len(formula)} characters; at most {LONGEST} are read.")
    try:
        tree = sqlglot.parse_one(formula, read=_Formula)
    except SqlglotError as error:
        raise refuse(_words(error)) from error
    except RecursionError as error:
        raise refuse("it is nested too deeply; make it in several steps.") from error
    return _Translation(Context(schema, code)).term(tree)


def columns_of(formula: str, schema: Schema) -> frozenset[str]:
    """The columns that a formula reads."""
    context = Context(schema, PandasCode())
    translation = _Translation(context)
    translation.term(sqlglot.parse_one(formula, read=_Formula))
    return frozenset(translation.read)


class _Translation:
    def __init__(self, context: Context) -> None:
        self._context = context
        self.read: set[str] = set()

    def term(self, node: Any) -> Term:
        """One part of the formula, with all that is in it."""
        context = self._context
        match node:
            case exp.Paren():
                return self.term(node.this)
            case exp.Column():
                return self._column(node)
            case exp.Literal() | exp.Null() | exp.Boolean():
                return self._constant(node)
            case exp.Neg():
                return self._negative(node)
            case exp.Add() | exp.Sub() | exp.Mul():
                return self._arithmetic(_ARITHMETIC[type(node)], node.left, node.right)
            case exp.Div():
                return self._quotient(node)
            case exp.IntDiv():
                return self._whole_quotient(node)
            case exp.Mod():
                return remainder(context, self.term(node.left), self.term(node.right))
            case exp.And() | exp.Or():
                word = "AND" if isinstance(node, exp.And) else "OR"
                return choices.joined(context, word, self.term(node.left), self.term(node.right))
            case exp.Not():
                return choices.negated(context, self.term(node.this))
            case exp.NullSafeEQ():
                return choices.same(context, self.term(node.left), self.term(node.right))
            case exp.Is():
                return self._is(node)
            case exp.In() if not node.args.get("query") and not node.args.get("field"):
                listed = [self.term(part) for part in node.expressions]
                return choices.one_of(context, self.term(node.this), listed)
            case exp.Between():
                return self._between(node)
            case exp.Like():
                found = self._like(self.term(node.this), self.term(node.expression))
                return choices.negated(context, found) if node.args.get("negate") else found
            case exp.RegexpLike():
                return matching(context, self.term(node.this), self.term(node.expression))
            case exp.DPipe():
                return concatenated(context, [self.term(node.left), self.term(node.right)])
            case exp.Concat():  # texts side by side, and 'it''s'
                return self._adjacent(node)
            case exp.Case():
                return self._case(node)
            case exp.If():
                otherwise = node.args.get("false")
                cases = [(self.term(node.this), self.term(node.args["true"]))]
                return choices.chosen(context, cases, otherwise and self.term(otherwise))
            case exp.Cast() | exp.TryCast():
                return self._cast(node)
            case exp.Anonymous():
                return self._function(str(node.this), node.expressions)
        if type(node) in _COMPARISONS:
            left, right = self.term(node.left), self.term(node.right)
            return choices.compared(context, _COMPARISONS[type(node)], left, right)
        raise refuse(_unknown(node))

    def _column(self, node: Any) -> Term:
        wanted = ".".join(part.name for part in node.parts)
        schema = self._context.schema
        if wanted.lower() in _CHANGING and wanted not in schema:
            raise refuse(_changing(wanted))
        found = [wanted] if wanted in schema else []
        # Spark does not mind the case of names, as long as it is clear what is meant.
        found = found or [known for known in schema.names if known.lower() == wanted.lower()]
        if len(found) != 1:
            listed = ", ".join(schema.names[:8])
            hint = meant(wanted, schema.names) or f"; the table has {listed}"
            raise refuse(
                f"there is no column {wanted!r}{hint}. Names with blanks go in `backticks`."
            )
        self.read.add(found[0])
        return Term(schema.type(found[0]), name(found[0]), self._context.code.column(found[0]))

    def _constant(self, node: Any) -> Term:
        if isinstance(node, exp.Null):
            return constant(None, None)
        if isinstance(node, exp.Boolean):
            return constant(bool(node.this), ColumnType.BOOLEAN)
        if node.is_string:
            if "\x00" in node.this:
                raise refuse("a NUL character cannot be used.")
            return constant(node.this, ColumnType.STRING)
        return _number(node.this)

    def _negative(self, node: Any) -> Term:
        inner = node.this
        if isinstance(inner, exp.Literal) and not inner.is_string:
            return _number(f"-{inner.this}")
        term = self.term(inner)
        if term.type is None or not term.type.is_number:
            term = self._context.number(term)
        assert term.type is not None
        python = f"(-{self._context.series(term, term.type)})"
        return Term(term.type, f"(-{term.sql})", python)

    def _arithmetic(self, symbol: str, left: Any, right: Any) -> Term:
        context = self._context
        kind, terms = context.same_type([self.term(left), self.term(right)])
        if not kind.is_number:
            if all(term.value is None and term.is_constant for term in terms):
                return constant(None, None)
            advice = {"string": "concat joins texts", "boolean": "cast it as int"}.get(
                kind, "datediff, date_add and date_sub are for dates"
            )
            raise refuse(f"{symbol} needs numbers, not {kind}; {advice}.")
        one, other = terms
        python = f"({context.series(one, kind)} {symbol} {context.operand(other, kind)})"
        text = f"({one.sql} {symbol} {other.sql})"
        return Term(kind, missing_if_nan(text) if kind == ColumnType.FLOAT else text, python)

    def _quotient(self, node: Any) -> Term:
        context = self._context
        left, right = (context.number(self.term(part)) for part in (node.left, node.right))
        text = missing_if_nan(f"({left.sql} / nullif({right.sql}, 0))")
        divisor = context.operand(right, ColumnType.FLOAT)
        if not right.is_constant or not right.value:
            divisor = context.series(right, ColumnType.FLOAT)
            divisor = f"{divisor}.where({divisor} != 0)"
        python = f"({context.series(left, ColumnType.FLOAT)} / {divisor})"
        return Term(ColumnType.FLOAT, text, python)

    def _whole_quotient(self, node: Any) -> Term:
        context = self._context
        left, right = self.term(node.left), self.term(node.right)
        if {left.type, right.type} != {ColumnType.LONG}:
            raise refuse("div needs whole numbers on both sides; use / and floor.")
        rest = remainder(context, left, right)
        one, other = (context.series(term, ColumnType.LONG) for term in (left, right))
        python = f"(({one} - {rest.python}) // {other}.where({other} != 0))"
        return Term(ColumnType.LONG, f"({left.sql} // nullif({right.sql}, 0))", python)

    def _is(self, node: Any) -> Term:
        term = self.term(node.this)
        if isinstance(node.expression, exp.Null):
            return choices.is_missing(self._context, term)
        if isinstance(node.expression, exp.Boolean):
            return choices.same(self._context, term, self.term(node.expression))
        raise refuse("IS is followed by NULL, TRUE or FALSE.")

    def _between(self, node: Any) -> Term:
        context = self._context
        term = self.term(node.this)
        low = choices.compared(context, ">=", term, self.term(node.args["low"]))
        high = choices.compared(context, "<=", term, self.term(node.args["high"]))
        return choices.joined(context, "AND", low, high)

    def _like(self, text: Term, pattern: Term) -> Term:
        """As an expression that both languages read alike; a backslash takes a sign as it is."""
        context = self._context
        written, text = context.fixed_text(pattern, "What LIKE compares with"), context.text(text)
        parts = []
        for match in re.finditer(r"\\(.)|(.)", written, re.DOTALL):
            if match[2] in ("%", "_"):
                parts.append({"%": ".*", "_": "."}[match[2]])
            else:
                parts.append(_escaped(match[1] or match[2]))
        wanted = f"(?s:{''.join(parts)})"
        series = context.series(text, ColumnType.STRING)
        test = f"{series}.str.fullmatch({context.code.literal(wanted)}, na=False)"
        python = f'{test}.astype("boolean").mask({series}.isna())'
        sql = f"regexp_full_match({text.sql}, {literal(wanted)})"
        return Term(ColumnType.BOOLEAN, sql, python)

    def _adjacent(self, node: Any) -> Term:
        texts = [self.term(part) for part in node.expressions]
        if all(text.is_constant and isinstance(text.value, str) for text in texts):
            # SQL writes a quote as two: 'it''s'.
            return constant("'".join(text.value for text in texts), ColumnType.STRING)
        raise refuse("two values stand side by side; put || between them.")

    def _case(self, node: Any) -> Term:
        context, cases = self._context, []
        subject = node.this and self.term(node.this)
        for case in node.args["ifs"]:
            condition = self.term(case.this)
            if subject:
                condition = choices.compared(context, "=", subject, condition)
            cases.append((condition, self.term(case.args["true"])))
        otherwise = node.args.get("default")
        return choices.chosen(context, cases, otherwise and self.term(otherwise))

    def _cast(self, node: Any) -> Term:
        context, term = self._context, self.term(node.this)
        target = _TYPES.get(node.to.this)
        if target is None:
            raise refuse(
                f"cast as {node.to.sql()} is not known; there are bigint, double, string, boolean, "
                "date and timestamp."
            )
        if term.type is None:
            return Term(target, f"NULL::{target.duckdb}", "None", True, None)
        if not can_cast(term.type, target):
            raise refuse(f"{term.type} cannot be cast as {target}.")
        formats = time_formats("formula", None)
        series = context.series(term)
        python = cast_pandas(series, term.type, target, formats, context.code)
        return Term(target, cast_sql(term.sql, term.type, target, formats), f"({python})")

    def _function(self, written: str, arguments: list[Any]) -> Term:
        wanted = written.lower()
        if wanted in _AGGREGATES:
            raise refuse(
                f"{written} looks at many rows, and a formula at one; use Group by for aggregates, "
                "and Process numeric for scaling."
            )
        if wanted in _CHANGING:
            raise refuse(_changing(written))
        if wanted not in FUNCTIONS:
            hint = meant(wanted, FUNCTIONS)
            raise refuse(f"there is no function {written!r}{hint}.")
        usage, least, most, build = FUNCTIONS[wanted]
        if not least <= len(arguments) <= most:
            raise refuse(f"{written} has {len(arguments)} arguments; it is used as {usage}.")
        return build(self._context, [self.term(argument) for argument in arguments])


def _number(text: str) -> Term:
    try:
        whole = int(text)
    except ValueError:
        pass
    else:
        if -(1 << 63) <= whole < 1 << 63:
            return constant(whole, ColumnType.LONG)
    try:
        return constant(float(text), ColumnType.FLOAT)
    except ValueError:
        raise refuse(f"{text} is no number.") from None


def _escaped(character: str) -> str:
    return f"\\{character}" if character in "\\^$.|?*+()[]{}" else character


def _words(error: SqlglotError) -> str:
    first = (getattr(error, "errors", None) or [{}])[0]
    if first.get("col"):
        near = str(first.get("highlight", "")).strip()
        return f"{first['description'].rstrip('.')}, at character {first['col']}, near {near!r}."
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split("\n", 1)[0].strip()


def _unknown(node: Any) -> str:
    if isinstance(node, exp.Query | exp.Subquery | exp.Exists | exp.In):
        return "a formula looks at one row, so that it has no subqueries; use Join, or custom SQL."
    if isinstance(node, exp.Window):
        return (
            "a formula looks at one row, so that it has no windows; use Time series, or Group by."
        )
    if isinstance(node, exp.Alias):
        return f"it gives no names; leave out AS {node.alias}, and name the output column instead."
    if isinstance(node, exp.Interval):
        return "there are no intervals; use date_add or date_sub."
    return f"{type(node).__name__} is not known here: {node.sql()[:60]}."


def _changing(written: str) -> str:
    return (
        f"{written} gives something else each time, and a flow gives the same table every time; "
        "write the value down."
    )
