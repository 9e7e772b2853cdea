"""A training job as it runs: its way, progress, curves, the end of its log, and a stop button."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from bottega.errors import BottegaError, ResourceNotFound
from bottega.sdk.session import Session, connect
from bottega.sdk.training_job import TrainingJob
from bottega.widgets import snapshot
from bottega.widgets.job_view import JobView
from bottega.widgets.lasting import LastingDisplay, PageLayout

HERE = Path(__file__).parent
POLL_SECONDS = 1.0
LONGEST_POLL_SECONDS = 15.0
_SHOWN = (
    *("TrainingJobName", "TrainingJobStatus", "SecondaryStatus", "SecondaryStatusTransitions"),
    *("CreationTime", "TrainingStartTime", "TrainingEndTime", "FailureReason"),
    *("HyperParameters", "Environment", "ModelArtifacts"),
)
"""What of DescribeTrainingJob's answer goes to the page."""


class JobMonitor(LastingDisplay, anywidget.AnyWidget):
    """Shows a training job until it has ended; then every display becomes a still picture of it.

    A thread of its own asks the studio, so it goes on while the kernel is busy; it ends with the
    job, or when the widget is closed, and keeps no process alive. Where the kernel is gone, the
    page asks the Jupyter server instead.

    Args:
        job: the job, or its name.
        studio: the session to find a name in; the default home's when absent.

    Raises:
        ResourceNotFound: there is no such job.
    """

    _esm = HERE / "job_monitor.js"
    _css = HERE / "studio.css"

    name = traitlets.Unicode().tag(sync=True)
    description: Any = traitlets.Dict().tag(sync=True)
    courses: Any = traitlets.List().tag(sync=True)
    lines: Any = traitlets.List().tag(sync=True)
    seen = traitlets.Float().tag(sync=True)
    """When this was asked; the page takes the kernel for gone when it stays behind."""
    problem = traitlets.Unicode().tag(sync=True)
    """Why nothing is known at present; empty when something is."""

    def __init__(self, job: TrainingJob | str, *, studio: Session | None = None) -> None:
        self._closed = threading.Event()
        self.job = (studio or connect()).job(job) if isinstance(job, str) else job
        self.view = view = JobView.read(self.job)
        super().__init__(name=self.job.name, layout=PageLayout(), **_traits(view))
        self._over = threading.Event()
        self._broken: Exception | None = None
        self.on_msg(self._told)
        if view.ended:
            self._over.set()
        else:
            threading.Thread(target=self._follow, name=f"monitor {self.name}", daemon=True).start()

    def __repr__(self) -> str:
        return snapshot.text(self.view)

    def standing_alone(self) -> Mapping[str, str]:
        return snapshot.bundle(self.view)

    @property
    def is_live(self) -> bool:
        return not self._over.is_set()

    def wait(self) -> TrainingJob:
        """Wait until the job has ended, however it did, also after the widget was closed; Ctrl-C
        ends the waiting only."""
        while not self._over.wait(0.2):
            pass
        if self._broken is not None:
            raise self._broken
        if not self.view.ended:  # closed: nobody else asks any more
            while self.job.status in ("InProgress", "Stopping"):
                time.sleep(POLL_SECONDS)
        return self.job

    def takes_over(self, other: LastingDisplay) -> None:
        """Stand for another widget in its displays, which this one will settle."""
        self._displays += other._displays

    def close(self) -> None:
        """Take the widget off the page and ask no more."""
        self._closed.set()
        super().close()

    def _follow(self) -> None:
        try:
            self._poll()
        except Exception as error:
            self._broken = error
            self.problem = str(error)
        finally:
            self._over.set()
            if not self._closed.is_set():
                self.settle()

    def _poll(self) -> None:
        pause = POLL_SECONDS
        while not self._closed.wait(pause):
            try:
                self.view = JobView.read(self.job)
            except ResourceNotFound:
                raise
            except BottegaError as error:  # the service may be on its way back
                self.problem = str(error)
                pause = min(LONGEST_POLL_SECONDS, pause * 1.5)
                continue
            pause = POLL_SECONDS
            self._publish()
            if self.view.ended:
                return

    def _publish(self) -> None:
        with self.hold_sync():
            self.problem = ""
            for trait, value in _traits(self.view).items():
                setattr(self, trait, value)

    def _told(self, _widget: Any, content: Mapping[str, Any], _buffers: Any) -> None:
        """The page asks for something."""
        if content.get("do") != "stop":
            return
        try:
            self.job.stop()
        except BottegaError as error:
            self.problem = str(error)


def _traits(view: JobView) -> dict[str, Any]:
    description = {key: view.description[key] for key in _SHOWN if key in view.description}
    return {
        "description": description,
        "courses": list(view.courses),
        "lines": list(view.lines),
        "seen": view.seen,
    }
