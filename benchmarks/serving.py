"""Predictions over HTTP: bottega's public API with signatures, beside other model servers.

The same XGBoost model (200 trees of depth 6, 20 features) behind each of them, one after the other,
each with all its processes on one core, and the load generator (``serving_load.py``) on another
where there are two. bottega is called as boto3 calls it, InvokeEndpoint with a signature that is
verified every time; the others get plain requests. ``--install`` makes virtual environments for
the peers first; those that are not there are left out.

Run: ``python benchmarks/serving.py [--install] [--seconds 5] [--overload 60] [--quick]``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from invocations import TrainedModel, deploy, signed_request
from measurement import Ratio, Result, Table, finish, options, scratch
from serving_peers import PEERS, Absent, csv_body, install, running

from bottega.testing.daemon import TestDaemon, running_daemon

OURS = "bottega, InvokeEndpoint"
BARE = PEERS[0].name
FEATURES = 20
CONNECTIONS = (1, 8, 64)
ROWS = (1, 100)
OVERLOAD = 10
"""Times the connections with which a server is at its capacity."""

Found = dict[tuple[str, int, int], dict[str, Any]]
"""What a round found, by server, rows and connections."""


def train() -> TrainedModel:
    """A model of the size that the measurements of others use."""
    import numpy as np
    import xgboost

    rows = np.random.default_rng(7).normal(size=(5000, FEATURES)).astype(np.float32)
    target = rows[:, 0] * 3 - rows[:, 1] ** 2 + rows[:, 2] * rows[:, 3]
    parameters = {"max_depth": 6, "eta": 0.1, "nthread": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, target), 200)
    expected = float(booster.inplace_predict(rows[:1])[0])
    return TrainedModel(booster, [float(x) for x in rows[0]], expected)


def cores() -> tuple[int | None, int | None]:
    """One for the server and one for the generator; None where there is only one."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (usable[0], usable[1]) if len(usable) > 1 else (None, None)


def send(
    address: tuple[str, int], message: bytes, connections: int, seconds: float, core: int | None
) -> dict[str, Any]:
    """One round of the load generator."""
    orders = {
        "host": address[0],
        "port": address[1],
        "connections": connections,
        "message": b64encode(message).decode(),
        "warm": min(1.0, seconds / 4),
        "seconds": seconds,
        "core": core,
    }
    generator = Path(__file__).with_name("serving_load.py")
    found = subprocess.run(
        [sys.executable, str(generator)], input=json.dumps(orders), capture_output=True, text=True
    )
    if found.returncode:
        raise AssertionError(found.stderr)
    document: dict[str, Any] = json.loads(found.stdout)
    return document


@contextmanager
def bottega(folder: Path, model: TrainedModel, core: int | None) -> Iterator[TestDaemon]:
    """A daemon with the endpoint ``e``, all of its processes on one core."""
    before = os.sched_getaffinity(0) if core is not None else set()
    if core is not None:
        os.sched_setaffinity(0, {core})  # the daemon and what it starts inherit it
    try:
        with running_daemon(folder / "h", tracking=False) as daemon:
            if core is not None:
                os.sched_setaffinity(0, before)
            deploy(daemon, model, folder)
            await_compiled(daemon)
            yield daemon
    finally:
        if core is not None:
            os.sched_setaffinity(0, before)


def await_compiled(daemon: TestDaemon) -> None:
    """Wait for what the first daemon of an installation compiles once, in the background."""
    from bottega.algorithms.kernel_cache import KernelCache

    cache = KernelCache()
    for _ in range(1200):
        if cache.complete:
            return
        time.sleep(0.5)
    raise AssertionError(f"the kernels were not compiled; see {daemon.home}/daemon.log")


def check(answer: bytes, model: TrainedModel, way: str) -> None:
    """Every server must give plain xgboost's prediction, or there is nothing to compare."""
    # The tensor's own predictions come last in the answers of some.
    numbers = [float(x) for x in re.findall(rb"-?\d+\.\d+(?:e-?\d+)?", answer)]
    close = [x for x in numbers if abs(x - model.expected) < 1e-3 * max(1.0, abs(model.expected))]
    assert close, f"{way} answered {answer[:300]!r}, expected {model.expected}"


def ask(address: tuple[str, int], message: bytes) -> bytes:
    from invocations import RawClient

    client = RawClient(address, message)
    try:
        return client.ask()
    finally:
        client.close()


def measure_all(
    way: str,
    address: tuple[str, int],
    message: Callable[[int], bytes],
    model: TrainedModel,
    seconds: float,
    found: Found,
) -> None:
    """Every number of rows and connections for one server."""
    check(ask(address, message(1)), model, way)
    for rows in ROWS:
        for connections in CONNECTIONS:
            request = message(rows)
            found[way, rows, connections] = send(address, request, connections, seconds, cores()[1])


