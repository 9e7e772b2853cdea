from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bottega.testing.wrangler_case import Bench
from bottega.wrangler.columns import ColumnType
from bottega.wrangler.engine.relation import Relation
from bottega.wrangler.errors import ParameterError
from bottega.wrangler.insight.profile import profile
from bottega.wrangler.insight.suggest_numbers import closest_relation
from bottega.wrangler.insight.suggestion import Suggestion
from bottega.wrangler.insight.suggestions import suggest
from bottega.wrangler.transforms.registry import named


def accepted(suggestion: Suggestion, relation: Relation) -> None:
    """The transform exists and takes the values, and no value is of a parameter that it has not."""
    transform = named(suggestion.group, suggestion.name)
    parameters = transform.parameter_set()
    written = parameters.write(suggestion.values)
    assert parameters.read(written) == dict(suggestion.values)
    checked = parameters.check(suggestion.values, relation.schema)
    transform.check(relation.schema, checked)
    assert suggestion.as_answer()["Operator"] == transform.operator


def titles(found: list[Suggestion]) -> list[str]:
    return [one.title for one in found]


def everything() -> pd.DataFrame:
    """A table that calls for every step."""
    rng = np.random.default_rng(7)
    n = 600
    tenure, monthly = rng.integers(1, 70, n), rng.integers(20, 120, n).astype(float)
    total = tenure * monthly + rng.normal(0, 1, n)
    total[::50] = np.nan
    salary = rng.lognormal(3, 1, n)
    salary[3] = 1e6
    return pd.DataFrame(
        {
            "key": [f"row{i}" for i in range(n)],
            "same": "x",
            "tenure": tenure,
            "monthly": monthly,
            "total": total,
            "salary": salary,
            "age": np.where(rng.random(n) < 0.2, np.nan, rng.normal(40, 10, n)),
            "rarely": np.where(rng.random(n) < 0.8, np.nan, rng.normal(0, 1, n)),
            "price": [f"{i % 90}.5 EUR" for i in range(n)],
            "count": [str(i) if i % 9 else "N/A" for i in range(n)],
            "when": [f"2024-0{i % 9 + 1}-1{i % 10}" for i in range(n)],
            "day": pd.date_range("2020-01-01", periods=n),
            "colour": rng.choice(["red", "blue", "green"], n),
            "city": [["Portland", "Denver", "Boston", "Seattle"][i % 4] for i in range(n - 1)]
            + ["Portlnd"],
            "shop": [f"shop {'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]}" for i in range(n)],
            "name": [["Anna ", "ANNA", "Anna", "Otto"][i % 4] for i in range(n)],
            "note": [f"the {i % 37} cats of {i} sat on a mat" for i in range(n)],
            "left": [["yes", "no"][i % 2] for i in range(n)],
            "missing": [None if i % 3 else "some" if i % 2 else "other" for i in range(n)],
        }
    )


def test_every_suggestion_is_a_step_that_the_registry_takes(bench: Bench):
    relation = bench.relation(everything())
    profiles = profile(relation)
    found = suggest(relation, profiles=profiles)
    for column in relation.schema.names:
        found += suggest(relation, column, profiles, target="left")
    assert len({one.title for one in found}) >= 20
    for one in found:
        accepted(one, relation)


def test_every_suggestion_works(bench: Bench):
    frame = everything()
    relation = bench.relation(frame)
    profiles = profile(relation)
    done = set()
    for column in (None, *relation.schema.names):
        for one in suggest(relation, column, profiles, target="left"):
            if one.title not in done:
                done.add(one.title)
                bench.check(named(one.group, one.name), one.values, frame)


def test_several_classes_have_no_mean_to_encode_by(bench: Bench):
    relation = bench.relation(everything())
    assert "Encode by the target's mean" not in titles(suggest(relation, "shop", target="colour"))
    assert "Encode by the target's mean" in titles(suggest(relation, "shop", target="left"))


def test_a_percentage_becomes_a_number_in_two_steps(bench: Bench, beers: Relation):
    first = {one.title: one for one in suggest(beers, "abv")}
    frame = bench.check(
        named("Search and edit", "Convert regex to missing"),
        first["Make them missing"].values,
        beers.frame(),
    )
    frame = bench.check(
        named("Search and edit", "Extract using regex"), first["Extract the number"].values, frame
    )
    (parse,) = [o for o in suggest(bench.relation(frame), "abv") if o.title == "Parse as a number"]
    frame = bench.check(named(parse.group, parse.name), parse.values, frame)
    assert frame["abv"].isna().sum() == 62
    assert frame["abv"].max() < 0.2


