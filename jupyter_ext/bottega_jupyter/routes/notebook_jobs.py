"""``/bottega/notebook-jobs``: run a notebook as a job, and fetch what came of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler
from bottega_jupyter.local_files import contents_path, local_path

if TYPE_CHECKING:
    from bottega.sdk.session import Session

FOLDER_VARIABLE = "BOTTEGA_NOTEBOOK_FOLDER"
"""The variable of a job that says in which folder of the file browser its notebook is."""


class NotebookJobsHandler(BottegaHandler):
    """Notebooks of the file browser on their way to a job."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"job"}``: the name of the job that runs a notebook."""
        fields = self.read_fields("path", "parameters", "name", "instance_type")
        notebook = await local_path(self, fields.text("path"))
        settings: dict[str, Any] = {
            "parameters": fields.mapping("parameters"),
            "environment": {FOLDER_VARIABLE: contents_path(self, notebook.parent)},
        }
        for name in ("name", "instance_type"):
            if value := fields.optional_text(name):
                settings[name] = value
        job = await self.bottega.in_session(
            self.person,
            lambda session: session.run_notebook(notebook, **settings, wait=False).name,
        )
        await self.finish(json.dumps({"job": job}))


class CollectHandler(BottegaHandler):
    """What a notebook job has left."""

    @authenticated
    @authorized
    async def post(self, job: str) -> None:
        """Bring it to the notebook's folder; answer ``{"notebook", "html"}``, their paths."""
        self.read_fields()
        in_session, person = self.bottega.in_session, self.person
        place = await in_session(person, lambda session: _folder_of(session, job))
        folder = await local_path(self, place, "write")
        found = await in_session(
            person, lambda session: _notebook_job(session, job).collect(folder)
        )
        notebook, html = (contents_path(self, path) for path in found)
        await self.finish(json.dumps({"notebook": notebook, "html": html}))


def _notebook_job(session: Session, job: str) -> Any:
    from bottega.sdk.notebook_job import NotebookJob

    return NotebookJob(session.client, job)


def _folder_of(session: Session, job: str) -> str:
    """Where the notebook was; the root for a job that was not started here."""
    environment: dict[str, str] = _notebook_job(session, job).describe().get("Environment", {})
    return environment.get(FOLDER_VARIABLE, "")


routes = [
    (r"/bottega/notebook-jobs", NotebookJobsHandler),
    (r"/bottega/notebook-jobs/([^/]+)/collect", CollectHandler),
]
