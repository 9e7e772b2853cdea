"""How long until the first line of a training job's own program is in its log.

The program imports numpy, pandas, scikit-learn and xgboost, and prints the time. A job is created
with boto3 through a real daemon; the line is waited for in the log's file. All ways take turns, so
that they meet the same machine:

* ``warm``: what a user gets, with MLflow following every job, and the same without MLflow;
* ``cold``: no preloaded libraries, isolated by bubblewrap;
* ``bare``: ``python -c`` of the same program, its output read from a pipe.

Run: ``python benchmarks/start_latency.py [--rounds 20] [--cold-rounds 6]``.
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measurement import Ratio, Result, Table, finish, milliseconds, options, percentile, scratch

from bottega.testing.daemon import TestDaemon, running_daemon
from bottega.testing.requests import code_archive, script_job

PROGRAM = (
    "import numpy, pandas, sklearn, xgboost, time; print('first', repr(time.time()), flush=True)"
)
PATIENCE_SECONDS = 120.0
LOOK_SECONDS = 0.001
"""How often the log is looked at: one ``stat``, a few microseconds of work."""
DESCRIBE_SECONDS = 0.02

WARM = "bottega, MLflow on"
UNTRACKED = "bottega, MLflow off"
COLD = "bottega, bubblewrap, nothing preloaded"
BARE = "bare `python -c`"


@dataclass(frozen=True)
class Times:
    """Seconds since the call was made."""

    line: float
    """The line can be read: in the log's file, or from the pipe."""
    printed: float
    """What the program itself says."""
    phases: Mapping[str, float]
    """When each further step of a job was reached."""


