"""A training job as it runs: its way, progress, curves, what its rules find, the end of its log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import traitlets

from bottega.sdk.session import Session, connect
from bottega.sdk.training_job import TrainingJob
from bottega.widgets import snapshot
from bottega.widgets.job_view import JobView
from bottega.widgets.monitor import POLL_SECONDS, Monitor, script

_SHOWN = (
    *("TrainingJobName", "TrainingJobStatus", "SecondaryStatus", "SecondaryStatusTransitions"),
    *("CreationTime", "TrainingStartTime", "TrainingEndTime", "FailureReason"),
    *("HyperParameters", "Environment", "ModelArtifacts"),
)
"""What of DescribeTrainingJob's answer goes to the page."""


class JobMonitor(Monitor):
    """Shows a training job until it has ended; then every display becomes a still picture of it.

    Args:
        job: the job, or its name.
        studio: the session to find a name in; the default home's when absent.

    Raises:
        ResourceNotFound: there is no such job.
    """

    _esm = script("training.js", "rules.js", "job_monitor.js")

    description: Any = traitlets.Dict().tag(sync=True)
    courses: Any = traitlets.List().tag(sync=True)
    lines: Any = traitlets.List().tag(sync=True)
    rules: Any = traitlets.List().tag(sync=True)

    def __init__(self, job: TrainingJob | str, *, studio: Session | None = None) -> None:
        self.job = (studio or connect()).job(job) if isinstance(job, str) else job
        self.view: JobView
        super().__init__(self.job)

    def __repr__(self) -> str:
        return snapshot.text(self.view)

    def standing_alone(self) -> Mapping[str, str]:
        return snapshot.bundle(self.view)

    def wait(self) -> TrainingJob:
        """Wait until the job has ended, however it did, also after the widget was closed; Ctrl-C
        ends the waiting only."""
        self.wait_for_end()
        if not self.view.ended:  # closed: nobody else asks any more
            while self.job.status in ("InProgress", "Stopping"):
                time.sleep(POLL_SECONDS)
        return self.job

    def _read(self) -> JobView:
        self.view = JobView.read(self.job)
        return self.view

    def _shown(self) -> dict[str, Any]:
        view = self.view
        description = {key: view.description[key] for key in _SHOWN if key in view.description}
        return {
            "description": description,
            "courses": list(view.courses),
            "lines": list(view.lines),
            "rules": list(view.rules),
            "seen": view.seen,
        }
