"""What the rules of a training job found, while it runs and after: rules, findings, tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import traitlets

from bottega.sdk.session import Session, connect
from bottega.sdk.training_job import TrainingJob
from bottega.widgets import debugger_snapshot
from bottega.widgets.debugger_view import DebuggerView
from bottega.widgets.monitor import Monitor, script

_SHOWN = (
    *("TrainingJobName", "TrainingJobStatus", "SecondaryStatus", "CreationTime"),
    *("TrainingEndTime", "FailureReason"),
)
"""What of DescribeTrainingJob's answer goes to the page."""


class DebuggerReport(Monitor):
    """Shows a job's rules, their findings and the courses of its tensors until the job has ended
    and every rule has come to its last word; then every display becomes a still picture of that.

    Args:
        job: the job, or its name.
        studio: the session to find a name in; the default home's when absent.

    Raises:
        ResourceNotFound: there is no such job.
    """

    _esm = script("training.js", "rules.js", "debugger_report.js")

    description: Any = traitlets.Dict().tag(sync=True)
    rules: Any = traitlets.List().tag(sync=True)
    courses: Any = traitlets.List().tag(sync=True)

    def __init__(self, job: TrainingJob | str, *, studio: Session | None = None) -> None:
        self.job = (studio or connect()).job(job) if isinstance(job, str) else job
        self.view: DebuggerView
        super().__init__(self.job)

    def __repr__(self) -> str:
        return debugger_snapshot.text(self.view)

    def standing_alone(self) -> Mapping[str, str]:
        return debugger_snapshot.bundle(self.view)

    def _read(self) -> DebuggerView:
        self.view = DebuggerView.read(self.job)
        return self.view

    def _shown(self) -> dict[str, Any]:
        view = self.view
        return {
            "description": {k: view.description[k] for k in _SHOWN if k in view.description},
            "rules": list(view.rules),
            "courses": list(view.courses),
            "seen": view.seen,
        }
