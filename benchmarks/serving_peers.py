"""The other servers of ``serving.py``: the same XGBoost model behind each, and one request for it.

Each peer has a virtual environment of its own, which ``--install`` makes with pip; one that is not
there, or does not start, is left out, and the result says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_SECONDS = 180.0
Rows = Sequence[Sequence[float]]

BARE = """
import numpy as np, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession("model.onnx", options)
name = session.get_inputs()[0].name

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    status, answer = 200, b""
    if scope["method"] == "POST":
        lines = body.decode().splitlines()
        rows = np.array([line.split(",") for line in lines], dtype=np.float32)
        found = session.run(None, {name: rows})[0].ravel()
        answer = ("\\n".join(map(repr, found.tolist())) + "\\n").encode()
    headers = [(b"content-type", b"text/csv"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
"""
CONVERT = """
import xgboost
from onnxmltools.convert import convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType
booster = xgboost.Booster(model_file="model.ubj")
booster.feature_names = None
kind = [("rows", FloatTensorType([None, booster.num_features()]))]
with open("model.onnx", "wb") as file:
    file.write(convert_xgboost(booster, initial_types=kind).SerializeToString())
"""
_LOAD = """
import numpy as np, xgboost
booster = xgboost.Booster(model_file="{model}")
booster.set_param({{"nthread": 1}})

def predict(rows):
    return booster.inplace_predict(np.asarray(rows, dtype=np.float32)).tolist()
"""
LITSERVE = """
import litserve
from loaded import predict

class Model(litserve.LitAPI):
    def setup(self, device): pass
    def decode_request(self, request): return request["rows"]
    def predict(self, rows): return predict(rows)
    def encode_response(self, found): return {{"predictions": found}}

if __name__ == "__main__":
    litserve.LitServer(Model(), accelerator="cpu").run(
        host="127.0.0.1", port={port}, generate_client_file=False)
"""
BENTOML = """
import bentoml
from loaded import predict as of

@bentoml.service(workers=1)
class Model:
    @bentoml.api
    def predict(self, rows: list[list[float]]) -> list[float]:
        return of(rows)
"""
RAY = """
import time
from ray import serve
from loaded import predict

@serve.deployment(max_ongoing_requests=64)
class Model:
    async def __call__(self, request):
        return {{"predictions": predict((await request.json())["rows"])}}

serve.start(http_options={{"host": "127.0.0.1", "port": {port}}})
serve.run(Model.bind(), route_prefix="/predict")
while True:
    time.sleep(3600)
"""


@dataclass(frozen=True)
class Peer:
    """One server.

    Attributes:
        packages: what pip installs for it; empty means the environment of the benchmark.
        files: by name; ``{port}`` and ``{model}`` are put in.
        command: after the interpreter; ``{port}`` and ``{bin}`` are put in.
        path: of the request.
        body: its body, from the rows.
        prepare: a program that is run first.
        variables: of its environment.
    """

    name: str
    packages: Sequence[str]
    files: Mapping[str, str]
    command: Sequence[str]
    path: str
    body: Callable[[Rows], bytes]
    content_type: str = "application/json"
    prepare: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


def csv_body(rows: Rows) -> bytes:
    return "\n".join(",".join(map(repr, row)) for row in rows).encode()


def _rows_body(rows: Rows) -> bytes:
    return json.dumps({"rows": rows}).encode()


def _v2_body(rows: Rows) -> bytes:
    data = [number for row in rows for number in row]
    shape = [len(rows), len(rows[0])]
    tensor = {"name": "rows", "shape": shape, "datatype": "FP32", "data": data}
    return json.dumps({"inputs": [tensor]}).encode()


def _mlserver_files() -> Mapping[str, str]:
    model = {
        "name": "m",
        "implementation": "mlserver_xgboost.XGBoostModel",
        "parameters": {"uri": "./model.ubj"},
    }
    settings = {"parallel_workers": 0, "debug": False, "host": "127.0.0.1"}
    return {"model-settings.json": json.dumps(model), "settings.json": json.dumps(settings)}


PEERS = (
    Peer(
        "bare ASGI application, ONNX Runtime",
        ("uvicorn", "httptools", "uvloop", "onnxruntime", "onnxmltools", "onnx", "xgboost-cpu"),
        {"bare.py": BARE, "convert.py": CONVERT},
        ("-m", "uvicorn", "bare:app", "--port", "{port}", "--no-access-log", "--lifespan", "off"),
        "/",
        csv_body,
        "text/csv",
        prepare="convert.py",
    ),
    Peer(
        "mlflow models serve",
        (),
        {"save.py": "import mlflow.xgboost, xgboost\n"
         "booster = xgboost.Booster(model_file='model.ubj')\n"
         "mlflow.xgboost.save_model(booster, 'saved', model_format='ubj')\n"},
        ("-m", "mlflow", "models", "serve", "-m", "saved", "--env-manager", "local", "--port",
         "{port}"),
        "/invocations",
        lambda rows: json.dumps({"inputs": rows}).encode(),
        prepare="save.py",
        variables={"MLFLOW_DISABLE_TELEMETRY": "true"},
    ),
    Peer(
        "LitServe",
        ("litserve", "xgboost-cpu"),
        {"loaded.py": _LOAD, "serve.py": LITSERVE},
        ("serve.py",),
        "/predict",
        _rows_body,
    ),
    Peer(
        "MLServer",
        ("mlserver", "mlserver-xgboost"),
        _mlserver_files(),
        ("{bin}/mlserver", "start", "."),
        "/v2/models/m/infer",
        _v2_body,
        variables={"MLSERVER_HTTP_PORT": "{port}", "MLSERVER_GRPC_PORT": "0",
                   "MLSERVER_METRICS_PORT": "0"},
    ),
    Peer(
        "BentoML",
        ("bentoml", "xgboost-cpu"),
        {"loaded.py": _LOAD, "service.py": BENTOML},
        ("-m", "bentoml", "serve", "service:Model", "--host", "127.0.0.1", "--port", "{port}"),
        "/predict",
        _rows_body,
        variables={"BENTOML_DO_NOT_TRACK": "true"},
    ),
    Peer(
        "Ray Serve",
        ("ray[serve]", "xgboost-cpu"),
        {"loaded.py": _LOAD, "serve.py": RAY},
        ("serve.py",),
        "/predict",
        _rows_body,
        variables={"RAY_USAGE_STATS_ENABLED": "0"},
    ),
)  # fmt: skip


class Absent(Exception):
    """A peer cannot take part. The message says why."""


def environment_of(peer: Peer, folder: Path) -> Path:
    """Where a peer's virtual environment is."""
    return folder / peer.name.split()[0].lower()


def install(folder: Path) -> None:
    """Make the virtual environments that are not there."""
    for peer in PEERS:
        place = environment_of(peer, folder)
        done = place / "installed"
        if not peer.packages or done.exists():
            continue
        print(f"installing {peer.name} into {place}", file=sys.stderr)
        venv.create(place, with_pip=True, clear=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet"]
        found = subprocess.run([*pip, *peer.packages], capture_output=True, text=True)
        if found.returncode == 0:
            done.touch()
        else:
            print(found.stderr[-2000:], file=sys.stderr)


def interpreter(peer: Peer, folder: Path) -> Path:
    """The Python of a peer.

    Raises:
        Absent: it is not installed.
    """
    if not peer.packages:
        return Path(sys.executable)
    place = environment_of(peer, folder)
    if not (place / "installed").exists():
        raise Absent("it is not installed; --install does that")
    return place / "bin" / "python"


@dataclass(frozen=True)
class Target:
    """A server that answers."""

    port: int
    path: str
    content_type: str
    body: Callable[[Rows], bytes]

    def message(self, rows: Rows) -> bytes:
        """The request for some rows."""
        body = self.body(rows)
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Content-Type: {self.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@contextlib.contextmanager
def running(
    peer: Peer, environments: Path, model: Path, rows: Rows, core: int | None
) -> Iterator[Target]:
    """Start a peer over a model in its folder, kept to a core, until it has predicted.

    Raises:
        Absent: it is not installed, or does not start.
    """
    python = interpreter(peer, environments)
    folder = model.parent
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for name, text in peer.files.items():
        filled = text.format(port=port, model=model) if name in _WITH_PLACES else text
        (folder / name).write_text(filled)
    variables = {name: value.format(port=port) for name, value in peer.variables.items()}
    path = os.pathsep.join([str(python.parent), os.environ["PATH"]])
    env = {**os.environ, **variables, "PATH": path, "PYTHONPATH": str(folder)}
    if peer.prepare:
        found = subprocess.run(
            [str(python), peer.prepare], cwd=folder, env=env, capture_output=True, text=True
        )
        if found.returncode:
            raise Absent(f"{peer.prepare} failed: {found.stderr[-300:]}")
    command = [part.format(port=port, bin=python.parent) for part in peer.command]
    if not command[0].startswith("/"):
        command.insert(0, str(python))
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    log = folder / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=output, stderr=output, start_new_session=True
        )
    target = Target(port, peer.path, peer.content_type, peer.body)
    try:
        _wait_for(target, rows, process, log)
        yield target
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


_WITH_PLACES = frozenset({"loaded.py", "serve.py"})


def _wait_for(target: Target, rows: Rows, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    request = urllib.request.Request(
        f"http://127.0.0.1:{target.port}{target.path}",
        target.body(rows),
        {"Content-Type": target.content_type},
    )
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except (OSError, urllib.error.HTTPError) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                text = log.read_text(errors="replace")[-300:]
                raise Absent(f"it does not answer ({error}): {text}") from error
            time.sleep(0.2)
