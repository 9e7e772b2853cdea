"""The server extension: puts the routes into the Jupyter server."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp
from traitlets import Unicode

from bottega.config import Config
from bottega_jupyter.base import CONFIG_SETTING
from bottega_jupyter.routes import about


class BottegaApp(ExtensionApp):
    """Bottega as a Jupyter server extension."""

    name = "bottega"
    extension_url = "/lab"
    load_other_extensions = True
    description = "An open SageMaker inside Jupyter"

    home = Unicode(
        "", help="The folder that holds bottega's state; BOTTEGA_HOME or ~/.bottega when empty."
    ).tag(config=True)

    def initialize_settings(self) -> None:
        """Read the configuration of the home once, for all routes."""
        self.settings[CONFIG_SETTING] = Config.load(self.home or None)

    def initialize_handlers(self) -> None:
        """Name every route; each lies under ``/bottega``."""
        self.handlers.extend(about.routes)
