"""The report of the rule ProfilerReport: where a training's time went, and what rules found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bottega.debugger.profiler_rules.framework_rules import MaxInitializationTime
from bottega.debugger.profiler_rules.overall import OverallFrameworkMetrics
from bottega.debugger.profiler_rules.registry import ProfilerReport
from bottega.debugger.reports import files, profiler_sections
from bottega.debugger.reports.page import Section, cards, duration, page, paragraph
from bottega.debugger.reports.training import ReportedTraining, moment

FOLDER = "profiler-output"
PAGE = "profiler-report.html"
NOTEBOOK = "profiler-report.ipynb"
NUMBERS = "profiler-reports"
"""The folder with a JSON file for each rule."""
SUMMARY = "TrainingJobSummary"

_FOOTER = (
    "Percentages of the machine are of the whole machine, not of the training alone. A rule that "
    "is not applicable had nothing to look at; it neither fired nor found that all is well."
)


def write(report: ProfilerReport, training: ReportedTraining, folder: Path) -> list[Path]:
    """Write the report: the page, the notebook, and a JSON file for each rule.

    Each file is put in place whole, so that doing it again, also after a kill, leaves one report.

    Args:
        report: the rule, which was shown all of the profile and has concluded.
        training: what it is about.
        folder: ``rule-output/<RuleConfigurationName>``.

    Returns:
        What was written, relative to the folder.
    """
    reports = {name: rule.report() for name, rule in report.rules.items()}
    summary = training_job_summary(report, training)
    shown = sections(report, reports, training, summary)
    title, subtitle = "Profiler report", _subtitle(training)
    numbers = {**reports, SUMMARY: summary}
    return files.write_all(
        folder,
        {
            **{Path(FOLDER, NUMBERS, f"{name}.json"): one for name, one in numbers.items()},
            Path(FOLDER, NOTEBOOK): files.notebook(title, subtitle, shown),
            Path(FOLDER, PAGE): page(title, subtitle, shown, _FOOTER),
        },
    )


def training_job_summary(report: ProfilerReport, training: ReportedTraining) -> dict[str, Any]:
    """When the training began and ended, and how long its parts took, in seconds and percent.

    What is not known is left out: without steps of a framework nothing says when the training loop
    began.
    """
    begin, loop_begin, loop_end = _times(report)
    start = training.started if training.started is not None else begin
    end = training.ended if training.ended is not None else _last(report)
    found: dict[str, Any] = {"job_name": training.name, "job_status": training.status}
    if start is None or end is None:
        return found
    whole = max(0.0, end - start)
    found |= {"start_time": start, "end_time": end, "job_duration_in_seconds": whole}
    if loop_begin is None or loop_end is None:
        return found
    parts = {
        "training_loop_duration": max(0.0, loop_end - loop_begin),
        "initialization": max(0.0, loop_begin - start),
        "finalization": max(0.0, end - loop_end),
    }
    found |= {"training_loop_start": loop_begin, "training_loop_end": loop_end}
    for name, seconds in parts.items():
        found[f"{name}_in_seconds"] = seconds
        found[f"{name}_%"] = 100 * seconds / whole if whole else 0.0
    return found


def sections(
    report: ProfilerReport,
    reports: dict[str, dict[str, Any]],
    training: ReportedTraining,
    summary: dict[str, Any],
) -> list[Section]:
    """All parts of the page, in order; those that would be empty are left out."""
    found: list[Section | None] = [
        _summary(training, summary, reports),
        profiler_sections.system_usage(report, NUMBERS),
        profiler_sections.framework(report, NUMBERS),
        profiler_sections.rules(report, reports),
        profiler_sections.steps(report, NUMBERS),
        profiler_sections.gpu_utilisation(report, NUMBERS),
        profiler_sections.batch_size(report, NUMBERS),
        profiler_sections.bottlenecks(report, NUMBERS),
        profiler_sections.data_loading(report, NUMBERS),
        profiler_sections.load_balancing(report, NUMBERS),
        profiler_sections.gpu_memory(report, NUMBERS),
    ]
    return [section for section in found if section is not None]


def _summary(
    training: ReportedTraining, summary: dict[str, Any], reports: dict[str, dict[str, Any]]
) -> Section:
    fired = sorted(name for name, one in reports.items() if one["RuleTriggered"])
    facts = {"status": training.status or "unknown"}
    if "start_time" in summary:
        facts |= {
            "started": moment(summary["start_time"]),
            "ended": moment(summary["end_time"]),
            "duration": duration(summary["job_duration_in_seconds"]),
        }
    if "training_loop_start" in summary:
        facts["training loop"] = duration(summary["training_loop_duration_in_seconds"])
    if training.instance_type:
        hosts = len(training.hosts) or 1
        facts["machines"] = f"{hosts} x {training.instance_type}"
    facts["rules that fired"] = str(len(fired))
    body = cards(facts) + profiler_sections.parts_of_time(summary)
    if fired:
        body += paragraph(f"Rules that fired: {', '.join(fired)}.")
    text = (
        "The training loop lasts from the first step to the last one; before it is initialization, "
        "after it finalization."
    )
    return Section("summary", "Training job summary", text, body, f"{NUMBERS}/{SUMMARY}.json")


def _times(report: ProfilerReport) -> tuple[float | None, float | None, float | None]:
    """When the profile, the training loop begin and the loop ends."""
    initialization = report.rules["MaxInitializationTime"]
    framework = report.rules["OverallFrameworkMetrics"]
    assert isinstance(initialization, MaxInitializationTime)
    assert isinstance(framework, OverallFrameworkMetrics)
    begin = initialization.first_seen if math.isfinite(initialization.first_seen) else None
    return begin, framework.first, framework.last


def _last(report: ProfilerReport) -> float | None:
    """The last moment that the profile tells of."""
    *_, loop_end = _times(report)
    times: Sequence[float] = [
        series[-1]
        for by_name in profiler_sections.system(report).times.values()
        for series in by_name.values()
    ]
    return max([*times, *([loop_end] if loop_end is not None else [])], default=None)


def _subtitle(training: ReportedTraining) -> str:
    return f"Training job {training.name}" + (
        f" on {training.instance_type}" if training.instance_type else ""
    )
