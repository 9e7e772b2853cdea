"""An endpoint whose model is served by a program of the user's, with a network and without."""

from __future__ import annotations

import io
import tarfile

import pytest

from bottega.testing.hosting import HostingStudio

SERVE = """#!/usr/bin/env python3
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(os.environ["GREETING"].encode() + b" " + body)

port = int(os.environ["SAGEMAKER_BIND_TO_PORT"])
ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_an_endpoint_answers_by_the_program(hosting: HostingStudio, isolated: bool) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        member = tarfile.TarInfo("serve")
        member.size, member.mode = len(SERVE), 0o755
        tar.addfile(member, io.BytesIO(SERVE.encode()))
    ports = hosting.studio.ports
    ports.objects.put(ports.config.bucket, "serve.tar.gz", data.getvalue())
    name = f"program-{isolated}"
    hosting.call(
        "CreateModel",
        ModelName=name,
        EnableNetworkIsolation=isolated,
        PrimaryContainer={
            "Image": "python",
            "ModelDataUrl": f"s3://{ports.config.bucket}/serve.tar.gz",
            "Environment": {"GREETING": "hello"},
        },
    )
    assert hosting.ask("CheckModel", ModelName=name)["Findings"] == []
    hosting.config(name, name)
    hosting.call("CreateEndpoint", EndpointName=name, EndpointConfigName=name)
    hosting.wait(name, "InService")
    assert hosting.invoke(name, "you")["Body"] == b"hello you"
