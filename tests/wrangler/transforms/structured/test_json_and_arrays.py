from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import ODD_NAMES, ODD_TEXTS, frames, series
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.errors import DataError
from bottega.wrangler.transforms.registry import named

GROUP = "Handle structured column"
TEXT, ARRAY, VECTOR = ColumnType.STRING, ColumnType.ARRAY, ColumnType.VECTOR


def listed(column: pd.Series) -> list[Any]:
    return [None if not isinstance(v, list) and pd.isna(v) else v for v in column]


def flat(bench: Bench, texts: list[str | None], **values: Any) -> pd.DataFrame:
    frame = pd.DataFrame({"j": series(TEXT, texts)})
    return bench.check(
        named(GROUP, "Flatten structured"),
        {"input_column": "j", **values},
        frame,
        types={"j": TEXT},
    )


def test_flatten_learns_the_keys(bench: Bench) -> None:
    found = flat(
        bench,
        ['{"a": 1, "b": "x"}', '{"b": null, "c": [1, {"d": "é\\n"}]}', None, "[1]", "", "{}"],
    )
    assert list(found) == ["j", "j_b", "j_a", "j_c"]
    assert listed(found["j_a"]) == ["1", None, None, None, None, None]
    assert listed(found["j_b"]) == ["x", None, None, None, None, None]
    assert listed(found["j_c"])[1] == '[1,{"d":"é\\n"}]'


def test_flatten_takes_the_keys_that_are_named(bench: Bench) -> None:
    text = '{"a/b": 1, "~": true, "it\'s": 2.50, "": "e", "A": 3, "a": 4, "a": 5, "q\\"{}": 1e5}'
    keys = ["a/b", "~", "it's", "", "A", "a", 'q"{}', "none"]
    found = flat(bench, [text], keys=keys, output_column_prefix="", drop_input_column=True)
    assert list(found) == ["a/b", "~", "it's", "key", "A", "a_1", 'q"{}', "none"]
    assert listed(found.loc[0]) == ["1", "true", "2.5", "e", "3", "4", "100000.0", None]


@pytest.mark.parametrize(
    "text",
    ["[1,]", '{"a":1,}', "NaN", '{"a":NaN}', '{"a":-Infinity}', "{'a':1}", '{"a":01}', '{"a":1}x'],
)
def test_what_is_no_json_is_missing(bench: Bench, text: str) -> None:
    assert listed(flat(bench, [text], keys=["a"])["j_a"]) == [None]
    frame = pd.DataFrame({"j": series(TEXT, [text])})
    found = bench.check(named(GROUP, "Parse JSON array"), {"input_column": "j"}, frame)
    assert listed(found["j"]) == [None]


def test_flatten_refuses_too_many_keys(bench: Bench) -> None:
    text = json.dumps({f"k{i}": i for i in range(1001)})
    with pytest.raises(DataError, match="'j' has 1,001 different keys"):
        flat(bench, [text])


def test_parse_json_array(bench: Bench) -> None:
    frame = pd.DataFrame({"j": series(TEXT, ['["a", null, 1.50, [1, 2]]', "[]", "{}", "x", None])})
    found = bench.check(named(GROUP, "Parse JSON array"), {"input_column": ["j"]}, frame)
    assert listed(found["j"]) == [["a", None, "1.5", "[1,2]"], [], None, None, None]


def test_explode_keeps_rows_without_values(bench: Bench) -> None:
    frame = pd.DataFrame({"a": series(ARRAY, [["x", None], [], None, ["y"]]), "n": [1, 2, 3, 4]})
    found = bench.check(named(GROUP, "Explode array"), {"input_column": "a"}, frame)
    assert listed(found["a"]) == ["x", None, None, None, "y"]
    assert found["n"].tolist() == [1, 1, 2, 3, 4]


def test_join_and_length(bench: Bench) -> None:
    frame = pd.DataFrame({"a": series(ARRAY, [["x", None, ""], [], None])})
    values = {"input_column": "a", "separator": "';{}"}
    assert listed(bench.check(named(GROUP, "Join array"), values, frame)["a"]) == [
        "x';{}",
        "",
        None,
    ]
    found = bench.check(named(GROUP, "Array length"), {"input_column": "a"}, frame)
    assert listed(found["a"]) == [3, 0, None]


@pytest.mark.parametrize("column", ODD_NAMES)
def test_odd_names(bench: Bench, column: str) -> None:
    texts = pd.DataFrame({column: series(TEXT, ['{"a": 1}', '["b"]', *ODD_TEXTS, None])})
    bench.check(named(GROUP, "Flatten structured"), {"input_column": column}, texts)
    bench.check(named(GROUP, "Parse JSON array"), {"input_column": column}, texts)
    arrays = pd.DataFrame({column: series(ARRAY, [["a", None], None])})
    for name in ("Explode array", "Join array", "Array length"):
        bench.check(named(GROUP, name), {"input_column": column}, arrays)
        values = {"input_column": column, "output_column": "out {x}'"}
        bench.check(named(GROUP, name), values, arrays)


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers(-(2**70), 2**70).map(str),
    st.tuples(st.integers(0, 99), st.integers(-400, 400)).map(lambda two: f"{two[0]}E{two[1]}"),
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)
JSON = st.recursive(
    st.one_of(NUMBERS, TEXTS.map(json.dumps), st.sampled_from(["true", "false", "null"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[ {', '.join(parts)}]"),
        st.lists(st.tuples(st.sampled_from(["a", "b", "c d", ""]), inner), max_size=3).map(
            lambda pairs: (
                "{" + " ,".join(f"{json.dumps(key)}: {value}" for key, value in pairs) + "}"
            )
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None)
@given(frames({"j": TEXT}, cells={"j": st.one_of(JSON, st.sampled_from(ODD_TEXTS))}))
def test_random_json(bench: Bench, frame: pd.DataFrame) -> None:
    types = {"j": TEXT}
    bench.check(named(GROUP, "Flatten structured"), {"input_column": "j"}, frame, types=types)
    values = {"input_column": "j", "keys": ["a", ""], "drop_input_column": True}
    bench.check(named(GROUP, "Flatten structured"), values, frame, types=types)
    bench.check(named(GROUP, "Parse JSON array"), {"input_column": "j"}, frame, types=types)


@settings(max_examples=25, deadline=None)
@given(frames({"a": ARRAY, "v": VECTOR, "n": ColumnType.LONG}))
def test_random_arrays(bench: Bench, frame: pd.DataFrame) -> None:
    types = {"a": ARRAY, "v": VECTOR, "n": ColumnType.LONG}
    for column in ("a", "v"):
        for name in ("Explode array", "Array length"):
            bench.check(named(GROUP, name), {"input_column": column}, frame, types=types)
    bench.check(named(GROUP, "Join array"), {"input_column": "a"}, frame, types=types)
