from __future__ import annotations

import math
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.columns import Column, ColumnType, Schema
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.insight import profile as profiling
from bottega.wrangler.insight.profile import ColumnProfile, profile


def of(bench: Bench, values: list[object], kind: ColumnType | str) -> ColumnProfile:
    frame = pd.DataFrame({"x": pd.Series(values, dtype="object")})
    (found,) = profile(bench.relation(frame, {"x": ColumnType(kind)}))
    return found


def ids(found: ColumnProfile) -> set[str]:
    return {issue.id.removeprefix("sagemaker.data_quality.") for issue in found.issues}


@settings(max_examples=30)
@given(
    values=st.lists(
        st.none() | st.sampled_from([math.inf, -math.inf]) | st.floats(-1e6, 1e6), max_size=60
    )
)
def test_numbers_agree_with_numpy(bench: Bench, values: list[float | None]):
    found = of(bench, values, "float")  # type: ignore[arg-type]
    present = [v for v in values if v is not None]
    finite = np.array([v for v in present if math.isfinite(v)])
    assert (found.count, found.missing) == (len(values), len(values) - len(present))
    assert found.invalid == len(present) - len(finite)
    assert (found.distinct, found.distinct_exact) == (len({v + 0.0 for v in present}), True)
    assert sum(b.count for b in found.histogram) == len(finite)
    assert sum(n for _, n in found.top_values) <= len(present)
    if len(finite):
        assert (found.minimum, found.maximum) == (finite.min(), finite.max())
        assert found.mean == pytest.approx(finite.mean(), abs=1e-6)
        for key, value in found.quantiles.items():
            assert value == pytest.approx(np.quantile(finite, float(key)), rel=1e-9, abs=1e-6)
        for b in found.histogram[:-1]:
            slack = 1e-9 * (b.high - b.low)
            inside = ((finite >= b.low - slack) & (finite < b.high + slack)).sum()
            strictly = ((finite >= b.low + slack) & (finite < b.high - slack)).sum()
            assert strictly <= b.count <= inside
    if len(finite) > 1:
        assert found.standard_deviation == pytest.approx(finite.std(ddof=1), rel=1e-6, abs=1e-6)


@settings(max_examples=30)
@given(values=st.lists(st.none() | st.sampled_from(["", " ", "a", "A", "🐈", "{x}", "it's", "1"])))
def test_texts_agree_with_pandas(bench: Bench, values: list[str | None]):
    found = of(bench, values, "string")  # type: ignore[arg-type]
    counts = pd.Series(values, dtype="object").value_counts()
    expected = sorted(counts.items(), key=lambda item: (-item[1], item[0].encode()))
    assert list(found.top_values) == expected
    assert found.distinct == len(counts)
    assert found.missing == sum(v is None for v in values)
    assert dict(found.disguised) == {v: counts[v] for v in ("", " ") if v in counts}


@settings(max_examples=20)
@given(
    values=st.lists(
        st.none() | st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), max_size=40
    )
)
def test_moments_fall_into_their_bins(bench: Bench, values: list[datetime | None]):
    table = [v if v is None else v.replace(microsecond=0) for v in values]
    present = sorted(v for v in table if v is not None)
    found = of_times(bench, table)
    assert found.missing == len(table) - len(present)
    assert sum(b.count for b in found.histogram) == len(present)
    if present:
        assert (found.minimum, found.maximum) == (present[0].isoformat(), present[-1].isoformat())
        for b in found.histogram[:-1]:
            assert b.count == sum(b.low <= v.isoformat() < b.high for v in present)


def of_times(bench: Bench, values: list[datetime | None]) -> ColumnProfile:
    table = ", ".join(f"('{v.isoformat()}'::TIMESTAMP)" if v else "(NULL)" for v in values)
    source = (
        f"SELECT * FROM (VALUES {table}) v(x)" if values else "SELECT NULL::TIMESTAMP x LIMIT 0"
    )
    (found,) = profile(relation_of(bench, source, x="datetime"))
    return found


def relation_of(bench: Bench, source: str, **types: str) -> Relation:
    table = bench.database.free_name("case")
    casts = ", ".join(f"{c}::{ColumnType(t).duckdb} AS {c}" for c, t in types.items())
    bench.database.execute(f"CREATE TABLE {table} AS SELECT {casts} FROM ({source})")
    return Relation.stored(bench.database, table, Schema.of(**types))


