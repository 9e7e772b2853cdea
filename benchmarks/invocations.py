"""How long one row takes from the client and back, and how many a second there are.

The same XGBoost model (trained on scikit-learn's diabetes data) is deployed behind InvokeEndpoint
of a real daemon and behind ``mlflow models serve``. The client is the same for both: a plain
socket that is kept open, one prepared HTTP request, one thread a connection. The daemon's request
is signed once; the daemon verifies the signature every time. Both take turns, so that they meet
the same machine, and their predictions are compared first.

Run: ``python benchmarks/invocations.py [--requests 1500] [--rounds 3]``.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, milliseconds, options, scratch

from bottega.serving.router import Invocation, Router
from bottega.serving.routing import (
    EndpointRoute,
    FleetRoute,
    InstanceRoute,
    RoutingTable,
    VariantRoute,
)
from bottega.testing.daemon import TestDaemon, running_daemon
from bottega.testing.model_servers import ServerProcess
from bottega.testing.requests import XGBOOST_IMAGE

CONNECTIONS = (1, 8)
PATIENCE_SECONDS = 120.0
DAEMON = "bottega, InvokeEndpoint"
ROUTER = "bottega, router and model server alone"
MLFLOW = "mlflow models serve"
BOTO3 = "bottega, boto3 as the client"


@dataclass
class Times:
    """What was measured of one way with one number of connections."""

    latencies: list[float] = field(default_factory=list)
    """Seconds, one a request."""
    rates: list[float] = field(default_factory=list)
    """Requests a second, one a round."""

    def row(self) -> list[float]:
        """p50 and p99 in milliseconds, and the best round's requests a second."""
        return [*milliseconds(self.latencies, 50, 99), max(self.rates)]


class RawClient:
    """Sends the same prepared bytes again and again over one connection."""

    def __init__(self, address: tuple[str, int], message: bytes) -> None:
        self._message = message
        self._socket = socket.create_connection(address)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self) -> bytes:
        """One request; returns the body of its answer."""
        self._socket.sendall(self._message)
        received = self._socket.recv(65536)
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(f"unexpected answer: {received[:500]!r}")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if length is None:  # it comes in chunks
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
            return body
        while len(body) < int(length[1]):
            body += self._more()
        return body

    def close(self) -> None:
        self._socket.close()

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise AssertionError("the server closed the connection")
        return data