def test_real_tables_get_steps_that_the_registry_takes(telco: Relation, beers: Relation):
    for relation in (telco, beers):
        profiles = profile(relation)
        for column in (None, *relation.schema.names):
            for one in suggest(relation, column, profiles):
                accepted(one, relation)


def test_blank_totals_become_missing_and_then_numbers(telco: Relation):
    first, second = suggest(telco, "TotalCharges")[:2]
    assert first.sentence == "11 values (0.2%) stand for missing ones: ' '."
    assert first.values == {"input_column": ["TotalCharges"], "pattern": r"^\s*$"}
    assert second.title == "Parse as a number"


def test_total_charges_are_tenure_times_monthly_charges(bench: Bench, shared_data):
    frame = pd.read_csv(shared_data / "telco-churn" / "Telco-Customer-Churn.csv")
    frame["TotalCharges"] = pd.to_numeric(frame["TotalCharges"], errors="coerce")
    first = suggest(bench.relation(frame), "TotalCharges")[0]
    assert first.title == "Derive the missing values"
    assert first.values["formula"] == "coalesce(TotalCharges, tenure * MonthlyCharges)"
    assert "TotalCharges ≈ tenure × MonthlyCharges (r = 0.99" in first.sentence


def test_quantities_with_units_are_extracted(beers: Relation):
    for column in ("ounces", "abv"):
        found = {one.title: one for one in suggest(beers, column)}
        assert found["Extract the number"].values["input_column"] == [column]
        assert "One-hot encode" not in found
    assert "'oz'" in {o.title: o for o in suggest(beers, "ounces")}["Extract the number"].sentence


@pytest.mark.parametrize(
    "values",
    [
        [f"{i} Main Street {i}" for i in range(100)],
        [f"AB-{i}" for i in range(100)],
        [f"2024/{i % 12 + 1}/{i % 28 + 1} x" for i in range(100)],
        [f"192.168.0.{i}" for i in range(100)],
        [f"{i}{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(100)],
    ],
)
def test_other_texts_with_digits_are_no_quantities(bench: Bench, values: list[str]):
    assert "Extract the number" not in titles(
        suggest(bench.relation(pd.DataFrame({"x": values})), "x")
    )


def test_a_line_is_found_and_its_formula_is_exact_about_names(bench: Bench):
    x = np.arange(50.0)
    frame = pd.DataFrame({"in `°C`": x, "fahrenheit": 1.8 * x + 32})
    close = closest_relation(bench.relation(frame), "fahrenheit")
    assert close is not None
    assert close.formula == "1.8 * `in ``°C``` + 32.0"
    assert close.r == pytest.approx(1.0)


def test_unrelated_numbers_have_no_relation(bench: Bench):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(200, 4)), columns=list("abcd"))
    assert closest_relation(bench.relation(frame), "a") is None
    assert closest_relation(bench.relation(frame[["a"]]), "a") is None


def test_constant_and_infinite_columns_relate_to_nothing(bench: Bench):
    frame = pd.DataFrame({"a": np.arange(40.0), "b": [1.0] * 40, "c": [np.inf] * 40})
    frame["d"] = frame["a"] * 1e300
    relation = bench.relation(frame)
    assert all(closest_relation(relation, c) is None for c in "bc")


def test_duplicates_and_useless_columns_of_the_table(bench: Bench):
    frame = pd.DataFrame({"a": [1, 1, 2], "b": ["x", "x", "x"]})
    found = suggest(bench.relation(frame))
    assert titles(found) == ["Drop duplicate rows", "Drop the column"]
    assert found[0].sentence == "1 row (33.3%) repeats an earlier one."
    assert found[1].values == {"column_to_drop": ["b"]}


def test_an_empty_table_calls_for_nothing(bench: Bench):
    relation = bench.relation(pd.DataFrame({"a": pd.Series([], dtype="str")}))
    assert suggest(relation) == suggest(relation, "a") == []


def test_an_unknown_column_is_refused(telco: Relation):
    with pytest.raises(ParameterError, match="did you mean 'tenure'"):
        suggest(telco, "tenur")


def test_vectors_call_for_nothing(bench: Bench):
    frame = pd.DataFrame({"v": [[1.0, 2.0], [3.0, 4.0]]})
    assert suggest(bench.relation(frame, {"v": ColumnType.VECTOR}), "v") == []
