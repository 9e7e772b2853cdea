"""A report as a page of its own: HTML that needs no network, no script and no server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeGuard

from bottega.debugger.reports.charts import number

STYLE = """
.report { color-scheme: light dark; --ink: #1b1f24; --dim: #59636e; --paper: #fff; --card: #f6f8fa;
  --line: #d1d9e0; --good: #1a7f4b; --bad: #b3261e; --c0: #1668c7; --c1: #c9463d; --c2: #218a5b;
  --c3: #a06a00; --c4: #7350c8; --c5: #0a7f8c; --c6: #b8501a; --c7: #68737f;
  color: var(--ink); background: var(--paper); font: 15px/1.5 system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { .report { --ink: #e6e8eb; --dim: #9aa4af; --paper: #16191d;
  --card: #1e2329; --line: #373e47; --good: #5fd08f; --bad: #ff8a80; --c0: #62a8f5; --c1: #ff8a80;
  --c2: #5fd08f; --c3: #ffc46b; --c4: #b39bff; --c5: #5ed3e0; --c6: #ffa270; --c7: #a3adb8; } }
html:has(> body.report) { background: var(--paper); }
body.report { margin: 0 auto; max-width: 66rem; padding: 1.5rem; }
.report {
* { box-sizing: border-box; }
h1 { font-size: 1.6rem; margin: 0 0 0.2rem; } h2 { font-size: 1.2rem; margin: 0 0 0.4rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; }
nav { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; padding: 0.6rem 0 1rem; }
a { color: var(--c0); text-decoration: none; } a:hover { text-decoration: underline; }
section { border-top: 1px solid var(--line); padding: 1rem 0 1.2rem; }
p { margin: 0.3rem 0; } p.text, p.empty, .legend, .told { color: var(--dim); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: 0.6rem;
  margin: 0.6rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px;
  padding: 0.5rem 0.8rem; overflow-wrap: anywhere; }
.card b { display: block; font-size: 1.05rem; }
.card span { color: var(--dim); font-size: 0.85rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: 0.3rem 0.8rem 0.3rem 0; text-align: left;
  vertical-align: top; font-size: 0.92rem; }
th { color: var(--dim); font-weight: 600; } th.number, td.number { text-align: right; }
td.number, td .bad, td .good, td .none { white-space: nowrap; }
table.heat { width: auto; } table.heat th, table.heat td { padding: 0.35rem 0.7rem;
  text-align: right; border: 1px solid var(--line); } table.heat th.corner { text-align: left; }
.bad { color: var(--bad); font-weight: 600; } .good { color: var(--good); }
.none { color: var(--dim); }
svg { width: 100%; height: auto; display: block; margin: 0.3rem 0; }
svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
svg text.x { text-anchor: middle; } svg text.y { text-anchor: end; }
svg .grid { stroke: var(--line); stroke-width: 0.7; }
svg .line { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; }
svg .column { fill: var(--c0); opacity: 0.75; } svg .whisker { stroke: var(--dim); }
svg .median { stroke: var(--ink); stroke-width: 2; } svg line.mark { stroke: var(--bad);
  stroke-dasharray: 4 3; } svg text.mark { fill: var(--bad); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1rem; font-size: 0.88rem; }
.legend i { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 2px;
  margin-right: 0.35rem; }
.bars { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr max-content;
  gap: 0.25rem 0.8rem; align-items: center; margin: 0.4rem 0; font-size: 0.92rem; }
.bars .name { max-width: 16rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.track { background: var(--card); border-radius: 3px; height: 0.9rem; }
.bar { background: var(--c0); border-radius: 3px; height: 100%; }
.stack { display: flex; height: 1.4rem; border-radius: 4px; overflow: hidden; margin: 0.6rem 0; }
.columns { display: grid; gap: 1.5rem;
  grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); }
footer { color: var(--dim); border-top: 1px solid var(--line); padding-top: 0.6rem; }
}
@media print { .report nav { display: none; } .report section { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Section:
    """One part of a report.

    Attributes:
        name: its anchor, unique in the report.
        title: its heading.
        text: what it shows and how to read it.
        body: HTML.
        file: the JSON file with its numbers, beside the page; empty where there is none.
    """

    name: str
    title: str
    text: str
    body: str
    file: str = ""


def page(title: str, subtitle: str, sections: Sequence[Section], footer: str) -> str:
    """The whole page. Light or dark is the reader's choice."""
    links = "".join(f'<a href="#{one.name}">{escape(one.title)}</a>' for one in sections)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head>",
            '<body class="report">',
            f"<header><h1>{escape(title)}</h1>",
            f'<p class="text">{escape(subtitle)}</p></header>',
            f"<nav>{links}</nav>",
            *map(_section, sections),
            f"<footer><p>{escape(footer)}</p></footer></body></html>",
            "",
        ]
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; numbers are aligned, and what is HTML already comes as :class:`Html`."""
    every = [list(row) for row in rows]
    head = "".join(
        f"<th{_aligned(row[place] for row in every)}>{escape(column)}</th>"
        for place, column in enumerate(columns)
    )
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in every)
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div>"
    )


def cards(facts: Mapping[str, str]) -> str:
    """Facts that are read at a glance: what it is, below its value."""
    items = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in facts.items()
    )
    return f'<div class="cards">{items}</div>'


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def heading(text: str) -> str:
    """A heading inside a section."""
    return f"<h3>{escape(text)}</h3>"


class Html(str):
    """A text that is HTML already."""

    __slots__ = ()


def duration(seconds: float) -> str:
    """A time that something took.

    >>> duration(0.25), duration(75), duration(7322)
    ('0.25 s', '1 min 15 s', '2 h 2 min')
    """
    if seconds < 60:
        return f"{number(seconds)} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"


def _section(section: Section) -> str:
    text = f'<p class="text">{escape(section.text)}</p>' if section.text else ""
    return f'<section id="{section.name}"><h2>{escape(section.title)}</h2>{text}{section.body}' + (
        "</section>"
    )


def _aligned(values: Iterable[object]) -> str:
    return ' class="number"' if any(map(_is_number, values)) else ""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: object) -> str:
    if isinstance(value, Html):
        return f"<td>{value}</td>"
    if _is_number(value):
        return f'<td class="number">{number(value)}</td>'
    return f"<td>{escape(str(value))}</td>"