def measure(connect: Callable[[], RawClient], connections: int, requests: int) -> Times:
    """Send ``requests`` over several connections at once."""
    clients = [connect() for _ in range(connections)]
    times = Times()
    barrier = threading.Barrier(connections + 1)

    def work(client: RawClient) -> None:
        own = []
        barrier.wait()
        for _ in range(requests // connections):
            started = time.perf_counter()
            client.ask()
            own.append(time.perf_counter() - started)
        times.latencies.extend(own)

    threads = [threading.Thread(target=work, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    times.rates.append(len(times.latencies) / (time.perf_counter() - started))
    for client in clients:
        client.close()
    return times


@dataclass(frozen=True)
class TrainedModel:
    """The model, one row to predict, and what plain xgboost says about it."""

    booster: Any
    row: list[float]
    expected: float


def train() -> TrainedModel:
    """A regression model of the size that people deploy: 100 trees of depth 6."""
    import xgboost
    from sklearn.datasets import load_diabetes

    rows, target = load_diabetes(return_X_y=True)
    parameters = {"objective": "reg:squarederror", "max_depth": 6, "eta": 0.1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, target), 100)
    expected = float(booster.inplace_predict(rows[:1])[0])
    return TrainedModel(booster, [float(x) for x in rows[0]], expected)


def csv_row(model: TrainedModel) -> bytes:
    return ",".join(repr(x) for x in model.row).encode()


def deploy(daemon: TestDaemon, model: TrainedModel, folder: Path) -> None:
    """Make the endpoint ``e`` through boto3, as a user does."""
    file = folder / "model.ubj"
    model.booster.save_model(file)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(file, arcname="xgboost-model")
    bucket = daemon.config.bucket
    daemon.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=archive.getvalue())
    sagemaker = daemon.client("sagemaker")
    container = {"Image": XGBOOST_IMAGE, "ModelDataUrl": f"s3://{bucket}/model.tar.gz"}
    sagemaker.create_model(
        ModelName="m", PrimaryContainer=container, ExecutionRoleArn=daemon.config.role_arn
    )
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while sagemaker.describe_endpoint(EndpointName="e")["EndpointStatus"] != "InService":
        if time.monotonic() > deadline:
            raise AssertionError(str(sagemaker.describe_endpoint(EndpointName="e")))
        time.sleep(0.02)


def signed_request(daemon: TestDaemon, body: bytes) -> tuple[tuple[str, int], bytes]:
    """The daemon's address and an InvokeEndpoint request, signed as botocore signs it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    values = daemon.environment()
    keys = Credentials(values["AWS_ACCESS_KEY_ID"], values["AWS_SECRET_ACCESS_KEY"])
    url = f"{daemon.url}/endpoints/e/invocations"
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "text/csv"})
    SigV4Auth(keys, "sagemaker", values["AWS_DEFAULT_REGION"]).add_auth(request)
    host = daemon.url.removeprefix("http://")
    message = http_request("/endpoints/e/invocations", host, body, dict(request.headers.items()))
    name, _, port = host.rpartition(":")
    return (name, int(port)), message


def http_request(path: str, host: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def mlflow_server(model: TrainedModel, folder: Path) -> Iterator[tuple[tuple[str, int], bytes]]:
    """``mlflow models serve`` of the model; gives its address and a request."""
    import mlflow.xgboost

    place = folder / "mlflow-model"
    mlflow.xgboost.save_model(model.booster, str(place), model_format="ubj")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(place)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "mlflow.log").open("wb") as log:
        # mlflow looks for uvicorn on the path, also when its interpreter's folder is not there.
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        process = subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PATH": path},
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/ping", process, folder / "mlflow.log")
        body = json.dumps({"inputs": [model.row]}).encode()
        headers = {"Content-Type": "application/json"}
        yield ("127.0.0.1", port), http_request("/invocations", f"127.0.0.1:{port}", body, headers)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(log.read_text()) from error
            time.sleep(0.1)


@contextmanager
def model_server(model: TrainedModel, folder: Path) -> Iterator[Path]:
    """One model server without a daemon; gives its socket."""
    (folder / "ml" / "model").mkdir(parents=True)
    model.booster.save_model(folder / "ml" / "model" / "model.ubj")
    (folder / "ml" / "model" / "model.ubj").rename(folder / "ml" / "model" / "xgboost-model")
    server = ServerProcess(folder, "xgboost", folder / "ml")
    try:
        yield server.wait_ready().socket
    finally:
        server.close()


def measure_router(path: Path, body: bytes, connections: int, requests: int) -> Times:
    """The data plane without listener, signature and registry: router to model server."""
    import uvloop

    table = RoutingTable()
    variant = VariantRoute("v", 1.0, (InstanceRoute("i", path),), "g", "s")
    table.put(EndpointRoute("e", (FleetRoute("c", 1.0, (variant,)),)))
    times = Times()

    async def run() -> None:
        router = Router(table, asyncio.get_running_loop())

        async def client() -> None:
            for _ in range(requests // connections):
                started = time.perf_counter()
                await router.invoke("e", Invocation(body, "text/csv"))
                times.latencies.append(time.perf_counter() - started)

        started = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(connections)))
        times.rates.append(len(times.latencies) / (time.perf_counter() - started))
        router.close()

    uvloop.run(run())
    return times


def measure_boto3(daemon: TestDaemon, body: bytes, requests: int) -> Times:
    """What a user's own loop sees, with the cost of boto3 itself."""
    client = daemon.client("sagemaker-runtime")
    times = Times()
    begun = time.perf_counter()
    for _ in range(requests):
        started = time.perf_counter()
        client.invoke_endpoint(EndpointName="e", Body=body, ContentType="text/csv")["Body"].read()
        times.latencies.append(time.perf_counter() - started)
    times.rates.append(requests / (time.perf_counter() - begun))
    return times


def run(requests: int, rounds: int) -> Result:
    """Measure everything."""
    model = train()
    body = csv_row(model)
    found: dict[tuple[str, int], Times] = {}

    def add(way: str, connections: int, times: Times) -> None:
        total = found.setdefault((way, connections), Times())
        total.latencies += times.latencies
        total.rates += times.rates

    with (
        scratch() as folder,
        running_daemon(folder / "h", tracking=False) as daemon,
        mlflow_server(model, folder) as (mlflow_address, mlflow_message),
        model_server(model, folder) as server_socket,
    ):
        deploy(daemon, model, folder)
        address, message = signed_request(daemon, body)
        ways = {
            DAEMON: lambda: RawClient(address, message),
            MLFLOW: lambda: RawClient(mlflow_address, mlflow_message),
        }
        check(ways, model)
        for _ in range(rounds):
            for connections in CONNECTIONS:
                for way, connect in ways.items():
                    measure(connect, connections, 20 * connections)
                    add(way, connections, measure(connect, connections, requests))
                add(ROUTER, connections, measure_router(server_socket, body, connections, requests))
            add(BOTO3, 1, measure_boto3(daemon, body, max(100, requests // 5)))
    return report(found)


def check(ways: Mapping[str, Callable[[], RawClient]], model: TrainedModel) -> None:
    """Both must give plain xgboost's prediction, or there is nothing to compare."""
    for way, connect in ways.items():
        client = connect()
        number = re.search(rb"-?\d+\.\d+(?:e-?\d+)?", client.ask())
        client.close()
        assert number is not None
        assert abs(float(number[0]) - model.expected) < 1e-3 * abs(model.expected), way


def report(found: Mapping[tuple[str, int], Times]) -> Result:
    """The tables and the ratios."""
    ratios = []
    for connections in CONNECTIONS:
        ours, theirs = found[DAEMON, connections].row(), found[MLFLOW, connections].row()
        load = f"with {connections} connection{'' if connections == 1 else 's'}"
        ratios += [
            Ratio(f"mlflow / bottega, p50 {load}", theirs[0] / ours[0]),
            Ratio(f"mlflow / bottega, p99 {load}", theirs[1] / ours[1]),
            Ratio(f"bottega / mlflow, requests a second {load}", ours[2] / theirs[2]),
        ]
    return Result(
        name="invocations",
        title="Single-row invocations",
        method=(
            "One row of ten features to an XGBoost model of 100 trees of depth 6. The client is a "
            "plain socket that is kept open, with one thread a connection; InvokeEndpoint is "
            "signed once and verified at every request; mlflow gets JSON inputs without any "
            "signature. Both take turns. Requests a second are those of the best round. Client "
            "and servers share the machine's cores."
        ),
        tables=[
            Table(
                f"{connections} connection{'' if connections == 1 else 's'}",
                ("p50 ms", "p99 ms", "requests/s"),
                {way: times.row() for (way, n), times in found.items() if n == connections},
            )
            for connections in CONNECTIONS
        ],
        ratios=ratios,
        packages=("mlflow", "xgboost", "uvloop", "httptools", "uvicorn"),
    )


def main() -> None:
    """Parse the arguments, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--requests", type=int, default=1500, help="a round and way")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    finish(run(arguments.requests, arguments.rounds), arguments.results)


if __name__ == "__main__":
    main()
