"""A running tracker for tests: MLflow's real server, and the real proxy before it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

import uvicorn

from bottega.config import Config
from bottega.tracking.mlflow_rest import MlflowTracking
from bottega.tracking.process import TrackingProcess

TOKEN = "the-token-of-this-test"


@dataclass(frozen=True)
class Tracker:
    """A running tracker: the process, the adapter to it and the address of the proxy before it."""

    config: Config
    process: TrackingProcess
    tracking: MlflowTracking
    address: str

    def run_client(self, script: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script that uses the plain mlflow client, as a notebook of the user would."""
        return self.start_client(script).finish(check=check)

    def start_client(self, script: str) -> Client:
        """The same without waiting for its end."""
        home = str(self.config.home)
        environment = {"PATH": os.environ["PATH"], "HOME": home, "TMPDIR": home}
        return Client(
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-c", script],
                env=environment | dict(self.tracking.client_environment),
                cwd=home,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )


@dataclass(frozen=True)
class Client:
    """A script of a user that is running."""

    process: subprocess.Popen[str]

    def finish(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Wait for its end and, unless told otherwise, insist on its success."""
        out, err = self.process.communicate(timeout=150)
        if check:
            assert self.process.returncode == 0, err
        return subprocess.CompletedProcess(self.process.args, self.process.returncode, out, err)


class Listener:
    """An ASGI application on a port of this machine, in a thread."""

    def __init__(self, application: Any) -> None:
        config = uvicorn.Config(application, port=0, log_level="warning", ws="none")
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._socket.listen()  # from now on nobody is turned away: who comes early waits
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],))
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it listens, ``http://127.0.0.1:<port>``."""
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Answer what is being asked, then end."""
        self._server.should_exit = True
        self._thread.join(30)
        self._socket.close()
