"""How long a training goes on after the step at which a rule with StopTraining fires.

A real daemon runs XGBoost trainings through boto3; each prints the time of every step, and learns
nothing from one of them on. Measured from the step that the rule names:

* ``found``: the rule's status says that it has fired;
* ``stopping``: the job is asked to stop;
* ``ended``: the job has ended, its processes are gone and its output is in the store.

Run: ``python benchmarks/debugger_stop.py [--rounds 8]``.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from measurement import Ratio, Result, Table, finish, options, percentile, scratch

import bottega
from bottega.testing.daemon import TestDaemon, eventually, running_daemon
from bottega.testing.debugging import rule
from bottega.testing.requests import SKLEARN_IMAGE, code_archive, script_job

LIMIT = 5.0
"""Seconds that a training may go on."""
FLAT_FROM = 40
SCRIPT = f"""\
import time
import numpy
import xgboost


class Clock(xgboost.callback.TrainingCallback):
    def after_iteration(self, model, epoch, evals_log):
        print("step", epoch, repr(time.time()), flush=True)
        # The learning rate is 0 from a round on: the loss rests.
        if epoch == {FLAT_FROM}:
            model.set_param({{"eta": 0.0}})
        time.sleep(0.02)
        return False


random = numpy.random.default_rng(0)
rows = random.normal(size=(20_000, 20))
data = xgboost.DMatrix(rows, label=rows[:, 0] * rows[:, 1] + random.normal(size=20_000))
xgboost.train(
    {{"eta": 0.1}},
    data,
    1_000_000,
    [(data, "train")],
    verbose_eval=False,
    callbacks=[Clock()],
)
"""


def times_of(daemon: TestDaemon, name: str) -> dict[int, float]:
    """When each step was over, as the training printed it."""
    root = daemon.home / "logs/aws/sagemaker/TrainingJobs/@streams" / name
    found = {}
    for file in root.glob("*.log"):
        for line in file.read_text().splitlines():
            parts = line.split(" ", 1)[1].split()
            if len(parts) == 3 and parts[0] == "step":
                found[int(parts[1])] = float(parts[2])
    return found


def run(daemon: TestDaemon, number: int, code: str) -> Mapping[str, float]:
    """One training; returns the seconds from the step that fired."""
    name, config = f"stop-{number}", daemon.config
    sagemaker = daemon.client("sagemaker")
    actions = json.dumps([{"name": "stoptraining", "training_job_prefix": name}])
    request = script_job(
        name,
        config.bucket,
        config.role_arn,
        code,
        DebugHookConfig={
            "S3OutputPath": f"s3://{config.bucket}/debug",
            "CollectionConfigurations": [
                {"CollectionName": "metrics", "CollectionParameters": {"save_interval": "5"}}
            ],
        },
        DebugRuleConfigurations=[
            rule(
                "LossNotDecreasing",
                use_losses_collection="False",
                tensor_regex="train-rmse",
                num_steps="4",
                action_json=actions,
            )
        ],
    )
    request["AlgorithmSpecification"]["TrainingImage"] = SKLEARN_IMAGE
    sagemaker.create_training_job(**request)
    seen: dict[str, float] = {}

    def over() -> Any:
        job = sagemaker.describe_training_job(TrainingJobName=name)
        (status,) = job["DebugRuleEvaluationStatuses"]
        now = time.time()
        if status["RuleEvaluationStatus"] == "IssuesFound":
            seen.setdefault("found", now)
        if job["TrainingJobStatus"] == "Stopping":
            seen.setdefault("stopping", now)
        return job if job["TrainingJobStatus"] in ("Stopped", "Completed", "Failed") else None

    job = eventually(over, f"{name} has ended", timeout=300)
    seen["ended"] = time.time()
    assert job["TrainingJobStatus"] == "Stopped", job.get("FailureReason")
    for entry in job["SecondaryStatusTransitions"]:
        if entry["Status"] == "Stopping":
            seen["stopping"] = entry["StartTime"].timestamp()
    told = bottega.connect(daemon.home).client.call(
        "bottega", "DescribeTrainingJobDebugger", {"TrainingJobName": name}
    )
    (finding,) = told["Rules"][0]["Findings"]
    fired = times_of(daemon, name)[finding["Step"]]
    return {what: moment - fired for what, moment in seen.items()}


def result(found: Sequence[Mapping[str, float]]) -> Result:
    rows = {
        what: [
            percentile([one[what] for one in found if what in one], share)
            for share in (50, 95, 100)
        ]
        for what in ("stopping", "found", "ended")
    }
    slowest = rows["ended"][2]
    return Result(
        name="debugger_stop",
        title="From the step that fires to the end of the training",
        method=(
            "XGBoost trainings of 20,000 rows whose learning rate becomes 0, with metrics saved "
            "every five rounds and the rule LossNotDecreasing with the action StopTraining. "
            "Seconds since the step that the rule names was over, as the training printed it. "
            "*stopping*: the job is asked to stop; *found*: DescribeTrainingJob says IssuesFound; "
            f"*ended*: it says Stopped. {len(found)} trainings, one after the other."
        ),
        tables=[Table("Since the step", ("p50 s", "p95 s", "max s"), rows)],
        ratios=[Ratio("the 5 s that a training may go on, beside the slowest", LIMIT / slowest)],
        packages=["boto3", "numpy", "xgboost"],
    )


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--rounds", type=int, default=8)
    chosen = parser.parse_args()
    found: list[Mapping[str, float]] = []
    with scratch() as folder, running_daemon(folder / "h", tracking=False) as daemon:
        body = code_archive(train__py=SCRIPT)
        bucket = daemon.config.bucket
        daemon.client("s3").put_object(Bucket=bucket, Key="code/stop.tar.gz", Body=body)
        for number in range(chosen.rounds):
            found.append(run(daemon, number, f"s3://{bucket}/code/stop.tar.gz"))
            seen = {what: round(value, 2) for what, value in found[-1].items()}
            print(number, seen, file=sys.stderr, flush=True)
    finish(result(found), chosen.results)
    slowest = max(one["ended"] for one in found)
    if slowest > LIMIT:
        sys.exit(f"the slowest training went on for {slowest:.1f} s")


if __name__ == "__main__":
    main()
