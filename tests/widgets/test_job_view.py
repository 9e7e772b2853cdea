"""What is said about a job, and how it looks where nothing is live."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.widgets import snapshot
from bottega.widgets.charts import curve
from bottega.widgets.job_view import JobView, Progress


def view(status="InProgress", points=0, seen=30.0, **more):
    steps = [{"Status": "Training", "StartTime": 10.0}]
    description = {
        "TrainingJobName": "j",
        "TrainingJobStatus": status,
        "SecondaryStatus": "Training",
        "SecondaryStatusTransitions": steps,
        "CreationTime": 5.0,
        "HyperParameters": {"num_round": "20"},
        **more,
    }
    values = [1 / (step + 1) for step in range(points)]
    course = {"Name": "loss", "Steps": list(range(points)), "Values": values, "Points": points}
    return JobView(description, [course] if points else [], ["a line <b>"], seen)


def test_time_left_follows_from_the_pace_so_far():
    assert view(points=5).progress == Progress(5, 20, 60.0)
    assert view().progress == Progress(0, 20, None)
    assert view("Failed", points=5).progress == Progress(5, 20, None)
    assert view("Completed", ModelArtifacts={}).progress == Progress(20, 20, 0.0)


def test_without_a_total_there_is_no_progress():
    assert view(points=5, HyperParameters={}).progress is None
    assert view(points=5, HyperParameters={"num_round": "many"}).progress is None


def test_values_that_are_no_numbers_are_left_out_of_curves():
    found = view(points=3)
    found.courses[0]["Values"][1] = "NaN"
    assert found.curves == [("loss", [(0.0, 1.0), (2.0, 1 / 3)])]


def test_a_job_on_its_way_says_as_of_when():
    assert "Training job j: InProgress, 5 of 20 at 1970-" in snapshot.text(view(points=5))


def test_the_reason_of_a_failure_comes_first():
    failed = view("Failed", points=2, FailureReason="it <broke>", TrainingEndTime=8.5)
    assert snapshot.text(failed).splitlines()[:2] == [
        "Training job j: Failed after 3.5 s",
        "it <broke>",
    ]
    page = snapshot.as_html(failed)
    assert page.index("it &lt;broke&gt;") < page.index("<svg")
    assert "a line &lt;b&gt;" in page


@given(st.text(), st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1))
def test_a_curve_is_well_formed_whatever_it_shows(name, values):
    from xml.etree import ElementTree

    printable = "".join(character for character in name if character.isprintable())
    drawn = curve(printable, list(enumerate(values)))
    root = ElementTree.fromstring(drawn)
    assert html.unescape(root.attrib["aria-label"]).startswith(f"{printable}, {len(values)} values")


@pytest.mark.parametrize("points", [1, 2, 200])
def test_a_curve_stays_in_its_frame(points):
    from xml.etree import ElementTree

    root = ElementTree.fromstring(curve("m", [(x, (-1) ** x) for x in range(points)]))
    for line in root.iter("{http://www.w3.org/2000/svg}polyline"):
        for pair in line.attrib["points"].split():
            x, y = map(float, pair.split(","))
            assert 0 <= x <= float(root.attrib["width"])
            assert 0 <= y <= float(root.attrib["height"])
