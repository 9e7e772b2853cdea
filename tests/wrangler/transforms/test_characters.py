from __future__ import annotations

import re
import sys
import unicodedata

import duckdb
import pytest

from bottega.wrangler.transforms import characters

KNOWN = [
    chr(point)
    for point in range(1, sys.maxunicode + 1)
    if not 0xD800 <= point <= 0xDFFF and unicodedata.category(chr(point)) != "Cn"
]


def engine_finds(inside: str) -> set[str]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest($1) AS c", [KNOWN])
        found = connection.execute(f"SELECT c FROM t WHERE regexp_full_match(c, '[{inside}]')")
        return {row[0] for row in found.fetchall()}


@pytest.mark.parametrize(
    ("inside", "method"),
    [
        (characters.SPACE, str.isspace),
        (characters.ALPHA, str.isalpha),
        (characters.ALNUM, str.isalnum),
        (characters.DECIMAL, str.isdecimal),
        (characters.DIGIT, str.isdigit),
        (characters.NUMERIC, str.isnumeric),
        (characters.LOWER, str.islower),
        (characters.UPPER, str.isupper),
        (characters.WORD, lambda c: re.match(r"\w", c)),
    ],
    ids=["space", "alpha", "alnum", "decimal", "digit", "numeric", "lower", "upper", "word"],
)
def test_classes_agree_with_python_over_every_character(inside: str, method: object) -> None:
    assert callable(method)
    # A Python with newer tables may know letters that the engine does not, and the other way round.
    differing = engine_finds(inside) ^ {c for c in KNOWN if method(c)}
    if unicodedata.unidata_version == "14.0.0":
        assert not differing
    else:
        assert len(differing) < 0.1 * len(KNOWN)


def test_spaces_are_those_of_the_class() -> None:
    assert set(characters.SPACES) == {c for c in KNOWN if c.isspace()}
