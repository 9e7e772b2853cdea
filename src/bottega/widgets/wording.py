"""How the widgets and the magics write times and numbers, and tables of them."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


def duration(seconds: float) -> str:
    """``4.2 s``, ``3 min 20 s``, ``1 h 02 min``."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def when(timestamp: float) -> str:
    """A time in the local zone."""
    return datetime.fromtimestamp(timestamp).isoformat(" ", "seconds")


def number(value: float) -> str:
    """Six digits that count."""
    return f"{value:.6g}"


@dataclass(frozen=True)
class Table:
    """Rows under column names, as text and as HTML."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str
    """The sentence that stands for a table without rows."""

    def __repr__(self) -> str:
        if not self.rows:
            return self.empty
        widths = [max(map(len, column)) for column in zip(self.columns, *self.rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in (self.columns, *self.rows)
        )

    def bundle(self) -> dict[str, str]:
        """Both forms by their MIME type."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{html.escape(self.empty)}</p>"
        head = _cells('<th scope="col" style="text-align:left">', self.columns)
        cell = '<td style="text-align:left">'
        body = "".join(f"<tr>{_cells(cell, row)}</tr>" for row in self.rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cells(opening: str, texts: Sequence[str]) -> str:
    return "".join(f"{opening}{html.escape(text)}" for text in texts)  # HTML closes cells itself
