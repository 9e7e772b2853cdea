"""The parts of the profiler's report, each made of what one of its rules has measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bottega.debugger.profiler_rules.framework_rules import StepOutlier
from bottega.debugger.profiler_rules.overall import OverallSystemUsage
from bottega.debugger.profiler_rules.profiler_rule import percentile
from bottega.debugger.profiler_rules.registry import ProfilerReport
from bottega.debugger.reports.charts import (
    Line,
    bar_list,
    box_plot,
    histogram,
    line_chart,
    stacked_bar,
)
from bottega.debugger.reports.page import (
    Html,
    Section,
    duration,
    heading,
    paragraph,
    table,
)

MOST_HOSTS = 4
"""Hosts that charts are drawn of, so that the page stays small; tables tell of all."""
_CHARTS = (
    (("CPU", "GPU", "I/O"), "percent"),
    (("CPU memory", "GPU memory"), "percent"),
    (("Network", "Disk"), "bytes/s"),
)
"""What is drawn together, and in which unit."""


def system(report: ProfilerReport) -> OverallSystemUsage:
    """What the machines did."""
    rule = report.rules["OverallSystemUsage"]
    assert isinstance(rule, OverallSystemUsage)
    return rule


def parts_of_time(summary: Mapping[str, Any]) -> str:
    """The bar of initialization, training loop and finalization."""
    parts = [
        (name, summary[f"{key}_in_seconds"])
        for name, key in (
            ("initialization", "initialization"),
            ("training loop", "training_loop_duration"),
            ("finalization", "finalization"),
        )
        if f"{key}_in_seconds" in summary
    ]
    if not parts:
        return (
            '<p class="empty">The profile has no steps of a framework, so nothing says when the '
            "training loop began.</p>"
        )
    return stacked_bar(parts)


def system_usage(report: ProfilerReport, folder: str) -> Section | None:
    """Table and courses of each machine's use."""
    rule = system(report)
    if not rule.series:
        return None
    rows = [
        (node, name, one["unit"], one["max"], one["p99"], one["p95"], one["p50"], one["min"])
        for node, series in rule.details().items()
        for name, one in series.items()
    ]
    columns = ("host", "metric", "unit", "max", "p99", "p95", "p50", "min")
    body = table(columns, rows)
    begin = min(times[0] for named in rule.times.values() for times in named.values())
    for node in sorted(rule.series)[:MOST_HOSTS]:
        for names, label in _CHARTS:
            lines = [
                Line(name, [time - begin for time in rule.times[node][name]], values)
                for name in names
                if (values := rule.series[node].get(name)) is not None
            ]
            if lines:
                body += heading(f"{node}: {', '.join(line.name for line in lines)}")
                body += line_chart(
                    lines,
                    x_label="seconds",
                    y_label=label,
                    y_range=(0, 100) if label == "percent" else (0, 1),
                )
    text = (
        "What the machines did while the training ran; I/O is the part of the cores' time in which "
        "they waited for a disk."
    )
    return Section("system", "System usage", text, body, f"{folder}/OverallSystemUsage.json")


def framework(report: ProfilerReport, folder: str) -> Section | None:
    """How long the framework's phases took."""
    details = report.rules["OverallFrameworkMetrics"].details()
    if not details:
        return None
    body = heading("The training loop by mode") + stacked_bar(sorted(details["phase_time"].items()))
    general = sorted(details["general_time"].items(), key=lambda one: -one[1])
    if general:
        body += heading("Phases") + bar_list(
            (name, seconds, duration(seconds)) for name, seconds in general[:12]
        )
        times = dict(general)
        forward = sum(one for name, one in times.items() if name.startswith("Forward"))
        backward = sum(one for name, one in times.items() if name.startswith("Backward"))
        if forward and backward:
            body += heading("Forward and backward")
            body += stacked_bar([("forward", forward), ("backward", backward)])
    if details["operators"]:
        body += heading("Operators that took longest") + bar_list(
            (name, one["seconds"], f"{duration(one['seconds'])}, {one['count']:,} calls")
            for name, one in details["operators"].items()
        )
    text = "Phases may lie inside one another, so their times need not add up."
    return Section(
        "framework", "Framework metrics", text, body, f"{folder}/OverallFrameworkMetrics.json"
    )


