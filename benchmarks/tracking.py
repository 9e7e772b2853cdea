"""Finding runs among many, and writing metrics, beside plain MLflow; and Search over many jobs.

Both have one experiment of many runs in an SQLite file, written straight into the tables that
MLflow's migrations made (`tracking_store.py`). One copy is in a home of bottega's, whose tracking
server adds its indexes when it starts; the other is served by `mlflow server` as it comes. Three
first pages are asked for: the newest runs, those best in one metric, and those that pass a filter
on a metric and a parameter.

Before every call a tag of a run is set, and every call asks for another metric or bound, so that
nobody answers from memory.

Then eight writers log metrics as fast as they can, by the mlflow client to both and by
BatchPutMetrics to bottega; the points are counted in the database afterwards. The same home has as
many training jobs in its store, which Search is asked for in the same three ways; before every call
a tag of a job is changed.

Run: ``python benchmarks/tracking.py [--runs 100000] [--rounds 20] [--patience 45] [--seconds 8]``.
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
import tracking_jobs
import urllib3
from measurement import Ratio, Result, Table, finish, milliseconds, options, scratch
from tracking_ingestion import PER_LOG_BATCH, PER_PUT, WRITERS, Ingestion, Way, ingest
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
SEARCH = "bottega, Search over training jobs"
PUT = "bottega, BatchPutMetrics"
TAG = "touched"
START_SECONDS = 300.0


@dataclass
class Tally:
    """What the calls of one way to ask one query took."""

    times: list[float] = field(default_factory=list)
    gave_up: bool = False
    """Whether the last one was broken off."""


@dataclass
class Measured:
    """Everything that one run of this script measures."""

    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    """By query and way."""
    ingestions: dict[str, Ingestion] = field(default_factory=dict)
    """By way."""
    start: float = 0.0
    """Seconds that our first start took."""
    first_search: float = 0.0
    """Seconds of the first Search, which reads the times of all jobs."""
    first_filter: float = 0.0
    """Seconds of the first one by a metric and a hyperparameter, which reads those of all jobs."""


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

    def new_runs(self, experiment_name: str) -> list[str]:
        """A run for each writer, in an experiment of their own."""
        experiment = self._client.create_experiment(experiment_name)
        return [self._client.create_run(experiment).info.run_id for _ in range(WRITERS)]


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
    search: Callable[[str, int], int],
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
            found = search(query, number)
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


def asking(search: Callable[[str, str], int]) -> Callable[[str, int], int]:
    """Asks the questions about runs."""
    return lambda query, number: search(*question(query, number))


def asking_for_jobs(session: Session) -> Callable[[str, int], int]:
    """Asks the questions about training jobs."""

    def search(query: str, number: int) -> int:
        request = tracking_jobs.question(query, number)
        return len(session.client.call("sagemaker", "Search", request)["Results"])

    return search


@contextmanager
def our_studio(
    home: Path, database: Path, jobs: int
) -> Iterator[tuple[Session, Mapping[str, str], float]]:
    """A daemon over a copy of the database: (session, what leads a client to it, start in s)."""
    tracking_jobs.fill(home, jobs)
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


def run(folder: Path, *, runs: int, rounds: int, patience: float, seconds: float) -> Measured:
    """Measure everything."""
    database = folder / "mlflow.db"
    first = fill(database, runs)
    measured = Measured()
    home = folder / "h"
    with our_studio(home, database, runs) as (session, environment, measured.start):
        os.environ["MLFLOW_TRACKING_TOKEN"] = environment["MLFLOW_TRACKING_TOKEN"]
        client = PlainClient(environment["MLFLOW_TRACKING_URI"], first)
        for way, search in ((OPERATION, searching(session)), (OURS, client.search)):
            for query in QUERIES:
                measured.tallies[query, way] = measure(
                    asking(search), client.touch, query, rounds, patience
                )
        _measure_jobs(session, measured, rounds, patience)
        ours = home / "mlflow" / "mlflow.db"
        kinds: tuple[tuple[str, Way], ...] = ((OURS, "mlflow"), (PUT, "put"))
        for way, kind in kinds:
            measured.ingestions[way] = ingest(
                kind, environment, client.new_runs(way), ours, seconds
            )
    for query in QUERIES:
        # One server for each query: a worker that still computes a call that was given up would
        # be in the way of the next one.
        with plain_server(database, folder / "plain.log") as uri:
            client = PlainClient(uri, first)
            measured.tallies[query, PLAIN] = measure(
                asking(client.search), client.touch, query, rounds, patience
            )
    with plain_server(database, folder / "plain.log") as uri:
        client = PlainClient(uri, first)
        plain = {"MLFLOW_TRACKING_URI": uri}
        measured.ingestions[PLAIN] = ingest(
            "mlflow", plain, client.new_runs(PLAIN), database, seconds
        )
    return measured


def _measure_jobs(session: Session, measured: Measured, rounds: int, patience: float) -> None:
    search = asking_for_jobs(session)
    began = time.monotonic()
    search("newest", 0)
    measured.first_search = time.monotonic() - began
    search("filter by metric and parameter", 0)
    measured.first_filter = time.monotonic() - began - measured.first_search
    found = tracking_jobs.arn(0)

    def touch(number: int) -> None:
        tags = [{"Key": TAG, "Value": str(number)}]
        session.client.call("sagemaker", "AddTags", {"ResourceArn": found, "Tags": tags})

    for query in QUERIES:
        measured.tallies[query, SEARCH] = measure(search, touch, query, rounds, patience)


def _pages(measured: Measured, patience: float) -> tuple[Table, list[Ratio], list[str]]:
    rows: dict[str, list[float | None]] = {}
    ratios, notes = [], []
    for query in QUERIES:
        for way in (*WAYS, SEARCH):
            tally = measured.tallies[query, way]
            first = tally.times[0] * 1000
            rows[f"{query}, {way}"] = [*milliseconds(tally.times, 50, 95), first, len(tally.times)]
            if tally.gave_up:
                notes.append(
                    f"{query}, {way}: more than that; the last call was broken off after"
                    f" {patience:.0f} s."
                )
        theirs, ours = measured.tallies[query, PLAIN], measured.tallies[query, OURS]
        more = "at least; " if theirs.gave_up else ""
        ratio = milliseconds(theirs.times, 50)[0] / milliseconds(ours.times, 50)[0]
        ratios.append(Ratio(f"{more}plain MLflow / bottega, the same client, p50: {query}", ratio))
    return Table("First pages", ["p50 ms", "p95 ms", "first ms", "calls"], rows), ratios, notes


def _writing(measured: Measured) -> tuple[Table, list[Ratio]]:
    rows: dict[str, list[float | None]] = {
        way: [found.rate, found.calls, found.lost, found.client_cpu]
        for way, found in measured.ingestions.items()
    }
    columns = ["points/s", "calls/s", "lost points", "cores of the writers"]
    ratio = measured.ingestions[OURS].rate / measured.ingestions[PLAIN].rate
    return Table("Metric points", columns, rows), [
        Ratio("bottega / plain MLflow, the same client, points a second", ratio)
    ]


def result(measured: Measured, *, runs: int, patience: float) -> Result:
    pages, ratios, notes = _pages(measured, patience)
    writing, more = _writing(measured)
    notes.append(
        f"The first start of our daemon, with making the indexes, took {measured.start:.1f} s; the"
        f" first Search, which reads the times of all jobs, {measured.first_search:.1f} s;"
        " the first one by a metric and a hyperparameter, which reads all of those,"
        f" {measured.first_filter:.1f} s."
    )
    return Result(
        name="tracking",
        title="Finding runs, writing metrics",
        method=(
            f"The first page of {PAGE} runs out of {runs:,} runs of one experiment, each with"
            f" {METRICS} metrics, 5 parameters and 3 tags, in SQLite. The same `MlflowClient` asks"
            " bottega's tracking server, through the daemon's proxy, and `mlflow server` over a"
            " copy of the database; SearchRuns is the operation behind the grid, which also counts"
            " all runs that match. Every call asks for another metric or bound, and a tag is set"
            f" before it, so that no answer and no count is remembered. Search is asked for the"
            f" same of {runs:,} training jobs with {tracking_jobs.METRICS} metrics and 10"
            f" hyperparameters each. Metric points: {WRITERS} writers, processes of their own on"
            " the same machine, each with a run of its own, as fast as they can;"
            f" {PER_LOG_BATCH} points a call by `log_batch`, {PER_PUT} by BatchPutMetrics, signed"
            " as boto3 does. Points are counted in the database afterwards."
        ),
        tables=[pages, writing],
        ratios=[*ratios, *more],
        packages=["mlflow", "sqlalchemy"],
        notes=notes,
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="and as many training jobs")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument(
        "--patience", type=float, default=45.0, help="seconds given to one query of one server"
    )
    parser.add_argument(
        "--seconds", type=float, default=8.0, help="how long writers write in each way"
    )
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")
    # Read by the mlflow client: how long a call may take, and that it is made once.
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(round(chosen.patience))
    os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    with scratch() as folder:
        measured = run(
            folder,
            runs=chosen.runs,
            rounds=chosen.rounds,
            patience=chosen.patience,
            seconds=chosen.seconds,
        )
    finish(result(measured, runs=chosen.runs, patience=chosen.patience), chosen.results)


if __name__ == "__main__":
    main()
