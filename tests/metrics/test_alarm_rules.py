"""M out of N, and missing data."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.metrics.alarm_rules import COMPARISONS, Missing, Rule

WAYS: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
VALUES = {"0": 0.0, "X": 9.0, "-": None}


def rule(datapoints: int, periods: int, missing: Missing) -> Rule:
    return Rule("GreaterThanThreshold", 5.0, periods, datapoints, missing)


@pytest.mark.parametrize(
    ("datapoints", "row", "expected"),
    [
        # CloudWatch's own two tables: 3 out of 3, and 2 out of 3.
        (3, "0-X-X", "OK OK OK OK"),
        (3, "0----", "OK OK OK OK"),
        (3, "-----", "INSUFFICIENT_DATA None ALARM OK"),
        (3, "0XX-X", "ALARM ALARM ALARM ALARM"),
        (3, "--X--", "ALARM None ALARM OK"),
        (2, "0-X-X", "ALARM ALARM ALARM ALARM"),
        (2, "00X0X", "ALARM ALARM ALARM ALARM"),
        (2, "0-X--", "OK OK ALARM OK"),
        (2, "----0", "OK OK ALARM OK"),
        (2, "---X-", "ALARM None ALARM OK"),
        # A single one that breaches waits for those that may follow.
        (3, "----X", "None None ALARM OK"),
    ],
)
def test_it_is_as_cloudwatch_documents_it(datapoints: int, row: str, expected: str) -> None:
    values = [VALUES[sign] for sign in row]
    found = [str(rule(datapoints, 3, way).evaluate(values)) for way in WAYS]
    assert found == expected.split()


@settings(max_examples=200, deadline=None)
@given(
    values=st.lists(st.sampled_from([0.0, 9.0, None]), max_size=8),
    periods=st.integers(1, 4),
    data=st.data(),
)
def test_it_agrees_with_every_way_to_fill_the_gaps(
    values: list[float | None], periods: int, data: st.DataObject
) -> None:
    """Where all ways to fill what is missing call for the same, that is the state; breaching and
    notBreaching are two of these ways."""
    datapoints = data.draw(st.integers(1, periods))
    there = [value for value in values[-(periods + 2) :] if value is not None][-periods:]
    gaps = periods - len(there)
    outcomes = {
        "ALARM" if sum(value > 5 for value in (*there, *filled)) >= datapoints else "OK"
        for filled in product((0.0, 9.0), repeat=gaps)
    }
    found = {way: rule(datapoints, periods, way).evaluate(values) for way in WAYS}
    if outcomes == {"ALARM"} or (gaps == 0 and outcomes == {"OK"}):
        assert set(found.values()) == outcomes
    assert found["breaching"] == ("ALARM" if "ALARM" in outcomes else "OK")
    assert found["notBreaching"] == ("OK" if "OK" in outcomes else "ALARM")
    if gaps and any(value <= 5 for value in there) and "OK" in outcomes:
        assert found["missing"] == found["ignore"] == "OK"
    if not there:
        assert (found["missing"], found["ignore"]) == ("INSUFFICIENT_DATA", None)


@pytest.mark.parametrize("comparison", COMPARISONS)
def test_the_comparisons_are_what_they_are_called(comparison: str) -> None:
    equal = "OrEqual" in comparison
    greater = comparison.startswith("Greater")
    found = [Rule(comparison, 5.0, 1, 1).breaches(value) for value in (4.0, 5.0, 6.0)]
    assert found == [not greater, equal, greater]
