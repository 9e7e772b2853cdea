"""A job on its way: a monitor where there are widgets, lines of text where there are none."""

from __future__ import annotations

import time

from bottega.magics.refusals import Refused
from bottega.sdk.training_job import JobFailed, TrainingJob
from bottega.widgets import JobMonitor, frontend, snapshot
from bottega.widgets.job_view import JobView
from bottega.widgets.wording import duration

POLL_SECONDS = 0.2
TENTHS = 10
"""How many lines of progress there are, however long the job takes."""


def show(job: TrainingJob) -> None:
    """Show a job as it is now, and where there are widgets, as it goes on."""
    JobMonitor(job)._ipython_display_()


def follow(job: TrainingJob, *, wait: bool) -> None:
    """Show a job; with ``wait`` until it has ended.

    Raises:
        JobFailed: it failed or was stopped.
        Refused: the waiting was broken off; the job goes on.
    """
    try:
        if frontend.shows_widgets():
            monitor = JobMonitor(job)
            monitor._ipython_display_()
            if wait:
                monitor.wait()
                raise_if_failed(monitor.view)
        elif wait:
            view = _print_lines(job)
            raise_if_failed(view)
            frontend.show(snapshot.bundle(view))
        else:
            print(f"Training job {job.name}: started. %jobs {job.name} shows it.")
    except KeyboardInterrupt:
        raise Refused(
            f"The waiting was broken off; the training job {job.name} goes on. "
            f"%jobs {job.name} shows it, bottega.connect().job({job.name!r}).stop() stops it."
        ) from None


def raise_if_failed(view: JobView) -> None:
    """Let the cell fail as its job did.

    Raises:
        JobFailed: the job has not completed; the message has its FailureReason.
    """
    if view.status != "Completed":
        reason = view.failure or view.description["SecondaryStatus"]
        raise JobFailed(f"Training job {view.name}: {view.status}. {reason}")


def _print_lines(job: TrainingJob) -> JobView:
    """A line for each status and each tenth of the way; returns the last state."""
    status, tenth = "", 0
    while True:
        view = JobView.read(job)
        if (now := str(view.description["SecondaryStatus"])) != status:
            status = now
            print(f"{job.name}: {status}", flush=True)
        progress = view.progress
        if progress and not view.ended and progress.done * TENTHS // progress.total > tenth:
            tenth = progress.done * TENTHS // progress.total
            rest = progress.seconds_left
            left = f", about {duration(rest)} left" if rest else ""
            print(f"{job.name}: {progress.done} of {progress.total}{left}", flush=True)
        if view.ended:
            return view
        time.sleep(POLL_SECONDS)
