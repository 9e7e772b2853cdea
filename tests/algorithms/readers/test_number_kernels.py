"""Plain CSV is read to the last bit as Python reads it, or not at all."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.algorithms.readers.number_kernels import numbers


def as_python(text: str) -> np.ndarray:
    rows = [list(map(float, line.split(","))) for line in text.split("\n") if line.strip()]
    return np.array(rows, np.float32)


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(repr),
    st.floats(allow_nan=False, allow_infinity=False, min_value=-3e38, max_value=3e38).map(repr),
    st.integers(-(10**25), 10**25).map(str),
    st.from_regex(r"[-+]?[0-9]{0,25}\.?[0-9]{1,25}(e[-+]?[0-9]{1,2})?", fullmatch=True),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(NUMBERS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_numbers_are_those_of_python(rows: list[list[str]]) -> None:
    text = "\n".join(",".join(row) for row in rows)

    found = numbers(text.encode(), 3)

    if found is not None:  # what is in doubt is left to Python
        with np.errstate(over="ignore"):
            assert found.tobytes() == as_python(text).tobytes()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_what_a_client_sends_is_read(row: list[float]) -> None:
    ordinary = [number for number in row if number == 0 or 1e-30 < abs(number) < 1e30]
    text = ",".join(map(repr, ordinary)) or "0"

    found = numbers(text.encode(), max(1, len(ordinary)))

    assert found is not None
    assert found.tobytes() == as_python(text).tobytes()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,2\r\n3,4\r\n", 2),
        ("\n1,2\n\n3,4\n", 2),
        ("+1,-2\n3.,.5", 2),
        ("1e3,2E-3\n-0,0", 2),
        ("0.1,123456789012345678901234567890", 1),
        ("0.000000000000000000000000123,9", 1),
    ],
)
def test_spellings_that_are_plain(text: str, rows: int) -> None:
    found = numbers(text.encode(), 2)

    assert found is not None
    assert found.shape == (rows, 2)
    assert found.tobytes() == as_python(text).tobytes()


@pytest.mark.parametrize(
    "text",
    [
        *("1,,2", "1,2,", "a,b", "1 ,2", '"1",2', "nan,1", "inf,1", "1_0,2", "1;2", "1,2\n3"),
        *("-,1", ".,1", "1e,2", "1e999,2", "9e300,1", "1,2\r3,4", "\xff,1", "1e39,1", "", "\n"),
        "--1,2",
    ],
)
def test_everything_else_is_left_to_python(text: str) -> None:
    assert numbers(text.encode("latin-1"), 2) is None


def test_a_number_between_two_floats_is_left_to_python() -> None:
    one = np.float32(1)
    middle = (float(one) + float(np.nextafter(one, np.float32(2)))) / 2

    assert numbers(f"{middle!r}00000000000000000000001,0".encode(), 2) is None
