"""Programs of the user's that are the model server, behind the server's socket."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bottega.testing.model_servers import ServerProcess, ask, route_to

Start = Callable[..., ServerProcess]

SERVE = f"""#!{sys.executable}
import os, signal, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "text/x-own")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if body == b"die":
            os._exit(7)
        if body == b"refuse":
            return self.answer(422, b"refused by the program")
        model = open(os.path.join(os.environ["SM_MODEL_DIR"], "answer")).read()
        self.answer(200, model.encode() + b": " + body)

signal.signal(signal.SIGTERM, lambda *_: (print("told to stop", flush=True), os._exit(0)))
print("the program starts", flush=True)
port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def model_with(root: Path, program: str, *, folder: str = ".") -> Path:
    code = root / "model" / folder
    code.mkdir(parents=True)
    (root / "model" / "answer").write_text("mine")
    (code / "serve").write_text(program)
    (code / "serve").chmod(0o755)
    return root


@pytest.mark.parametrize("folder", [".", "code"])
def test_a_program_answers(servers: Start, tmp_path: Path, folder: str) -> None:
    server = servers("python", model_with(tmp_path, SERVE, folder=folder)).wait_ready()

    found = ask(route_to(server.socket), b"1,2").answer
    assert (found.status, found.body, found.content_type) == (200, b"mine: 1,2", "text/x-own")
    assert ask(route_to(server.socket), b"refuse").answer.status == 422

    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    assert "told to stop" in server.log
    assert not server.socket.exists()


def test_a_program_that_ends_ends_the_server(servers: Start, tmp_path: Path) -> None:
    server = servers("python", model_with(tmp_path, SERVE)).wait_ready()
    ask(route_to(server.socket), b"die")
    assert server.process.wait(30) == 7
    assert "ended with status 7" in server.log


def test_one_that_ends_well_has_failed_all_the_same(servers: Start, tmp_path: Path) -> None:
    server = servers("python", model_with(tmp_path, "#!/bin/sh\nexit 0\n"))
    assert server.process.wait(30) == 1


def test_one_without_an_interpreter_says_so(servers: Start, tmp_path: Path) -> None:
    server = servers("python", model_with(tmp_path, "#!/nowhere/python\n"))
    assert server.process.wait(30) == 1
    assert "cannot be started" in server.log


def test_a_built_in_algorithm_does_not_look_for_one(servers: Start, tmp_path: Path) -> None:
    server = servers("xgboost", model_with(tmp_path, SERVE))
    assert server.process.wait(60) == 1
    assert "the program starts" not in server.log
