from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.testing.wrangler_frames import frames, one_of_each, series, values
from bottega.wrangler.columns import ColumnType, Schema
from bottega.wrangler.errors import DataError, ParameterError
from bottega.wrangler.transform import Columns, Query, Step
from bottega.wrangler.transforms.casting import can_cast
from bottega.wrangler.transforms.registry import named
from bottega.wrangler.transforms.text_times import time_formats

GROUP = "Parse column as type"
CAST, INFER = "Parse value as type", "Infer and cast types"


def cast(
    bench: Bench, cells: list[Any], target: str, kind: ColumnType = ColumnType.STRING, **more: Any
) -> list[Any]:
    """The cells as another type, None where missing."""
    frame = pd.DataFrame({"{x}": series(kind, cells)})
    chosen = {"column": "{x}", "data_type": target, **more}
    result = bench.check(named(GROUP, CAST), chosen, frame, types={"{x}": kind})
    return plain(result["{x}"])


def plain(column: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in column.tolist()]


def test_text_as_whole_numbers(bench: Bench) -> None:
    texts = ["7", " -007\n", "+5", "2.9", "-2.9", "1e3", "9223372036854775807", None]
    assert cast(bench, texts, "long") == [7, -7, 5, 2, -2, 1000, 2**63 - 1, None]
    wrong = ["", " ", "x", "1,5", "9223372036854775808", "inf", "nan", "1_000", "0x1", "١", "--1"]
    assert cast(bench, wrong, "long") == [None] * len(wrong)


def test_text_as_numbers(bench: Bench) -> None:
    texts = ["1.5", ".5", "5.", "-1E-2", "+Infinity", "-inf", "1e400", "1e-400"]
    assert cast(bench, texts, "float") == [1.5, 0.5, 5, -0.01, np.inf, -np.inf, np.inf, 0]
    wrong = ["NaN", "", ".", "e5", "1 000", "1.2.3", "５", "infinite", "1e"]
    assert cast(bench, wrong, "float") == [None] * len(wrong)


def test_text_as_booleans(bench: Bench) -> None:
    texts = ["TRUE", " yes", "t", "1", "No", "f", "0", "n", "2", "", "on", None]
    assert cast(bench, texts, "boolean") == [*[True] * 4, *[False] * 4, *[None] * 4]


@pytest.mark.parametrize(
    ("form", "texts", "expected"),
    [
        (None, ["2024-02-29", "29-02-2024", "2024/02/29", "2024-02-30"], "2024-02-29"),
        ("dd-MM-yyyy", ["29-02-2024", "29-2-2024", "2024-02-29"], "2024-02-29"),
        ("%d.%m.%y", ["29.02.24", "29.2.24"], "2024-02-29"),
        ("MMM d, yyyy", ["Feb 29, 2024", "feb 29, 2024"], "2024-02-29"),
        ("%B %d %Y", ["February 29 2024", "FEBRUARY 29 2024"], "2024-02-29"),
        ("yyyyMMdd", ["20240229", "2024229", "20240231"], "2024-02-29"),
        ("yyyy-MM-dd'T'HH:mm", ["2024-02-29T23:59", "2024-02-29T24:00"], "2024-02-29"),
        ("[yyyy]/^(MM)*dd", ["[2024]/^(02)*29"], "2024-02-29"),
    ],
)
def test_text_as_dates(bench: Bench, form: str | None, texts: list[str], expected: str) -> None:
    found = cast(bench, [*texts, None, ""], "date", date_formatting=form)
    assert found[0] == pd.Timestamp(expected)
    assert all(moment in (None, pd.Timestamp(expected)) for moment in found)
    assert found[-2:] == [None, None]


def test_text_as_moments(bench: Bench) -> None:
    texts = [
        "2024-02-29",
        "2024-02-29 13:05",
        "2024-02-29T13:05:06Z",
        "2024-02-29 13:05:06.25",
        "29-02-2024 13:05:06",
        "0001-01-01",
        "9999-12-31 23:59:59.999999",
        "0000-01-01",
        "2024-02-29 13:60",
        "yesterday",
    ]
    found = cast(bench, texts, "datetime")
    assert [moment and str(moment) for moment in found] == [
        "2024-02-29 00:00:00",
        "2024-02-29 13:05:00",
        "2024-02-29 13:05:06",
        "2024-02-29 13:05:06.250000",
        "2024-02-29 13:05:06",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59.999999",
        None,
        None,
        None,
    ]
    twelve = cast(bench, ["1/2/2024 12:30 am"], "datetime", date_formatting="d/M/yyyy h:mm a")
    assert twelve == [pd.Timestamp("2024-02-01 00:30")]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ("%d-%q-%Y", "%q, which is none of"),
        ("dd-QQ-yyyy", "QQ, which is none of"),
        ("dd-MM", "it has no year"),
        ("yyyy-MM-dd hh:mm", "needs AM or PM"),
        ("%Y-%Y", "%Y twice"),
        ("yyyy'T", "a quote without its end"),
    ],
)
def test_formats_that_cannot_be_read(form: str, words: str) -> None:
    with pytest.raises(ParameterError, match=words) as caught:
        time_formats("date_formatting", form)
    assert caught.value.parameter == "date_formatting"


