"""The server extension: puts the routes into the Jupyter server, and bottega into its kernels."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Unicode

from bottega.config import Config
from bottega_jupyter.kernels import KernelEnvironment
from bottega_jupyter.routes import all_routes
from bottega_jupyter.server import SETTING, BottegaServer


class BottegaApp(ExtensionApp):
    """Bottega as a Jupyter server extension."""

    name = "bottega"
    extension_url = "/lab"
    load_other_extensions = True
    description = "An open SageMaker inside Jupyter"

    home = Unicode(
        "", help="The folder that holds bottega's state; BOTTEGA_HOME or ~/.bottega when empty."
    ).tag(config=True)

    kernel_environment = Bool(
        True,
        help="Start every kernel with the environment of `bottega env`, so that AWS, SageMaker and "
        "MLflow clients in notebooks find bottega.",
    ).tag(config=True)

    _server: BottegaServer | None = None

    def initialize_settings(self) -> None:
        """Read the configuration of the home once; nothing is started yet."""
        server = BottegaServer(Config.load(self.home or None), self.log)
        self.settings[SETTING] = self._server = server
        if not self.kernel_environment:
            return
        jupyter = self.serverapp
        assert jupyter is not None
        if jupyter.gateway_config.gateway_enabled:
            self.log.info("kernels run at a gateway and do not get bottega's environment")
        else:
            KernelEnvironment(server, self.log).add_to(jupyter.kernel_manager)

    def initialize_handlers(self) -> None:
        """Name every route; each lies under ``/bottega``."""
        self.handlers.extend(all_routes())

    async def stop_extension(self) -> None:
        """Let go of connections and threads; the daemon goes on."""
        if self._server is not None:
            await self._server.close()