def rules(report: ProfilerReport, reports: Mapping[str, Mapping[str, Any]]) -> Section:
    """All rules: how often they fired, and why not."""
    order = sorted(report.rules, key=lambda name: (-reports[name]["RuleTriggered"], name))
    rows = []
    for name in order:
        rule, one = report.rules[name], reports[name]
        if not rule.advice:
            continue
        parameters = ", ".join(
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in rule.parameters().items()
        )
        rows.append(
            (
                name,
                _state(one),
                rule.looks_for,
                rule.advice if one["RuleTriggered"] else "",
                one["Datapoints"],
                parameters,
            )
        )
    body = table(("rule", "result", "looks for", "what to do", "points", "parameters"), rows)
    findings = [finding for name in order for finding in report.rules[name].findings]
    if findings:
        body += heading("Findings") + "".join(
            paragraph(f"{finding.rule}: {finding.message}") for finding in findings[:50]
        )
    return Section("rules", "Rules", "Sorted by how often they fired.", body)


def steps(report: ProfilerReport, folder: str) -> Section | None:
    """Histograms of how long steps took."""
    rule = report.rules["StepOutlier"]
    assert isinstance(rule, StepOutlier)
    if not rule.durations:
        return None
    details, body = rule.details(), ""
    shown = ("number_of_steps", "mean", "stddev", "min", "max", "number_of_outliers")
    rows = [
        (node, mode, *(one[name] for name in shown))
        for node, modes in details.items()
        for mode, one in modes.items()
    ]
    columns = ("host", "mode", "steps", "mean (s)", "deviation (s)", "shortest", "longest")
    body = table((*columns, "outliers"), rows)
    for (node, mode), course in sorted(rule.durations.items())[: 2 * MOST_HOSTS]:
        limit = course.mean + rule.stddev * course.deviation
        body += heading(f"{node}: steps of mode {mode}")
        body += histogram(*counted(course.seconds), x_label="seconds", mark=limit)
    text = (
        f"The line is {rule.stddev:g} standard deviations above the mean; steps beyond it are "
        "outliers."
    )
    return Section("steps", "Step durations", text, body, f"{folder}/StepOutlier.json")


def gpu_utilisation(report: ProfilerReport, folder: str) -> Section | None:
    """Boxes of each GPU's use."""
    boxes = [
        (f"{node} {gpu}", [percentile(ordered, share) for share in (5, 25, 50, 75, 95)])
        for node, gpus in sorted(system(report).gpus.items())
        for gpu, ordered in sorted((gpu, sorted(values)) for gpu, values in gpus.items())
    ]
    if not boxes:
        return None
    text = "Boxes are from the 25th to the 75th percentile, whiskers from the 5th to the 95th."
    body = box_plot(boxes[:32], x_label="GPU use, percent")
    return Section("gpus", "GPU utilization", text, body, f"{folder}/LowGPUUtilization.json")


def batch_size(report: ProfilerReport, folder: str) -> Section | None:
    """Boxes of what the rule BatchSize judged last."""
    boxes = []
    for node, gpus in report.rules["BatchSize"].details().items():
        for gpu, found in gpus.items():
            for series, name in (("cpu", "CPU"), ("gpu", "GPU"), ("gpu_memory", "GPU memory")):
                if f"{series}_p5" in found:
                    values = [found[f"{series}_p{share}"] for share in (5, 25, 50, 75, 95)]
                    boxes.append((f"{gpu} {name} {node}", values))
    if not boxes:
        return None
    text = (
        "The last points that were judged. Where CPU, GPU and GPU memory all have room, batches "
        "could be larger."
    )
    body = box_plot(boxes[:24], x_label="percent")
    return Section("batch-size", "Batch size", text, body, f"{folder}/BatchSize.json")


