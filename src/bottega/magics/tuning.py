"""A tuning job on its way: a monitor where there are widgets, else lines of text."""

from __future__ import annotations

import time
from argparse import Namespace
from typing import Any

from bottega.magics import range_cell
from bottega.magics.arguments import UsageRefused, pairs
from bottega.magics.parsers import PARSERS
from bottega.magics.refusals import Refused
from bottega.sdk.training_job import JobFailed
from bottega.sdk.tuning_job import TuningJob
from bottega.widgets import TuningMonitor, frontend, tuning_snapshot
from bottega.widgets.tuning_view import TuningView

POLL_SECONDS = 0.2
TENTHS = 10
"""How many lines of progress there are, however many trials."""


def search_arguments(found: Namespace) -> dict[str, Any]:
    """Arguments of ``Session.tune`` that say how to search, from the words of ``%%tune``."""
    if found.objective is None:
        PARSERS["tune"].error("--objective names the metric to go by, such as validation:rmse")
    if found.minimize and found.maximize:
        PARSERS["tune"].error("--minimize and --maximize exclude each other")
    direction = "Minimize" if found.minimize else "Maximize" if found.maximize else None
    return {
        "objective_metric": found.objective,
        "objective_type": direction,
        "strategy": found.strategy,
        "max_jobs": found.trials,
        "max_parallel_jobs": found.parallel,
        "early_stopping": found.early_stopping,
        "max_tuning_runtime": found.max_runtime,
        "target_value": found.target_value,
        "seed": found.seed,
        "resources": None if found.resources is None else tuple(found.resources),
        "warm_start": found.warm_start,
        "transfer_learning": found.transfer_learning,
    }


def given_ranges(found: Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ranges of ``--range`` and the values of ``--hp``."""
    ranges: dict[str, Any] = {}
    for name, text in pairs(found.range, "range").items():
        ranges[name] = range_cell.meaning(text)
        if not isinstance(ranges[name], (tuple, list)):
            raise UsageRefused(
                f"--range {name} {text}: write low..high, such as 0.01..0.5, or a | b"
            )
    return ranges, pairs(found.hp, "hyperparameter")


def show(job: TuningJob) -> None:
    """Show a tuning job as it is now, and where there are widgets, as it goes on."""
    TuningMonitor(job)._ipython_display_()


def follow(job: TuningJob, *, wait: bool) -> None:
    """Show a tuning job; with ``wait`` until it has ended.

    Raises:
        JobFailed: it failed.
        Refused: the waiting was broken off; the job goes on.
    """
    try:
        if frontend.shows_widgets():
            monitor = TuningMonitor(job)
            monitor._ipython_display_()
            if wait:
                monitor.wait()
                _raise_if_failed(monitor.view)
        elif wait:
            view = _print_lines(job)
            _raise_if_failed(view)
            frontend.show(tuning_snapshot.bundle(view))
        else:
            print(f"Tuning job {job.name}: started. %tunings {job.name} shows it.")
    except KeyboardInterrupt:
        raise Refused(
            f"The waiting was broken off; the tuning job {job.name} goes on. "
            f"%tunings {job.name} shows it, "
            f"bottega.connect().tuning_job({job.name!r}).stop() stops it."
        ) from None


def _raise_if_failed(view: TuningView) -> None:
    """Let the cell fail as its job did; one that was stopped has what it found until then."""
    if view.status == "Failed":
        raise JobFailed(f"Tuning job {view.name}: Failed. {view.failure}".rstrip())


def _print_lines(job: TuningJob) -> TuningView:
    """A line for each status, each tenth of the way and each new best; returns the last state."""
    status, tenth, best = "", 0, 0
    while True:
        view = TuningView.read(job)
        if view.status != status:
            status = view.status
            print(f"{job.name}: {status}", flush=True)
        if view.best is not None and view.best["Number"] != best:
            best = view.best["Number"]
            print(f"{job.name}: {tuning_snapshot.best_line(view)}", flush=True)
        if view.limit and not view.ended and view.done * TENTHS // view.limit > tenth:
            tenth = view.done * TENTHS // view.limit
            print(f"{job.name}: {view.counters}", flush=True)
        if view.ended:
            return view
        time.sleep(POLL_SECONDS)