@pytest.mark.parametrize(
    ("more", "texts", "expected"),
    [
        ({"thousands_separator": "Comma"}, ["1,234.5", "12"], [1234.5, 12]),
        (
            {"thousands_separator": "Point", "decimal_separator": "Comma"},
            ["1.234,5", "-7,25"],
            [1234.5, -7.25],
        ),
        ({"thousands_separator": "Space", "signs": True}, ["€ 1 234", "12.5 %"], [1234, 0.125]),
        ({"signs": "true"}, ["$5", "-£2.5", "50%", "5kg"], [5, -2.5, 0.5, None]),
    ],
)
def test_numbers_as_people_write_them(
    bench: Bench, more: dict[str, Any], texts: list[str], expected: list[float]
) -> None:
    assert cast(bench, texts, "float", **more) == expected
    whole = [None if number is None else int(number) for number in expected]
    assert cast(bench, texts, "long", **more) == whole


def test_what_becomes_of_a_value_that_cannot_be_read(bench: Bench) -> None:
    frame = pd.DataFrame({"x": ["1", "it's", None, " ", "{4}"], "at": range(5)})
    chosen: dict[str, Any] = {"column": "x", "data_type": "long"}

    def run(method: str, **more: Any) -> pd.DataFrame:
        all_values = {**chosen, "non_castable_data_handling_method": method, **more}
        return bench.check(named(GROUP, CAST), all_values, frame)

    assert plain(run("replace_null")["x"]) == [1, None, None, None, None]
    assert plain(run("replace_value", replace_value="-1")["x"]) == [1, -1, None, None, -1]
    kept = run("replace_null_with_new_col")
    assert list(kept) == ["x", "at", "x_typecast_error"]
    assert plain(kept["x_typecast_error"]) == [None, "it's", None, None, "{4}"]
    kept = run("replace_value_with_new_col", replace_value=0)
    assert plain(kept["x"]) == [1, 0, None, None, 0]
    assert plain(kept["x_typecast_error"]) == [None, "it's", None, None, "{4}"]
    assert run("drop")["at"].tolist() == [0, 2, 3]
    with pytest.raises(DataError, match="'x' has a value that cannot be read as long: it's"):
        run("error")
    with pytest.raises(ParameterError, match="'none' cannot stand in column 'x', which is long"):
        run("replace_value", replace_value="none")
    assert plain(run("error", data_type="string")["x"])[1] == "it's"


def test_a_row_that_is_served_is_not_dropped() -> None:
    transform = named(GROUP, CAST)
    schema = Schema.of(x="string")
    values = transform.parameter_set().check(
        {"column": "x", "data_type": "long", "non_castable_data_handling_method": "drop"}, schema
    )
    step = Step(schema, values, {})
    assert isinstance(transform.sql(step), Query)
    assert isinstance(transform.served(step), Columns)


@pytest.mark.parametrize("target", ["long", "float", "boolean", "date", "datetime", "string"])
def test_every_type_as_every_other(bench: Bench, target: str) -> None:
    frame, types = one_of_each()
    for name, kind in types.items():
        chosen = {"column": name, "data_type": target}
        if can_cast(kind, ColumnType(target)):
            bench.check(named(GROUP, CAST), chosen, frame, types=types)
        else:
            with pytest.raises(ParameterError, match=r"cannot be read as|this takes"):
                bench.check(named(GROUP, CAST), chosen, frame, types=types)


def test_numbers_without_decimals_fit_or_are_missing(bench: Bench) -> None:
    cells = [2.9, -2.9, np.inf, 1e19, 2.0**63, -(2.0**63), None]
    found = cast(bench, cells, "long", ColumnType.FLOAT)
    assert found == [2, -2, None, None, None, -(2**63), None]


def test_casting_reads_sagemakers_nodes() -> None:
    parameters = named(GROUP, CAST).parameter_set()
    node = {"column": "a", "original_data_type": "Object", "data_type": "bool"}
    assert parameters.read(node) == {"column": "a", "data_type": "boolean"}
    assert parameters.write({"data_type": "long"}, node)["original_data_type"] == "Object"


