"""A Docker engine of the tests' own, with an image that has only this Python and a server."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bottega.compute.docker.engine import Engine, EngineUnavailable

IMAGE = "tests/answers:1"
SERVER = '''#!/bin/python3
"""The container contract in a few lines: the kind of server that people bring."""
import http.server, json, os, signal, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if body == "die":
            os._exit(9)
        if body == "refuse":
            self.answer(418, b"no tea")
        elif body == "who":
            found = {
                "interfaces": sorted(os.listdir("/sys/class/net")),
                "privileges": "NoNewPrivs:\\t1" in open("/proc/self/status").read(),
                "variable": os.environ.get("GREETING", ""),
                "own": sorted(n for n in os.environ if n.startswith("BOTTEGA_")),
                "writable": os.access("/opt/ml/model", os.W_OK),
                "type": self.headers["Content-Type"],
            }
            self.answer(200, json.dumps(found).encode(), "application/json")
        else:
            self.answer(200, (open("/opt/ml/model/answer").read() + ": " + body).encode())

    def log_message(self, *parts):
        pass

def end(*_):
    print("ending", flush=True)
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
print("serving", sys.argv[1:], flush=True)
http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()
'''


@pytest.fixture(scope="package")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine that runs as long as the tests do, without bridge networks, which would change the
    machine's."""
    if shutil.which("dockerd") is None:
        pytest.skip("no dockerd is installed (on Debian: apt-get install docker.io)")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Docker engine")
    folder = tmp_path_factory.mktemp("engine")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "dockerd",
                *("--host", f"unix://{folder}/s", "--pidfile", f"{folder}/pid"),
                *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
                *("--bridge", "none", "--iptables=false", "--ip6tables=false"),
                *("--ip-masq=false", "--storage-driver", "vfs"),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        engine = Engine(f"unix://{folder}/s")
        _await(engine, process, folder / "log")
        with engine.client(timeout=60) as client:
            client.import_image_from_data(_file_system(), *IMAGE.split(":"), changes=_CHANGES)
        yield engine
    finally:
        process.terminate()
        process.wait(30)
        # The engine leaves the network of containers that had the machine's mounted here.
        for network in (folder / "exec" / "netns").glob("*"):
            subprocess.run(["umount", network], capture_output=True, check=False)
        shutil.rmtree(folder / "data", ignore_errors=True)


_CHANGES = ["ENV PYTHONHOME=/", 'ENTRYPOINT ["/bin/python3", "/entry.py"]']


def _await(engine: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with engine.client() as client:
                client.ping()
                return
        except EngineUnavailable:
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.skip(f"dockerd does not run here: {log.read_text()[-500:]}")
            time.sleep(0.05)


def _file_system() -> bytes:
    """A tar with this interpreter, its standard library and the libraries that it is linked to."""
    stream = io.BytesIO()
    executable = os.path.realpath(sys.executable)
    library = sysconfig.get_paths()["stdlib"]
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.add(executable, "bin/python3")
        linked = {executable}
        linked.update(str(path) for path in Path(library, "lib-dynload").glob("*.so"))
        for path in _libraries(linked):
            tar.add(os.path.realpath(path), path.lstrip("/"))
        base = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"
        tar.add(library, base, filter=_wanted)
        data = SERVER.encode()
        member = tarfile.TarInfo("entry.py")
        member.size, member.mode = len(data), 0o755
        tar.addfile(member, io.BytesIO(data))
        for place in ("tmp", "proc", "sys", "dev", "etc", "opt/ml/model"):
            member = tarfile.TarInfo(place)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
    return stream.getvalue()


_PACKAGES = (
    "collections",
    "email",
    "encodings",
    "html",
    "http",
    "importlib",
    "json",
    "re",
    "urllib",
)


def _wanted(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    parts = member.name.split("/")[2:]
    if not parts or parts == ["lib-dynload"]:
        return member
    if parts[0] == "lib-dynload":
        return None if parts[1].startswith("_test") else member
    if len(parts) == 1:
        return (
            member
            if (member.isfile() and parts[0].endswith(".py")) or parts[0] in _PACKAGES
            else None
        )
    return member if parts[0] in _PACKAGES and "__pycache__" not in parts else None


def _libraries(files: set[str]) -> set[str]:
    found: set[str] = set()
    for file in files:
        listing = subprocess.run(["ldd", file], capture_output=True, text=True, check=False).stdout
        found.update(re.findall(r"(/\S+) \(0x", listing))
    return found
