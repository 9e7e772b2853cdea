"""``POST /bottega/registrations``: put the model of a job into the registry."""

from __future__ import annotations

import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler


class RegistrationHandler(BottegaHandler):
    """The next version of a group, and the group where there is none of the name."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"version"}``: the ARN of the version."""
        fields = self.read_fields("job", "group", "description", "approved")
        job, group = fields.text("job"), fields.text("group")
        description = fields.optional_text("description") or ""
        approved = fields.flag("approved")
        version = await self.bottega.in_session(
            self.person,
            lambda session: session.job(job).register(
                group, description=description, approved=approved
            ),
        )
        await self.finish(json.dumps({"version": version.name}))


routes = [(r"/bottega/registrations", RegistrationHandler)]