def test_types_are_inferred_from_all_values(bench: Bench) -> None:
    frame = pd.DataFrame(
        {
            "whole": ["1", " 2 ", "", None],
            "{number}": ["1", "2.5", "inf", None],
            "word": ["yes", "No", None, "TRUE"],
            "day": ["2024-02-29", "01-02-2024", " ", None],
            "moment": ["2024-02-29", "2024-02-29 00:00:00", None, None],
            "zip": ["01234", "12345", None, None],
            "mixed": ["1", "x", None, None],
            "blank": ["", " ", None, None],
            "large": ["9223372036854775808", "1", None, None],
        }
    )
    transform = named(GROUP, INFER)
    relation = bench.relation(frame)
    state = transform.fit(relation, transform.parameter_set().check({}, relation.schema))
    assert state == {
        "schema": {
            "whole": "long",
            "{number}": "float",
            "word": "boolean",
            "day": "date",
            "moment": "datetime",
            "large": "float",
        }
    }
    result = bench.check(transform, {}, frame)
    assert plain(result["whole"]) == [1, 2, None, None]
    assert result["zip"].tolist()[0] == "01234"


def test_a_table_without_text_is_left_alone(bench: Bench) -> None:
    frame = pd.DataFrame({"n": [1, 2]})
    assert bench.check(named(GROUP, INFER), {}, frame)["n"].tolist() == [1, 2]


def test_a_schema_of_sagemakers_is_taken(bench: Bench) -> None:
    transform = named(GROUP, INFER)
    node = {"trained_parameters": {"schema": {"a": "long", "b": "bool", "c": "object"}}}
    read = transform.parameter_set().read(node)
    frame = pd.DataFrame({"a": ["1", "x"], "b": ["true", ""], "c": [1.5, None]})
    result = bench.check(transform, read, frame)
    assert plain(result["a"]) == [1, None]
    assert plain(result["b"]) == [True, None]
    assert plain(result["c"]) == ["1.5", None]
    written = transform.parameter_set().write(read)
    assert written == {"schema": {"a": "long", "b": "boolean", "c": "string"}}
    assert transform.parameter_set().read(written) == read


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ([{"column": "aa", "data_type": "long"}], "no column 'aa'; did you mean 'a'"),
        ([{"column": "a", "data_type": "whole"}], "'whole' is none of long"),
        ([{"column": "d", "data_type": "long"}], "'d' is datetime, which cannot be read as long"),
    ],
)
def test_a_schema_that_does_not_fit(bench: Bench, schema: list[dict[str, str]], words: str) -> None:
    frame = pd.DataFrame({"a": ["1"], "d": pd.to_datetime(["2024-01-01"])})
    with pytest.raises(ParameterError, match=words):
        bench.check(named(GROUP, INFER), {"schema": schema}, frame)


def test_what_a_step_touches() -> None:
    schema = Schema.of(a="string", b="string", n="long")
    assert named(GROUP, INFER).touches(schema, {"schema": None}) == {"a", "b"}
    assert named(GROUP, CAST).touches(schema, {"column": "a"}) == {"a"}


LIKELY = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.datetimes().map(lambda moment: moment.strftime("%d-%m-%Y %H:%M")),
    st.from_regex(r"[+\-]?[0-9]{0,3}[.,]?[0-9]{0,2}([eE][0-9])?%?", fullmatch=True),
    st.sampled_from(["TRUE", "no", "1", "0", " y ", "29-02-2023", "2024-2-3", "24:00"]),
    values(ColumnType.STRING),
)


@settings(max_examples=70, deadline=None)
@given(
    frame=frames({"{x}": ColumnType.STRING}, cells={"{x}": LIKELY}),
    target=st.sampled_from(["long", "float", "boolean", "date", "datetime", "string"]),
    method=st.sampled_from(["replace_null", "replace_null_with_new_col", "drop"]),
    signs=st.booleans(),
    thousands=st.sampled_from(["None", "Comma"]),
)
def test_any_text(
    bench: Bench, frame: pd.DataFrame, target: str, method: str, signs: bool, thousands: str
) -> None:
    chosen = {
        "column": "{x}",
        "data_type": target,
        "non_castable_data_handling_method": method,
        "signs": signs,
        "thousands_separator": thousands,
    }
    bench.check(named(GROUP, CAST), chosen, frame, types={"{x}": ColumnType.STRING})


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(ColumnType)),
    target=st.sampled_from(sorted(ColumnType)),
    data=st.data(),
)
def test_any_values(
    bench: Bench, kind: ColumnType, target: ColumnType, data: st.DataObject
) -> None:
    if not can_cast(kind, target) or target in (ColumnType.VECTOR, ColumnType.ARRAY):
        return
    frame = data.draw(frames({"x": kind}))
    chosen = {"column": "x", "data_type": str(target)}
    bench.check(named(GROUP, CAST), chosen, frame, types={"x": kind})


@settings(max_examples=20, deadline=None)
@given(frame=frames({"a": ColumnType.STRING, "b": ColumnType.STRING}, cells={"a": LIKELY}))
def test_any_types(bench: Bench, frame: pd.DataFrame) -> None:
    types = {"a": ColumnType.STRING, "b": ColumnType.STRING}
    bench.check(named(GROUP, INFER), {}, frame, types=types)
