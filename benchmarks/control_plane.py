"""Operations per second and latency of the control plane, beside moto's server.

Both servers run all the time and take turns of about a second, so that they meet the same machine.
The calls are made by unmodified boto3 clients in processes of their own, one for each core at most,
with the clients spread over them as threads: the interpreter lock of one process would be measured
otherwise. boto3 itself needs about as long for a call as the servers do, so the CPU time that the
server spends on a call is shown too; it says more about the server than the rate does.

bottega validates, authenticates, writes its audit trail and flushes what it is told to the disk
before it answers; moto keeps everything in memory and checks no signatures.

Run: ``python benchmarks/control_plane.py [--seconds 1] [--turns 2] [--models 1000]``.
"""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
from measurement import Ratio, Result, Table, finish, milliseconds, options, scratch

from bottega.testing.daemon import running_daemon

OPERATIONS = ("ListModels", "DescribeModel", "CreateModel")
"""In this order, so that listings are of as many models as were asked for."""
PAGE = 100
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::000000000000:role/BottegaExecutionRole"
START_SECONDS = 60.0

Environment = Mapping[str, str]


@dataclass(frozen=True)
class Server:
    """One of the two."""

    name: str
    environment: Environment
    """What leads a client to it."""
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Spent so far, by its children too."""
        everyone = [self.process, *self.process.children(recursive=True)]
        return sum(sum(process.cpu_times()[:2]) for process in everyone)


@dataclass
class Tally:
    """What the turns of one server at one operation gave."""

    seconds: float = 0.0
    cpu: float = 0.0
    times: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds


_clients: dict[str, Any] = {}
"""Of this worker process, by the server's address."""


def client(environment: Environment) -> Any:
    """A boto3 client that is made once in each process; it may be shared between threads."""
    import boto3
    from botocore.config import Config

    url = environment["AWS_ENDPOINT_URL"]
    if url not in _clients:
        _clients[url] = boto3.client(
            "sagemaker",
            endpoint_url=url,
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name="us-east-1",
            config=Config(max_pool_connections=32, retries={"max_attempts": 0}),
        )
    return _clients[url]


def calls(sagemaker: Any, operation: str, models: int) -> Callable[[int], Any]:
    """The call to make, given its number."""
    if operation == "ListModels":
        return lambda number: sagemaker.list_models(MaxResults=PAGE)
    if operation == "DescribeModel":
        return lambda number: sagemaker.describe_model(ModelName=f"model-{number * 7 % models}")
    prefix = f"new-{uuid.uuid4().hex[:12]}"
    return lambda number: create(sagemaker, f"{prefix}-{number}")


def create(sagemaker: Any, name: str) -> None:
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": IMAGE})


def fill(environment: Environment, models: int) -> None:
    """Create the models there are to be listed."""
    for number in range(models):
        create(client(environment), f"model-{number}")


def turn(
    environment: Environment, operation: str, models: int, threads: int, start: float, end: float
) -> list[float]:
    """Call again and again from several threads; returns how long each call took.

    Args:
        start: when to begin, and ``end`` when to begin no more calls, both monotonic.
    """
    call = calls(client(environment), operation, models)
    numbers = itertools.count()
    gathered: list[list[float]] = [[] for _ in range(threads)]

    def work(times: list[float]) -> None:
        time.sleep(max(0.0, start - time.monotonic()))
        while (began := time.monotonic()) < end:
            call(next(numbers))
            times.append(time.monotonic() - began)

    workers = [threading.Thread(target=work, args=(times,)) for times in gathered]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return [took for times in gathered for took in times]