def bottlenecks(report: ProfilerReport, folder: str) -> Section | None:
    """For each host: how many points had idle GPUs, and why."""
    cpu = report.rules["CPUBottleneck"].details()
    io = report.rules["IOBottleneck"].details()
    body = ""
    for node, one in sorted(cpu.items())[:32]:
        low, points = one["low_gpu_utilization"], one["points"]
        other = io.get(node, {"bottlenecks": 0})["bottlenecks"]
        rows = [
            (f"{node}: GPUs idle", low),
            ("... while a core was busy", one["bottlenecks"]),
            ("... while a core waited for a disk", other),
        ]
        body += bar_list(
            [(name, count, f"{100 * count / points:.1f} %") for name, count in rows],
            largest=points,
        )
    if not body:
        return None
    text = "Parts of all points at which GPUs were idle, and at which something else was busy."
    return Section(
        "bottlenecks", "CPU and I/O bottlenecks", text, body, f"{folder}/CPUBottleneck.json"
    )


def data_loading(report: ProfilerReport, folder: str) -> Section | None:
    """How batches were loaded."""
    details = report.rules["Dataloader"].details()
    if not details:
        return None
    rows = [
        (node, one["workers"], one["cores"], one["batches"], one["seconds"])
        for node, one in details.items()
    ]
    columns = ("host", "loading processes", "cores", "batches", "seconds waited")
    text = "How many processes load data, and how long the training waited for its batches in all."
    return Section(
        "data-loading", "Data loading", text, table(columns, rows), f"{folder}/Dataloader.json"
    )


def load_balancing(report: ProfilerReport, folder: str) -> Section | None:
    """Histograms of the GPUs' use beside one another."""
    details = report.rules["LoadBalancing"].details()
    gpus = [
        (f"{node} {gpu}", counts)
        for node, by_name in sorted(details["workloads"].items())
        for gpu, counts in sorted(by_name.items())
    ]
    if len(gpus) < 2:
        return None
    centres = [5.0 + 10 * place for place in range(10)]
    lines = [
        Line(name, centres, [100 * count / sum(counts) for count in counts])
        for name, counts in gpus[:8]
    ]
    body = line_chart(
        lines, x_label="GPU use, percent", y_label="percent of points", y_range=(0, 100)
    )
    pairs = sorted(details["distances"].items(), key=lambda one: -one[1])[:10]
    body += table(("GPUs", "distance (0 to 1)"), pairs)
    text = "How often each GPU was used how much; the more alike, the better balanced."
    return Section("load", "Load balancing", text, body, f"{folder}/LoadBalancing.json")


def gpu_memory(report: ProfilerReport, folder: str) -> Section | None:
    """The range of each GPU's memory."""
    rows = [
        (node, gpu, one["lowest"], one["highest"], one["last"])
        for node, gpus in report.rules["GPUMemoryIncrease"].details().items()
        for gpu, one in gpus.items()
    ]
    if not rows:
        return None
    columns = ("host", "GPU", "lowest average", "highest", "last")
    text = "Averages of used memory, in percent."
    return Section(
        "gpu-memory", "GPU memory", text, table(columns, rows), f"{folder}/GPUMemoryIncrease.json"
    )


def counted(values: Sequence[float], most: int = 40) -> tuple[list[float], list[int]]:
    """A histogram: edges of columns of one width, and how many values are in each."""
    low, high = min(values), max(values)
    if high <= low:
        half = abs(low) / 20 or 0.5
        return [low - half, low + half], [len(values)]
    columns = max(1, min(most, math.ceil(2 * len(values) ** (1 / 3)) * 2))
    width = (high - low) / columns
    counts = [0] * columns
    for value in values:
        counts[min(columns - 1, int((value - low) / width))] += 1
    return [low + width * place for place in range(columns + 1)], counts


def _state(one: Mapping[str, Any]) -> Html:
    if one["RuleTriggered"]:
        times = one["RuleTriggered"]
        return Html(f'<span class="bad">fired {times} time{"s" if times > 1 else ""}</span>')
    if one["NotApplicable"]:
        remark = escape(one["NotApplicable"])
        return Html(f'<span class="none">not applicable</span><p class="text">{remark}</p>')
    return Html('<span class="good">no issues</span>')
