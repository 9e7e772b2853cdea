"""Finding runs among many, beside plain MLflow over the same database.

Both have one experiment of many runs in an SQLite file, written straight into the tables that
MLflow's migrations made (`tracking_store.py`). One copy is in a home of bottega's, whose tracking
server adds its indexes when it starts; the other is served by `mlflow server` as it comes. Three
first pages are asked for: the newest runs, those best in one metric, and those that pass a filter
on a metric and a parameter.

Before every call a tag of a run is set, and every call asks for another metric or bound, so that
nobody answers from memory.

Run: ``python benchmarks/tracking.py [--runs 100000] [--rounds 20] [--patience 60]``.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import urllib3
from measurement import Ratio, Result, Table, finish, milliseconds, options, scratch
from tracking_store import DEPTHS, EXPERIMENT, METRICS, fill

import bottega
from bottega.errors import ServiceUnavailable
from bottega.sdk.session import Session
from bottega.testing.daemon import eventually, running_daemon

PAGE = 50
QUERIES = ("newest", "sort by a metric", "filter by metric and parameter")
OPERATION, OURS, PLAIN = (
    "bottega, SearchRuns",
    "bottega, mlflow client",
    "plain MLflow, mlflow client",
)
WAYS = (OPERATION, OURS, PLAIN)
TAG = "touched"
START_SECONDS = 120.0


@dataclass
class Tally:
    """What the calls of one way to ask one query took."""

    times: list[float] = field(default_factory=list)
    gave_up: bool = False
    """Whether the last one was broken off."""


def question(query: str, number: int) -> tuple[str, str]:
    """(filter, order) of one round; no two rounds of a run ask the same."""
    if query == "newest":
        return "", "attributes.start_time"
    if query == "sort by a metric":
        return "", f"metrics.metric_{number % METRICS}"
    bound = 0.8 + number / 1000
    return (
        f"metrics.metric_{number % METRICS} > {bound} and params.depth = '{number % DEPTHS}'",
        "attributes.start_time",
    )


def searching(session: Session) -> Callable[[str, str], int]:
    """Asks our operation; returns how many runs came."""

    def search(text: str, order: str) -> int:
        request = {"ExperimentIds": [EXPERIMENT], "MaxResults": PAGE, "Filter": text}
        answer = session.client.call("bottega", "SearchRuns", {**request, "SortBy": order})
        return len(answer["Runs"])

    return search


class PlainClient:
    """An mlflow client of one server, which has a run to be changed."""

    def __init__(self, uri: str, run_id: str) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=uri)
        self._run_id = run_id

    def search(self, text: str, order: str) -> int:
        """Ask for the first page; returns how many runs came."""
        found = self._client.search_runs(
            [EXPERIMENT], filter_string=text, max_results=PAGE, order_by=[f"{order} DESC"]
        )
        return len(found)

    def touch(self, number: int) -> None:
        """Change something, so that no answer is still true for certain."""
        self._client.set_tag(self._run_id, TAG, str(number))


@contextmanager
def plain_server(database: Path, log: Path) -> Iterator[str]:
    """`mlflow server` over a database; gives its address. Whatever it computes ends with it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("ab") as output:
        process = psutil.Popen(
            [
                *(sys.executable, "-m", "mlflow", "server", "--workers", "1"),
                *("--backend-store-uri", f"sqlite:///{database}"),
                *("--default-artifact-root", str(database.parent / "artifacts")),
                *("--host", "127.0.0.1", "--port", str(port)),
            ],
            stdout=output,
            stderr=output,
        )
    uri = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        if process.poll() is not None:
            raise SystemExit(f"mlflow server ended:\n{log.read_text()}")
        try:
            return urllib3.request("GET", f"{uri}/health", retries=False, timeout=5).status == 200
        except urllib3.exceptions.HTTPError:
            return False

    try:
        eventually(answers, "mlflow server answers", START_SECONDS)
        yield uri
    finally:
        everyone = [*process.children(recursive=True), process]
        for one in everyone:
            one.kill()
        psutil.wait_procs(everyone)


def measure(
    search: Callable[[str, str], int],
    touch: Callable[[int], None],
    query: str,
    rounds: int,
    patience: float,
) -> Tally:
    """Ask one query again and again; until a call is broken off, or all have taken too long."""
    tally = Tally()
    for number in range(rounds):
        touch(number)
        began = time.monotonic()
        try:
            found = search(*question(query, number))
        except Exception as error:
            took = time.monotonic() - began
            if took < patience * 0.9:
                raise SystemExit(f"{query} failed after {took:.1f} s: {error}") from error
            tally.times.append(took)
            tally.gave_up = True
            return tally
        tally.times.append(time.monotonic() - began)
        assert 0 < found <= PAGE
        if sum(tally.times) > patience:
            break
    return tally