def measure(
    pool: ProcessPoolExecutor,
    server: Server,
    operation: str,
    models: int,
    clients: int,
    seconds: float,
    tally: Tally,
) -> None:
    """One turn of one server."""
    processes = min(clients, os.cpu_count() or 1)
    shares = [clients // processes + (n < clients % processes) for n in range(processes)]
    start = time.monotonic() + 0.1
    spent = server.cpu_seconds()
    jobs = [
        pool.submit(turn, server.environment, operation, models, share, start, start + seconds)
        for share in shares
    ]
    for job in jobs:
        tally.times += job.result()
    tally.seconds += time.monotonic() - start
    tally.cpu += server.cpu_seconds() - spent


@contextmanager
def bottega_server(folder: Path) -> Iterator[Server]:
    with running_daemon(folder / "h", tracking=False, preload=False) as daemon:
        assert daemon.process is not None
        yield Server("bottega", daemon.environment(), psutil.Process(daemon.process.pid))


@contextmanager
def moto_server() -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(port, process)
        environment = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
        }
        yield Server("moto", environment, psutil.Process(process.pid))
    finally:
        process.terminate()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("moto's server does not come up; is moto[server] installed?")


def run(
    folder: Path, *, clients: Sequence[int], seconds: float, turns: int, models: int
) -> dict[tuple[str, int, str], Tally]:
    """Measure everything: tallies by operation, number of clients and server."""
    tallies: dict[tuple[str, int, str], Tally] = {}
    with ExitStack() as stack:
        servers = [
            stack.enter_context(bottega_server(folder)),
            stack.enter_context(moto_server()),
        ]
        pool = stack.enter_context(
            ProcessPoolExecutor(os.cpu_count() or 1, mp_context=get_context("spawn"))
        )
        for filling in [pool.submit(fill, server.environment, models) for server in servers]:
            filling.result()
        for operation, count in itertools.product(OPERATIONS, clients):
            for number in range(turns + 1):
                for server in servers[:: 1 if number % 2 else -1]:
                    # The first turn only brings connections and caches up.
                    tally = tallies.setdefault((operation, count, server.name), Tally())
                    kept = tally if number else Tally()
                    length = seconds if number else seconds / 4
                    measure(pool, server, operation, models, count, length, kept)
    return tallies


def result(
    tallies: Mapping[tuple[str, int, str], Tally], *, clients: Sequence[int], models: int
) -> Result:
    tables, ratios = [], []
    for count in clients:
        rows: dict[str, list[float | None]] = {}
        for operation in OPERATIONS:
            ours, theirs = tallies[operation, count, "bottega"], tallies[operation, count, "moto"]
            for name, tally in (("bottega", ours), ("moto", theirs)):
                rows[f"{operation}, {name}"] = [
                    tally.rate,
                    *milliseconds(tally.times, 50, 99),
                    tally.cpu / len(tally.times) * 1000,
                ]
            plural = "client" if count == 1 else "clients"
            ratios.append(
                Ratio(
                    f"{operation} calls a second beside moto, {count} {plural}",
                    ours.rate / theirs.rate,
                )
            )
        title = "One client" if count == 1 else f"{count} clients at once"
        columns = ["calls/s", "p50 ms", "p99 ms", "server CPU ms/call"]
        tables.append(Table(title, columns, rows))
    return Result(
        name="control_plane",
        title="Control-plane calls",
        method=(
            f"boto3 against a daemon and against `moto_server`, both with {models:,} models; "
            f"ListModels asks for {PAGE}. Clients are threads in at most one process a core, since "
            "boto3 needs about as long for a call as the servers; on a machine with few cores they "
            "compete with the server, and the server's own CPU time says most. bottega checks "
            "signatures and every constraint, audits, and flushes each creation to the disk; moto "
            "keeps its models in memory and checks no signatures. The daemon runs without MLflow "
            "and without its fork server, which have no part in these calls."
        ),
        tables=tables,
        ratios=ratios,
        packages=["boto3", "moto", "uvicorn", "sqlalchemy"],
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    chosen = parser.parse_args()
    with scratch() as folder:
        tallies = run(
            folder,
            clients=chosen.clients,
            seconds=chosen.seconds,
            turns=chosen.turns,
            models=chosen.models,
        )
    finish(result(tallies, clients=chosen.clients, models=chosen.models), chosen.results)


if __name__ == "__main__":
    main()
