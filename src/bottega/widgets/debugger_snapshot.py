"""A job's Debugger as text and as HTML that stand alone: for saved notebooks and nbconvert."""

from __future__ import annotations

import html

from bottega.widgets import charts, rule_wording
from bottega.widgets.debugger_view import DebuggerView
from bottega.widgets.wording import number, when

WITHOUT_RULES = (
    "The job was started without rules: DebugRuleConfigurations of CreateTrainingJob, or "
    "rules=[Rule.sagemaker(rule_configs.loss_not_decreasing())] of the SageMaker SDK's estimators, "
    "say what to watch."
)


def bundle(view: DebuggerView) -> dict[str, str]:
    """Both forms by their MIME type."""
    return {"text/plain": text(view), "text/html": as_html(view)}


def headline(view: DebuggerView) -> str:
    """``Debugger of churn (Completed): 2 rules: 1 found issues, 1 found none``."""
    moment = "" if view.ended else f" at {when(view.seen)}"
    rules = rule_wording.summary(view.rules) if view.rules else "no rules"
    return f"Debugger of {view.name} ({view.status}{moment}): {rules}"


def text(view: DebuggerView) -> str:
    """Headline, rules with findings, last values of tensors, and where the reports are."""
    parts = [headline(view), *rule_wording.lines(view.rules)]
    if not view.rules:
        parts.append(f"  {WITHOUT_RULES}")
    parts += [f"  {name} = {number(points[-1][1])}" for name, points in view.curves]
    parts += [f"  report of {rule}: {uri}" for rule, uri in view.reports]
    return "\n".join(parts)


def as_html(view: DebuggerView) -> str:
    """The same with the courses of the tensors drawn."""
    parts = [f"<p><strong>{html.escape(headline(view))}</strong></p>"]
    if view.rules:
        parts.append(rule_wording.as_html(view.rules))
    else:
        parts.append(f"<p>{html.escape(WITHOUT_RULES)}</p>")
    if view.curves:
        drawn = "".join(charts.curve(name, points) for name, points in view.curves)
        parts.append(f"<div>{drawn}</div>")
    for rule, uri in view.reports:
        parts.append(f"<p>Report of {html.escape(rule)}: <code>{html.escape(uri)}</code></p>")
    return f'<div class="bottega-snapshot">{"".join(parts)}</div>'
