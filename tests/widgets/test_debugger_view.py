"""What is said about a job's Debugger, and how it looks where nothing is live."""

from __future__ import annotations

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bottega.widgets import debugger_snapshot, rule_wording, snapshot
from bottega.widgets.debugger_view import DebuggerView
from bottega.widgets.job_view import JobView


def rule(name="Overfit", status="NoIssuesFound", findings=(), count=None, **more):
    return {
        "RuleConfigurationName": name,
        "RuleName": name,
        "Kind": "Debugger",
        "Parameters": [],
        "Status": status,
        "LastModifiedTime": 0.0,
        "Findings": list(findings),
        "FindingCount": len(findings) if count is None else count,
        "Actions": [],
        "Reports": [],
        **more,
    }


def finding(step=None, message="too far apart", **more):
    return {
        "Time": 1000.0,
        "Tensors": [],
        "Message": message,
        **({} if step is None else {"Step": step}),
        **more,
    }


def view(*rules, status="Completed", courses=(), collections=()):
    description = {"TrainingJobName": "j", "TrainingJobStatus": status}
    found = {"Rules": list(rules), "Collections": list(collections)}
    return DebuggerView(description, found, courses, seen=30.0)


def test_it_has_ended_when_every_rule_has_had_its_last_word():
    assert view().ended
    assert view(rule(), rule(status="IssuesFound"), rule(status="Error")).ended
    assert not view(rule(status="InProgress")).ended
    assert not view(rule(), status="InProgress").ended


def test_the_rules_are_counted_by_what_became_of_them():
    found = [rule(), rule(status="IssuesFound"), rule(status="IssuesFound")]
    assert rule_wording.summary(found) == "3 rules: 2 found issues, 1 found none"
    assert rule_wording.summary([rule(status="InProgress")]) == "1 rule: 1 is looking"
    assert rule_wording.summary([rule(status="Stopped")] * 2) == "2 rules: 2 were stopped"


def test_the_last_findings_are_told_with_what_to_do_once():
    findings = [finding(step, f"far apart {step}", Advice="Train less.") for step in range(5)]
    text = debugger_snapshot.text(view(rule(status="IssuesFound", findings=findings, count=90)))
    assert text.startswith("Debugger of j (Completed): 1 rule: 1 found issues\n")
    assert "far apart 1" not in text
    assert "step 4, " in text
    assert "and 87 before" in text
    assert text.count("What to do: Train less.") == 1


def test_a_rule_that_could_not_look_says_why():
    broken = rule("Mine", "Error", StatusDetails="NameError: x", Description="not said")
    text = debugger_snapshot.text(view(broken))
    assert "Error: Mine: NameError: x" in text
    assert "not said" not in text
    idle = rule("GPUMemoryIncrease", NotApplicable="there is no GPU", Description="not said")
    assert "nothing to look at here: there is no GPU" in debugger_snapshot.text(view(idle))


def test_a_job_without_rules_says_what_to_put_into_the_request():
    for form in debugger_snapshot.bundle(view()).values():
        assert "DebugRuleConfigurations" in html.unescape(form)


def test_reports_are_the_pages_among_the_files():
    files = [
        {"Name": name, "S3Uri": f"s3://b/{name}", "Size": 1}
        for name in ("profiler-report.html", "profiler-report.ipynb", "reports/StepOutlier.json")
    ]
    shown = view(rule("ProfilerReport", Reports=files))
    assert shown.reports == [("ProfilerReport", "s3://b/profiler-report.html")]
    assert "report of ProfilerReport: s3://b/profiler-report.html" in debugger_snapshot.text(shown)


def test_courses_of_one_tensor_in_two_modes_are_told_apart():
    def course(mode, *values):
        return {
            "TensorName": "loss",
            "Mode": mode,
            "Steps": list(range(len(values))),
            "Values": list(values),
            "PointCount": len(values),
        }

    shown = view(courses=[course("TRAIN", 1.0, "NaN", 0.5), course("EVAL", "NaN")])
    assert shown.curves == [("loss TRAIN", [(0.0, 1.0), (2.0, 0.5)])]
    assert "<svg" in debugger_snapshot.as_html(shown)


def test_a_job_monitor_tells_what_its_rules_found():
    description = {
        "TrainingJobName": "j",
        "TrainingJobStatus": "Stopped",
        "SecondaryStatus": "Stopped",
        "CreationTime": 5.0,
    }
    fired = rule(status="IssuesFound", findings=[finding(7, "<b>", Advice="Less.")])
    shown = JobView(description, rules=[fired])
    assert "IssuesFound: Overfit" in snapshot.text(shown)
    assert "What to do: Less." in snapshot.text(shown)
    assert "&lt;b&gt;" in snapshot.as_html(shown)
    assert "IssuesFound" not in snapshot.text(JobView(description))


@pytest.mark.parametrize("member", ["Message", "Advice"])
@given(text=st.text(max_size=40))
def test_nothing_that_a_rule_says_is_markup(member, text):
    said = finding(1) | {member: text}
    found = rule(f"R{text}", "IssuesFound", [said], Description=text)
    page = debugger_snapshot.as_html(view(found))
    known = ("p", "strong", "ul", "li", "div")
    for tag in known:
        page = page.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    assert "<" not in page.replace('<div class="bottega-snapshot">', "")
