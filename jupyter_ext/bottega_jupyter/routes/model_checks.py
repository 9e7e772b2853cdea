"""``POST /bottega/model-checks``: what would keep a model from being served."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

from bottega_jupyter.base import BottegaHandler

if TYPE_CHECKING:
    from bottega.sdk.session import Session


class ModelCheckHandler(BottegaHandler):
    """The model of a job, a run or a version, before it is deployed."""

    @authenticated
    @authorized
    async def post(self) -> None:
        """Answer ``{"Findings"}``, as CheckModel does."""
        fields = self.read_fields("job", "run", "version")
        kind = fields.one_of("job", "run", "version")
        what = fields.text(kind)
        findings = await self.bottega.in_session(
            self.person, lambda session: _check(session, kind, what)
        )
        await self.finish(json.dumps({"Findings": findings}))


def _check(session: Session, kind: str, what: str) -> list[dict[str, str]]:
    if kind == "job":
        return session.job(what).check()
    if kind == "run":
        return session.run(what).check()
    return session.model_version(what).check()


routes = [(r"/bottega/model-checks", ModelCheckHandler)]
