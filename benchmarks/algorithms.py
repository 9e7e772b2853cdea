"""Time and peak memory of the built-in algorithms beside the libraries that people use for them.

    python benchmarks/algorithms.py                 every case
    python benchmarks/algorithms.py kmeans xgboost  these only; results of the others are kept
    python benchmarks/algorithms.py --quick         on tiny data, to see that it runs

A case is a module in ``algorithm_speed``. Each contestant of each round runs in a fresh process, in
turns, so that all of them meet the same machine and each has its own peak of memory. Contestants
that are not installed are left out, with a word.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, options, scratch

FOLDER = Path(__file__).resolve().parent
CASES = sorted(
    path.stem for path in (FOLDER / "algorithm_speed").glob("*.py") if path.stem != "__init__"
)
NOT_INSTALLED = 3
PEAK = "peak MiB"


def case(name: str) -> Any:
    """The module of a case."""
    return importlib.import_module(f"algorithm_speed.{name}")


def contestant(name: str, who: str, folder: Path, quick: bool) -> int:
    """Run one contestant in this process and print its numbers as JSON."""
    try:
        numbers = list(case(name).CONTESTANTS[who](folder, quick))
    except ModuleNotFoundError as error:
        print(error, file=sys.stderr)
        return NOT_INSTALLED
    print(f"\n{json.dumps([*numbers, peak_mib()])}")
    return 0


def peak_mib() -> float:
    """The most memory that this process had; what the system counts by itself would begin with the
    peak of the parent."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def run(name: str, who: str, folder: Path, quick: bool) -> list[float] | None:
    """One contestant in a fresh process; None when what it needs is not installed."""
    command = [sys.executable, __file__, "--contestant", name, who, str(folder)]
    ended = subprocess.run(
        [*command, *(["--quick"] if quick else [])], stdout=subprocess.PIPE, text=True, check=False
    )
    if ended.returncode == NOT_INSTALLED:
        return None
    ended.check_returncode()
    found: list[float] = json.loads(ended.stdout.splitlines()[-1])
    return found


def measure(name: str, *, rounds: int, quick: bool) -> Result:
    """Every contestant of a case, in turns; the medians."""
    module = case(name)
    turns: dict[str, list[list[float]]] = {who: [] for who in module.CONTESTANTS}
    notes = list(getattr(module, "NOTES", ()))
    with scratch() as folder:
        module.prepare(folder, quick)
        for _ in range(rounds):
            for who in list(turns):
                numbers = run(name, who, folder, quick)
                if numbers is None:
                    notes.append(f"{who} was not installed.")
                    del turns[who]
                else:
                    print(f"{name}, {who}: {numbers}", file=sys.stderr, flush=True)
                    turns[who].append(numbers)
    columns = (*module.COLUMNS, PEAK)
    rows = {
        who: [statistics.median(values) for values in zip(*taken, strict=True)]
        for who, taken in turns.items()
    }
    ratios = [
        Ratio(text, rows[above][columns.index(column)] / rows[below][columns.index(column)])
        for text, above, below, column in module.RATIOS
        if above in rows and below in rows
    ]
    return Result(
        name=f"algorithms_{name}",
        title=module.TITLE,
        method=module.METHOD,
        tables=[Table(f"Medians of {rounds}", columns, rows)],
        ratios=ratios,
        packages=("numpy", "numba", *module.PACKAGES),
        notes=notes,
        command=f"benchmarks/algorithms.py {name}",
    )


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = options(__doc__)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of: {', '.join(CASES)}")
    parser.add_argument("--quick", action="store_true", help="tiny data, one round")
    parser.add_argument("--rounds", type=int, help="instead of each case's own number")
    parser.add_argument("--contestant", nargs=3, help=argparse.SUPPRESS)
    found = parser.parse_args(given)
    if unknown := [name for name in found.cases if name not in CASES]:
        parser.error(f"there is no case {unknown[0]}; there are {', '.join(CASES)}")
    return found


def main() -> int:
    asked = arguments()
    if asked.contestant:
        name, who, folder = asked.contestant
        return contestant(name, who, Path(folder), asked.quick)
    for name in asked.cases or CASES:
        rounds = asked.rounds or (1 if asked.quick else case(name).ROUNDS)
        finish(measure(name, rounds=rounds, quick=asked.quick), asked.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
