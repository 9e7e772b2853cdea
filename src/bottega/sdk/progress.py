"""The progress of a job in a terminal or a notebook: a bar, the status, and lines above it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

_ROUND = re.compile(r"^\[(\d+)\]")
_ROUND_NAMES = ("num_round", "epochs", "n_estimators")


class _Bar:
    """A bar with a status where there is a terminal; else nothing but what is said."""

    def __init__(self, name: str, quiet: bool) -> None:
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
        self.start = self._progress.start
        self.stop = self._progress.stop

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        from rich.text import Text

        self._progress.console.print(Text(line), soft_wrap=True)

    def say_without_terminal(self, line: str) -> None:
        """Print what the bar shows where there is one."""
        if not self._console.is_terminal:
            self.say(line)

    def show(self, done: int | None, total: int | None, status: str) -> None:
        """Move the bar; without a total it only says that something goes on."""
        self._progress.update(self._task, total=total, completed=done, status=status)


class JobProgress:
    """Shows a job while it runs. Without a terminal it prints each status and log line once."""

    def __init__(self, name: str, *, show_logs: bool, quiet: bool = False) -> None:
        self._bar = _Bar(name, quiet)
        self._show_logs = show_logs
        self._status = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, description: dict[str, Any], lines: Sequence[str]) -> None:
        """Show what is new.

        Args:
            description: DescribeTrainingJob's answer.
            lines: log lines since the last call.
        """
        if self._show_logs:
            for line in lines:
                self._bar.say(line)
        status = description["SecondaryStatus"]
        if status != self._status:
            self._status = status
            self._bar.say_without_terminal(f"{description['TrainingJobName']}: {status}")
        total = _rounds(description)
        done = next((int(m[1]) + 1 for x in reversed(lines) if (m := _ROUND.match(x))), None)
        if status == "Completed":
            total = total or 1
            done = total
        self._bar.show(done, total, status)


class TuningProgress:
    """Shows a tuning job while it runs. Without a terminal it prints each status and each new best
    once."""

    def __init__(self, name: str, *, quiet: bool = False) -> None:
        self._bar = _Bar(name, quiet)
        self._name = name
        self._status = ""
        self._best = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def update(self, description: dict[str, Any]) -> None:
        """Show what is new.

        Args:
            description: DescribeHyperParameterTuningJob's answer.
        """
        status = description["HyperParameterTuningJobStatus"]
        if status != self._status:
            self._status = status
            self._bar.say_without_terminal(f"{self._name}: {status}")
        counts = description["TrainingJobStatusCounters"]
        ended = sum(counts.values()) - counts["InProgress"]
        best = description.get("BestTrainingJob")
        if best is not None and best["TrainingJobName"] != self._best:
            self._best = best["TrainingJobName"]
            metric = best["FinalHyperParameterTuningJobObjectiveMetric"]
            self._bar.say(f"{self._best}: {metric['MetricName']} = {metric['Value']:.6g}")
        limits = description["HyperParameterTuningJobConfig"]["ResourceLimits"]
        self._bar.show(ended, limits.get("MaxNumberOfTrainingJobs"), status)


def _rounds(description: dict[str, Any]) -> int | None:
    """How many rounds the job has to go, if its hyperparameters say so."""
    values = description.get("HyperParameters", {})
    for name in _ROUND_NAMES:
        text = str(values.get(name, "")).strip('"')
        if text.isdigit():
            return int(text)
    return None
