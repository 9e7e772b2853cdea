"""A run as the operations show it."""

from __future__ import annotations

from typing import cast

from bottega.specs.generated.experiments import RunOverview, RunStatus
from bottega.tracking import catalogue


def shown(run: catalogue.RunOverview) -> RunOverview:
    """The run's row; what is not known is left out."""
    overview: RunOverview = {
        "RunId": run.run_id,
        "RunName": run.run_name,
        "ExperimentId": run.experiment_id,
        "Status": cast(RunStatus, run.status),
        "Metrics": dict(run.metrics),
        "Params": dict(run.params),
        "Tags": dict(run.tags),
    }
    if run.started is not None:
        overview["StartTime"] = run.started
    if run.ended is not None:
        overview["EndTime"] = run.ended
    if run.user:
        overview["User"] = run.user
    if run.source:
        overview["Source"] = run.source
    if run.job:
        overview["TrainingJobName"] = run.job
    return overview
