"""A job as text and as HTML that stand alone: for saved notebooks, nbconvert and papermill."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from bottega.widgets import charts, rule_wording
from bottega.widgets.job_view import JobView
from bottega.widgets.wording import duration, number, when

SHOWN_CURVES = 6
SHOWN_LINES = 20


def bundle(view: JobView) -> dict[str, str]:
    """Both forms by their MIME type."""
    return {"text/plain": text(view), "text/html": as_html(view)}


def headline(view: JobView) -> str:
    """``Training job churn: Completed after 12.3 s``; of a job that runs, as of when."""
    if not view.ended:
        progress = view.progress
        done = f", {progress.done} of {progress.total}" if progress else ""
        return f"Training job {view.name}: {view.status}{done} at {when(view.seen)}"
    return f"Training job {view.name}: {view.status}{_took(view.description)}"


def _took(description: Mapping[str, Any]) -> str:
    end = description.get("TrainingEndTime")
    return "" if end is None else f" after {duration(end - description['CreationTime'])}"


def text(view: JobView) -> str:
    """Headline, failure, last value of each metric, the model, and what the rules found."""
    parts = [headline(view)]
    if view.failure:
        parts.append(view.failure)
    parts += [f"  {name} = {number(points[-1][1])}" for name, points in view.curves]
    if view.status == "Completed":
        parts.append(f"  model: {view.description['ModelArtifacts']['S3ModelArtifacts']}")
    parts += rule_wording.lines(view.rules)
    return "\n".join(parts)


def as_html(view: JobView) -> str:
    """The same with the way of the job, its curves, and its last lines folded away."""
    parts = [f"<p><strong>{html.escape(headline(view))}</strong></p>"]
    if view.failure:
        parts.append(f"<pre>{html.escape(view.failure)}</pre>")
    parts.append(f"<p>{html.escape(_way(view))}</p>")
    curves = view.curves
    if curves:
        drawn = "".join(charts.curve(name, points) for name, points in curves[:SHOWN_CURVES])
        parts.append(f"<div>{drawn}</div>")
    for name, points in curves[SHOWN_CURVES:]:
        parts.append(f"<div>{html.escape(name)}: {number(points[-1][1])}</div>")
    if view.status == "Completed":
        model = view.description["ModelArtifacts"]["S3ModelArtifacts"]
        parts.append(f"<p>Model: <code>{html.escape(model)}</code></p>")
    if view.rules:
        parts.append(rule_wording.as_html(view.rules))
    if view.lines:
        shown = html.escape("\n".join(view.lines[-SHOWN_LINES:]))
        parts.append(
            f"<details><summary>Last lines of the log</summary><pre>{shown}</pre></details>"
        )
    return f'<div class="bottega-snapshot">{"".join(parts)}</div>'


def _way(view: JobView) -> str:
    steps = []
    for step in view.steps:
        took = f" {duration(step['EndTime'] - step['StartTime'])}" if "EndTime" in step else ""
        steps.append(f"{step['Status']}{took}")
    return " → ".join(steps)
