"""Widgets for notebooks. Each stands on its own: one Python class and one file of JavaScript, or a
renderer in the JupyterLab extension."""

from __future__ import annotations

from bottega.widgets.data_wrangler import DataWrangler, show
from bottega.widgets.debugger_report import DebuggerReport
from bottega.widgets.endpoint_tester import EndpointTester
from bottega.widgets.job_monitor import JobMonitor
from bottega.widgets.training_launcher import TrainingLauncher
from bottega.widgets.tuning_monitor import TuningMonitor

__all__ = [
    "DataWrangler",
    "DebuggerReport",
    "EndpointTester",
    "JobMonitor",
    "TrainingLauncher",
    "TuningMonitor",
    "show",
]