class Jobs:
    """Runs the program as training jobs of one daemon, one at a time."""

    def __init__(self, daemon: TestDaemon) -> None:
        self._daemon = daemon
        self._sagemaker = daemon.client("sagemaker")
        self._numbers = itertools.count()
        self._logs = daemon.home / "logs/aws/sagemaker/TrainingJobs/@streams"
        key = "code/sourcedir.tar.gz"
        bucket = daemon.config.bucket
        body = code_archive(train__py=PROGRAM)
        daemon.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
        self._code = f"s3://{bucket}/{key}"

    def run(self) -> Times:
        """Run one job to its end."""
        name = f"job-{next(self._numbers)}"
        config = self._daemon.config
        request = script_job(name, config.bucket, config.role_arn, self._code)
        began = time.time()
        self._sagemaker.create_training_job(**request)
        answered = time.time()
        printed, line = self._await_line(self._logs / name, began + PATIENCE_SECONDS)
        job = self._await_end(name, began + PATIENCE_SECONDS)
        completed = time.time()
        if job["TrainingJobStatus"] != "Completed":
            raise SystemExit(f"{name}: {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        if config.tracking and "MlflowDetails" not in job:
            raise SystemExit(f"{name} has no run: MLflow is not up, which is not what is measured")
        steps = {
            item["Status"]: item["StartTime"].timestamp()
            for item in job["SecondaryStatusTransitions"]
        }
        phases = {
            "the call is answered": answered,
            "Downloading begins": steps["Downloading"],
            "Training begins (staged, run opened, supervisor forked)": steps["Training"],
            "the program prints": printed,
            "the line is in the log": line,
            "Uploading begins": steps["Uploading"],
            "Describe says Completed": completed,
        }
        return Times(
            line=line - began,
            printed=printed - began,
            phases={name: moment - began for name, moment in phases.items()},
        )

    def _await_line(self, folder: Path, deadline: float) -> tuple[float, float]:
        """(when the program printed, when that was in the file)."""
        size = -1
        file: Path | None = None
        while time.time() < deadline:
            if file is None:
                file = next(folder.glob("algo-1-*.log"), None) if folder.is_dir() else None
            elif (now := file.stat().st_size) != size:
                size, seen = now, time.time()
                for record in file.read_text().splitlines():
                    words = record.split()
                    if words[1:2] == ["first"]:
                        return float(words[2]), seen
            time.sleep(LOOK_SECONDS)
        raise SystemExit(f"{folder}: no first line after {PATIENCE_SECONDS:.0f} s")

    def _await_end(self, name: str, deadline: float) -> dict[str, Any]:
        while time.time() < deadline:
            job: dict[str, Any] = self._sagemaker.describe_training_job(TrainingJobName=name)
            if job["TrainingJobStatus"] != "InProgress":
                return job
            time.sleep(DESCRIBE_SECONDS)
        raise SystemExit(f"{name} has not ended after {PATIENCE_SECONDS:.0f} s")


def bare() -> Times:
    """A plain interpreter."""
    began = time.time()
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        line = time.time() - began
        process.stdout.read()
    return Times(line, float(words[1]) - began, {})


@contextmanager
def warm_jobs(home: Path, **settings: Any) -> Iterator[Jobs]:
    """A daemon that has everything up: its fork server, MLflow, and one job behind it."""
    with running_daemon(home, **settings) as daemon:
        jobs = Jobs(daemon)
        jobs.run()
        yield jobs


def measure(folder: Path, rounds: int, cold_rounds: int) -> dict[str, list[Times]]:
    """Let all ways take turns; the slow ones less often, spread over the whole run."""
    with ExitStack() as stack:
        warm = stack.enter_context(warm_jobs(folder / "t"))
        untracked = stack.enter_context(warm_jobs(folder / "u", tracking=False))
        cold = stack.enter_context(
            warm_jobs(folder / "c", tracking=False, preload=False, isolation="bubblewrap")
        )
        ways: dict[str, Callable[[], Times]] = {
            WARM: warm.run,
            UNTRACKED: untracked.run,
            COLD: cold.run,
            BARE: bare,
        }
        bare()  # fills the caches of the file system, as the daemons' first jobs have done
        times: dict[str, list[Times]] = {way: [] for way in ways}
        for number in range(rounds):
            for way, once in ways.items():
                rare = way in (COLD, BARE)
                due = (number + 1) * cold_rounds // rounds > number * cold_rounds // rounds
                if due or not rare:
                    times[way].append(once())
        return times


def result(times: Mapping[str, Sequence[Times]], rounds: int, cold_rounds: int) -> Result:
    def row(of: Sequence[Times]) -> list[float | None]:
        completed = [t.phases["Describe says Completed"] for t in of if t.phases]
        return [
            *milliseconds((t.line for t in of), 50, 90),
            *milliseconds((t.printed for t in of), 50, 90),
            *(milliseconds(completed, 50, 90) if completed else [None, None]),
        ]

    columns = [
        f"{what} p{percent} ms" for what in ("line", "printed", "done") for percent in (50, 90)
    ]
    jobs = [way for way in times if way != BARE]
    phases = {
        phase: [milliseconds((t.phases[phase] for t in times[way]), 50)[0] for way in jobs]
        for phase in times[WARM][0].phases
    }
    middle = {way: percentile((t.line for t in of), 50) for way, of in times.items()}
    return Result(
        name="start_latency",
        title="From CreateTrainingJob to the first line",
        method=(
            "A script-mode job that imports numpy, pandas, scikit-learn and xgboost and prints the "
            "time, created with boto3. *line*: until the line is in the log's file; *printed*: the "
            "time that the program itself says; *done*: until DescribeTrainingJob says Completed, "
            f"asked every {DESCRIBE_SECONDS * 1000:.0f} ms. {rounds} jobs of each warm way, "
            f"{cold_rounds} of the others, in turn."
        ),
        tables=[
            Table("Since the call", columns, {way: row(of) for way, of in times.items()}),
            Table("Where the time goes (p50 since the call)", [f"{w} ms" for w in jobs], phases),
        ],
        ratios=[
            Ratio(
                "a bare interpreter beside a warm job with MLflow, p50", middle[BARE] / middle[WARM]
            ),
            Ratio(
                "a cold job beside a warm one, both without MLflow, p50",
                middle[COLD] / middle[UNTRACKED],
            ),
        ],
        packages=["boto3", "mlflow", "numpy", "pandas", "scikit-learn", "xgboost"],
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--cold-rounds", type=int, default=6)
    chosen = parser.parse_args()
    with scratch() as folder:
        times = measure(folder, chosen.rounds, chosen.cold_rounds)
    finish(result(times, chosen.rounds, chosen.cold_rounds), chosen.results)


if __name__ == "__main__":
    main()
