"""The regular expressions of AWS's models, matched as AWS matches them.

They are Java's: the whole value has to match, ``\\w``, ``\\d``, ``\\s`` and the POSIX classes mean
ASCII, ``\\p{L}`` means Unicode, and a character outside the basic plane may be spelled as a
surrogate pair.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any

import regex

TIME_LIMIT = 0.25
"""Seconds of matching after which a value counts as not matching.

Some of AWS's patterns backtrack without end on values made for it. No value that matches comes near
this.
"""

_ASCII_CLASSES = {
    r"\p{ASCII}": r"\x00-\x7F",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Print}": r"\x20-\x7E",
}
_ABOVE_BASIC_PLANE = r"\uD800\uDC00-\uDBFF\uDFFF"


@cache
def compiled(pattern: str) -> Any:
    """The pattern in the ``regex`` library's dialect.

    Raises:
        regex.error: the pattern is not one that can be expressed there.
    """
    translated = pattern.replace(_ABOVE_BASIC_PLANE, r"\U00010000-\U0010FFFF").replace(r"\z", r"\Z")
    for java, plain in _ASCII_CLASSES.items():
        # Only inside a character class does the bare range mean the same.
        translated = translated.replace(f"[{java}", f"[{plain}").replace(java, f"[{plain}]")
    # The flag would take the Unicode classes down to ASCII as well.
    flags = 0 if r"\p{" in translated else regex.ASCII
    return regex.compile(translated, flags)


def matches(pattern: str, value: str) -> bool:
    """Whether the whole value matches the pattern, found within :data:`TIME_LIMIT`."""
    # Names of resources come again and again; long values hardly do, and would fill the memory.
    return _remembered(pattern, value) if len(value) <= 256 else _matches(pattern, value)


def _matches(pattern: str, value: str) -> bool:
    try:
        found = compiled(pattern).fullmatch(value, timeout=TIME_LIMIT)
    except TimeoutError:
        return False
    return found is not None


_remembered = lru_cache(maxsize=4096)(_matches)