@contextmanager
def our_studio(home: Path, database: Path) -> Iterator[tuple[Session, Mapping[str, str], float]]:
    """A daemon over a copy of the database: (session, what leads a client to it, start in s)."""
    (home / "mlflow").mkdir(parents=True, mode=0o700)
    shutil.copy(database, home / "mlflow" / "mlflow.db")
    began = time.monotonic()
    with running_daemon(home, preload=False) as daemon:
        session = bottega.connect(home, preload=False)

        def ready() -> bool:
            try:
                searching(session)("", "attributes.start_time")
            except ServiceUnavailable:
                return False
            return True

        eventually(ready, "our tracking server answers", START_SECONDS)
        yield session, daemon.environment(), time.monotonic() - began


def run(
    folder: Path, *, runs: int, rounds: int, patience: float
) -> tuple[dict[tuple[str, str], Tally], float]:
    """Measure everything: tallies by query and way, and how long our first start took."""
    database = folder / "mlflow.db"
    first = fill(database, runs)
    tallies: dict[tuple[str, str], Tally] = {}
    with our_studio(folder / "h", database) as (session, environment, start):
        os.environ["MLFLOW_TRACKING_TOKEN"] = environment["MLFLOW_TRACKING_TOKEN"]
        client = PlainClient(environment["MLFLOW_TRACKING_URI"], first)
        for way, search in ((OPERATION, searching(session)), (OURS, client.search)):
            for query in QUERIES:
                tallies[query, way] = measure(search, client.touch, query, rounds, patience)
    for query in QUERIES:
        # One server for each query: a worker that still computes a call that was given up would
        # be in the way of the next one.
        with plain_server(database, folder / "plain.log") as uri:
            client = PlainClient(uri, first)
            tallies[query, PLAIN] = measure(client.search, client.touch, query, rounds, patience)
    return tallies, start


def result(
    tallies: Mapping[tuple[str, str], Tally], start: float, *, runs: int, patience: float
) -> Result:
    rows: dict[str, list[float | None]] = {}
    ratios, notes = [], []
    for query in QUERIES:
        for way in WAYS:
            tally = tallies[query, way]
            first = tally.times[0] * 1000
            rows[f"{query}, {way}"] = [*milliseconds(tally.times, 50, 95), first, len(tally.times)]
            if tally.gave_up:
                notes.append(
                    f"{query}, {way}: more than that; the last call was broken off after"
                    f" {patience:.0f} s."
                )
        theirs, ours = tallies[query, PLAIN], tallies[query, OURS]
        more = "at least; " if theirs.gave_up else ""
        ratio = milliseconds(theirs.times, 50)[0] / milliseconds(ours.times, 50)[0]
        ratios.append(Ratio(f"{more}plain MLflow / bottega, the same client, p50: {query}", ratio))
    notes.append(f"The first start of our daemon, with making the indexes, took {start:.1f} s.")
    return Result(
        name="tracking",
        title="Finding runs",
        method=(
            f"The first page of {PAGE} runs out of {runs:,} runs of one experiment, each with"
            f" {METRICS} metrics, 5 parameters and 3 tags, in SQLite. The same `MlflowClient` asks"
            " bottega's tracking server, through the daemon's proxy, and `mlflow server` over a"
            " copy of the database; SearchRuns is the operation behind the grid, which also counts"
            " all runs that match. Every call asks for another metric or bound, and a tag is set"
            " before it, so that no answer and no count is remembered."
        ),
        tables=[Table("First pages", ["p50 ms", "p95 ms", "first ms", "calls"], rows)],
        ratios=ratios,
        packages=["mlflow", "sqlalchemy"],
        notes=notes,
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--patience", type=float, default=60.0, help="seconds given to one query of one server"
    )
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    # Read by the mlflow client: how long a call may take, and that it is made once.
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(round(chosen.patience))
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    with scratch() as folder:
        tallies, start = run(
            folder, runs=chosen.runs, rounds=chosen.rounds, patience=chosen.patience
        )
    finish(result(tallies, start, runs=chosen.runs, patience=chosen.patience), chosen.results)


if __name__ == "__main__":
    main()
