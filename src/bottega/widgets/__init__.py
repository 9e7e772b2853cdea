"""Widgets for notebooks. Each stands on its own: one Python class and one file of JavaScript."""

from __future__ import annotations

from bottega.widgets.endpoint_tester import EndpointTester
from bottega.widgets.job_monitor import JobMonitor
from bottega.widgets.training_launcher import TrainingLauncher

__all__ = ["EndpointTester", "JobMonitor", "TrainingLauncher"]
