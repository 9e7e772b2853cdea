"""Functions of text. Positions count characters from 1, as in SQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bottega.wrangler.columns import ColumnType
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transforms.as_text import JOIN_TEXTS, text_pandas, text_sql
from bottega.wrangler.transforms.custom_formula.terms import Context, Term, refuse
from bottega.wrangler.transforms.pattern import Pattern, read_pattern

Build = Callable[[Context, Sequence[Term]], Term]
_TEXT, _LONG, _BOOLEAN = ColumnType.STRING, ColumnType.LONG, ColumnType.BOOLEAN
_WIDEST = 10_000


def written(context: Context, term: Term) -> Term:
    """Any scalar as text."""
    if term.type in (_TEXT, None):
        return context.text(term)
    if term.type in (ColumnType.VECTOR, ColumnType.ARRAY):
        raise refuse(f"{term.kind} cannot be written as text.")
    assert term.type is not None
    series = context.series(term)
    return Term(_TEXT, text_sql(term.sql, term.type), text_pandas(series, term.type, context.code))


def concatenated(context: Context, terms: Sequence[Term]) -> Term:
    """Texts one after the other; missing where one is."""
    texts = [written(context, term) for term in terms]
    python = " + ".join(context.series(term, _TEXT) for term in texts)
    return Term(_TEXT, f"({' || '.join(term.sql for term in texts)})", f"({python})")


def matching(context: Context, text: Term, pattern: Term) -> Term:
    """Whether a regular expression occurs in a text."""
    found = _pattern(context, pattern)
    function = context.code.function("matches", _MATCHES)
    text = context.text(text)
    python = f"{function}({context.series(text, _TEXT)}, {found.constant(context.code, 'pattern')})"
    return Term(_BOOLEAN, f"regexp_matches({text.sql}, {found.sql})", python)


_MATCHES = '''
def matches(texts, pattern):
    """Whether a pattern occurs in texts; missing where the text is."""
    found = [pattern.search(text) is not None if isinstance(text, str) else None for text in texts]
    return pd.Series(found, texts.index, dtype="boolean")
'''


def _pattern(context: Context, term: Term) -> Pattern:
    return read_pattern("formula", context.fixed_text(term, "A regular expression"))


def _method(sql: str, pandas: str, result: ColumnType = _TEXT) -> Build:
    """A function of one text; ``{}`` stands for it."""

    def build(context: Context, args: Sequence[Term]) -> Term:
        text = context.text(args[0])
        python = pandas.format(context.series(text, _TEXT))
        return Term(result, sql.format(text.sql), python)

    return build


def _with_text(sql: str, pandas: str) -> Build:
    """Whether a text has another, constant one somewhere."""

    def build(context: Context, args: Sequence[Term]) -> Term:
        text, part = context.text(args[0]), context.fixed_text(args[1], "What is looked for")
        series = context.series(text, _TEXT)
        test = pandas.format(series, context.code.literal(part))
        python = f'{test}.astype("boolean").mask({series}.isna())'
        return Term(_BOOLEAN, f"{sql}({text.sql}, {literal(part)})", python)

    return build


def _substring(context: Context, args: Sequence[Term]) -> Term:
    text = context.text(args[0])
    start = context.fixed_whole(args[1], "The start of substring", -_WIDEST, _WIDEST)
    if start == 0:
        raise refuse("the start of substring is 0; the first character is 1.")
    size = ""
    if len(args) == 3:
        size = str(context.fixed_whole(args[2], "The length of substring", 0, _WIDEST))
    if start < 0 and size:
        # From so many characters before the end, or from the beginning of a shorter text.
        series = context.series(text, _TEXT)
        python = f"{series}.str[{start}:].str[:{size}]"
        inner = f"right({text.sql}, {-start})"
        return Term(_TEXT, f"left({inner}, {size})", python)
    if start < 0:
        return _end(context, text, -start)
    stop = str(start - 1 + int(size)) if size else ""
    python = f"{context.series(text, _TEXT)}.str[{start - 1}:{stop}]"
    more = f", {size}" if size else ""
    return Term(_TEXT, f"substring({text.sql}, {start}{more})", python)


def _left(context: Context, args: Sequence[Term]) -> Term:
    text = context.text(args[0])
    size = context.fixed_whole(args[1], "The length of left", 0, _WIDEST)
    return Term(_TEXT, f"left({text.sql}, {size})", f"{context.series(text, _TEXT)}.str[:{size}]")


def _right(context: Context, args: Sequence[Term]) -> Term:
    text = context.text(args[0])
    return _end(context, text, context.fixed_whole(args[1], "The length of right", 0, _WIDEST))


def _end(context: Context, text: Term, size: int) -> Term:
    series = context.series(text, _TEXT)
    python = f"{series}.str[-{size}:]" if size else f"{series}.str[:0]"
    return Term(_TEXT, f"right({text.sql}, {size})", python)


def _concat_ws(context: Context, args: Sequence[Term]) -> Term:
    delimiter = context.fixed_text(args[0], "The delimiter of concat_ws")
    texts = [written(context, term) for term in args[1:]]
    series = ", ".join(context.series(term, _TEXT) for term in texts)
    function = context.code.function("join_texts", JOIN_TEXTS)
    python = f"{function}([{series}], {context.code.literal(delimiter)})"
    listed = ", ".join(term.sql for term in texts)
    return Term(_TEXT, f"concat_ws({literal(delimiter)}, {listed})", python)


def _replace(context: Context, args: Sequence[Term]) -> Term:
    text, old = context.text(args[0]), context.fixed_text(args[1], "What is replaced")
    new = context.fixed_text(args[2], "The replacement") if len(args) == 3 else ""
    if not old:
        raise refuse("what is replaced is empty text.")
    pair = f"{context.code.literal(old)}, {context.code.literal(new)}"
    python = f"{context.series(text, _TEXT)}.str.replace({pair}, regex=False)"
    return Term(_TEXT, f"replace({text.sql}, {literal(old)}, {literal(new)})", python)


def _repeat(context: Context, args: Sequence[Term]) -> Term:
    text = context.text(args[0])
    times = context.fixed_whole(args[1], "The times of repeat", 0, 1000)
    series = context.series(text, _TEXT)
    python = f"{series}.str.repeat({times})" if times else f"{series}.str[:0]"
    return Term(_TEXT, f"repeat({text.sql}, {times})", python)


def _pad(sql: str) -> Build:
    def build(context: Context, args: Sequence[Term]) -> Term:
        text = context.text(args[0])
        size = context.fixed_whole(args[1], f"The length of {sql}", 0, _WIDEST)
        fill = context.fixed_text(args[2], f"The padding of {sql}") if len(args) == 3 else " "
        if not fill:
            raise refuse(f"the padding of {sql} is empty text.")
        function = context.code.function(f"{sql}_texts", _PAD[sql])
        series = context.series(text, _TEXT)
        python = f"{function}({series}, {size}, {context.code.literal(fill)})"
        return Term(_TEXT, f"{sql}({text.sql}, {size}, {literal(fill)})", python)

    return build


_PAD = {
    "lpad": '''
def lpad_texts(texts, size, fill):
    """Texts of exactly this length: filled up on the left, or cut off on the right."""

    def padded(text):
        missing = max(size - len(text), 0)
        return (fill * missing)[:missing] + text[:size]

    return texts.map(padded, na_action="ignore").astype("str")
''',
    "rpad": '''
def rpad_texts(texts, size, fill):
    """Texts of exactly this length: filled up or cut off on the right."""
    return texts.map(lambda text: (text + fill * size)[:size], na_action="ignore").astype("str")
''',
}


def _position(context: Context, text: Term, part: Term) -> Term:
    sought = context.fixed_text(part, "What is looked for")
    text = context.text(text)
    python = f"({context.series(text, _TEXT)}.str.find({context.code.literal(sought)}) + 1)"
    return Term(_LONG, f"instr({text.sql}, {literal(sought)})", f'{python}.astype("Int64")')


def _regexp_replace(context: Context, args: Sequence[Term]) -> Term:
    text, pattern = context.text(args[0]), _pattern(context, args[1])
    new = context.fixed_text(args[2], "The replacement")
    if pattern.may_be_empty:
        raise refuse("the expression of regexp_replace matches empty text; use + instead of *.")
    function = context.code.function("replace_matches", _REPLACE_MATCHES)
    constant = pattern.constant(context.code, "pattern")
    python = f"{function}({context.series(text, _TEXT)}, {constant}, {context.code.literal(new)})"
    escaped = literal(new.replace("\\", "\\\\"))
    return Term(_TEXT, f"regexp_replace({text.sql}, {pattern.sql}, {escaped}, 'g')", python)


_REPLACE_MATCHES = '''
def replace_matches(texts, pattern, new):
    """Texts with another text in the place of every match of a pattern."""

    def replaced(text):
        return pattern.sub(lambda match: new, text)

    return texts.map(replaced, na_action="ignore").astype("str")
'''


def _regexp_extract(context: Context, args: Sequence[Term]) -> Term:
    text, pattern = context.text(args[0]), _pattern(context, args[1])
    group = 1 if pattern.groups else 0
    if len(args) == 3:
        group = context.fixed_whole(args[2], "The group of regexp_extract", 0, pattern.groups)
    function = context.code.function("extract_matches", _EXTRACT_MATCHES)
    constant = pattern.constant(context.code, "pattern")
    python = f"{function}({context.series(text, _TEXT)}, {constant}, {group})"
    return Term(_TEXT, f"regexp_extract({text.sql}, {pattern.sql}, {group})", python)


_EXTRACT_MATCHES = '''
def extract_matches(texts, pattern, group):
    """What a group of a pattern matches first; empty text where nothing does."""

    def extracted(text):
        match = pattern.search(text)
        return (match[group] or "") if match else ""

    return texts.map(extracted, na_action="ignore").astype("str")
'''

TEXT_FUNCTIONS: dict[str, tuple[str, int, int, Build]] = {
    "upper": ("upper(text)", 1, 1, _method("upper({})", "{}.str.upper()")),
    "ucase": ("ucase(text)", 1, 1, _method("upper({})", "{}.str.upper()")),
    "lower": ("lower(text)", 1, 1, _method("lower({})", "{}.str.lower()")),
    "lcase": ("lcase(text)", 1, 1, _method("lower({})", "{}.str.lower()")),
    "trim": ("trim(text)", 1, 1, _method("trim({}, ' ')", '{}.str.strip(" ")')),
    "ltrim": ("ltrim(text)", 1, 1, _method("ltrim({}, ' ')", '{}.str.lstrip(" ")')),
    "rtrim": ("rtrim(text)", 1, 1, _method("rtrim({}, ' ')", '{}.str.rstrip(" ")')),
    **{
        name: (f"{name}(text)", 1, 1, _method("length({})", '{}.str.len().astype("Int64")', _LONG))
        for name in ("length", "char_length", "character_length", "len")
    },
    "substring": ("substring(text, start, length)", 2, 3, _substring),
    "substr": ("substr(text, start, length)", 2, 3, _substring),
    "left": ("left(text, length)", 2, 2, _left),
    "right": ("right(text, length)", 2, 2, _right),
    "concat": ("concat(value, ...)", 1, 99, concatenated),
    "concat_ws": ("concat_ws(delimiter, value, ...)", 2, 99, _concat_ws),
    "replace": ("replace(text, old, new)", 2, 3, _replace),
    "repeat": ("repeat(text, times)", 2, 2, _repeat),
    "lpad": ("lpad(text, length, padding)", 2, 3, _pad("lpad")),
    "rpad": ("rpad(text, length, padding)", 2, 3, _pad("rpad")),
    "contains": (
        "contains(text, part)",
        2,
        2,
        _with_text("contains", "{}.str.contains({}, regex=False)"),
    ),
    "startswith": (
        "startswith(text, start)",
        2,
        2,
        _with_text("starts_with", "{}.str.startswith({})"),
    ),
    "endswith": ("endswith(text, end)", 2, 2, _with_text("ends_with", "{}.str.endswith({})")),
    "instr": ("instr(text, part)", 2, 2, lambda c, args: _position(c, args[0], args[1])),
    "locate": ("locate(part, text)", 2, 2, lambda c, args: _position(c, args[1], args[0])),
    "rlike": ("rlike(text, pattern)", 2, 2, lambda c, args: matching(c, args[0], args[1])),
    "regexp_replace": ("regexp_replace(text, pattern, new)", 3, 3, _regexp_replace),
    "regexp_extract": ("regexp_extract(text, pattern, group)", 2, 3, _regexp_extract),
}
"""By name: how it is called, the fewest and the most arguments, and its translation."""