def overload(daemon: TestDaemon, address: tuple[str, int], message: bytes, seconds: float) -> Table:
    """Far more connections than the server needs, then as many as before."""
    connections = CONNECTIONS[-1]
    core = cores()[1]
    rows = {}
    for name, number, length in (
        ("before", connections, seconds / 4),
        ("overload", connections * OVERLOAD, seconds),
        ("after", connections, seconds / 4),
    ):
        answer = send(address, message, number, max(length, 0.5), core)
        refused = sum(n for status, n in answer["statuses"].items() if status != "200")
        rows[name] = (
            number, answer["rate"], refused / max(length, 0.5), answer["p99"], answer["broken"],
            resident_mib(daemon),
        )  # fmt: skip
    columns = (
        *("connections", "answered/s", "refused with 503/s", "p99 ms"),
        *("connections broken", "daemon's memory MiB"),
    )
    return Table("Overload of bottega, one row", columns, rows)


def resident_mib(daemon: TestDaemon) -> float:
    assert daemon.process is not None
    return float(psutil.Process(daemon.process.pid).memory_info().rss / 2**20)


def run(seconds: float, overload_seconds: float, environments: Path, quick: bool) -> Result:
    """Measure everything."""
    model = train()
    found: Found = {}
    notes: list[str] = []
    core = cores()[0]
    many = [model.row] * max(ROWS)
    with scratch() as folder:
        with bottega(folder, model, core) as daemon:
            address, _ = signed_request(daemon, b"")

            def ours(rows: int) -> bytes:
                return signed_request(daemon, csv_body(many[:rows]))[1]

            measure_all(OURS, address, ours, model, seconds, found)
            table = overload(daemon, address, ours(1), overload_seconds)
        for number, peer in enumerate(() if quick else PEERS):
            place = folder / f"p{number}"
            place.mkdir()
            model.booster.save_model(place / "model.ubj")
            try:
                with running(peer, environments, place / "model.ubj", many[:1], core) as target:
                    measure_all(
                        peer.name,
                        ("127.0.0.1", target.port),
                        lambda rows, target=target: target.message(many[:rows]),  # type: ignore[misc]
                        model,
                        seconds,
                        found,
                    )
            except Absent as error:
                notes.append(f"{peer.name} is left out: {error}.")
    return report(found, table, notes)


def report(found: Found, overloaded: Table, notes: Sequence[str]) -> Result:
    """The tables and the ratios."""
    ways = list(dict.fromkeys(way for way, _, _ in found))
    tables = [
        Table(
            f"{rows} row{'' if rows == 1 else 's'}, {n} connection{'' if n == 1 else 's'}",
            ("requests/s", "p50 ms", "p99 ms"),
            {
                way: [found[way, rows, n][key] for key in ("rate", "p50", "p99")]
                for way in ways
                if (way, rows, n) in found
            },
        )
        for rows in ROWS
        for n in CONNECTIONS
    ]
    ratios = []
    peers = [way for way in ways if way not in (OURS, BARE)]
    for rows in ROWS:
        for n in CONNECTIONS:
            load = f"requests a second, rows {rows}, connections {n}"
            own = found[OURS, rows, n]["rate"]
            if (BARE, rows, n) in found:
                ratios.append(Ratio(f"bottega / bare, {load}", own / found[BARE, rows, n]["rate"]))
            rates = {way: found[way, rows, n]["rate"] for way in peers if (way, rows, n) in found}
            if rates and max(rates.values()):
                best = max(rates, key=lambda way: rates[way])
                ratios.append(Ratio(f"bottega / {best} (the best peer), {load}", own / rates[best]))
    return Result(
        name="serving",
        title="Predictions over HTTP",
        method=(
            "An XGBoost model of 200 trees of depth 6 on 20 features. bottega is called with "
            "InvokeEndpoint, whose signature it verifies each time, and CSV; the bare application "
            "takes CSV, the others their JSON, without signatures. Each server is alone on one "
            "core with all its processes, the generator on another where there are two. Every "
            "connection sends its next request when it has the answer to the one before. In the "
            "overload there are ten times as many connections as in the largest load before."
        ),
        tables=[*tables, overloaded],
        ratios=ratios,
        packages=("mlflow", "xgboost", "uvloop", "httptools", "uvicorn"),
        notes=notes,
    )


def main() -> None:
    """Parse the arguments, measure, write."""
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="a round")
    parser.add_argument("--overload", type=float, default=60.0, help="seconds of overload")
    parser.add_argument("--install", action="store_true", help="make the peers' environments")
    parser.add_argument(
        "--peers",
        type=Path,
        default=Path.home() / ".cache" / "bottega" / "serving-peers",
        metavar="FOLDER",
        help="where the peers' environments are",
    )
    parser.add_argument("--quick", action="store_true", help="bottega alone, half a second a round")
    arguments = parser.parse_args()
    if arguments.install:
        install(arguments.peers)
    seconds = 0.5 if arguments.quick else arguments.seconds
    overload_seconds = 2.0 if arguments.quick else arguments.overload
    finish(run(seconds, overload_seconds, arguments.peers, arguments.quick), arguments.results)


if __name__ == "__main__":
    main()
