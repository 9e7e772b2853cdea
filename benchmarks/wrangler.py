"""Data Wrangler beside pandas, Polars and hand-written DuckDB SQL, and how soon its screen answers.

    python benchmarks/wrangler.py                  10,000,000 rows of 20 columns
    python benchmarks/wrangler.py --rows 100000    fewer
    python benchmarks/wrangler.py --large          the recipe over 100,000,000 rows within 8 GiB

Each contestant of each round runs in a fresh process, in turns. Those that are not installed are
left out, with a word.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from algorithms import NOT_INSTALLED, PEAK, peak_mib
from measurement import Ratio, Result, Table, finish, options, scratch
from wrangler_speed import bottega_flow, data, duckdb_by_hand, pandas_by_hand, polars_by_hand

CONTESTANTS = {
    "bottega": bottega_flow,
    "DuckDB SQL by hand": duckdb_by_hand,
    "Polars": polars_by_hand,
    "pandas": pandas_by_hand,
}
WORK = ("recipe", "profile")
LARGE_ROWS = 100_000_000
PACKAGES = ("duckdb", "polars", "pandas", "pyarrow")


def contestant(who: str, what: str, folder: Path) -> int:
    """Do one thing in this process and print its seconds and the peak as JSON."""
    try:
        start = time.perf_counter()
        getattr(CONTESTANTS[who], what)(folder)
        seconds = time.perf_counter() - start
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    print(f"\n{json.dumps([seconds, peak_mib()])}")
    return 0


def run(who: str, what: str, folder: Path) -> list[float] | None:
    """One contestant in a fresh process; None when what it needs is not installed."""
    command = [sys.executable, __file__, "--contestant", who, what, str(folder)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if ended.returncode == NOT_INSTALLED:
        return None
    ended.check_returncode()
    found: list[float] = json.loads(ended.stdout.splitlines()[-1])
    print(f"{who}, {what}: {found}", file=sys.stderr, flush=True)
    return found


def compete(folder: Path, rounds: int, notes: list[str]) -> Table:
    """Everybody does everything, in turns; medians."""
    turns: dict[str, list[list[float]]] = {who: [] for who in CONTESTANTS}
    for _ in range(rounds):
        for who in list(turns):
            found = [run(who, what, folder) for what in WORK]
            if any(numbers is None for numbers in found):
                notes.append(f"{who} was not installed.")
                del turns[who]
            else:
                turns[who].append([number for numbers in found for number in numbers or ()])
    columns = [f"{what}, {unit}" for what in WORK for unit in ("seconds", PEAK)]
    rows = {
        who: [statistics.median(values) for values in zip(*taken, strict=True)]
        for who, taken in turns.items()
    }
    return Table(f"Medians of {rounds}", columns, rows)


def answers(folder: Path) -> Table:
    """How long a screen waits: from a request to the worker until its answer."""
    from bottega.features.wrangler.workers import WorkerPool

    rows: dict[str, Sequence[float | None]] = {}
    pool = WorkerPool(folder / "workers")
    try:
        for file in ("customers.csv", "customers.parquet"):
            pool.stand_ready()
            time.sleep(5)  # as long as it takes somebody to choose a file
            rows[f"first rows of {file}"] = _opened(pool, folder, file)
        rows |= _edited(pool, folder)
    finally:
        pool.close()
    return Table("Waiting for the screen", ("first answer, ms", "whole data, ms"), rows)


def _timed(call: Callable[[], Mapping[str, Any]]) -> tuple[float, Mapping[str, Any]]:
    start = time.perf_counter()
    answer = call()
    return (time.perf_counter() - start) * 1000, answer


def _opened(pool: Any, folder: Path, file: str) -> Sequence[float]:
    """A flow with a source is made and shown, by a worker that nobody has asked before."""
    caller = file  # so that each file gets a worker of its own

    def shown() -> Mapping[str, Any]:
        document, _ = bottega_flow.flow(file)
        source = document.nodes[0].id
        arguments = {"flow": document.text(), "node_id": source, "objects": {}}
        answer: Mapping[str, Any] = pool.call(caller, str(folder), "preview", arguments)
        return answer

    first, _ = _timed(shown)
    document, _ = bottega_flow.flow(file)
    arguments = {"flow": document.text(), "node_id": document.nodes[0].id, "objects": {}}
    whole, _ = _timed(
        lambda: pool.call(caller, str(folder), "preview", arguments | {"whole": True})
    )
    return [first, first + whole]


def _edited(pool: Any, folder: Path) -> dict[str, Sequence[float]]:
    """Each step of the recipe, added to what is there, with its changes; headers; a jump."""
    rows: dict[str, Sequence[float]] = {}
    caller, file = "customers.parquet", "customers.parquet"
    document, last = bottega_flow.flow(file)
    base = {"flow": document.text(), "objects": {}, "compare": True}
    for number, (_, name, _) in enumerate(bottega_flow.STEPS, 1):
        asked = base | {"node_id": f"step {number}"}
        first, _ = _timed(lambda asked=asked: pool.call(caller, str(folder), "preview", asked))
        asked["whole"] = True
        whole, _ = _timed(lambda asked=asked: pool.call(caller, str(folder), "preview", asked))
        rows[f"step {number}: {name}"] = [first, whole]
    plain = {"flow": document.text(), "objects": {}, "node_id": last}
    first, _ = _timed(lambda: pool.call(caller, str(folder), "profile", plain))
    whole, _ = _timed(lambda: pool.call(caller, str(folder), "profile", plain | {"whole": True}))
    rows["headers of all columns after the last step"] = [first, whole]
    count = pool.call(caller, str(folder), "preview", plain | {"whole": True})["TotalRows"]
    jump = plain | {"whole": True, "offset": count // 2}
    took, _ = _timed(lambda: pool.call(caller, str(folder), "preview", jump))
    rows["a jump to the middle"] = [took, took]
    return rows


def measure(rows: int, rounds: int) -> Result:
    """All of it over one table."""
    notes: list[str] = []
    with scratch() as folder:
        data.write(folder, rows)
        table = compete(folder, rounds, notes)
        waiting = answers(folder)
    ours = table.rows["bottega"]
    ratios = [
        Ratio(f"bottega / {who}, {column}", ours[place] / values[place])
        for who, values in table.rows.items()
        if who != "bottega"
        for place, column in enumerate(table.columns)
        if column.endswith("seconds")
    ]
    return Result(
        name="wrangler",
        title=f"Data Wrangler: {rows:,} rows of {data.COLUMNS} columns",
        method=(
            f"A generated table of customers (seed {data.SEED}): numbers, texts, dates, moments, "
            "booleans, with the faults that such tables have, as Parquet. The recipe has twelve "
            "steps (drop rows, strip, lower case, parse a date, impute, clip outliers, extract, "
            "parse a number, date parts, a formula, scale, one-hot) and writes Parquet; the "
            "profile finds missing and distinct values, extremes, moments, quantiles, histograms "
            "and the most frequent values of every column. bottega runs the flow as a processing "
            "job does, its database limited to 4 GiB; the SQL is what somebody who knows DuckDB "
            "would write, with the same results. Each runs in a fresh process; imports count. "
            "Below: the worker behind the screen, from a request to its answer, with the changes "
            "beside the former table; the first answer is from the first 100,000 rows where the "
            "whole takes longer. A worker stands ready, as it does once the palette was asked for."
        ),
        tables=[table, waiting],
        ratios=ratios,
        packages=PACKAGES,
        notes=notes,
    )


def measure_large(rows: int) -> Result:
    """The recipe over more than memory should hold."""
    with scratch() as folder:
        data.write(folder, rows, csv=False)
        found = run("bottega", "recipe", folder)
    assert found is not None
    return Result(
        name="wrangler_large",
        title=f"Data Wrangler: {rows:,} rows",
        method=(
            "The recipe of the benchmark above over a Parquet file of that many rows, the "
            "engine's database limited to 4 GiB. The peak is that of the process."
        ),
        tables=[Table("One run", ("seconds", PEAK), {"bottega": found})],
        packages=PACKAGES,
        command="benchmarks/wrangler.py --large",
    )


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--large", action="store_true", help="100,000,000 rows (or --rows)")
    parser.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)
    asked: argparse.Namespace = parser.parse_args()
    if asked.contestant:
        who, what, folder = asked.contestant
        return contestant(who, what, Path(folder))
    if asked.large:
        rows = asked.rows if asked.rows != parser.get_default("rows") else LARGE_ROWS
        finish(measure_large(rows), asked.results)
    else:
        finish(measure(asked.rows, asked.rounds), asked.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
