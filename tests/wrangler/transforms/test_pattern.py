from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.wrangler.errors import ParameterError
from bottega.wrangler.transforms.pattern import quoted, read_pattern

CONNECTION = duckdb.connect()


def spans(pattern: str, text: str, ignore_case: bool) -> tuple[str | None, str | None]:
    """What both find first."""
    found = read_pattern("pattern", pattern, ignore_case)
    row = CONNECTION.execute(
        f"SELECT CASE WHEN regexp_matches($1, {found.sql}) "
        f"THEN regexp_extract($1, {found.sql}) END",
        [text],
    ).fetchone()
    assert row is not None
    match = re.search(found.python, text, re.IGNORECASE if ignore_case else 0)
    return row[0], match and match[0]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\w+", "Größe 3", "Größe"),
        (r"\d+", "x٣٤", "٣٤"),
        (r"\s", "a\u00a0b", "\u00a0"),
        (r"a$", "a\n", None),
        (r"(?m)a$", "a\nb", "a"),
        (r"a.b", "a\nb", None),
        (r"(?s)a.b", "a\nb", "a\nb"),
        (r"[]x]+", "a]x", "]x"),
        (r"[^\d\s]+", "1 ab", "ab"),
        (r"[\W1]+", "a-1", "-1"),
        (r"\bcat\b", "a cat.", "cat"),
        (r"a{,2}", "aaa", "aa"),
        (r"x{2}?", "xxx", "xx"),
        (r"(?i:A)b", "ab", "ab"),
        (r"(?P<n>a)(?:b)?", "ab", "ab"),
        ("[{}$]+", "a{$}", "{$}"),
        (r"\$5", "$5", "$5"),
        ("🐈+", "a🐈🐈", "🐈🐈"),
        (r"\u00e9\x41", "éA", "éA"),
        (r"a+?|b", "aab", "a"),
    ],
)
def test_both_find_the_same(pattern: str, text: str, expected: str | None) -> None:
    assert spans(pattern, text, False) == (expected, expected)


@pytest.mark.parametrize("letter", ["i", "I", "k", "s", "[a-z]", "[^i]", "ß", "σ", "É"])
def test_both_fold_the_same_cases(letter: str) -> None:
    for text in ["i", "I", "İ", "ı", "K", "k", "ſ", "S", "ẞ", "ß", "ς", "Σ", "é", "-"]:
        engine, python = spans(letter, text, True)
        assert engine == python, (letter, text)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("(", "no regular expression"),
        ("a(?=b)", "looks ahead"),
        ("(?<!b)a", "looks ahead or behind"),
        (r"(a)\1", "refers to a group"),
        ("(?>a)b", "atomic"),
        ("a++", "possessive"),
        ("(a)?(?(1)b|c)", "condition"),
        ("(a*)*", "may be empty"),
        ("a{1001}", "1000 times"),
        (r"[^\S]", "inside"),
        ("(?x) a", "flags"),
        (r"(?:\w{900}){900}", "engine"),
    ],
)
def test_what_one_of_them_cannot_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        read_pattern("pattern", pattern)
    assert caught.value.parameter == "pattern"
    assert repr(pattern)[1:-1][:5] in caught.value.message


ATOMS = st.sampled_from(
    ["a", "b", "A", r"\d", r"\w", r"\s", r"\W", ".", "[ab]", "[^a]", "[a-c_]", r"\.", "é", "i", "1"]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["+", "?", "{1,2}", "+?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
        inner.map(lambda one: f"({one})"),
    ),
    max_leaves=6,
)


@settings(max_examples=100, deadline=None)
@given(PATTERNS, st.text("abAB1_ .é\nİıKiI", max_size=8), st.booleans())
def test_random_patterns(pattern: str, text: str, ignore_case: bool) -> None:
    try:
        engine, python = spans(pattern, text, ignore_case)
    except ParameterError as error:
        if "may be empty" not in error.message:
            raise
        return
    assert engine == python


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_quoted_text_matches_itself_only(text: str) -> None:
    assert re.fullmatch(quoted(text), text)
    row = CONNECTION.execute("SELECT regexp_full_match($1, $2)", [text, quoted(text)]).fetchone()
    assert row == (True,)
