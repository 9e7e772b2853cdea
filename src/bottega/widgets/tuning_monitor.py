"""A tuning job as it runs: how many trials have ended, the best so far, and a stop button."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import traitlets

from bottega.sdk.session import Session, connect
from bottega.sdk.tuning_job import RUNNING, TuningJob
from bottega.widgets import tuning_snapshot
from bottega.widgets.monitor import POLL_SECONDS, Monitor, script
from bottega.widgets.tuning_view import TuningView


class TuningMonitor(Monitor):
    """Shows a tuning job until it has ended; then every display becomes a still picture of it.

    Args:
        job: the tuning job, or its name.
        studio: the session to find a name in; the default home's when absent.

    Raises:
        ResourceNotFound: there is no such tuning job.
    """

    _esm = script("tuning_monitor.js")

    progress: Any = traitlets.Dict().tag(sync=True)
    trials: Any = traitlets.List().tag(sync=True)

    def __init__(self, job: TuningJob | str, *, studio: Session | None = None) -> None:
        self.job = (studio or connect()).tuning_job(job) if isinstance(job, str) else job
        self.view: TuningView
        super().__init__(self.job)

    def __repr__(self) -> str:
        return tuning_snapshot.text(self.view)

    def standing_alone(self) -> Mapping[str, str]:
        return tuning_snapshot.bundle(self.view)

    def wait(self) -> TuningJob:
        """Wait until the search has ended, however it did, also after the widget was closed;
        Ctrl-C ends the waiting only."""
        self.wait_for_end()
        if not self.view.ended:  # closed: nobody else asks any more
            while self.job.status in RUNNING:
                time.sleep(POLL_SECONDS)
        return self.job

    def _read(self) -> TuningView:
        self.view = TuningView.read(self.job)
        return self.view

    def _shown(self) -> dict[str, Any]:
        view = self.view
        return {"progress": dict(view.progress), "trials": list(view.trials), "seen": view.seen}
