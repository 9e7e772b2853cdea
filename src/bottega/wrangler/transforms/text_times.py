"""Reading dates and times from text by formats, the same in both languages.

A format is written as SageMaker's (``dd-MM-yyyy HH:mm``) or as Python's (``%d-%m-%Y %H:%M``). From
it follow a pattern that a text must match as a whole, and the format that both languages parse it
by. The pattern is what keeps them to the same: their parsers differ in what they let pass.
"""

from __future__ import annotations

import re

from bottega.wrangler.errors import ParameterError
from bottega.wrangler.pandas_code import PandasCode
from bottega.wrangler.sql_text import literal
from bottega.wrangler.transforms.text_values import stripped_sql

Formats = list[tuple[str, str]]
"""Pairs of a pattern and a format of Python's; the first whose pattern matches counts."""

_MONTHS = "January February March April May June July August September October November December"
_SHORT = "|".join(month[:3] for month in _MONTHS.split())
_DIRECTIVES = {
    "Y": "(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])",
    "y": "[0-9]{2}",
    "m": "(?:0?[1-9]|1[0-2])",
    "d": "(?:0?[1-9]|[12][0-9]|3[01])",
    "H": "(?:[01]?[0-9]|2[0-3])",
    "I": "(?:0?[1-9]|1[0-2])",
    "M": "[0-5]?[0-9]",
    "S": "[0-5]?[0-9]",
    "f": "[0-9]{1,6}",
    "p": "[AaPp][Mm]",
    "b": f"(?i:{_SHORT})",
    "B": f"(?i:{'|'.join(_MONTHS.split())})",
}
_JAVA = {
    "yyyy": "Y",
    "uuuu": "Y",
    "yy": "y",
    "MMMM": "B",
    "MMM": "b",
    "MM": "m",
    "M": "m",
    "dd": "d",
    "d": "d",
    "HH": "H",
    "H": "H",
    "hh": "I",
    "h": "I",
    "mm": "M",
    "m": "M",
    "ss": "S",
    "s": "S",
    "a": "p",
}
_JAVA_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|[^A-Za-z']+")
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_TIMES = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
_USUAL = (
    "%Y-%m-%d",
    *(f"%Y-%m-%d{between}{time}" for between in " T" for time in _TIMES),
    "%Y/%m/%d",
    *(f"%Y/%m/%d {time}" for time in _TIMES),
    "%d-%m-%Y",
    *(f"%d-%m-%Y {time}" for time in _TIMES),
)
USUAL_SENTENCE = (
    "2024-02-29, 2024/02/29 or 29-02-2024, alone or with a time as 13:05 or 13:05:00.25"
)


def time_formats(parameter: str, wanted: str | None) -> Formats:
    """What a format means; the usual ones (``USUAL_SENTENCE``) when there is none.

    Raises:
        ParameterError: it cannot be understood; says what in it.
    """
    if not wanted:
        return [(_pattern(_parts(parameter, usual)), usual) for usual in _USUAL]
    parts = _parts(parameter, wanted) if "%" in wanted else _java_parts(parameter, wanted)
    found = [value for is_directive, value in parts if is_directive]
    repeated = next((value for value in found if found.count(value) > 1), None)
    if repeated:
        raise ParameterError(parameter, f"The format {wanted!r} has %{repeated} twice.")
    if not {"Y", "y"} & set(found) or ("I" in found) != ("p" in found):
        what = "an hour of 12 needs AM or PM" if {"Y", "y"} & set(found) else "it has no year"
        raise ParameterError(parameter, f"The format {wanted!r} cannot be read: {what}.")
    text = "".join(
        f"%{value}" if is_directive else value.replace("%", "%%") for is_directive, value in parts
    )
    return [(_pattern(parts), text)]


def strftime_format(parameter: str, wanted: str) -> str:
    """A format for writing, as Python has it: numbers are padded with zeros.

    Raises:
        ParameterError: it cannot be understood; says what in it.
    """
    parts = _parts(parameter, wanted) if "%" in wanted else _java_parts(parameter, wanted)
    return "".join(
        f"%{value}" if is_directive else value.replace("%", "%%") for is_directive, value in parts
    )


def times_sql(expression: str, formats: Formats) -> str:
    """Text as TIMESTAMP; missing where no format fits. A ``Z`` at the end does not count."""
    text = f"regexp_replace({stripped_sql(expression)}, '([0-9])Z$', '\\1')"
    cases = " ".join(
        f"WHEN regexp_full_match({text}, {literal(pattern)}) "
        f"THEN try_strptime({text}, {literal(form)})"
        for pattern, form in formats
    )
    return f"(CASE {cases} END)"


def times_pandas(texts: str, formats: Formats, code: PandasCode) -> str:
    """The same as pandas code; strips the texts itself."""
    function = code.function("parse_times", _PARSE_TIMES)
    return f"{function}({texts}, {code.constant('time formats', formats)})"


_PARSE_TIMES = r'''
def parse_times(texts, formats):
    """Moments of texts, each read by the first format whose pattern it matches as a whole."""
    stripped = texts.str.strip(" \t\n\r\f\v").str.replace("([0-9])Z$", r"\1", regex=True)
    times = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[us]")
    for pattern, form in formats:
        fits = stripped.str.fullmatch(pattern, na=False).astype(bool)
        if fits.any():
            times[fits] = pd.to_datetime(stripped[fits], format=form, errors="coerce")
    return times
'''


def _parts(parameter: str, wanted: str) -> list[tuple[bool, str]]:
    """(whether it is a directive, its letter or the plain text), in order."""
    parts = []
    for match in re.finditer(r"%(.?)|[^%]+", wanted, re.DOTALL):
        letter = match[1]
        if letter is None or letter == "%":
            parts.append((False, "%" if letter else match[0]))
        elif letter in _DIRECTIVES:
            parts.append((True, letter))
        else:
            raise ParameterError(
                parameter,
                f"The format {wanted!r} has %{letter}, which is none of "
                f"{', '.join(f'%{known}' for known in _DIRECTIVES)}.",
            )
    return parts


def _java_parts(parameter: str, wanted: str) -> list[tuple[bool, str]]:
    parts, end = [], 0
    for match in _JAVA_TOKEN.finditer(wanted):
        if match.start() != end:
            break
        end = match.end()
        token = match[0]
        if match[1] is not None:
            parts.append((False, match[1].replace("''", "'") or "'"))
        elif match[2] is None:
            parts.append((False, token))
        elif token in _JAVA or set(token) == {"S"}:
            parts.append((True, _JAVA.get(token, "f")))
        else:
            raise ParameterError(
                parameter,
                f"The format {wanted!r} has {token}, which is none of {', '.join(_JAVA)} and S; "
                "put plain letters into single quotes.",
            )
    if end != len(wanted):
        raise ParameterError(parameter, f"The format {wanted!r} has a quote without its end.")
    return parts


def _pattern(parts: list[tuple[bool, str]]) -> str:
    written = []
    for place, (is_directive, value) in enumerate(parts):
        if not is_directive:
            written.append("".join(f"\\{c}" if c in _SPECIAL else c for c in value))
            continue
        pattern = _DIRECTIVES[value]
        beside = (parts[place - 1 : place] if place else []) + parts[place + 1 : place + 2]
        if any(other for other, _ in beside) and value in "mdHIMS":
            # Numbers without anything between them have a fixed width.
            pattern = pattern.replace("0?", "0").replace("]?", "]")
        written.append(pattern)
    return "".join(written)
