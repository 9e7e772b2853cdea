"""``%run_as_job``: which notebook this is, and what came back of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bottega.errors import ClientFault
from bottega.magics.jobs import follow, raise_if_failed
from bottega.sdk.notebook_job import NOTEBOOK_VARIABLE, NotebookJob
from bottega.sdk.training_job import JobFailed
from bottega.widgets.job_view import JobView


def is_in_job() -> bool:
    """Whether this notebook runs as a job itself."""
    return NOTEBOOK_VARIABLE in os.environ


def current(shell: Any) -> Path:
    """The notebook that the kernel works for, as the page that started it says.

    Raises:
        ClientFault: nobody says.
    """
    said = os.environ.get("JPY_SESSION_NAME") or shell.user_ns.get("__vsc_ipynb_file__", "")
    path = Path(said)
    if said and path.suffix == ".ipynb" and path.is_file():
        return path
    raise ClientFault("which notebook this is cannot be told here; name it: %run_as_job PATH")


def value(text: str) -> Any:
    """A parameter's value: what JSON makes of it, or the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def follow_and_collect(job: NotebookJob, folder: Path) -> None:
    """Wait, and bring the executed copy and its HTML into a folder, also when a cell failed.

    Raises:
        JobFailed: it failed or was stopped.
    """
    failed: JobFailed | None = None
    try:
        follow(job, wait=True)
    except JobFailed as error:
        failed = error
    try:
        notebook, page = job.collect(folder)
    except ClientFault:
        raise_if_failed(JobView.read(job))  # why there is nothing
        raise
    print(f"Executed copy: {notebook}\nHTML: {page}")
    if failed is not None:
        raise failed
