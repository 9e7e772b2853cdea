"""The profiler's report: one page, a notebook and numbers, whole and the same each time."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest

from bottega.debugger.phases import BACKWARD, DATA_LOADING, FORWARD
from bottega.debugger.profiler_rules.profile import Event, News, Tick
from bottega.debugger.profiler_rules.registry import SINGLE, ProfilerReport
from bottega.debugger.reports import profiler_report
from bottega.debugger.reports.training import ReportedTraining

BEGIN = 1_700_000_000.0
TRAINING = ReportedTraining(
    "net-<1>", "Completed", BEGIN - 10, BEGIN + 90, ("algo-1", "algo-2"), "ml.g5.xlarge"
)
LARGEST = 500_000


class Page(HTMLParser):
    """What a page has: text, headings, and addresses that it would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: list[str] = []
        self.fetched: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "section":
            self.anchors.append(found.get("id") or "")
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(tag)
        self.fetched += [value or "" for name, value in attrs if name == "src"]

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def profile(hosts: int = 2, gpus: int = 2, points: int = 200) -> News:
    ticks = [
        Tick(
            f"algo-{host + 1}",
            BEGIN + at / 2,
            cpu=20.0 + at % 7,
            cores=4,
            busiest=95.0,
            io_wait=1.0,
            longest_wait=3.0,
            memory=30.0,
            gpus={f"gpu{one}": 3.0 + 40 * one for one in range(gpus)},
            gpu_memory={f"gpu{one}": 20.0 + at / 10 for one in range(gpus)},
            rates={"ReceiveBytesPerSecond": 1e6, "ReadThroughputInBytesPerSecond": 5.0},
        )
        for at in range(points)
        for host in range(hosts)
    ]
    events = []
    for step in range(100):
        start = BEGIN + 10 + 0.5 * step
        for phase, begin, end in (
            ("Step:ModeKeys.TRAIN", 0.0, 0.4),
            (DATA_LOADING, 0.0, 0.1),
            (FORWARD, 0.1, 0.2),
            (BACKWARD, 0.2, 0.4),
            ("Step:ModeKeys.EVAL", 0.4, 0.5),
            ("cpu_functions", 0.1, 0.15),
        ):
            more = {"worker_count": 0} if phase == DATA_LOADING else {}
            events.append(Event("algo-1", phase, f"<{phase}>", start + begin, start + end, more))
    return News(tuple(ticks), tuple(events))


def reported(news: News, **parameters: str) -> ProfilerReport:
    rule = ProfilerReport.from_texts(parameters)
    rule.show(news)
    rule.conclude()
    return rule


IMPATIENT = {
    f"{name}_patience": "50"
    for name in SINGLE
    if name in ("BatchSize", "CPUBottleneck", "GPUMemoryIncrease", "LoadBalancing")
}


def test_a_report_is_whole(tmp_path: Path) -> None:
    rule = reported(profile(), **IMPATIENT, StepOutlier_n_outliers="0")
    written = profiler_report.write(rule, TRAINING, tmp_path)
    assert sorted(written) == sorted(
        path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()
    )
    page = Page((tmp_path / "profiler-output/profiler-report.html").read_text())
    assert page.anchors == [
        *("summary", "system", "framework", "rules", "steps", "gpus", "batch-size"),
        *("bottlenecks", "data-loading", "load", "gpu-memory"),
    ]
    assert page.fetched == []
    assert "net-<1>" in page.text
    for name in ("BatchSize", "GPUMemoryIncrease", "LoadBalancing", "Dataloader"):
        assert rule.rules[name].findings
        assert rule.rules[name].findings[0].message in page.text


def test_a_page_of_many_hosts_stays_small(tmp_path: Path) -> None:
    profiler_report.write(reported(profile(hosts=40, gpus=8, points=60)), TRAINING, tmp_path)
    assert (tmp_path / "profiler-output/profiler-report.html").stat().st_size < LARGEST


def test_numbers_are_those_of_the_rules(tmp_path: Path) -> None:
    rule = reported(profile(), **IMPATIENT)
    profiler_report.write(rule, TRAINING, tmp_path)
    folder = tmp_path / "profiler-output/profiler-reports"
    summary = json.loads((folder / "TrainingJobSummary.json").read_text())
    assert summary["job_duration_in_seconds"] == 100.0
    assert summary["training_loop_start"] == BEGIN + 10
    assert summary["training_loop_duration_in_seconds"] == pytest.approx(50.0)
    assert summary["initialization_in_seconds"] == pytest.approx(20.0)
    assert summary["finalization_in_seconds"] == pytest.approx(30.0)
    assert summary["initialization_%"] == pytest.approx(20.0)
    usage = json.loads((folder / "OverallSystemUsage.json").read_text())
    assert usage["Details"]["algo-2"]["CPU"]["max"] == 26.0
    assert usage["RuleTriggered"] == 0
    balance = json.loads((folder / "LoadBalancing.json").read_text())
    assert balance["RuleTriggered"] == len(balance["Findings"]) == 4
    assert "threshold:0.5" in balance["RuleParameters"].splitlines()
    assert {path.stem for path in folder.glob("*.json")} == {*SINGLE, "TrainingJobSummary"}


def test_the_notebook_is_one_and_reads_the_numbers(tmp_path: Path) -> None:
    profiler_report.write(reported(profile()), TRAINING, tmp_path)
    path = tmp_path / "profiler-output/profiler-report.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert code
    for source in code:
        compile(source, "cell", "exec")
        file = source.partition('Path("')[2].partition('"')[0]
        assert (path.parent / file).is_file()


def test_writing_again_changes_nothing_and_leaves_no_drafts(tmp_path: Path) -> None:
    news = profile()
    profiler_report.write(reported(news), TRAINING, tmp_path)
    first = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    draft = tmp_path / "profiler-output/.profiler-report.html.draft"
    draft.write_text("what a killed process left")
    profiler_report.write(reported(news), TRAINING, tmp_path)
    again = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert again == first


def test_without_gpus_and_steps_it_says_so(tmp_path: Path) -> None:
    news = News(profile(gpus=0).ticks)
    profiler_report.write(reported(news), TRAINING, tmp_path)
    page = Page((tmp_path / "profiler-output/profiler-report.html").read_text())
    assert page.anchors == ["summary", "system", "rules"]
    assert "No GPU was seen" in page.text
    assert "no steps of a framework" in page.text
    assert '"bad"' not in (tmp_path / "profiler-output/profiler-report.html").read_text()


def test_an_empty_profile_has_a_report(tmp_path: Path) -> None:
    rule = reported(News())
    profiler_report.write(rule, ReportedTraining("short"), tmp_path)
    page = Page((tmp_path / "profiler-output/profiler-report.html").read_text())
    assert page.anchors == ["summary", "rules"]
    assert "empty" in rule.remark()
