"""MLflow's tracking server on a Unix socket.

``python -m bottega.tracking.server --home DIR --socket PATH`` serves MLflow's own application,
whole, with its pages and its API under ``/mlflow``. The daemon decides who may speak to it
(``bottega.tracking.proxy``); only its own user can open the socket.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from typing import Any, TextIO

PREFIX = "/mlflow"
"""The path that all of MLflow lies under."""

READY = "ready"
"""The one line on standard output, written when the socket answers."""

KEEP_ALIVE_SECONDS = 75
"""Longer than the proxy keeps an idle connection, so that no request meets a closing one."""

Message = MutableMapping[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]

_ARTIFACTS = tuple(f"{PREFIX}/{api}/2.0/mlflow-artifacts/artifacts/" for api in ("api", "ajax-api"))


def environment(home: Path, *, host: str = "127.0.0.1") -> dict[str, str]:
    """The variables MLflow's application reads while it is imported.

    Args:
        home: the home of bottega; MLflow's files are in its folder ``mlflow``.
        host: the address the daemon listens on, which browsers then name in their requests.
    """
    folder = home / "mlflow"
    return {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{folder / 'mlflow.db'}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": (folder / "artifacts").as_uri(),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_STATIC_PREFIX": PREFIX,
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(allowed_hosts(host)),
        # Jobs of MLflow's own would need a queue and workers beside this server.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # Nothing is reported to anybody.
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }


def allowed_hosts(host: str) -> list[str]:
    """The Host headers that MLflow answers to, as it wants them: shell patterns.

    A page of another site that has its own name resolved to this machine names that site, and is
    refused. Who lets the daemon listen on every address has clients under names nobody knows here.
    """
    if host in ("0.0.0.0", "::"):
        return ["*"]
    names = dict.fromkeys(["localhost", "127.0.0.1", "[::1]", f"[{host}]" if ":" in host else host])
    return [form for name in names for form in (name, f"{name.replace('[', '[[]', 1)}:*")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until a signal or, with ``--until-eof``, until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m bottega.tracking.server")
    parser.add_argument("--home", type=Path, required=True, help="the home of bottega")
    parser.add_argument("--socket", type=Path, required=True, help="the Unix socket to listen on")
    parser.add_argument("--host", default="127.0.0.1", help="the address the daemon listens on")
    parser.add_argument(
        "--until-eof",
        action="store_true",
        help="end when standard input does: when the process that holds its other end is gone",
    )
    options = parser.parse_args(arguments)
    home = options.home.resolve()

    os.umask(0o077)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # MLflow may print what it likes: standard output stays for the one line that is asked for.
    signals, sys.stdout = sys.stdout, sys.stderr
    end = _End()
    if options.until_eof:
        threading.Thread(target=end.await_eof, daemon=True, name="end-of-input").start()
    for name in [name for name in os.environ if "MLFLOW_" in name]:
        del os.environ[name]  # meant for the clients of some other tracker
    os.environ.update(environment(home, host=options.host))
    _serve(home, options.socket, signals, end)


def _serve(home: Path, path: Path, signals: TextIO, end: _End) -> None:
    import uvicorn

    from bottega.tracking import schema
    from bottega.tracking.store import indexes
    from bottega.tracking.store.entities import tables

    database = home / "mlflow" / "mlflow.db"
    schema.prepare(database)
    indexes.prepare(database)
    tables.prepare(database)
    from mlflow.server import handlers
    from mlflow.server.fastapi_app import app

    from bottega.tracking.store import indexed_store, routes
    from bottega.tracking.store.logging_way import logging_ways
    from bottega.tracking.store.search_way import search_way
    from bottega.tracking.store.short_ways import short_ways

    store = indexed_store.install()
    handlers.initialize_backend_stores(
        os.environ["_MLFLOW_SERVER_FILE_STORE"], None, "mlflow-artifacts:/"
    )

    hosts = os.environ["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    ways = {**logging_ways(lambda: store().writes), **search_way(store)}
    mlflow_app = short_ways(streaming_artifacts(app), PREFIX, hosts, ways)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                print(READY, file=signals, flush=True)

    server = Server(
        uvicorn.Config(
            beside(mlflow_app, routes.PREFIX, routes.routes(store)),
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=5,
        )
    )
    end.server = server
    with _listener(path) as listener:
        server.run(sockets=[listener])


def streaming_artifacts(app: Application) -> Application:
    """Lead artifact up- and downloads to the routes of MLflow that stream them.

    MLflow has those routes outside its own prefix only; under the prefix its Flask application
    answers and holds a whole file in memory.
    """

    async def streamed(scope: Message, receive: Any, send: Any) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] in ("GET", "PUT")
            and scope["path"].startswith(_ARTIFACTS)
        ):
            raw = scope["raw_path"].removeprefix(PREFIX.encode())
            scope = {**scope, "path": scope["path"].removeprefix(PREFIX), "raw_path": raw}
        await app(scope, receive, send)

    return streamed


def beside(app: Application, prefix: str, other: Application) -> Application:
    """One application, with another one for the paths that begin with a prefix."""

    async def chosen(scope: Message, receive: Any, send: Any) -> None:
        is_other = scope["type"] == "http" and scope["path"].startswith(prefix)
        await (other if is_other else app)(scope, receive, send)

    return chosen


class _End:
    """Ends the server when standard input ends."""

    server: Any = None

    def await_eof(self) -> None:
        while sys.stdin.buffer.read(4096):
            pass
        if self.server is None:
            os._exit(0)  # still starting: nothing has been accepted, and drafts are thrown away
        self.server.should_exit = True


def _listener(path: Path) -> socket.socket:
    """A socket that only this user can open, in the place of one that a dead server left."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(256)
    return listener


if __name__ == "__main__":
    main()
