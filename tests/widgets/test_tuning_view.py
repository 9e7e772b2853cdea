"""What is said about a tuning job, and how it looks where nothing is live."""

from __future__ import annotations

import html
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.widgets import tuning_snapshot
from bottega.widgets.charts import best_so_far
from bottega.widgets.tuning_view import TuningView


def trial(number: int, objective: float, **parameters: str) -> dict[str, Any]:
    name = f"t-{number:03}-00000000"
    return {
        "Number": number,
        "TrainingJobName": name,
        "Status": "Completed",
        "Objective": objective,
        "Parameters": parameters,
    }


def view(status: str = "InProgress", values: tuple[float, ...] = (), **more: Any) -> TuningView:
    best = [min(values[: at + 1]) for at in range(len(values))]
    ended = len(values)
    progress = {
        "TuningJobName": "t",
        "Status": status,
        "Strategy": "Bayesian",
        "CreationTime": 5.0,
        "Trials": {
            "Total": ended + 1,
            "InProgress": 1,
            "Completed": ended,
            "Stopped": 0,
            "Failed": 0,
            "Succeeded": ended,
            "Limit": 20,
        },
        "Objectives": [{"DefinitionName": "", "MetricName": "rmse", "Type": "Minimize"}],
        "Parameters": [],
        "Best": {
            "Numbers": list(range(1, ended + 1)),
            "Times": [10.0 + at for at in range(ended)],
            "Values": list(values),
            "Best": best,
        },
        **more,
    }
    trials = [trial(number, value, eta=str(value)) for number, value in enumerate(values, 1)]
    if values:
        progress["BestTrial"] = min(trials, key=lambda item: item["Objective"])
    return TuningView(progress, sorted(trials, key=lambda item: item["Objective"]), 30.0)


def test_the_counters_say_what_became_of_the_trials():
    assert view().counters == "0 of 20 trials ended; 1 running"
    counts = {"Total": 9, "InProgress": 0, "Completed": 4, "Stopped": 3, "Failed": 2}
    found = view("Stopped", (1.0,), Trials=counts | {"Succeeded": 6}, StoppedEarly=2)
    expected = "9 trials ended: 4 completed, 2 stopped early, 1 stopped, 2 failed"
    assert found.counters == expected
    assert (found.done, found.limit) == (9, None)


def test_one_on_its_way_says_as_of_when():
    text = tuning_snapshot.text(view(values=(0.5, 0.25)))
    assert text.splitlines()[0].startswith("Tuning job t: InProgress at 1970-")
    assert "  Best: rmse = 0.25 by t-002-00000000" in text
    assert "    eta = 0.25" in text


def test_why_it_ended_comes_first():
    failed = view("Failed", (), FailureReason="all <broke>", EndTime=8.5)
    assert tuning_snapshot.text(failed).splitlines()[:2] == [
        "Tuning job t: Failed after 3.5 s",
        "all <broke>",
    ]
    assert html.escape("all <broke>") in tuning_snapshot.as_html(failed)
    done = view("Completed", (0.5,), EndReason="All were launched.", EndTime=8.5)
    assert "All were launched." in tuning_snapshot.text(done)
    assert "All were launched." in tuning_snapshot.as_html(done)


def test_the_page_has_the_course_and_the_best_trials():
    page = tuning_snapshot.as_html(view(values=(0.5, 0.75, 0.25)))
    assert page.count("<circle") == 3
    assert "The best rmse over 3 trials, from 0.5 to 0.25" in page
    table = page[page.index("<table>") :]
    assert table.index("0.25") < table.index("0.5") < table.index("0.75")
    assert "<svg" not in tuning_snapshot.as_html(view())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("7", "7"),
        ("0.1234567890", "0.123457"),
        ('"gbtree"', "gbtree"),
        ("1e-07", "1e-07"),
        ("", ""),
        ("123456789", "123456789"),
    ],
)
def test_values_are_written_as_people_read_them(value: str, text: str):
    assert tuning_snapshot.value_text(value) == text


finite = st.floats(-1e9, 1e9)


@given(st.lists(finite, min_size=1, max_size=40))
def test_a_chart_stays_in_its_frame(values: list[float]):
    points = [(float(at), value) for at, value in enumerate(values, 1)]
    best = [(at, min(values[: int(at)])) for at, _ in points]
    drawn = best_so_far("loss & more", points, best)
    assert "loss &amp; more" in drawn
    line = drawn.split('points="')[1].split('"')[0]
    for corner in line.split():
        x, y = map(float, corner.split(","))
        assert 0 <= x <= 260
        assert 0 <= y <= 110
