"""What the daemon process is made of: a studio, MLflow beside it, and the listener in front."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Self

import uvicorn

from bottega.config import Config
from bottega.credentials import Credentials
from bottega.daemon import kernels
from bottega.daemon.audit import AuditTrail
from bottega.daemon.listener import ASGIApp, Listener, build_app, server_settings
from bottega.serving.sockets import runtime_folder
from bottega.studio import Studio
from bottega.tracking.catalogue_rest import TrackingServerCatalogue
from bottega.tracking.changes import ChangeNotices
from bottega.tracking.component_metrics_rest import TrackingServerMetrics
from bottega.tracking.experiments_rest import TrackingServerExperiments
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.process import TrackingProcess
from bottega.tracking.proxy import TrackingProxy, token_check, tracking_proxy
from bottega.tracking.rest import PREFIX
from bottega.wire.core import Wire
from bottega.wire.s3 import S3Face

log = logging.getLogger(__name__)


@dataclass
class Service:
    """Everything that runs in the daemon, in the order it starts; closed in the opposite one."""

    studio: Studio
    proxy: TrackingProxy | None
    _opened: ExitStack

    @classmethod
    def open(cls, config: Config) -> Self:
        """Open the home. MLflow starts in the background and answers some seconds later.

        Args:
            config: with the port that is really listened on.
        """
        tracking = catalogue = component_metrics = experiments = proxy = None
        changes = ChangeNotices()
        with ExitStack() as opened:
            if config.tracking:
                credentials = Credentials.load(config)
                path = runtime_folder(config.home) / "mlflow.sock"
                tracker = TrackingProcess(config, path)
                tracker.start()
                opened.callback(tracker.stop)
                url = f"http://{config.host}:{config.port}"
                token = credentials.tracking_token
                tracking = MlflowTracking(
                    path, address=lambda: url, token=token, changed=changes.note
                )
                opened.callback(tracking.close)
                catalogue = TrackingServerCatalogue(path, changed=changes.note)
                opened.callback(catalogue.close)
                component_metrics = TrackingServerMetrics(path, changed=changes.note)
                opened.callback(component_metrics.close)
                experiments = TrackingServerExperiments(path, changed=changes.note)
                opened.callback(experiments.close)
                proxy = tracking_proxy(path, token_check(token), changes.note)
            studio = Studio.open(
                config,
                tracking=tracking,
                catalogue=catalogue,
                component_metrics=component_metrics,
                experiments=experiments,
            )
            opened.callback(studio.close)
            changes.tell(studio.ports.events)
            opened.callback(changes.close)
            audit = AuditTrail(config.home / "audit", studio.ports.events)
            opened.callback(audit.close)
            return cls(studio, proxy, opened.pop_all())

    async def serve(self, listener: socket.socket, is_ending: Callable[[], bool]) -> None:
        """Answer requests until the process is told to end by SIGTERM or SIGINT.

        Args:
            is_ending: whether it was told so before this could notice.
        """
        config = self.studio.ports.config
        wire = Wire(
            self.studio.registry,
            self.studio.ports,
            S3Face(self.studio.registry, self.studio.ports),
        )
        mounts: Mapping[str, ASGIApp] = {PREFIX: self.proxy} if self.proxy is not None else {}
        app: Listener = build_app(wire, mounts=mounts, config=config)
        self.studio.start()
        if config.preload:
            kernels.compile_in_background()
        settings: dict[str, Any] = server_settings(config)
        try:
            server = _Server(uvicorn.Config(app, **settings), self.studio, is_ending)
            await server.serve(sockets=[listener])
        finally:
            if self.proxy is not None:
                await self.proxy.aclose()

    def close(self) -> None:
        """End in good order: model servers go, training jobs stay, nothing acknowledged is lost."""
        with self._opened:
            self.studio.controllers.stop()
            # Before the model servers: what they are asked is to be asked again, not to fail.
            self.studio.asynchronous.close()
            if not self.studio.endpoints.stop_servers():
                log.warning("some model servers have not ended; the next start takes them up")
        log.info("stopped")


class _Server(uvicorn.Server):
    """uvicorn, which lets every request end before it stops: those that only wait for events end at
    once."""

    def __init__(
        self, config: uvicorn.Config, studio: Studio, is_ending: Callable[[], bool]
    ) -> None:
        super().__init__(config)
        self._studio = studio
        self._is_ending = is_ending

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # Signals come here from now on; one that came before would be waited for in vain.
        if self._is_ending():
            self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._studio.ports.event_log.close()
        await super().shutdown(sockets)
