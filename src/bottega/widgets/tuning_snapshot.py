"""A tuning job as text and as HTML that stand alone: for saved notebooks, nbconvert, papermill."""

from __future__ import annotations

import html
from typing import Any

from bottega.widgets import charts
from bottega.widgets.tuning_view import TuningView
from bottega.widgets.wording import Table, duration, number, when


def bundle(view: TuningView) -> dict[str, str]:
    """Both forms by their MIME type."""
    return {"text/plain": text(view), "text/html": as_html(view)}


def headline(view: TuningView) -> str:
    """``Tuning job churn: Completed after 12.3 s``; of a job that runs, as of when."""
    if not view.ended:
        return f"Tuning job {view.name}: {view.status} at {when(view.seen)}"
    end = view.progress.get("EndTime")
    took = "" if end is None else f" after {duration(end - view.progress['CreationTime'])}"
    return f"Tuning job {view.name}: {view.status}{took}"


def text(view: TuningView) -> str:
    """Headline, why it ended, how many trials there are, and the best with its parameters."""
    parts = [headline(view), *_reasons(view), f"  {view.counters}"]
    if view.best is not None:
        parts.append(f"  {best_line(view)}")
        parts += [f"    {name} = {value}" for name, value in parameters(view.best)]
    return "\n".join(parts)


def as_html(view: TuningView) -> str:
    """The same with the course of the best, and the best trials as a table folded away."""
    parts = [f"<p><strong>{html.escape(headline(view))}</strong></p>"]
    if view.failure:
        parts.append(f"<pre>{html.escape(view.failure)}</pre>")
    elif _reasons(view):
        parts.append(f"<p>{html.escape(_reasons(view)[0])}</p>")
    parts.append(f"<p>{html.escape(view.counters)}</p>")
    if view.best is not None:
        given = ", ".join(f"{name} = {value}" for name, value in parameters(view.best))
        parts.append(f"<p>{html.escape(best_line(view))}<br><code>{html.escape(given)}</code></p>")
    values, best = view.course
    if best:
        parts.append(f"<div>{charts.best_so_far(view.metric, values, best)}</div>")
    if view.trials:
        table = trials_table(view)._repr_html_()
        parts.append(f"<details><summary>The best trials</summary>{table}</details>")
    return f'<div class="bottega-snapshot">{"".join(parts)}</div>'


def best_line(view: TuningView) -> str:
    """``Best: validation:rmse = 0.41 by churn-007-1a2b3c4d``."""
    best = view.best or {}
    return f"Best: {view.metric} = {number(best['Objective'])} by {best['TrainingJobName']}"


def parameters(trial: Any) -> list[tuple[str, str]]:
    """The tuned hyperparameters of a trial by name, numbers in six digits that count."""
    return [(name, value_text(value)) for name, value in sorted(trial["Parameters"].items())]


def value_text(value: str) -> str:
    """A value as people read it: six digits of a fraction, a text without its quotes."""
    plain = value.strip('"')
    try:
        return plain if plain.lstrip("-").isdigit() else number(float(plain))
    except ValueError:
        return plain


def trials_table(view: TuningView) -> Table:
    """The best trials, best first."""
    names = list(dict.fromkeys(name for trial in view.trials for name in trial["Parameters"]))
    rows = tuple(
        (
            str(trial["Number"]),
            str(trial["Status"]),
            number(trial["Objective"]),
            *(value_text(trial["Parameters"].get(name, "")) for name in names),
        )
        for trial in view.trials
    )
    return Table(("Trial", "Status", view.metric, *names), rows, "No trial has a value yet.")


def _reasons(view: TuningView) -> list[str]:
    """Why it failed, or else why it ended."""
    reason = view.failure or str(view.progress.get("EndReason", ""))
    return [reason] if reason else []
