"""``POST /bottega/deployments``: put what a job or a run has made behind an endpoint."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler

if TYPE_CHECKING:
    from bottega.sdk.session import Session

DEFAULT_INSTANCE = "ml.m5.large"
MOST_INSTANCES = 100


class DeploymentHandler(BottegaHandler):
    """Model, configuration and endpoint in one go."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"endpoint"}`` as soon as it is being created."""
        fields = self.read_fields("job", "run", "name", "instance_type", "instance_count")
        kind = fields.one_of("job", "run")
        what = fields.text(kind)
        settings = {
            "name": fields.text("name"),
            "instance_type": fields.optional_text("instance_type") or DEFAULT_INSTANCE,
            "instance_count": fields.number("instance_count", 1, most=MOST_INSTANCES),
        }
        endpoint = await self.bottega.in_session(
            self.person, lambda session: _deploy(session, kind, what, settings)
        )
        await self.finish(json.dumps({"endpoint": endpoint}))


def _deploy(session: Session, kind: str, what: str, settings: dict[str, Any]) -> str:
    made = session.job(what) if kind == "job" else session.run(what)
    return made.deploy(**settings, wait=False).name


routes = [(r"/bottega/deployments", DeploymentHandler)]
