"""What rules of the Debugger found, as text and as HTML."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

SHOWN_FINDINGS = 3
"""Of each rule, the last ones."""

_SIGNS = {"IssuesFound": "✗", "Error": "✗", "NoIssuesFound": "✓", "Stopped": "■"}


def summary(rules: Sequence[Mapping[str, Any]]) -> str:
    """``3 rules: 1 found issues, 1 found none, 1 is looking``."""
    counts = [
        (_count(rules, "IssuesFound"), "found issues", "found issues"),
        (_count(rules, "NoIssuesFound"), "found none", "found none"),
        (_count(rules, "InProgress", "Stopping"), "is looking", "are looking"),
        (_count(rules, "Error"), "could not look", "could not look"),
        (_count(rules, "Stopped"), "was stopped", "were stopped"),
    ]
    told = ", ".join(f"{n} {one if n == 1 else many}" for n, one, many in counts if n)
    return f"{len(rules)} {'rule' if len(rules) == 1 else 'rules'}: {told}"


def lines(rules: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each rule, below it what it found and what to do about it."""
    told = []
    for rule in rules:
        told.append(f"  {rule['Status']}: {heading(rule)}")
        told += [f"    {finding_line(finding)}" for finding in last_findings(rule)]
        if (rest := _rest(rule)) > 0:
            told.append(f"    and {rest} before")
        told += [f"    What to do: {text}" for text in advice(rule)]
    return told


def as_html(rules: Sequence[Mapping[str, Any]]) -> str:
    """The same as a list."""
    items = []
    for rule in rules:
        sign = _SIGNS.get(rule["Status"], "●")
        parts = [f"<strong>{sign} {rule['Status']}</strong> {html.escape(heading(rule))}"]
        found = [f"<li>{html.escape(finding_line(x))}</li>" for x in last_findings(rule)]
        if (rest := _rest(rule)) > 0:
            found.append(f"<li>and {rest} before</li>")
        if found:
            parts.append(f"<ul>{''.join(found)}</ul>")
        parts += [f"<div>What to do: {html.escape(text)}</div>" for text in advice(rule)]
        items.append(f"<li>{''.join(parts)}</li>")
    return f"<ul>{''.join(items)}</ul>"


def heading(rule: Mapping[str, Any]) -> str:
    """The rule's name with what it looks for, or why it could not look."""
    name = str(rule["RuleConfigurationName"])
    if rule["Status"] == "Error":
        return f"{name}: {rule.get('StatusDetails', 'no reason is known')}"
    reason = rule.get("NotApplicable")
    said = f"nothing to look at here: {reason}" if reason else rule.get("Description", "")
    return f"{name}: {said}" if said else name


def last_findings(rule: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The findings that are shown, oldest first."""
    found: Sequence[Mapping[str, Any]] = rule["Findings"][-SHOWN_FINDINGS:]
    return found


def finding_line(finding: Mapping[str, Any]) -> str:
    """``step 30, 12:04:41: The loss was 0.69 at step 20 ...``."""
    time = datetime.fromtimestamp(finding["Time"]).strftime("%H:%M:%S")
    step = f"step {finding['Step']}, " if "Step" in finding else ""
    return f"{step}{time}: {finding['Message']}"


def advice(rule: Mapping[str, Any]) -> list[str]:
    """What to do about the findings that are shown, each advice once."""
    texts = [finding["Advice"] for finding in last_findings(rule) if "Advice" in finding]
    return list(dict.fromkeys(texts))


def _rest(rule: Mapping[str, Any]) -> int:
    return int(rule["FindingCount"]) - len(last_findings(rule))


def _count(rules: Sequence[Mapping[str, Any]], *statuses: str) -> int:
    return sum(rule["Status"] in statuses for rule in rules)
