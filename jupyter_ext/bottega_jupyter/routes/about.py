"""``GET /bottega/about``: which bottega this server has."""

from __future__ import annotations

import json

from jupyter_server.auth.decorator import authorized
from tornado.web import authenticated

import bottega
from bottega_jupyter.base import BottegaHandler


class AboutHandler(BottegaHandler):
    """What the About dialog shows."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer ``{"version", "home"}``."""
        facts = {"version": bottega.__version__, "home": str(self.bottega_config.home)}
        await self.finish(json.dumps(facts))


routes = [(r"/bottega/about", AboutHandler)]
