"""An analysis as one page of HTML that needs nothing else: no network, no server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bottega.wrangler.insight.analysis import AnalysisResult, Section, Table
from bottega.wrangler.insight.asking import cell
from bottega.wrangler.insight.issues import Issue

_SIGNS = {"high": "▲", "medium": "●", "low": "○"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --paper: #fff; --line: #d1d9e0;
  --high: #b3261e; --medium: #8a5a00; --low: #59636e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --dim: #9aa4af; --paper: #16191d;
  --line: #373e47; --high: #ff8a80; --medium: #ffc46b; --low: #9aa4af; } }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem; color: var(--ink);
  background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
section { border-top: 1px solid var(--line); padding: 0.5rem 0 1rem; }
p, caption { color: var(--dim); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid var(--line); padding: 0.2rem 0.8rem 0.2rem 0; text-align: left;
  vertical-align: top; } td.number { text-align: right; } td.missing { color: var(--dim);
  font-style: italic; }
ul.issues { list-style: none; padding: 0; } .high { color: var(--high); }
.medium { color: var(--medium); } .low { color: var(--low); } .figure { min-height: 22rem; }
"""
_DRAW = """
const dark = window.matchMedia('(prefers-color-scheme: dark)');
function draw() {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue('--ink').trim();
  const line = style.getPropertyValue('--line').trim();
  const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, automargin: true };
  for (const place of document.querySelectorAll('.figure')) {
    const figure = JSON.parse(place.querySelector('script').textContent);
    const layout = { autosize: true, margin: { t: 16, r: 16 }, ...figure.layout,
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: { color: ink } };
    for (const key of ['xaxis', 'yaxis', ...Object.keys(layout)]) {
      if (/^[xy]axis\\d*$/.test(key)) layout[key] = { ...axis, ...layout[key] };
    }
    for (const trace of figure.data.filter(one => one.type === 'heatmap')) {
      trace.colorscale = trace.zmin < 0 ? 'RdBu' : 'Blues';
      trace.reversescale = !(trace.zmin < 0);
    }
    const settings = { responsive: true, displayModeBar: false };
    Plotly.react(place.querySelector('div'), figure.data, layout, settings);
  }
}
draw();
dark.addEventListener('change', draw);
"""


def page(result: AnalysisResult) -> str:
    """The page. Light or dark is the reader's choice; a script of Plotly's is inside if it has
    figures."""
    drawn = any(section.figure is not None for section in result.sections)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(result.title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{escape(result.title)}</h1><p>Computed from {result.rows:,} rows.</p>",
        *map(_section, result.sections),
    ]
    if drawn:
        from plotly.offline import get_plotlyjs

        parts += [f"<script>{get_plotlyjs()}</script>", f"<script>{_DRAW}</script>"]
    return "\n".join([*parts, "</body></html>", ""])


def _section(section: Section) -> str:
    parts = [f"<section><h2>{escape(section.title)}</h2>"]
    if section.text:
        parts.append(f"<p>{escape(section.text)}</p>")
    if section.issues:
        parts.append(_issues(section.issues))
    if section.figure is not None:
        parts.append(_figure(section.figure))
    if section.table is not None:
        parts.append(_table(section.table))
    return "\n".join([*parts, "</section>"])


def _issues(issues: Sequence[Issue]) -> str:
    items = [
        f'<li><span class="{issue.severity}">{_SIGNS[issue.severity]} {issue.severity}</span> '
        f"{escape(issue.sentence)}</li>"
        for issue in issues
    ]
    return f'<ul class="issues">{"".join(items)}</ul>'


def _figure(figure: Mapping[str, Any]) -> str:
    # Inside a script, only what could end or open one is special.
    data = json.dumps(figure, ensure_ascii=False, allow_nan=False).replace("<", "\\u003c")
    return f'<div class="figure"><script type="application/json">{data}</script><div></div></div>'


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody>' + (
        "</table></div>"
    )


def _cell(value: Any) -> str:
    shown = cell(value)
    if shown is None:
        return '<td class="missing">missing</td>'
    if isinstance(shown, bool) or not isinstance(shown, int | float):
        return f"<td>{escape(str(shown))}</td>"
    text = f"{shown:,}" if isinstance(shown, int) else f"{shown:,.6g}"
    return f'<td class="number">{text}</td>'
