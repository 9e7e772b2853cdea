from __future__ import annotations

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.insight.patterns import patterns
from bottega.wrangler.insight.spelling import Slip, slips, variants


@pytest.mark.parametrize(
    ("texts", "pattern"),
    [
        (["7590-VHVEG", "5575-GNVDE"], "{digits:4}-{upper:5}"),
        (["1234", "1234567"], "{digits:4-7}"),
        (["12.0 oz", "8.4 oz"], "{digits:1-2}.{digits:1}{whitespace:1}{lower:2}"),
        (["Bend", "Gary"], "{name:4}"),
        (["a1b2"], "{alnum:4}"),
        (["McDonald"], "{mixed:8}"),
        (["Größe"], "{name:5}"),
        (["a,b,c,d,e,f,g,h,i"], "{any:17}"),
        ([""], ""),
        (["🐈"], "🐈"),
    ],
)
def test_patterns(texts: list[str], pattern: str):
    (found,) = patterns(texts)
    assert (found.text, found.count, found.example) == (pattern, len(texts), texts[0])


def test_the_most_frequent_form_comes_first():
    found = patterns(["N/A", "1", "22", "333"])
    assert [(one.text, one.count) for one in found] == [
        ("{digits:1-3}", 3),
        ("{upper:1}/{upper:1}", 1),
    ]


@settings(max_examples=100)
@given(st.lists(st.text(max_size=20), max_size=20))
def test_every_text_has_one_form(texts: list[str]):
    found = patterns(texts, most=1000)
    assert sum(one.count for one in found) == len(texts)
    for one in found:
        assert one.example in texts
        lengths = re.findall(r"\{[a-z]+:(\d+)", one.text)
        assert all(int(length) >= 1 for length in lengths)


def test_slips_of_the_keyboard(bench: Bench):
    cities = ["Portland"] * 40 + ["Potrland", "Portlnd", "Cortland", "Denver", "Denver 2"]
    found = slips(bench.relation(pd.DataFrame({"v": cities, "n": range(len(cities))})), "v")
    assert found == [Slip("Portlnd", "Portland", 1, 40), Slip("Potrland", "Portland", 1, 40)]


def test_texts_with_other_digits_are_no_slips(bench: Bench):
    sizes = ["model 1000"] * 40 + ["model 1001", "model 2000"]
    assert slips(bench.relation(pd.DataFrame({"x": sizes})), "x") == []


def test_variants_by_capitals_and_spaces(bench: Bench):
    frame = pd.DataFrame({"v": ["Oslo", "Oslo", "OSLO", " Oslo", "Rome", None, " ", "Bonn "]})
    found = variants(bench.relation(frame), "v")
    assert (found.spaced, found.rows) == (2, 2)
    assert [set(group) for group in found.groups] == [{"Oslo", "OSLO", " Oslo"}]
    assert found.groups[0][0] == "Oslo"


def test_vehicle_makes_are_misspelt(bench: Bench, shared_data):
    frame = pd.read_csv(shared_data / "vehicle-insurance-fraud" / "carclaims.csv")
    found = slips(bench.relation(frame), "Make")
    counts = frame["Make"].value_counts()
    assert all(counts[s.wrong] == s.wrong_count and counts[s.right] == s.right_count for s in found)
    assert ("Porche", "Porsche") not in {(s.wrong, s.right) for s in found}  # written so only
