"""How the command line shows lists and times."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime

WIDTH_OF_A_PIPE = 500


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str) -> None:
    """Print a table, or one sentence when there is nothing in it."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    # Names are never shortened: they are what the next command needs. A pipe has no width at all.
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_PIPE)
    if not rows:
        console.print(empty)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def when(timestamp: float | None) -> str:
    """A time in the local zone."""
    if timestamp is None:
        return ""
    return datetime.fromtimestamp(timestamp).isoformat(" ", "seconds")


def duration(seconds: float | None) -> str:
    """``1 h 02 min``, ``3 min 20 s``, ``4.2 s``."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
