"""Members of components as MLflow keeps them, and back."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bottega.tracking.store.entities import members, tables

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.one_of(
    st.builds(lambda number: {"NumberValue": number}, NUMBERS),
    st.builds(lambda text: {"StringValue": text}, st.text(max_size=20)),
    st.builds(lambda number: {"StringValue": str(number)}, st.one_of(NUMBERS, st.integers())),
)


@given(VALUES)
@example({"NumberValue": -0.0})
@example({"StringValue": "nan"})
@example({"StringValue": "1_000"})
@example({"NumberValue": 1e22})
def test_a_parameter_comes_back_as_it_was(value: dict[str, Any]) -> None:
    text, is_text = members.as_param(value)
    assert members.parameter(text, is_text=is_text) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("6", {"NumberValue": 6.0}),
        ("1e-3", {"NumberValue": 0.001}),
        ("inf", {"StringValue": "inf"}),
        ("0x10", {"StringValue": "0x10"}),
        ("", {"StringValue": ""}),
        ("1e999", {"StringValue": "1e999"}),
    ],
)
def test_params_of_plain_clients_are_typed_by_their_looks(text: str, shown: Any) -> None:
    assert members.parameter(text, is_text=False) == shown


SAGEMAKER = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}")


@given(st.one_of(st.text(max_size=8), st.text("aZ0-", min_size=1, max_size=125)))
@example("a\n")
@example("é")
def test_sql_knows_which_names_sagemaker_allows(name: str) -> None:
    connection = sqlite3.connect(":memory:")
    with_name = f"SELECT {tables.is_name('n.name')} FROM (SELECT ? AS name) n"
    (allowed,) = connection.execute(with_name, (name.replace("\0", "0"),)).fetchone()
    connection.close()
    text = name.replace("\0", "0")
    assert bool(allowed) is (SAGEMAKER.fullmatch(text) is not None and len(text) <= 120)


@given(st.sampled_from(sorted(members.RUN_STATUS)), st.one_of(st.none(), st.text(max_size=9)))
def test_a_status_comes_back_as_it_was(primary: str, message: str | None) -> None:
    given = {"PrimaryStatus": primary, **({} if message is None else {"Message": message})}
    facts = {k: v for k, v in members.status_facts(given).items() if v is not None}
    assert members.status(members.RUN_STATUS[primary], facts) == given


def test_a_message_does_not_outlive_its_status() -> None:
    facts = members.status_facts({"PrimaryStatus": "InProgress", "Message": "at it"})
    assert members.status("KILLED", facts) == {"PrimaryStatus": "Stopped"}
    assert members.status("SCHEDULED", facts) is None