def test_kinds(bench: Bench):
    frame = pd.DataFrame(
        {
            "number": np.arange(100) % 7 * 1.5,
            "flag": [True, False] * 50,
            "city": [f"city {i % 8}" for i in range(100)],
            "sentence": [f"the cat number {i} sat on a mat" for i in range(100)],
            "same": ["x"] * 100,
            "nothing": pd.Series([None] * 100, dtype="str"),
            "day": pd.date_range("2024-01-01", periods=100),
        }
    )
    kinds = {one.name: one.kind for one in profile(bench.relation(frame))}
    assert kinds == {
        "number": "numeric",
        "flag": "binary",
        "city": "categorical",
        "sentence": "text",
        "same": "constant",
        "nothing": "empty",
        "day": "datetime",
    }


def test_an_empty_table_has_profiles(bench: Bench):
    frame = pd.DataFrame({"a": pd.Series([], dtype="float64"), "b": pd.Series([], dtype="str")})
    for found in profile(bench.relation(frame)):
        assert (found.kind, found.count, found.distinct, found.issues) == ("empty", 0, 0, ())
        assert found.as_answer()["Histogram"] == []


def test_only_the_columns_asked_for_and_in_their_order(bench: Bench):
    relation = bench.relation(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    assert [one.name for one in profile(relation, ["c", "a"])] == ["c", "a"]
    assert profile(relation, []) == []
    with pytest.raises(ParameterError, match="There is no column 'd'"):
        profile(relation, ["d"])


@pytest.mark.parametrize("column", ["a b", 'say "hi"', "{x}", "{{table}}", "it's", "🐈", "c0"])
def test_odd_names_of_columns(bench: Bench, column: str):
    frame = pd.DataFrame({column: ["x", "y", "y", None], "other": [1.0, 2.0, math.nan, 4.0]})
    found = profile(bench.relation(frame))
    assert found[0].top_values == (("y", 2), ("x", 1))
    assert found[1].mean == pytest.approx(7 / 3)


def test_vectors_count_those_of_another_length(bench: Bench):
    found = of(bench, [[1.0, 2.0], [3.0, 4.0], [5.0], None], "vector")
    assert (found.kind, found.missing, found.invalid) == ("vector", 1, 1)
    assert ids(found) == {"vector_lengths"}


def test_arrays_of_texts(bench: Bench):
    found = of(bench, [["a"], ["a", "b"], None], "array")
    assert (found.kind, found.missing, found.invalid) == ("vector", 1, 0)


def test_huge_numbers_have_no_false_deviation(bench: Bench):
    found = of(bench, [1e308, -1e308, 5.0], "float")
    assert found.standard_deviation is None
    assert sum(b.count for b in found.histogram) == 3
    whole = of(bench, [2**63 - 1, -(2**63)], "long")
    assert (whole.minimum, whole.maximum) == (-(2**63), 2**63 - 1)
    assert whole.as_answer()["Maximum"] == str(2**63 - 1)


def test_nan_is_missing_and_infinite_days_are_invalid(bench: Bench):
    source = "SELECT * FROM (VALUES ('nan'::DOUBLE, 'infinity'::DATE), (1, '2024-02-01')) v(a, b)"
    a, b = profile(relation_of(bench, source, a="float", b="date"))
    assert (a.missing, a.invalid, a.distinct, a.mean) == (1, 0, 1, 1.0)
    assert (b.missing, b.invalid, b.minimum) == (0, 1, "2024-02-01")
    assert b.top_values[0] == (date(2024, 2, 1), 1)


def test_texts_among_numbers_are_invalid(bench: Bench):
    found = of(bench, [str(i / 4) for i in range(40)] + ["12 oz", None], "string")
    assert (found.mostly, found.invalid, found.odd_values) == ("number", 1, (("12 oz", 1),))
    assert "non_numeric_values" in ids(found)


def test_what_stands_for_missing_is_no_sign_against_numbers(bench: Bench):
    found = of(bench, ["5", "7", "N/A", "n/a ", "N/A", "N/A"], "string")
    assert found.mostly == "number"
    assert dict(found.disguised) == {"N/A": 3, "n/a ": 1}
    assert ids(found) == {"disguised_missing_values"}


def test_issues_have_figures(bench: Bench):
    missing = of(bench, [None] * 6 + [1.0, 2.0, 3.0, 4.0], "float")
    assert [i.sentence for i in missing.issues] == ["60% of the values are missing (6 of 10)."]
    names = of(bench, [f"k{i}" for i in range(50)], "string")
    assert ids(names) == {"id_column"}
    nearly = of(bench, [f"k{i}" for i in range(48)] + ["k1", "k2"], "string")
    assert ids(nearly) == {"high_cardinality"}
    rare = of(bench, ["a"] * 300 + ["b"] * 300 + ["c"], "string")
    assert ids(rare) == {"categorical_rare_categories"}
    assert ids(of(bench, [5, 5, 5, None], "long")) == {"constant_column"}
    assert ids(of(bench, [1.0, math.inf, 2.0], "float")) == {"infinite_values"}


def test_a_thousand_columns(bench: Bench):
    frame = pd.DataFrame({f"c{i}": [i, i + 1, i + 1] for i in range(1000)})
    found = profile(bench.relation(frame))
    assert len(found) == 1000
    assert all(one.minimum == i and one.top_values[0] == (i + 1, 2) for i, one in enumerate(found))


def test_large_tables_are_counted_by_candidates(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    # The limits are those of a table of ten million rows, made small.
    monkeypatch.setattr(profiling, "COUNTED_ROWS", 100)
    monkeypatch.setattr(profiling, "COUNTED_VALUES", 20)
    monkeypatch.setattr(profiling, "SORTED_ROWS", 100)
    monkeypatch.setattr(profiling, "SAMPLE_ROWS", 2000)
    source = (
        "SELECT i AS id, i % 10 AS few, CASE WHEN i % 4 = 0 THEN 7 ELSE i END AS often, "
        "CASE WHEN i % 50 = 0 THEN ' ?' ELSE 'v' || i END AS word, i / 20000 AS share "
        "FROM range(20000) r(i)"
    )
    types = {"id": "long", "few": "long", "often": "long", "word": "string", "share": "float"}
    id_, few, often, word, share = profile(relation_of(bench, source, **types))
    assert not id_.distinct_exact
    assert id_.distinct == pytest.approx(20000, rel=0.1)
    assert "id_column" in ids(id_)
    assert few.distinct_exact
    assert few.distinct == 10
    assert [n for _, n in few.top_values] == [2000] * 10
    assert often.top_values[0] == (7, 5000 + 1)
    assert word.disguised == ((" ?", 400),)
    assert 0 < share.quantile_rows < 4000
    assert share.quantiles["0.5"] == pytest.approx(0.5, abs=0.05)
    assert sum(b.count for b in share.histogram) == 20000


def test_the_answer_has_the_shape_of_the_api(bench: Bench):
    frame = pd.DataFrame({"when": pd.to_datetime(["2024-01-01 10:00", "2024-01-02 12:30"])})
    (found,) = profile(bench.relation(frame))
    answer = found.as_answer()
    assert answer["Minimum"] == "2024-01-01T10:00:00"
    assert answer["Quantiles"]["0.5"] == "2024-01-01T10:00:00"
    assert answer["TopValues"][0] == {"Value": "2024-01-01T10:00:00", "Count": 1}
    assert set(answer["Histogram"][0]) == {"From", "To", "Count"}


def test_profiles_follow_the_steps_of_a_flow(bench: Bench):
    from bottega.wrangler.transform import Columns, Rows

    start = bench.relation(pd.DataFrame({"a": [1, 2, 3, 4]}))
    schema = Schema([Column("a", ColumnType.LONG), Column("b", ColumnType.FLOAT)])
    after = start.then(Columns({"b": '"a" / 2.0'}), schema).then(Rows('"a" > 1'), schema)
    found = {one.name: one for one in profile(after)}
    assert (found["a"].count, found["b"].minimum, found["b"].maximum) == (3, 1.0, 2.0)


def test_telco(telco: Relation):
    found = {one.name: one for one in profile(telco)}
    total = found["TotalCharges"]
    assert (total.count, total.invalid, total.disguised) == (7043, 11, ((" ", 11),))
    assert total.mostly == "number"
    assert total.distinct == 6531
    assert ids(found["customerID"]) == {"id_column"}
    assert found["Churn"].top_values == (("No", 5174), ("Yes", 1869))
    assert found["tenure"].mean == pytest.approx(32.37114865824223)
    assert found["MonthlyCharges"].quantiles["0.5"] == 70.35


def test_beers(beers: Relation):
    found = {one.name: one for one in profile(beers)}
    assert found["ibu"].disguised == (("N/A", 1005),)
    assert found["ibu"].mostly == "number"
    assert found["state"].disguised == (("", 127),)
