"""The progress of a job in a terminal or a notebook: a bar, the status, and the log above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

_ROUND = re.compile(r"^\[(\d+)\]")
_ROUND_NAMES = ("num_round", "epochs", "n_estimators")


class JobProgress:
    """Shows a job while it runs. Without a terminal it prints each status and log line once."""

    def __init__(self, name: str, *, show_logs: bool, quiet: bool = False) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            TaskProgressColumn,
            TextColumn,
            TimeElapsedColumn,
        )

        # In a notebook rich would make a piece of output of every line; plain text is one piece.
        self._console = Console(quiet=quiet, force_jupyter=False)
        self._show_logs = show_logs
        self._status = ""
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[status]}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=False,
            disable=not self._console.is_terminal,
        )
        self._task = self._progress.add_task(name, total=None, status="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def update(self, description: dict[str, Any], lines: Sequence[str]) -> None:
        """Show what is new.

        Args:
            description: DescribeTrainingJob's answer.
            lines: log lines since the last call.
        """
        from rich.text import Text

        if self._show_logs:
            for line in lines:
                self._progress.console.print(Text(line), soft_wrap=True)
        status = description["SecondaryStatus"]
        if status != self._status:
            self._status = status
            if not self._console.is_terminal:
                self._console.print(Text(f"{description['TrainingJobName']}: {status}"))
        total = _rounds(description)
        done = next((int(m[1]) + 1 for x in reversed(lines) if (m := _ROUND.match(x))), None)
        if status == "Completed":
            total = total or 1
            done = total
        self._progress.update(self._task, total=total, completed=done, status=status)


def _rounds(description: dict[str, Any]) -> int | None:
    """How many rounds the job has to go, if its hyperparameters say so."""
    values = description.get("HyperParameters", {})
    for name in _ROUND_NAMES:
        text = str(values.get(name, "")).strip('"')
        if text.isdigit():
            return int(text)
    return None
