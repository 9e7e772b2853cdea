"""``%debug_job``: what the rules of a job found, and its tensors to look into."""

from __future__ import annotations

from typing import Any

from bottega.errors import ClientFault
from bottega.sdk.training_job import TrainingJob
from bottega.widgets import DebuggerReport


def show(job: TrainingJob) -> None:
    """Show a job's Debugger as it is now, and where there are widgets, as it goes on."""
    DebuggerReport(job)._ipython_display_()


def trial(job: TrainingJob) -> Any:
    """The tensors of a job, as ``bottega.debugger.create_trial`` gives them.

    Raises:
        ClientFault: the job saves no tensors.
    """
    request = {"TrainingJobName": job.name}
    found = job.client.call("bottega", "DescribeTrainingJobDebugger", request)
    if not (uri := found.get("TensorsUri")):
        raise ClientFault(
            f"the training job {job.name!r} saves no tensors: DebugHookConfig of CreateTrainingJob "
            "says where to save which"
        )
    from bottega.debugger import create_trial

    return create_trial(uri, name=job.name)
