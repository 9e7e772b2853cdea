"""Reading numbers and booleans from text, the same in both languages.

White space around a text does not count. A number is digits with an optional sign, point and
exponent, or ``inf`` or ``infinity`` in any case; a boolean one of the words in ``TRUE_WORDS`` and
``FALSE_WORDS`` in any case. Everything else, ``nan`` included, is no value.
"""

from __future__ import annotations

from dataclasses import dataclass

from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal

TRUE_WORDS = ("true", "t", "yes", "y", "1")
FALSE_WORDS = ("false", "f", "no", "n", "0")
_SPACE = " \t\n\r\f\v"
_WHOLE = "[+-]?[0-9]{1,40}"
_FINITE = "(?:[0-9]+[.]?[0-9]*|[.][0-9]+)(?:[eE][+-]?[0-9]{1,9})?"
_INFINITE = "[iI][nN][fF](?:[iI][nN][iI][tT][yY])?"
_NUMBER = f"[+-]?(?:{_FINITE}|{_INFINITE})"
_CURRENCY = "[$€£¥₹]"
_SIGNS = "[$€£¥₹%]"


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are written."""

    thousands: str = ""
    decimal: str = "."
    signs: bool = False
    """Whether signs of currencies are passed over, and a percent sign divides by 100."""


PLAIN = NumberStyle()


def stripped_sql(expression: str) -> str:
    """Text without the white space around it."""
    return f"trim({expression}, {literal(_SPACE)})"


def float_sql(expression: str, style: NumberStyle = PLAIN) -> str:
    """Text as DOUBLE; missing where it is no number."""
    text = _plain_sql(expression, style)
    number = f"CASE WHEN regexp_full_match({text}, {literal(_NUMBER)}) THEN {text}::DOUBLE END"
    if style.signs:
        return f"(({number}) / CASE WHEN contains({expression}, '%') THEN 100 ELSE 1 END)"
    return f"({number})"


def long_sql(expression: str, style: NumberStyle = PLAIN) -> str:
    """Text as BIGINT, decimals cut off; missing where it is no number, or too large a one."""
    text = _plain_sql(expression, style, _CURRENCY)
    whole = f"regexp_full_match({text}, {literal(_WHOLE)})"
    number = float_sql(expression, style)
    return (
        f"(CASE WHEN {whole} THEN TRY_CAST({text} AS BIGINT) "
        f"ELSE TRY_CAST(trunc({number}) AS BIGINT) END)"
    )


def boolean_sql(expression: str) -> str:
    """Text as BOOLEAN; missing where it is none."""
    text = f"lower({stripped_sql(expression)})"
    yes, no = (", ".join(map(literal, words)) for words in (TRUE_WORDS, FALSE_WORDS))
    return f"(CASE WHEN {text} IN ({yes}) THEN TRUE WHEN {text} IN ({no}) THEN FALSE END)"


def float_pandas(texts: str, code: PandasCode, style: NumberStyle = PLAIN) -> str:
    """The same as :func:`float_sql` as pandas code."""
    plain = _plain_pandas(texts, code, style)
    function = code.function("parse_numbers", _PARSE_NUMBERS)
    if style.signs:
        return f'{function}({plain}) / (1 + 99 * {texts}.str.contains("%", na=False, regex=False))'
    return f"{function}({plain})"


def long_pandas(texts: str, code: PandasCode, style: NumberStyle = PLAIN) -> str:
    """The same as :func:`long_sql` as pandas code."""
    code.require("import re")
    code.require("import math")
    numbers = float_pandas(texts, code, style)
    function = code.function("parse_whole_numbers", _PARSE_WHOLE)
    plain = _plain_pandas(texts, code, style, _CURRENCY)
    return f"{function}({plain}, {numbers})" if style.signs else f"{function}({plain})"


def boolean_pandas(texts: str, code: PandasCode) -> str:
    """The same as :func:`boolean_sql` as pandas code."""
    words = {**dict.fromkeys(TRUE_WORDS, True), **dict.fromkeys(FALSE_WORDS, False)}
    constant = code.constant("boolean words", words)
    stripped = f"{texts}.str.strip({code.literal(_SPACE)})"
    return f'{stripped}.str.lower().map({constant}).astype("boolean")'


def _plain_sql(expression: str, style: NumberStyle, signs: str = _SIGNS) -> str:
    text = expression
    if style.signs:
        text = f"regexp_replace({text}, {literal(signs)}, '', 'g')"
    if style.thousands:
        text = f"replace({text}, {literal(style.thousands)}, '')"
    if style.decimal != ".":
        text = f"replace({text}, {literal(style.decimal)}, '.')"
    return stripped_sql(text)


def _plain_pandas(texts: str, code: PandasCode, style: NumberStyle, signs: str = _SIGNS) -> str:
    if style.signs:
        texts += f'.str.replace({code.literal(signs)}, "", regex=True)'
    if style.thousands:
        texts += f'.str.replace({code.literal(style.thousands)}, "", regex=False)'
    if style.decimal != ".":
        texts += f'.str.replace({code.literal(style.decimal)}, ".", regex=False)'
    return texts


_PARSE_NUMBERS = f'''
def parse_numbers(texts):
    """Numbers of texts; what reads as none is missing."""
    finite = "{_FINITE}"
    infinite = "{_INFINITE}"
    stripped = texts.str.strip(" \\t\\n\\r\\f\\v")
    fits = stripped.str.fullmatch(f"[+-]?(?:{{finite}}|{{infinite}})", na=False)
    return stripped.where(fits).astype("float64")
'''

_PARSE_WHOLE = '''
def parse_whole_numbers(texts, numbers=None):
    """Whole numbers of texts, decimals cut off; what reads as none is missing."""
    if numbers is None:
        numbers = parse_numbers(texts)
    found = []
    for text, number in zip(texts.str.strip(" \\t\\n\\r\\f\\v"), numbers):
        whole = None
        if isinstance(text, str) and re.fullmatch("[+-]?[0-9]{1,40}", text):
            whole = int(text)
        elif math.isfinite(number):
            whole = int(number)
        found.append(whole if whole is not None and -(2**63) <= whole < 2**63 else None)
    return pd.Series(pd.array(found, dtype="Int64"), index=texts.index)
'''
