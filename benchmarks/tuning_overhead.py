"""What a tuning job takes beyond its trials' own time.

    python benchmarks/tuning_overhead.py                         trials of 1, 3 and 9 seconds
    python benchmarks/tuning_overhead.py --seconds 1 --trials 4  others

A trial is a script that waits, so that it takes as long beside another one as alone; two run at a
time. With nothing beyond, a job of 20 trials of 1 second takes 10 seconds.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from measurement import Ratio, Result, Table, finish, options, scratch

from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.requests import SKLEARN_IMAGE, code_archive
from bottega.testing.tuning import ranges, tuning_job

PARALLEL = 2
TRIAL = """\
import json, time

time.sleep({seconds})
with open("/opt/ml/input/config/hyperparameters.json") as file:
    x = float(json.loads(file.read())["x"].strip('"'))
print(f"score={{(x - 0.3) ** 2}}", flush=True)
"""
ENDED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Measured:
    """Seconds of one tuning job; see the method for what they are."""

    asleep: float
    trials: float
    job: float

    def beyond(self, part: float) -> float:
        """What the job takes beyond a part of it, in percent of the part."""
        return (self.job / part - 1) * 100


def run(daemon: TestDaemon, name: str, strategy: str, trials: int, seconds: float) -> Measured:
    """Run a tuning job to its end and measure it."""
    config = daemon.config
    sagemaker, s3 = daemon.client("sagemaker"), daemon.client("s3")
    key = f"code/{name}.tar.gz"
    s3.put_object(
        Bucket=config.bucket, Key=key, Body=code_archive(train__py=TRIAL.format(seconds=seconds))
    )
    request = tuning_job(
        name,
        config.bucket,
        config.role_arn,
        strategy=strategy,
        trials=trials,
        parallel=PARALLEL,
        metric="score",
        tuned=ranges(x=(0.0, 1.0)),
        StaticHyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{config.bucket}/{key}",
        },
        AlgorithmSpecification={
            "TrainingImage": SKLEARN_IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.e-]+)"}],
        },
        InputDataConfig=None,
    )
    began = time.monotonic()
    sagemaker.create_hyper_parameter_tuning_job(**request)

    def over() -> Any:
        job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        return job if job["HyperParameterTuningJobStatus"] in ENDED else None

    job = eventually(over, f"{name} has ended", timeout=trials * seconds + 120)
    took = time.monotonic() - began
    assert job["TrainingJobStatusCounters"]["Completed"] == trials, job
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    own = [
        (trial["TrainingEndTime"] - trial["TrainingStartTime"]).total_seconds()
        for page in pages.paginate(HyperParameterTuningJobName=name)
        for trial in page["TrainingJobSummaries"]
    ]
    return Measured(-(-trials // PARALLEL) * seconds, sum(own) / PARALLEL, took)


def result(found: dict[str, Measured], trials: int) -> Result:
    rows: dict[str, Sequence[float | None]] = {
        name: [one.asleep, one.trials, one.job, one.beyond(one.trials), one.beyond(one.asleep)]
        for name, one in found.items()
    }
    return Result(
        name="tuning_overhead",
        title="What a tuning job takes beyond its trials",
        method=(
            f"Tuning jobs of {trials} trials, {PARALLEL} at a time, through boto3; a trial is a "
            "script that sleeps and prints one number. *asleep*: what the sleeping takes. "
            "*trials*: from each trial's TrainingStartTime to its TrainingEndTime, added up and "
            "divided by how many run at a time: with the sleeping, the download of the code, the "
            "start and end of the process and the upload of its outputs. *job*: from the call that "
            "creates the tuning job until it is Completed: with all that and the search, the "
            "creating of training jobs and the asking of the client."
        ),
        tables=[
            Table(
                "By strategy",
                ("asleep s", "trials s", "job s", "beyond trials %", "beyond sleeping %"),
                rows,
            )
        ],
        ratios=[
            Ratio(f"the whole job / its trials: {name}", one.job / one.trials)
            for name, one in found.items()
        ],
        packages=("boto3", "optuna"),
    )


def main() -> int:
    parser = options(__doc__)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 3.0, 9.0])
    arguments = parser.parse_args()
    found = {}
    with scratch() as folder, running_daemon(folder / "h") as daemon:
        run(daemon, "warm-up", "Random", 2, 0.1)
        for seconds in arguments.seconds:
            for strategy in ("Random", "Bayesian"):
                name = f"{strategy.lower()}-{seconds:g}s".replace(".", "-")
                one = run(daemon, name, strategy, arguments.trials, seconds)
                found[f"{strategy}, trials of {seconds:g} s"] = one
                print(f"{name}: {one}", file=sys.stderr, flush=True)
    finish(result(found, arguments.trials), arguments.results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
