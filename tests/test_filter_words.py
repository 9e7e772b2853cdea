"""The language of filter boxes."""

from __future__ import annotations

import pytest

from bottega.errors import ValidationException
from bottega.filter_words import Condition, FilterWords, parse

KEYS = ("status", "name")


def test_nothing_asks_for_nothing():
    assert parse("", KEYS) == parse("  \t ", KEYS) == FilterWords((), ())
    assert parse("", KEYS).names("anything")


def test_words_and_conditions_are_told_apart():
    assert parse("churn status:Failed,Stopped  Nightly name:a", KEYS) == FilterWords(
        (Condition("status", ("failed", "stopped")), Condition("name", ("a",))),
        ("churn", "nightly"),
    )


def test_what_every_condition_of_a_key_allows():
    known = ("Completed", "Failed", "Stopped")
    assert parse("name:x", KEYS).allowed("status", known) == set(known)
    both = parse("status:failed,STOPPED status:stopped,completed", KEYS)
    assert both.allowed("status", known) == {"Stopped"}
    assert parse("status:failed status:stopped", KEYS).allowed("status", known) == set()
    with pytest.raises(ValidationException, match="there is no status 'gone'"):
        parse("status:gone", KEYS).allowed("status", known)


def test_every_word_must_be_part_of_the_name():
    words = parse("Churn 04", KEYS)
    assert words.names("nightly-CHURN-0412")
    assert not words.names("churn-12")


def test_conditions_on_the_name_must_be_met_too():
    words = parse("name:a,b name:C d status:x", KEYS)
    assert words.names("bcd")
    assert not words.names("bd")
    assert not words.names("cd")
    assert not words.names("bc")


def test_a_condition_holds_for_any_of_its_values():
    (condition,) = parse("STATUS:failed,InProgress", KEYS).conditions
    assert condition.is_met("Failed")
    assert condition.is_met("InProgress")
    assert not condition.is_met("Fail")
    assert condition.is_part("was-failed-once")
    assert not condition.is_part("stopped")


def test_values_are_found_in_the_spelling_of_those_that_are_known():
    (condition,) = parse("status:failed,INSERVICE", KEYS).conditions
    assert condition.choices(("Creating", "InService", "Failed")) == ("Failed", "InService")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("state:Failed", "'state' is not a key of this list. Its keys are name:, status:."),
        ("a:b:c", "'a' is not a key"),
        (":x", "'' is not a key"),
        ("status:", "'status:' without a value. Write it as status:value"),
        ("status:, Failed", "'status:,' without a value"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, says: str):
    with pytest.raises(ValidationException) as refused:
        parse(text, KEYS)
    assert says in refused.value.message


def test_an_unknown_value_is_refused_with_those_that_are_known():
    (condition,) = parse("status:Broken", KEYS).conditions
    with pytest.raises(ValidationException, match=r"no status .broken.*Known are Failed, Stopped"):
        condition.choices(("Failed", "Stopped"))
